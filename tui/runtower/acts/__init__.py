"""Use cases: what a key or a command does, without Textual."""
