"""A whole history brought down to a coarse curve, in one way for all sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from runtower.domain.errors import NotFound
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries


def coarse_curve_of(series: MetricSeries, buckets: int = COARSE_BUCKETS) -> CoarseCurve | None:
    """Least and greatest value in each of at most `buckets` equal ranges of steps; None where nothing was logged.

    A point is in bucket `(step - first) * n // (last - first + 1)`, with n the smaller of `buckets` and the number of
    steps in the range (so that a short curve has no holes). NaN and infinities are counted as odd, and in no bucket.
    """
    points = len(series.steps)
    if not points:
        return None
    first, last = int(series.steps.min()), int(series.steps.max())
    count = bucket_count(first, last, buckets)
    finite = np.isfinite(series.values)
    values = series.values[finite]
    edges = np.array(bucket_edges(first, last, count), dtype=np.int64)
    places = np.searchsorted(edges, series.steps[finite], side="right") - 1
    low = np.full(count, np.nan, dtype=np.float64)
    high = np.full(count, np.nan, dtype=np.float64)
    np.fmin.at(low, places, values)
    np.fmax.at(high, places, values)
    return CoarseCurve(
        series.run_id,
        low.astype(np.float32),
        high.astype(np.float32),
        first,
        last,
        points,
        points - int(finite.sum()),
    )


def curves_of(
    run_ids: Iterable[str], read: Callable[[str], MetricSeries | None], buckets: int = COARSE_BUCKETS
) -> list[CoarseCurve]:
    """The coarse curves of runs whose whole histories `read` gives; without those that have none or aren't found."""
    curves = []
    for run_id in run_ids:
        try:
            series = read(run_id)
        except NotFound:
            continue
        if series is not None and (curve := coarse_curve_of(series, buckets)) is not None:
            curves.append(curve)
    return curves


def logged(series: MetricSeries | None, run_id: str, key: str) -> MetricSeries:
    """A history that is there. Raises NotFound for None."""
    if series is None:
        raise NotFound(f"The run {run_id} has no metric {key!r}.", "Look again after the next refresh.")
    return series


def bucket_count(first: int, last: int, buckets: int) -> int:
    """How many buckets the steps from `first` to `last` make."""
    return max(1, min(buckets, last - first + 1))


def bucket_edges(first: int, last: int, count: int) -> list[int]:
    """The first step of each bucket, in Python's integers: steps may be anywhere in int64."""
    width = last - first + 1
    return [first + -(-place * width // count) for place in range(count)]
