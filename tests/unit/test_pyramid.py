"""The envelope of a series against a plain look at all its points."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from runtower.domain.pyramid import pyramid_of, smoothed

X = st.one_of(
    st.integers(-40, 40).map(float), st.floats(-50, 50, width=32), st.sampled_from([math.nan, math.inf, -math.inf])
)
Y = st.one_of(st.floats(width=64), st.sampled_from([math.nan, math.inf, -math.inf, 0.0]))
POINTS = st.lists(st.tuples(X, Y), max_size=150)
EDGES = st.lists(st.floats(-60, 60), min_size=2, max_size=12, unique=True).map(sorted)


@settings(max_examples=400)
@given(POINTS, EDGES)
def test_no_column_loses_an_extreme(points: list[tuple[float, float]], edges: list[float]) -> None:
    x, y = (np.array(column, float) for column in zip(*points, strict=True)) if points else (np.empty(0), np.empty(0))
    found = pyramid_of(x, y, np.arange(len(x))).envelope(np.array(edges))
    order = np.argsort(x, kind="stable")
    for column, (left, right) in enumerate(pairwise(edges)):
        is_last = column == len(edges) - 2
        inside = [
            p
            for p in order.tolist()
            if math.isfinite(x[p]) and left <= x[p] and (x[p] < right or (is_last and x[p] <= right))
        ]
        finite = [float(y[p]) for p in inside if math.isfinite(y[p])]
        assert found.points[column] == len(inside)
        assert found.odd[column] == (len(finite) < len(inside))
        np.testing.assert_equal(found.low[column], min(finite, default=math.nan))
        np.testing.assert_equal(found.high[column], max(finite, default=math.nan))
        if finite and len(finite) == len(inside):
            assert (found.first[column], found.last[column]) == (finite[0], finite[-1])


@given(st.integers(0, 70_000), st.integers(0, 200_000))
@settings(max_examples=60, deadline=None)
def test_a_spike_of_one_step_is_seen_at_any_zoom(at: int, zoomed: int) -> None:
    y = np.zeros(70_001)
    y[at] = 9.0
    found = pyramid_of(np.arange(70_001.0), y, np.arange(70_001)).envelope(np.linspace(0.0, 70_000.0 + zoomed, 161))
    assert np.nanmax(found.high) == 9.0
    assert int(np.count_nonzero(found.high == 9.0)) == 1


@settings(max_examples=200)
@given(
    arrays(np.float64, st.integers(0, 400), elements=st.one_of(st.floats(-1e6, 1e6), st.just(math.nan))),
    st.floats(0, 0.999),
)
def test_smoothing_is_the_average_that_it_says(y: np.ndarray, weight: float) -> None:
    expected, s, n = y.copy(), 0.0, 0
    for place, value in enumerate(y.tolist()):
        if math.isfinite(value):
            n += 1
            s = weight * s + (1 - weight) * value
            expected[place] = s / (1 - weight**n) if weight else value
    np.testing.assert_allclose(smoothed(y, weight), expected, rtol=1e-6, atol=1e-6)
