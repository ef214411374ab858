"""Histories made ready to be drawn, in the source's process: the x that was asked for, smoothed, and its pyramid."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.domain.errors import Invalid
from runtower.domain.pyramid import Pyramid, pyramid_of, smoothed
from runtower.domain.series import MetricSeries
from runtower.link.wire import Curve
from runtower.sources.port import FollowsHistory, ReadsHistory, SamplesHistory

_METRIC: Final = "metric:"
_SECOND: Final = 1000.0
_KEPT_BYTES: Final = 32 * 1024 * 1024
_LAST_STEP: Final = 2**63 - 1
# A tail says nothing of points that came late, to earlier steps: after so many all is asked for again.
_TAILS: Final = 20


class Drawing:
    """The last histories that were drawn are kept, up to 32 MB of them, so that one that grew is read on from there."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[MetricSeries, bytes]] = OrderedDict()
        self._samples: OrderedDict[tuple[str, str], tuple[MetricSeries, int]] = OrderedDict()

    def curve(self, source: ReadsHistory, asked: Curve) -> Pyramid:
        """Raises what the source's `history` raises, and Invalid for an x that isn't one."""
        series = self._points(source, asked, asked.key, asked.steps)
        x, sampled = self._x(source, asked, series)
        values = series.values
        if asked.smooth:
            # What is smoothed is the line that one sees: the values in the order of x.
            order = np.argsort(x, kind="stable")
            values = np.empty_like(values)
            values[order] = smoothed(series.values[order], asked.smooth)
        return pyramid_of(x, values, series.steps, sampled)

    def _points(
        self, source: ReadsHistory, asked: Curve, key: str, steps: tuple[int, int] | None = None
    ) -> MetricSeries:
        """All of a history, or what a source gives of one that is too long for that."""
        if asked.whole or not isinstance(source, SamplesHistory):
            return self.history(source, asked.run_id, key)
        return source.sample(asked.run_id, key, steps) if steps else self._sample(source, asked.run_id, key)

    def _sample(self, source: SamplesHistory, run_id: str, key: str) -> MetricSeries:
        """A sample; of one that is known only the steps from its last one on are asked for."""
        known, tails = self._samples.pop((run_id, key), (None, 0))
        series = None
        if known is not None and len(known.steps) and tails < _TAILS:
            last = int(known.steps[-1])
            piece = source.sample(run_id, key, (last, _LAST_STEP))
            if not piece.sampled:
                before = int(np.searchsorted(known.steps, last, "left"))
                series, tails = _joined(_first(known, before), piece), tails + 1
        if series is None:
            series, tails = source.sample(run_id, key, None), 0
        self._samples[run_id, key] = series, tails
        while len(self._samples) > 1 and sum(_size(one) for one, _ in self._samples.values()) > _KEPT_BYTES:
            self._samples.popitem(last=False)
        return series

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

    def _x(self, source: ReadsHistory, asked: Curve, series: MetricSeries) -> tuple[NDArray[np.float64], bool]:
        """By point its x, and whether not all points are there, or not all that x is made of."""
        if asked.x == "step":
            return series.steps.astype(np.float64), series.sampled
        if asked.x == "time":
            return series.times / _SECOND, series.sampled
        if asked.x == "relative":
            # The first point of all is in a sample too.
            begin = series if asked.steps is None else self._points(source, asked, asked.key)
            since = series.times - (begin.times.min() if len(begin.times) else 0)
            return since.astype(np.float64) / _SECOND, series.sampled
        if asked.x.startswith(_METRIC):
            other = self._points(source, asked, asked.x.removeprefix(_METRIC))
            return as_of(other, series.steps), series.sampled or other.sampled
        raise Invalid(f"'{asked.x}' is no x axis.", "It is step, time, relative or metric:NAME.")


def _size(series: MetricSeries) -> int:
    return series.steps.nbytes + series.times.nbytes + series.values.nbytes


def _first(series: MetricSeries, points: int) -> MetricSeries:
    """The first points of a series."""
    return replace(series, steps=series.steps[:points], times=series.times[:points], values=series.values[:points])


def _joined(known: MetricSeries, piece: MetricSeries) -> MetricSeries:
    """Both in the order of (step, time, value): what is new may be of an earlier step."""
    if not len(piece.steps):
        return known
    steps, times, values = (
        np.concatenate([getattr(known, name), getattr(piece, name)]) for name in ("steps", "times", "values")
    )
    if len(known.steps) and piece.steps[0] > known.steps[-1]:
        return replace(known, steps=steps, times=times, values=values)
    order = np.lexsort((values, times, steps))
    return replace(known, steps=steps[order], times=times[order], values=values[order])


def as_of(other: MetricSeries, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value that another metric has at each of these steps: its last one there or before; NaN before its first."""
    place = np.searchsorted(other.steps, steps, "right") - 1
    there = place >= 0
    values = np.full(len(steps), np.nan)
    values[there] = other.values[place[there]]
    return values
