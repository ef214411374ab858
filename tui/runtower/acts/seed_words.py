"""What is said of runs that are taken together: their mean with its spread, and the distance with its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from runtower.acts.seed_groups import GroupFigure, Spread
from runtower.present.numbers import exact

SAID_OF_SPREADS: Final = (
    "± is the sample standard deviation over the n runs of a column, of a delta sqrt(s1²/n1 + s2²/n2).\n"
    "A delta that isn't larger is within the spread."
)


def group_labels(groups: Sequence[Sequence[int]], labels: Sequence[str]) -> list[str]:
    """The first run of each group, and how many more there are."""
    return [labels[group[0]] + (f" and {len(group) - 1} more" if len(group) > 1 else "") for group in groups]


def mean_said(one: GroupFigure) -> str:
    """`0.2114 ± 0.0041 n 3 best`, `0.215 n 1, no spread`."""
    if not one.spread.count:
        return "not logged"
    text = f"{spread_said(one.spread)} n {one.spread.count}"
    if one.spread.std is None:
        text += ", no spread"
    return f"{text} best" if one.leads else text


def spread_said(spread: Spread) -> str:
    if spread.mean is None:
        return ""
    if spread.std is None:
        return exact(spread.mean)
    return f"{_to(spread.mean, spread.std)} ± {_to(spread.std, spread.std)}"


def delta_said(one: GroupFigure) -> str:
    """`+0.0093 ± 0.0038 worse`, `+0.001 ± 0.0038 within the spread`; nothing for the first group."""
    if one.delta is None:
        return ""
    if one.error is None:
        return f"{one.delta:+.4g}, no spread"
    what = one.direction if one.beyond else "within the spread"
    return f"{_to(one.delta, one.error, '+')} ± {_to(one.error, one.error)} {what}".rstrip()


def _to(value: float, spread: float, sign: str = "") -> str:
    """A number to the second digit of its spread."""
    if not spread or not math.isfinite(spread):
        return f"{value:{sign}.6g}"
    decimals = 1 - math.floor(math.log10(spread))
    return f"{value:{sign}.{decimals}f}" if 0 <= decimals <= 9 else f"{value:{sign}.6g}"
