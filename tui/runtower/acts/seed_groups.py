"""Runs that differ in nothing but what diffs ignore (seeds, output folders), taken together: mean, spread, and whether
a difference is larger than the spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from runtower.config.matrix import Matrix
from runtower.config.rows import UNSET
from runtower.config.same import canonical

BETTER, WORSE, SAME = "better", "worse", "same"


@dataclass(frozen=True, slots=True)
class Spread:
    """The finite values of a group: how many there are, their mean, and their sample standard deviation (n - 1), None
    for less than two."""

    count: int
    mean: float | None
    std: float | None


@dataclass(frozen=True, slots=True)
class GroupFigure:
    """A metric of one group, its `spread`, and the mean and spread of the runs' best values (`best`).

    `delta` is the distance of the mean to the first group's; `error` the standard error of that distance (Welch's:
    sqrt(s1²/n1 + s2²/n2)), None where one of the two has a single value; `beyond` whether the distance is larger than
    it, None without one. `direction` says what the distance means, '' where it can't be told; `leads`: whether no other
    group's mean is better.
    """

    spread: Spread
    best: Spread
    delta: float | None
    error: float | None
    beyond: bool | None
    direction: str
    leads: bool


def groups_of(varying: Matrix, runs: int, strict: bool) -> tuple[tuple[int, ...], ...]:
    """The places of so many runs that have the same config but for what is ignored; the first run's group first."""
    found: dict[tuple[object, ...], list[int]] = {}
    for place in range(runs):
        values = (row.values[place] for row in varying.rows)
        key = tuple(UNSET if value is UNSET else canonical(value, strict) for value in values)
        found.setdefault(key, []).append(place)
    return tuple(tuple(places) for places in found.values())


def figures_of(
    groups: Sequence[Sequence[int]], values: Sequence[float | None], bests: Sequence[float | None], goal: str
) -> tuple[GroupFigure, ...]:
    """A metric's figures, group after group; `values` and `bests` are those of the runs, `goal` is min, max or ''."""
    spreads = [spread_of([values[place] for place in group]) for group in groups]
    means = [one.mean for one in spreads if one.mean is not None]
    top = (min(means) if goal == "min" else max(means)) if goal and len(means) > 1 else None
    out = []
    for number, (group, spread) in enumerate(zip(groups, spreads, strict=True)):
        delta = error = None
        if number:
            delta, error = difference(spreads[0], spread)
        beyond = None if delta is None or error is None else abs(delta) > error
        best = spread_of([bests[place] for place in group])
        leads = top is not None and spread.mean == top
        out.append(GroupFigure(spread, best, delta, error, beyond, direction(delta, goal), leads))
    return tuple(out)


def spread_of(values: Sequence[float | None]) -> Spread:
    """Of what is there and finite."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not finite:
        return Spread(0, None, None)
    return Spread(len(finite), fmean(finite), stdev(finite) if len(finite) > 1 else None)


def difference(first: Spread, other: Spread) -> tuple[float | None, float | None]:
    """How far another mean is from the first one, and that distance's standard error."""
    if first.mean is None or other.mean is None:
        return None, None
    delta = other.mean - first.mean
    if first.std is None or other.std is None:
        return delta, None
    return delta, math.sqrt(first.std**2 / first.count + other.std**2 / other.count)


def direction(delta: float | None, goal: str) -> str:
    """What a distance to the first value means, '' where that can't be told."""
    if delta is None or not goal:
        return ""
    if delta == 0:
        return SAME
    return BETTER if (delta < 0) == (goal == "min") else WORSE
