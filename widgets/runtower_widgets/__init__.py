"""Textual widgets that know nothing of where runs come from."""
