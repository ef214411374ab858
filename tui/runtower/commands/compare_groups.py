"""`compare --seeds`: the groups of runs as columns, each metric with its mean, spread and number of runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runtower.acts import export
from runtower.acts.run_compare import MetricRow, RunComparison
from runtower.acts.seed_groups import GroupFigure, Spread
from runtower.acts.seed_words import delta_said, mean_said, spread_said
from runtower.config.rows import Unset
from runtower.config.tree import dotted
from runtower.config.words import said


def metric_title(metric: MetricRow, found: RunComparison) -> str:
    """`val_loss`, or `val_loss at 100`."""
    return metric.key if found.step is None else f"{metric.key} at {found.step}"


def group_rows(found: RunComparison) -> Iterator[list[str]]:
    """For people."""
    for metric in found.metrics:
        yield [metric_title(metric, found), *(mean_said(one) for one in metric.groups)]
        if any(one.delta is not None for one in metric.groups):
            yield [f"{metric.key} delta", *(delta_said(one) for one in metric.groups)]
        if any(one.best.count for one in metric.groups):
            yield [f"{metric.key} {metric.goal}", *(spread_said(one.best) for one in metric.groups)]
    for row in found.params.rows:
        yield [dotted(row.path), *(said(row.values[group[0]]) for group in found.groups)]


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
