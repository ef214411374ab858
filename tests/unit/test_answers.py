"""Histories, curves and pyramids survive the way between the processes."""

from __future__ import annotations

import numpy as np
import pytest

from runtower.domain.pyramid import pyramid_of
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.link.answers import (
    pack_curves,
    pack_pyramid,
    pack_series,
    unpack_curves,
    unpack_pyramid,
    unpack_series,
)


def test_a_history_comes_back_as_it_was() -> None:
    steps, times = np.array([0, 5], np.int64), np.array([1, 2], np.int64)
    values = np.array([np.nan, -np.inf])
    back = unpack_series("r", "loss", pack_series(MetricSeries("r", "loss", steps, times, values)))
    assert (back.steps.tolist(), back.times.tolist()) == ([0, 5], [1, 2])
    np.testing.assert_array_equal(back.values, values)
    with pytest.raises(ValueError, match="cut short"):
        unpack_series("r", "loss", b"1234567")


@pytest.mark.parametrize("sampled", [True, False])
def test_a_curve_comes_back_with_whether_it_is_a_sample(sampled: bool) -> None:
    low, high = np.array([1.0, np.nan], np.float32), np.array([2.0, np.nan], np.float32)
    (back,) = unpack_curves(pack_curves([CoarseCurve("r", low, high, -1, 9, 512, 3, sampled)]))
    np.testing.assert_array_equal(back.low, low)
    np.testing.assert_array_equal(back.high, high)
    assert (back.first_step, back.last_step, back.points, back.odd, back.sampled) == (-1, 9, 512, 3, sampled)


@pytest.mark.parametrize("count", [0, 1, 4, 5, 1000])
def test_a_pyramid_comes_back_with_its_levels(count: int) -> None:
    y = np.sin(np.arange(count, dtype=float))
    y[count // 2 :: 7] = np.nan
    made = pyramid_of(np.arange(count) / 3, y, np.arange(count), sampled=count == 4)
    back = unpack_pyramid(pack_pyramid(made))
    assert (len(back.levels), back.sampled) == (len(made.levels), count == 4)
    for one, other in zip(back.levels, made.levels, strict=True):
        for name in ("low", "high", "odd"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("x", "y", "steps"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made, name))
    with pytest.raises(ValueError, match="cut short"):
        unpack_pyramid(pack_pyramid(made)[:-1])
