"""Round numbers along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from runtower.present.numbers import exact
from runtower.present.times import clock, duration

TIMES: Final = ("time", "relative")
_X_WIDTH: Final = 9
_STEPS: Final = (1.0, 2.0, 5.0, 10.0)


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` (at least 2) multiples of 1, 2 or 5 times a power of ten from `low` to `high`, ascending."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    rough = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 0.0
    for step in (power * one for one in (*_STEPS, *(ten * 10 for ten in _STEPS))):
        if step <= 0 or not math.isfinite(step):
            return [low]
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [place * step for place in range(first, last + 1)]
    return [low]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten, or 1, 2 and 5 times them where there are few, within [low, high]; both must be above 0."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors in ((1.0, 2.0, 5.0), (1.0,)):
        found = [f * 10.0**p for p in range(first, last + 1) for f in factors if low <= f * 10.0**p <= high]
        if 2 <= len(found) <= most:
            return found
        if len(found) > most and factors == (1.0,):
            return found[:: math.ceil(len(found) / most)]
    return ticks(low, high, most)


def labels(values: Sequence[float], width: int) -> list[str]:
    """The ticks in as many digits as tell them apart, each at most `width` cells where that can be."""
    if not values:
        return []
    gap = min((abs(b - a) for a, b in pairwise(values)), default=abs(values[0]))
    size = max(abs(value) for value in values)
    if size and (size >= 1e6 or gap < 1e-4):
        return [_short(value, width) for value in values]
    decimals = 0 if not gap else max(0, -math.floor(math.log10(gap) + 1e-9))
    decimals += any(abs(value * 10**decimals - round(value * 10**decimals)) > 1e-6 for value in values)
    return [text if len(text := f"{value:.{decimals}f}") <= width else _short(value, width) for value in values]


def marks(low: float, high: float, most: int, width: int, log: bool = False) -> list[tuple[float, str]]:
    """At most so many round numbers from `low` to `high`, each with its label."""
    found = log_ticks(low, high, most) if log else ticks(low, high, most)
    return list(zip(found, labels(found, width), strict=True))


def x_text(x: str, value: float, now_ms: float) -> str:
    """A value of an x axis (`link.wire.Curve` says which there are) as a person says it."""
    if x == "time":
        return clock(value * 1000, now_ms)
    return duration(value * 1000) if x == "relative" else exact(value)


def x_marks(x: str, low: float, high: float, most: int, now_ms: float) -> list[tuple[float, str]]:
    """At most so many round values of an x axis, each with its label."""
    if x not in TIMES:
        return marks(low, high, most, _X_WIDTH)
    return [(value, x_text(x, value, now_ms)) for value in ticks(low, high, most)]


def _short(value: float, width: int) -> str:
    """`2M`, `150k`, `3e-05`."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit and abs(value) < 1e12:
            return f"{value / unit:.4g}{name}"[:width] if len(f"{value / unit:.3g}{name}") <= width else f"{value:.0e}"
    return f"{value:.{max(1, width - 5)}g}"
