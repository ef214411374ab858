"""`runs --group COLUMN`: one line a group, with how many runs, their states, and how the metrics lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from runtower.acts import export
from runtower.acts.choose import goal_of
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import NumberColumn
from runtower.catalog.grouping import Groups, Spread, spread
from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.present.numbers import exact
from runtower.settings import MetricSettings

_FIGURES: Final = ("count", "mean", "std", "min", "max", "best")


def group_records(
    catalogue: Catalogue,
    groups: Groups,
    metrics: Sequence[ColumnKey],
    settings: Mapping[str, MetricSettings],
    most: int,
) -> Iterator[dict[str, Any]]:
    """One object for each of the first `most` groups, in the shape of `--json`."""
    for number in range(min(most, len(groups))):
        rows = groups.members(number)
        values = {key: catalogue.numbers(key).values[rows] for key in metrics}
        yield {
            "column": str(groups.by),
            "value": _value(groups, number),
            "runs": len(rows),
            "states": _states(catalogue, rows.tolist()),
            "metrics": {key.key: _figures(spread(values[key]), goal_of(key, settings)) for key in metrics},
        }


def table(records: Sequence[Mapping[str, Any]], metrics: Sequence[ColumnKey], exactly: bool) -> list[list[str]]:
    """The lines of a table: the value, how many runs, their states, and of each metric its figures. `exactly`: numbers
    in full, all figures; else as a person reads them, with mean, std and best alone."""
    lines = []
    for record in records:
        value = record["value"]
        states = ", ".join(f"{count} {word}" for word, count in record["states"].items())
        cells = ["" if value is None else _said(value, exactly), str(record["runs"]), states]
        for key in metrics:
            figures = record["metrics"][key.key]
            cells += ["" if figures[name] is None else _said(figures[name], exactly) for name in figures_of(exactly)]
        lines.append(cells)
    return lines


def head(by: ColumnKey, metrics: Sequence[ColumnKey], exactly: bool) -> list[str]:
    """The names over `table`."""
    return [
        str(by) if exactly else by.key,
        "runs",
        "states",
        *(f"{key if exactly else key.key} {name}" for key in metrics for name in figures_of(exactly)),
    ]


def figures_of(exactly: bool) -> tuple[str, ...]:
    """Which figures of a metric a table has."""
    return _FIGURES if exactly else ("mean", "std", "best")


def _value(groups: Groups, number: int) -> Any:
    """A text as its first run spells it; of a column of numbers the number."""
    if isinstance(groups.column, NumberColumn):
        return export.number(float(groups.column.values[groups.members(number)[0]]))
    return groups.word(number)


def _states(catalogue: Catalogue, rows: Sequence[int]) -> dict[str, int]:
    status = catalogue.texts(runs.STATUS)
    found, counts = np.unique(np.array([status.text(row) or "UNKNOWN" for row in rows]), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _figures(found: Spread | None, goal: str) -> dict[str, float | int | str | None]:
    """`std` is null for one value, `best` where neither the settings nor the name says which is."""
    if found is None:
        return {name: 0 if name == "count" else None for name in _FIGURES}
    best = {"min": found.low, "max": found.high}.get(goal)
    std = None if math.isnan(found.std) else export.number(found.std)
    figures = (found.count, export.number(found.mean), std, found.low, found.high, best)
    return dict(zip(_FIGURES, figures, strict=True))


def _said(value: float | str, exactly: bool) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value) if exactly else exact(value)
