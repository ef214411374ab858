"""Runs as points of two columns: numbers, words, what has no place, and what the ranks say."""

from __future__ import annotations

import numpy as np
import pytest
from support.catalogues import catalogue_of

from runtower.acts.points import Axis, axis_of, histogram, points_of
from runtower.domain.runs import ColumnKey, Kind

LOSS, LR, MODEL = ColumnKey(Kind.METRIC, "loss"), ColumnKey(Kind.PARAM, "lr"), ColumnKey(Kind.PARAM, "model")
RUNS = [
    {"metrics.loss": 0.1, "params.lr": "1e-3", "params.model": "vit"},
    {"metrics.loss": 0.3, "params.lr": "0.01", "params.model": "cnn"},
    {"metrics.loss": float("nan"), "params.lr": "0.1", "params.model": "vit"},
    {"metrics.loss": 0.9, "params.lr": "auto"},
    {"params.lr": "1"},
]
ROWS = np.arange(len(RUNS), dtype=np.int32)


def test_numbers_words_and_what_has_no_place() -> None:
    catalogue = catalogue_of(RUNS)
    loss, lr, model = (axis_of(catalogue, key, ROWS) for key in (LOSS, LR, MODEL))
    np.testing.assert_array_equal(loss.values, [0.1, 0.3, np.nan, 0.9, np.nan])
    np.testing.assert_array_equal(lr.values, [0.001, 0.01, 0.1, np.nan, 1])
    assert (lr.words, model.words) == ([], ["cnn", "vit"])
    np.testing.assert_array_equal(model.values, [1, 0, 1, np.nan, np.nan])
    found = points_of(lr, loss)
    assert (found.there.tolist(), found.left_out) == ([True, True, False, False, False], 3)
    assert found.correlation() is None, "two points always lie on a line"
    assert points_of(model, loss).correlation() is None


@pytest.mark.parametrize(
    ("values", "wide"), [([1e-4, 1e-2], True), ([0.1, 0.9], False), ([0.0, 5.0, 900.0], False), ([np.nan, 3.0], False)]
)
def test_what_is_better_drawn_on_a_logarithmic_axis(values: list[float], wide: bool) -> None:
    assert Axis(LR, np.array(values)).is_wide == wide


def test_only_the_most_frequent_words_have_a_place() -> None:
    catalogue = catalogue_of([{"params.model": f"m{number}"} for number in (*range(30), 7, 29)])
    axis = axis_of(catalogue, MODEL, np.arange(32, dtype=np.int32))
    assert len(axis.words) == 12
    assert {"m7", "m29"} <= set(axis.words)


@pytest.mark.parametrize(
    ("y", "expected"), [([1, 2, 5, 9], 1.0), ([9, 5, 2, 1], -1.0), ([1, 1, 2, 2], 0.8944), ([3, 3, 3, 3], None)]
)
def test_rank_correlation_is_spearmans(y: list[float], expected: float | None) -> None:
    x = Axis(LR, np.array([1.0, 10.0, 100.0, 1e6]))
    found = points_of(x, Axis(LOSS, np.array(y, float))).correlation()
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-4))


def test_a_histogram_counts_every_value() -> None:
    counts, edges = histogram(np.array([0.0, 0.1, 0.1, 0.9, 1.0]), 4)
    assert (int(counts.sum()), len(edges)) == (5, len(counts) + 1)
    assert len(histogram(np.linspace(0, 1, 10_000), 8)[0]) == 8
    assert histogram(np.array([3.0]), 4)[0].sum() == 1
