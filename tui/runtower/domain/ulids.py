"""Ids that sort by time: ULIDs (github.com/ulid/spec), 26 characters of Crockford's base 32, the first ten of which are
UTC epoch ms."""

from __future__ import annotations

import secrets
import time
from typing import Final

LENGTH: Final = 26
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """One that nobody else has."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_DIGITS[(number >> shift) & 31] for shift in range(125, -1, -5))


def is_ulid(text: str) -> bool:
    """Whether a text could be one."""
    return len(text) == LENGTH and all(one in _DIGITS for one in text)


def made(ulid: str) -> int:
    """When it was made, UTC epoch ms, by the clock of who made it."""
    number = 0
    for one in ulid[:10]:
        number = number * 32 + _DIGITS.index(one)
    return number
