"""`compare --seeds`: the groups of runs as columns, each metric with its mean, spread and number of runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from runtower.acts import export
from runtower.acts.run_compare import MetricRow, RunComparison
from runtower.acts.seed_groups import GroupFigure, Spread
from runtower.config.rows import Unset
from runtower.config.tree import dotted
from runtower.config.words import said
from runtower.present.numbers import exact

SAID_OF_SPREADS: Final = (
    "± is the sample standard deviation over the n runs of a column, of a delta sqrt(s1²/n1 + s2²/n2).\n"
    "A delta that isn't larger is within the spread."
)


def group_labels(found: RunComparison) -> list[str]:
    """The first run of each group, and how many more there are."""
    labels = []
    for group in found.groups:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        labels.append(f"{found.runs[group[0]].label}{more}")
    return labels


def metric_title(metric: MetricRow, found: RunComparison) -> str:
    """`val_loss`, or `val_loss at 100`."""
    return metric.key if found.step is None else f"{metric.key} at {found.step}"


def group_rows(found: RunComparison) -> Iterator[list[str]]:
    """For people."""
    for metric in found.metrics:
        yield [metric_title(metric, found), *(_mean(one) for one in metric.groups)]
        if any(one.delta is not None for one in metric.groups):
            yield [f"{metric.key} delta", *(_delta(one) for one in metric.groups)]
        if any(one.best.count for one in metric.groups):
            yield [f"{metric.key} {metric.goal}", *(_spread(one.best) for one in metric.groups)]
    for row in found.params.rows:
        yield [dotted(row.path), *(said(row.values[group[0]]) for group in found.groups)]


def _mean(one: GroupFigure) -> str:
    """`0.2114 ± 0.0041 n 3 best`, `0.215 n 1, no spread`."""
    if not one.spread.count:
        return "not logged"
    text = f"{_spread(one.spread)} n {one.spread.count}"
    if one.spread.std is None:
        text += ", no spread"
    return f"{text} best" if one.leads else text


def _spread(spread: Spread) -> str:
    if spread.mean is None:
        return ""
    if spread.std is None:
        return exact(spread.mean)
    return f"{_to(spread.mean, spread.std)} ± {_to(spread.std, spread.std)}"


def _delta(one: GroupFigure) -> str:
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


# -- for machines


def exact_group_rows(found: RunComparison) -> Iterator[list[str]]:
    """A line for each figure of each metric, and one a param."""
    for metric in found.metrics:
        records = [group_record(one) for one in metric.groups]
        for figure in ("count", "mean", "std", "delta", "error", "beyond"):
            yield ["metric", metric.key, figure, *(_text(one[figure]) for one in records)]
        for figure in ("mean", "std") if metric.goal else ():
            yield ["metric", metric.key, f"best {figure}", *(_text(one["best"][figure]) for one in records)]
    for row in found.params.rows:
        values = [row.values[group[0]] for group in found.groups]
        yield ["param", dotted(row.path), "", *("" if isinstance(v, Unset) else said(v) for v in values)]


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def group_record(one: GroupFigure) -> dict[str, Any]:
    """A group's figures of one metric, as JSON."""
    return {
        **_spread_record(one.spread),
        "best": _spread_record(one.best),
        "delta": _number(one.delta),
        "error": _number(one.error),
        "beyond": one.beyond,
        "direction": one.direction or None,
        "leads": one.leads,
    }


def _spread_record(spread: Spread) -> dict[str, Any]:
    return {"count": spread.count, "mean": _number(spread.mean), "std": _number(spread.std)}


def _number(value: float | None) -> Any:
    return None if value is None else export.number(value)
