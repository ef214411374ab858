"""Metric histories over REST: whole ones a page at a time, and samples of many at once for the coarse curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from runtower.domain.errors import Invalid, NotFound
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.sources.coarse import coarse_curve_of, curves_of
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.fields import with_infinities
from runtower.sources.mlflow.rest_http import Connection, Params
from runtower.sources.mlflow.rest_reader import Reader, pieces
from runtower.sources.mlflow.rest_wire import Point

# A sparkline is 32 buckets: so many points of each run are 16 a bucket, and 20 runs of them an answer of a megabyte.
_POINTS: Final = 512
_RUNS: Final = 20
_BULK: Final = "metrics/get-history-bulk-interval"
_PATIENCE: Final = 60.0
# MAX_RESULTS_PER_RUN of mlflow/server/handlers.py; a server refuses to be asked for more.
_SAMPLE: Final = 2_500


class Histories:
    """All methods raise TowerError. Used by other threads than the sync's."""

    def __init__(self, connection: Connection, reader: Reader) -> None:
        self._connection = connection
        self._reader = reader
        self._has_bulk = True

    def whole(self, run_id: str, key: str) -> MetricSeries | None:
        """All points of one metric, None where the run has none of it. Raises NotFound for a run there isn't."""
        points: list[Point] = []
        token = ""
        while True:
            params: dict[str, str | int] = {"run_id": run_id, "metric_key": key, "max_results": rest_wire.POINTS_A_PAGE}
            if token:
                params["page_token"] = token
            page = self._connection.get("metrics/get-history", params, rest_wire.points_page, _PATIENCE)
            points += page.metrics
            token = page.next_page_token
            if not token:
                break
        if not points and self._reader.run(run_id) is None:
            raise NotFound(f"There is no run {run_id} on this server.", "Look again after the next refresh.")
        return _series(run_id, key, points) if points else None

    def sample(self, run_id: str, key: str, steps: tuple[int, int] | None) -> MetricSeries | None:
        """The port's `sample`, in one question where the server can; None where the run has nothing of the metric.

        Raises NotFound for a run there isn't.
        """
        params: dict[str, str | int | Sequence[str]] = {"run_ids": [run_id], "metric_key": key, "max_results": _SAMPLE}
        if steps is not None:
            params |= {"start_step": steps[0], "end_step": steps[1]}
        if self._has_bulk:
            try:
                page = self._connection.get(_BULK, params, rest_wire.points_page, _PATIENCE)
            except (NotFound, Invalid):
                pass  # an older server, or a run that isn't there: then the next question says so
            else:
                series = _series(run_id, key, page.metrics)
                if len(page.metrics) >= _SAMPLE:
                    return replace(series, sampled=True)
                if page.metrics or steps is not None:
                    return series
        whole = self.whole(run_id, key)
        return whole if whole is None or steps is None else _between(whole, steps)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int) -> list[CoarseCurve]:
        """Coarse curves in bulk where the server can; those of long histories are of a sample."""
        curves: list[CoarseCurve] = []
        for ids in pieces(run_ids, _RUNS):
            curves += self._in_bulk(ids, key, buckets)
        return curves

    def _in_bulk(self, run_ids: Sequence[str], key: str, buckets: int) -> list[CoarseCurve]:
        params: Params = {"run_ids": list(run_ids), "metric_key": key, "max_results": _POINTS}
        if self._has_bulk:
            try:
                page = self._connection.get(_BULK, params, rest_wire.points_page)
            except (NotFound, Invalid):
                # An older server, or one that refuses the whole question for one run that it doesn't have.
                self._has_bulk = len(run_ids) > 1
            else:
                return _curves(page.metrics, key, buckets)
        return curves_of(run_ids, lambda run_id: self.whole(run_id, key), buckets)


def _curves(points: Sequence[Point], key: str, buckets: int) -> list[CoarseCurve]:
    by_run: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        by_run[point.run_id].append(point)
    return [
        replace(curve, sampled=curve.points >= _POINTS)
        for run_id, own in by_run.items()
        if (curve := coarse_curve_of(_series(run_id, key, own), buckets)) is not None
    ]


def _between(series: MetricSeries, steps: tuple[int, int]) -> MetricSeries:
    first, end = np.searchsorted(series.steps, steps[0], "left"), np.searchsorted(series.steps, steps[1], "right")
    at = slice(int(first), int(end))
    return MetricSeries(series.run_id, series.key, series.steps[at], series.times[at], series.values[at])


def _series(run_id: str, key: str, points: Sequence[Point]) -> MetricSeries:
    steps = np.array([point.step for point in points], dtype=np.int64)
    times = np.array([point.timestamp for point in points], dtype=np.int64)
    values = with_infinities(np.array([point.value for point in points], dtype=np.float64))
    order = np.lexsort((values, times, steps))
    return MetricSeries(run_id, key, steps[order], times[order], values[order])
