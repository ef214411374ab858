"""Histories made ready to be drawn, in the source's process: the x that was asked for, smoothed, and its pyramid."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.domain.errors import Invalid
from runtower.domain.pyramid import Pyramid, pyramid_of, smoothed
from runtower.domain.series import MetricSeries
from runtower.link.wire import Curve
from runtower.sources.port import ReadsHistory

_METRIC: Final = "metric:"
_SECOND: Final = 1000.0


def curve_of(source: ReadsHistory, asked: Curve) -> Pyramid:
    """Raises what the source's `history` raises, and Invalid for an x that isn't one."""
    series = source.history(asked.run_id, asked.key)
    x = _x_of(source, asked, series)
    values = series.values
    if asked.smooth:
        # What is smoothed is the line that one sees: the values in the order of x.
        order = np.argsort(x, kind="stable")
        values = np.empty_like(values)
        values[order] = smoothed(series.values[order], asked.smooth)
    return pyramid_of(x, values, series.steps)


def _x_of(source: ReadsHistory, asked: Curve, series: MetricSeries) -> NDArray[np.float64]:
    if asked.x == "step":
        return series.steps.astype(np.float64)
    if asked.x == "time":
        return series.times / _SECOND
    if asked.x == "relative":
        since = series.times - (series.times.min() if len(series.times) else 0)
        return since.astype(np.float64) / _SECOND
    if asked.x.startswith(_METRIC):
        return as_of(source.history(asked.run_id, asked.x.removeprefix(_METRIC)), series.steps)
    raise Invalid(f"'{asked.x}' is no x axis.", "It is step, time, relative or metric:NAME.")


def as_of(other: MetricSeries, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value that another metric has at each of these steps: its last one there or before; NaN before its first."""
    place = np.searchsorted(other.steps, steps, "right") - 1
    there = place >= 0
    values = np.full(len(steps), np.nan)
    values[there] = other.values[place[there]]
    return values
