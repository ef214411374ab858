"""The Textual screens, thin."""
