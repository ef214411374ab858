"""A series with its lows and highs by ever larger blocks: any stretch of it costs what the screen is wide.

Level 0 is the series itself, in the order of x; a block of a level holds the low, the high and the odd points of four
of the level below. So the extremes of [begin, end) come exactly from a few blocks of each level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Steps = NDArray[np.int64]

FACTOR: Final = 4


@dataclass(frozen=True, slots=True)
class Level:
    """By block the least and the greatest finite value (NaN: none), and whether there is a NaN or an infinity."""

    low: Floats
    high: Floats
    odd: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What lies in each of n stretches: least, greatest, first and last finite value (NaN: none), whether a NaN or an
    infinity is there, and how many points."""

    low: Floats
    high: Floats
    first: Floats
    last: Floats
    odd: NDArray[np.bool_]
    points: Places


@dataclass(frozen=True, slots=True)
class Pyramid:
    """`x` ascending and finite, `y` as logged (both float64), and `steps` (int64), of one length; `levels[0]` tells of
    single points. `sampled`: not all that was logged, as in `MetricSeries`."""

    x: Floats
    y: Floats
    steps: Steps
    levels: tuple[Level, ...]
    sampled: bool = False

    def __len__(self) -> int:
        return len(self.x)

    def envelope(self, edges: Floats) -> Envelope:
        """The stretches between neighbouring `edges` (ascending, n + 1 of them); the last one includes its end."""
        bounds = np.searchsorted(self.x, edges, "left")
        if len(bounds):
            bounds[-1] = np.searchsorted(self.x, edges[-1], "right")
        begin, end = bounds[:-1], bounds[1:]
        low, high, odd = self._extremes(begin, end)
        there = end > begin
        first, last = np.full(len(begin), np.nan), np.full(len(begin), np.nan)
        if len(self):
            first[there] = self.levels[0].low[begin[there]]
            last[there] = self.levels[0].low[end[there] - 1]
        return Envelope(
            low, high, np.where(np.isnan(first), low, first), np.where(np.isnan(last), low, last), odd, end - begin
        )

    def nearest(self, x: float) -> int:
        """The place of the point at or last before x, the first one where there is none; -1 without points."""
        if not len(self):
            return -1
        return max(0, int(np.searchsorted(self.x, x, "right")) - 1)

    def _extremes(self, begin: Places, end: Places) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        low, high = np.full(len(begin), np.nan), np.full(len(begin), np.nan)
        odd = np.zeros(len(begin), bool)
        for level in self.levels:
            # The ragged ends here, the whole blocks between them at the next level.
            inner = np.minimum(end, -(-begin // FACTOR) * FACTOR)
            outer = np.maximum(inner, end // FACTOR * FACTOR)
            for places, limit in (*_ragged(begin, inner), *_ragged(outer, end)):
                here = np.flatnonzero(places < limit)
                blocks = places[here]
                low[here] = np.fmin(low[here], level.low[blocks])
                high[here] = np.fmax(high[here], level.high[blocks])
                odd[here] |= level.odd[blocks]
            begin, end = inner // FACTOR, outer // FACTOR
            if not (begin < end).any():
                break
        return low, high, odd


def _ragged(begin: Places, end: Places) -> Iterator[tuple[Places, Places]]:
    for step in range(FACTOR - 1):
        yield begin + step, end


def pyramid_of(x: Floats, y: Floats, steps: Steps, sampled: bool = False) -> Pyramid:
    """Of points in any order; those whose x isn't finite have no place. Points of one x keep their order."""
    placed = np.isfinite(x)
    if not placed.all():
        x, y, steps = x[placed], y[placed], steps[placed]
    if len(x) > 1 and (x[1:] < x[:-1]).any():
        order = np.argsort(x, kind="stable")
        x, y, steps = x[order], y[order], steps[order]
    levels = [points_of(y)]
    while len(levels[-1].low) > 1:
        levels.append(_above(levels[-1]))
    return Pyramid(x, y, steps, tuple(levels), sampled)


def points_of(y: Floats) -> Level:
    """The lowest level of a series."""
    finite = np.isfinite(y)
    plain = y if finite.all() else np.where(finite, y, np.nan)
    return Level(plain, plain, ~finite)


def _above(level: Level) -> Level:
    starts = np.arange(0, len(level.low), FACTOR)
    return Level(
        np.fmin.reduceat(level.low, starts),
        np.fmax.reduceat(level.high, starts),
        np.logical_or.reduceat(level.odd, starts),
    )


def smoothed(y: Floats, weight: float) -> Floats:
    """The exponential moving average of a series, as TensorBoard smooths: s[i] = w s[i-1] + (1 - w) y[i], divided by
    1 - w^(i+1) so that the beginning isn't drawn to 0. NaN and infinities stay where they are and count for nothing.

    `weight` from 0 (as it is) to below 1.
    """
    out = y.copy()
    finite = np.flatnonzero(np.isfinite(y))
    if weight <= 0 or not len(finite):
        return out
    values = y[finite].tolist()
    sums = accumulate(values, lambda s, value: weight * s + (1 - weight) * value, initial=0.0)
    next(sums)
    out[finite] = np.fromiter(sums, np.float64, len(values)) / (1 - weight ** np.arange(1, len(values) + 1))
    return out
