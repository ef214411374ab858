"""What a menu offers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """A choice for a menu: its value, what it says, and a remark."""

    value: str
    text: str
    detail: str = ""
