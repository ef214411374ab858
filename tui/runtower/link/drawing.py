"""Histories made ready to be drawn, in the source's process: the x that was asked for, smoothed, and its pyramid."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.domain.errors import Invalid
from runtower.domain.pyramid import Pyramid, pyramid_of, smoothed
from runtower.domain.series import MetricSeries
from runtower.link.wire import Curve
from runtower.sources.port import FollowsHistory, ReadsHistory

_METRIC: Final = "metric:"
_SECOND: Final = 1000.0
_KEPT_BYTES: Final = 32 * 1024 * 1024


class Drawing:
    """The last histories that were drawn are kept, up to 32 MB of them, so that one that grew is read on from there."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[MetricSeries, bytes]] = OrderedDict()

    def curve(self, source: ReadsHistory, asked: Curve) -> Pyramid:
        """Raises what the source's `history` raises, and Invalid for an x that isn't one."""
        series = self.history(source, asked.run_id, asked.key)
        x = self._x(source, asked, series)
        values = series.values
        if asked.smooth:
            # What is smoothed is the line that one sees: the values in the order of x.
            order = np.argsort(x, kind="stable")
            values = np.empty_like(values)
            values[order] = smoothed(series.values[order], asked.smooth)
        return pyramid_of(x, values, series.steps)

    def history(self, source: ReadsHistory, run_id: str, key: str) -> MetricSeries:
        """The whole history, of which only what is new is read."""
        if not isinstance(source, FollowsHistory):
            return source.history(run_id, key)
        known = self._kept.pop((run_id, key), None)
        piece = source.history_since(run_id, key, known[1]) if known is not None else None
        if known is not None and piece is not None:
            series, mark = _joined(known[0], piece[0]), piece[1]
        else:
            whole = source.history_since(run_id, key, b"")
            if whole is None:
                return source.history(run_id, key)
            series, mark = whole
        self._kept[run_id, key] = series, mark
        while len(self._kept) > 1 and sum(_size(one) for one, _ in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)
        return series

    def _x(self, source: ReadsHistory, asked: Curve, series: MetricSeries) -> NDArray[np.float64]:
        if asked.x == "step":
            return series.steps.astype(np.float64)
        if asked.x == "time":
            return series.times / _SECOND
        if asked.x == "relative":
            since = series.times - (series.times.min() if len(series.times) else 0)
            return since.astype(np.float64) / _SECOND
        if asked.x.startswith(_METRIC):
            return as_of(self.history(source, asked.run_id, asked.x.removeprefix(_METRIC)), series.steps)
        raise Invalid(f"'{asked.x}' is no x axis.", "It is step, time, relative or metric:NAME.")


def _size(series: MetricSeries) -> int:
    return series.steps.nbytes + series.times.nbytes + series.values.nbytes


def _joined(known: MetricSeries, piece: MetricSeries) -> MetricSeries:
    """Both in the order of (step, time, value): what is new may be of an earlier step."""
    if not len(piece.steps):
        return known
    steps, times, values = (
        np.concatenate([getattr(known, name), getattr(piece, name)]) for name in ("steps", "times", "values")
    )
    if len(known.steps) and piece.steps[0] > known.steps[-1]:
        return MetricSeries(known.run_id, known.key, steps, times, values)
    order = np.lexsort((values, times, steps))
    return MetricSeries(known.run_id, known.key, steps[order], times[order], values[order])


def as_of(other: MetricSeries, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value that another metric has at each of these steps: its last one there or before; NaN before its first."""
    place = np.searchsorted(other.steps, steps, "right") - 1
    there = place >= 0
    values = np.full(len(steps), np.nan)
    values[there] = other.values[place[there]]
    return values
