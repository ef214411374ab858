"""Some runs beside each other: their metrics against the first one's, and the params that vary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from runtower.acts import export
from runtower.acts.choose import goal, metrics_in_order
from runtower.acts.config_diff import without
from runtower.acts.run_config import configs_of
from runtower.acts.sides import labels_of
from runtower.acts.tower import Tower
from runtower.config.matrix import Matrix, matrix
from runtower.config.rules import Rules
from runtower.domain.errors import Invalid, NotFound
from runtower.link.wire import History
from runtower.settings import Settings

BETTER, WORSE, SAME = "better", "worse", "same"


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of one run: its `last` value and the `best` one of its history (None: not logged, or no goal is known).

    `delta` is to the last value of the first run, `direction` what that means, '' where it can't be told; `leads`:
    whether no other run's last value is better.
    """

    last: float | None
    best: float | None
    delta: float | None
    direction: str
    leads: bool


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric; `goal` is min, max or ''. The figures are in the order of the runs."""

    key: str
    goal: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of the runs; `label` tells it from the others."""

    source: str
    run_id: str
    name: str
    status: str
    label: str


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Runs, in the order in which they were named, with their metrics and what varies of their configs.

    `configs` says of each run where its config is from, as `Config.origin` does.
    """

    runs: tuple[ComparedRun, ...]
    metrics: tuple[MetricRow, ...]
    params: Matrix
    configs: tuple[str, ...]


async def compare(tower: Tower, rows: Sequence[int], settings: Settings, strict: bool) -> RunComparison:
    """Compare runs (global rows). Reads the history of each metric whose goal is known. Raises TowerError."""
    rows = list(dict.fromkeys(rows))
    if len(rows) < 2:
        raise Invalid("That is only one run, and there is nothing to compare it with.", "Name two or more.")
    records = list(export.records(tower.catalogue, rows))
    metrics = [
        await _metric(tower, rows, records, key, goal(key, settings.metrics)) for key in _keys(tower, rows, records)
    ]
    configs = [without(one, settings.redact) for one in await configs_of(tower, rows)]
    varying = matrix([one.tree for one in configs], Rules(settings.diff.ignore), strict)
    return RunComparison(_runs(records), tuple(metrics), varying, tuple(one.origin for one in configs))


def _runs(records: Sequence[export.Record]) -> tuple[ComparedRun, ...]:
    return tuple(
        ComparedRun(record["source"], record["run_id"], record["name"] or "", record["status"] or "", label)
        for label, record in zip(labels_of(records), records, strict=True)
    )


def _keys(tower: Tower, rows: Sequence[int], records: Sequence[export.Record]) -> list[str]:
    """All metrics that one of the runs has, the most telling first."""
    known = {key for record in records for key in record["metrics"]}
    first = [key.key for key in metrics_in_order(tower.catalogue, np.asarray(rows, np.int32)) if key.key in known]
    return list(dict.fromkeys([*first, *sorted(known)]))


async def _metric(
    tower: Tower, rows: Sequence[int], records: Sequence[export.Record], key: str, wanted: str
) -> MetricRow:
    lasts = [_number(record["metrics"], key) for record in records]
    finite = [value for value in lasts if value is not None and math.isfinite(value)]
    top = (min(finite) if wanted == "min" else max(finite)) if wanted and len(finite) > 1 else None
    figures = []
    for row, last in zip(rows, lasts, strict=True):
        best = await _best(tower, row, key, wanted) if wanted and last is not None else None
        delta = _delta(lasts[0], last) if row != rows[0] else None
        figures.append(Figure(last, best, delta, _direction(delta, wanted), top is not None and last == top))
    return MetricRow(key, wanted, tuple(figures))


def _number(metrics: Mapping[str, float | str], key: str) -> float | None:
    value = metrics.get(key)
    return None if value is None else float(value)  # 'NaN' and 'Infinity' are numbers to Python too


def _delta(first: float | None, last: float | None) -> float | None:
    if first is None or last is None or not (math.isfinite(first) and math.isfinite(last)):
        return None
    return last - first


def _direction(delta: float | None, wanted: str) -> str:
    if delta is None or not wanted:
        return ""
    if delta == 0:
        return SAME
    return BETTER if (delta < 0) == (wanted == "min") else WORSE


async def _best(tower: Tower, row: int, key: str, wanted: str) -> float | None:
    """The best finite value of the whole history."""
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    try:
        series = await link.ask(History(tower.catalogue.run_key(row).run_id, key))
    except NotFound:
        return None
    values = series.values[np.isfinite(series.values)]
    if not len(values):
        return None
    return float(values.min() if wanted == "min" else values.max())
