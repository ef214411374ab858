"""Some runs as one line: the mean of what they were at each x, and the band around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from runtower.acts.browse import Browser
from runtower.domain.pyramid import Envelope, Floats, Pyramid

EACH: Final = ""
STD: Final = "std"
RANGE: Final = "range"
KINDS: Final = (EACH, STD, RANGE)


@dataclass(frozen=True)
class Group:
    """Runs that are drawn as one line: `name` is what they have in common, `rows` are global rows."""

    name: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """By x the mean of the runs that have a value there, the ends of the band, and how many they are; float64, NaN for
    none."""

    mean: Floats
    low: Floats
    high: Floats
    count: Floats


def groups_of(browser: Browser, rows: Sequence[int]) -> list[Group]:
    """The runs by the column that the table is grouped by, in their order; all in one group where it isn't."""
    by = browser.query.group
    if by is None:
        return [Group(f"{len(rows)} runs", tuple(rows))]
    column = browser.catalogue.column(by)
    found: dict[str, list[int]] = {}
    for row in rows:
        text = column.text(row)
        found.setdefault(f"no {by.key}" if text is None else f"{by.key}={text}", []).append(row)
    return [Group(name, tuple(own)) for name, own in found.items()]


def spread_of(runs: Sequence[Pyramid], x: Floats, kind: str) -> Spread:
    """Of runs at these x. A run's value is the line between its two points around x; none before its first point and
    after its last, nor beside a NaN or an infinity. The band is one sample standard deviation (n - 1) to each side, or
    reaches from the least to the greatest value; of a single run there is none."""
    values = np.array([_values(run, x) for run in runs]).reshape(len(runs), len(x))
    there = np.isfinite(values)
    count = there.sum(0).astype(np.float64)
    filled = np.where(there, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count > 0, filled.sum(0) / count, np.nan)
        if kind == RANGE:
            low = np.where(there, values, np.inf).min(0, initial=np.inf)
            high = np.where(there, values, -np.inf).max(0, initial=-np.inf)
        else:
            variance = np.where(there, (values - mean) ** 2, 0.0).sum(0) / (count - 1)
            low, high = mean - np.sqrt(variance), mean + np.sqrt(variance)
    several = count > 1
    return Spread(mean, np.where(several, low, np.nan), np.where(several, high, np.nan), count)


def at_end(runs: Sequence[Pyramid]) -> float:
    """The last x that all of them reached; each has a point."""
    return min(float(run.x[-1]) for run in runs)


def as_envelope(spread: Spread) -> Envelope:
    """What a range of y has to hold of it."""
    low, high = (np.where(np.isnan(end), spread.mean, end) for end in (spread.low, spread.high))
    nothing = np.zeros(len(low), bool)
    return Envelope(low, high, spread.mean, spread.mean, nothing, spread.count.astype(np.intp))


def _values(run: Pyramid, x: Floats) -> Floats:
    if not len(run):
        return np.full(len(x), np.nan)
    if len(run) == 1:
        alone = np.full(len(x), np.nan)
        if len(x) and x[0] <= run.x[0] <= x[-1]:
            alone[int(np.abs(x - run.x[0]).argmin())] = run.y[0]
        return alone
    with np.errstate(invalid="ignore"):
        return np.interp(x, run.x, run.y, left=np.nan, right=np.nan)
