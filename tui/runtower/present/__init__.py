"""Turns domain values into cells, glyphs and lines. Pure, without Textual."""
