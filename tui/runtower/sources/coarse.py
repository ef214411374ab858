"""A whole history brought down to a coarse curve, in one way for all sources."""

from __future__ import annotations

import numpy as np

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


def bucket_count(first: int, last: int, buckets: int) -> int:
    """How many buckets the steps from `first` to `last` make."""
    return max(1, min(buckets, last - first + 1))


def bucket_edges(first: int, last: int, count: int) -> list[int]:
    """The first step of each bucket, in Python's integers: steps may be anywhere in int64."""
    width = last - first + 1
    return [first + -(-place * width // count) for place in range(count)]
