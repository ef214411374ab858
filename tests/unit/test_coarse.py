"""Coarse curves: buckets of equal step width."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from runtower.domain.series import MetricSeries
from runtower.sources.coarse import bucket_edges, coarse_curve_of

_INT64 = some.integers(-(2**62), 2**62)


def _series(points):
    steps, values = zip(*points, strict=True)
    return MetricSeries("r", "k", np.array(steps, np.int64), np.zeros(len(steps), np.int64), np.array(values, float))


@given(some.lists(some.tuples(_INT64, some.floats(width=32)), min_size=1, max_size=50))
def test_each_point_is_in_the_bucket_that_the_formula_says(points):
    points.sort(key=lambda point: point[0])
    curve = coarse_curve_of(_series(points))
    first, last = points[0][0], points[-1][0]
    count = len(curve.low)
    assert count == min(32, last - first + 1)
    expected = [[] for _ in range(count)]
    for step, value in points:
        if np.isfinite(value):
            expected[(step - first) * count // (last - first + 1)].append(value)
    assert curve.odd == len(points) - sum(map(len, expected))
    assert curve.points == len(points)
    for place, values in enumerate(expected):
        assert np.isnan(curve.low[place]) == (not values)
        if values:
            assert (curve.low[place], curve.high[place]) == (min(values), max(values))


def test_a_curve_of_nothing_is_none():
    empty = np.empty(0, np.int64)
    assert coarse_curve_of(MetricSeries("r", "k", empty, empty, np.empty(0))) is None


def test_edges_are_exact_at_the_ends_of_int64():
    edges = bucket_edges(-(2**63), 2**63 - 1, 32)
    assert edges[0] == -(2**63)
    assert edges[1] - edges[0] == 2**59
