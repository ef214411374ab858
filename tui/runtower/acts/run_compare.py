"""Some runs beside each other: their metrics against the first one's, and the params that vary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from runtower.acts import export
from runtower.acts.choose import goal, metrics_in_order
from runtower.acts.config_diff import without
from runtower.acts.run_artifacts import few_at_a_time
from runtower.acts.run_config import configs_of
from runtower.acts.seed_groups import BETTER, SAME, WORSE, GroupFigure, direction, figures_of, groups_of
from runtower.acts.sides import labels_of
from runtower.acts.tower import Tower
from runtower.config.matrix import Matrix, matrix
from runtower.config.rules import Rules
from runtower.config.tree import Config
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.series import MetricSeries
from runtower.link.wire import History
from runtower.settings import Settings

__all__ = ["BETTER", "SAME", "WORSE", "ComparedRun", "Figure", "MetricRow", "RunComparison", "compare"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A metric of one run: its `last` value and the `best` one of its history (None: not logged, or no goal is known).

    `at` is its value `at_step`, the nearest step that isn't after the one that was asked for; None without one. The
    value that counts is that one, else the last. `delta` is to the first run's, `direction` what that means, '' where
    it can't be told; `leads`: whether no other run's is better.
    """

    last: float | None
    best: float | None
    delta: float | None
    direction: str
    leads: bool
    at: float | None = None
    at_step: int | None = None


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric; `goal` is min, max or ''. `figures` are in the order of the runs, `groups` in that of the groups."""

    key: str
    goal: str
    figures: tuple[Figure, ...]
    groups: tuple[GroupFigure, ...] = ()


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

    `configs` says of each run where its config is from, as `Config.origin` does; `groups` are the places of runs that
    differ only in what is ignored, such as seeds; `step` is the one asked for.
    """

    runs: tuple[ComparedRun, ...]
    metrics: tuple[MetricRow, ...]
    params: Matrix
    configs: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...] = ()
    step: int | None = None


async def compare(
    tower: Tower, rows: Sequence[int], settings: Settings, strict: bool, step: int | None = None
) -> RunComparison:
    """Compare runs (global rows), by their last values or those at a step. Raises TowerError."""
    rows = list(dict.fromkeys(rows))
    if len(rows) < 2:
        raise Invalid("That is only one run, and there is nothing to compare it with.", "Name two or more.")
    configs = await configs_of(tower, rows)
    varying = varying_of(configs, settings.diff.ignore, settings.redact, strict)
    groups = groups_of(varying, len(rows), strict)
    metrics = await metrics_of(tower, rows, settings, groups, step)
    runs = _runs(list(export.records(tower.catalogue, rows)))
    return RunComparison(runs, metrics, varying, tuple(one.origin for one in configs), groups, step)


def varying_of(configs: Sequence[Config], ignore: Sequence[str], redact: Sequence[str], strict: bool) -> Matrix:
    """What varies among configs, without what `redact` names; some 0.1 s for 100 of 1,000 values."""
    return matrix([without(one, redact).tree for one in configs], Rules(ignore), strict)


async def metrics_of(
    tower: Tower,
    rows: Sequence[int],
    settings: Settings,
    groups: Sequence[Sequence[int]],
    step: int | None = None,
    histories: bool = True,
) -> tuple[MetricRow, ...]:
    """The metrics of runs (global rows) and of groups of their places, the last values or those at a step.

    Reads the history of each metric whose goal is known, of all with a step; without `histories` none, and no best
    value is known. Raises TowerError.
    """
    records = list(export.records(tower.catalogue, rows))
    runs = _Reading(tower, rows, records, step, histories)
    metrics = [await _metric(runs, key, goal(key, settings.metrics)) for key in _keys(tower, rows, records)]
    return tuple(_in_groups(metric, groups, step) for metric in metrics)


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


@dataclass(frozen=True)
class _Reading:
    """Of which runs figures are made, and what is read for them."""

    tower: Tower
    rows: Sequence[int]
    records: Sequence[export.Record]
    step: int | None
    histories: bool


async def _metric(runs: _Reading, key: str, wanted: str) -> MetricRow:
    lasts = [_number(record["metrics"], key) for record in runs.records]
    step = runs.step

    async def read(place: int) -> Figure:
        return await _figure(runs, place, key, lasts[place], wanted)

    figures = list(await few_at_a_time(read, range(len(lasts))))
    values = [counting(one, step) for one in figures]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    top = (min(finite) if wanted == "min" else max(finite)) if wanted and len(finite) > 1 else None
    for place, value in enumerate(values):
        delta = _delta(values[0], value) if place else None
        leads = top is not None and value == top
        figures[place] = replace(figures[place], delta=delta, direction=direction(delta, wanted), leads=leads)
    return MetricRow(key, wanted, tuple(figures))


async def _figure(runs: _Reading, place: int, key: str, last: float | None, wanted: str) -> Figure:
    """What one run logged, not compared with the others yet."""
    bare, step = Figure(last, None, None, "", False), runs.step
    if last is None or not runs.histories or not (wanted or step is not None):
        return bare
    series = await _history(runs.tower, runs.rows[place], key)
    if series is None:
        return bare
    at, at_step = _at(series, step) if step is not None else (None, None)
    return replace(bare, best=_best(series, wanted) if wanted else None, at=at, at_step=at_step)


def counting(figure: Figure, step: int | None) -> float | None:
    """The value that is compared."""
    return figure.last if step is None else figure.at


def _in_groups(metric: MetricRow, groups: Sequence[Sequence[int]], step: int | None) -> MetricRow:
    values, bests = [counting(one, step) for one in metric.figures], [one.best for one in metric.figures]
    return replace(metric, groups=figures_of(groups, values, bests, metric.goal))


def _number(metrics: Mapping[str, float | str], key: str) -> float | None:
    value = metrics.get(key)
    return None if value is None else float(value)  # 'NaN' and 'Infinity' are numbers to Python too


def _delta(first: float | None, last: float | None) -> float | None:
    if first is None or last is None or not (math.isfinite(first) and math.isfinite(last)):
        return None
    return last - first


async def _history(tower: Tower, row: int, key: str) -> MetricSeries | None:
    """The whole history, None where its source has none."""
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    try:
        return await link.ask(History(tower.catalogue.run_key(row).run_id, key))
    except NotFound:
        return None


def _best(series: MetricSeries, wanted: str) -> float | None:
    """The best finite value of the whole history."""
    values = series.values[np.isfinite(series.values)]
    if not len(values):
        return None
    return float(values.min() if wanted == "min" else values.max())


def _at(series: MetricSeries, step: int) -> tuple[float | None, int | None]:
    """The last value of the nearest step that isn't after `step`, and that step; None where all are after it."""
    before = np.flatnonzero(series.steps <= step)
    if not len(before):
        return None, None
    nearest = series.steps[before].max()
    place = before[series.steps[before] == nearest][-1]
    return float(series.values[place]), int(nearest)
