"""Some runs as a mean and a band: what each is at an x, and what becomes of runs that ended or hold NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtower.acts.bands import RANGE, STD, as_envelope, at_end, spread_of
from runtower.acts.charts import limits_of, limits_wrong
from runtower.domain.pyramid import Pyramid, pyramid_of


def run(*points: tuple[float, float]) -> Pyramid:
    x, y = (np.array(column, float) for column in zip(*points, strict=True)) if points else (np.empty(0), np.empty(0))
    return pyramid_of(x, y, x.astype(np.int64))


def test_the_mean_is_of_the_lines_between_points() -> None:
    spread = spread_of([run((0, 0.0), (10, 10.0)), run((0, 2.0), (5, 4.0), (10, 12.0))], np.array([0, 5, 10.0]), STD)
    np.testing.assert_allclose(spread.mean, [1.0, 4.5, 11.0])
    np.testing.assert_allclose(spread.high - spread.mean, [np.std([0, 2], ddof=1), np.std([5, 4], ddof=1), 2**0.5])
    assert spread.count.tolist() == [2, 2, 2]


def test_a_run_that_ended_or_holds_nan_isnt_counted_there() -> None:
    runs = [run((0, 1.0), (4, 1.0)), run((0, 3.0), (2, np.nan), (4, 3.0), (8, 3.0)), run()]
    spread = spread_of(runs, np.array([0, 1, 2, 3, 4, 6, 9.0]), RANGE)
    assert spread.count.tolist() == [2, 1, 1, 1, 2, 1, 0]
    np.testing.assert_array_equal(spread.mean, [2, 1, 1, 1, 2, 3, np.nan])
    np.testing.assert_array_equal(spread.low, [1, np.nan, np.nan, np.nan, 1, np.nan, np.nan])
    assert at_end(runs[:2]) == 4
    held = as_envelope(spread)
    np.testing.assert_array_equal(held.high, [3, 1, 1, 1, 3, 3, np.nan])


def test_a_run_of_one_point_stands_where_it_is() -> None:
    spread = spread_of([run((3, 5.0))], np.array([0.4, 1.2, 2.8, 4.1]), STD)
    np.testing.assert_array_equal(spread.mean, [np.nan, np.nan, 5, np.nan])


values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)


@given(st.lists(values, min_size=1, max_size=6))
def test_the_mean_lies_within_the_range(series: list[list[float]]) -> None:
    runs = [run(*enumerate(one)) for one in series]
    spread = spread_of(runs, np.arange(20.0), RANGE)
    known = spread.count > 1
    assert (spread.low[known] <= spread.mean[known] + 1e-6).all()
    assert (spread.mean[known] <= spread.high[known] + 1e-6).all()
    assert spread.count.tolist() == [sum(len(one) > x for one in series) for x in range(20)]


@pytest.mark.parametrize(("text", "expected"), [("", None), (" 0.1  0.5", (0.1, 0.5)), ("-1,2e3", (-1, 2000))])
def test_limits(text: str, expected: tuple[float, float] | None) -> None:
    assert limits_of(text) == expected
    assert limits_wrong(text) == ""


@pytest.mark.parametrize("text", ["1", "2 1", "1 1", "a b", "nan 1", "0 inf", "1 2 3"])
def test_what_is_no_limits(text: str) -> None:
    assert limits_wrong(text)
