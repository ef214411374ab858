"""The order and the numbers of values. Missing, NaN and the infinities are four things.

A dense column of numbers is float64 in which one NaN payload, `MISSING`, stands for 'no value';
every other NaN is a value that was logged as NaN.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from typing import Final

MISSING_BITS: Final = 0x7FF8_0000_0000_0DEA
MISSING: Final[float] = struct.unpack("<d", struct.pack("<Q", MISSING_BITS))[0]

_DIGITS = re.compile(r"(\d+)")
_NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\v\f\r]*\Z")
_SPECIAL: Mapping[str, float] = {
    "nan": math.nan,
    "+nan": math.nan,
    "-nan": math.nan,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "infinity": math.inf,
    "+infinity": math.inf,
    "-infinity": -math.inf,
}


def is_missing(value: float) -> bool:
    """Whether a float64 is the payload that stands for 'no value'."""
    return value != value and bool(struct.unpack("<Q", struct.pack("<d", value))[0] == MISSING_BITS)


def number_of(text: str) -> float | None:
    """The number a text spells, or None. `1e-3`, `0.001` and ` .001` are equal; `1_000`, '' and 'vit' are none."""
    if _NUMBER.match(text):
        return float(text)
    return _SPECIAL.get(text.strip().lower())


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key in which `run-9` comes before `run-10`; case is folded first."""
    return tuple(
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part)
        for part in _DIGITS.split(text.casefold())
        if part
    )
