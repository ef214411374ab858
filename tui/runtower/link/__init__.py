"""Runs one source in a process of its own and talks to it."""
