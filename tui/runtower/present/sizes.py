"""Sizes of files as people read them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("KB", "MB", "GB", "TB", "PB")


def size_text(size: int) -> str:
    """`812 B`, `64 KB`, `3.2 MB`: units of 1,024 bytes."""
    if size < 1024:
        return f"{size} B"
    value, unit = float(size), ""
    for unit in _UNITS:  # noqa: B007  the last one is kept
        value /= 1024
        if value < 999.5:
            break
    whole = value >= 99.95 or abs(value - round(value)) < 0.05
    return f"{value:.0f} {unit}" if whole else f"{value:.1f} {unit}"
