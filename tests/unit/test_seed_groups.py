"""Runs that differ only in their seeds, taken together."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtower.acts.seed_groups import Spread, difference, figures_of, groups_of, spread_of
from runtower.config.matrix import matrix
from runtower.config.rules import Rules

SEEDS = Rules(["seed", "*.seed", "output_dir"])


def test_runs_of_one_config_are_a_group() -> None:
    trees = [
        {"lr": 0.1, "seed": 1, "output_dir": "a"},
        {"lr": 0.2, "seed": 1, "output_dir": "b"},
        {"lr": "1e-1", "seed": 2, "output_dir": "c"},
        {"lr": 0.1, "seed": 3},
        {"seed": 1},
    ]
    assert groups_of(matrix(trees, SEEDS), 5, False) == ((0, 2, 3), (1,), (4,))
    assert groups_of(matrix(trees, SEEDS, True), 5, True) == ((0, 3), (1,), (2,), (4,))
    assert groups_of(matrix(trees, Rules([])), 5, False) == ((0,), (1,), (2,), (3,), (4,)), (
        "without rules a seed counts"
    )


def test_the_distance_of_two_means_stands_beside_its_standard_error() -> None:
    first, other = spread_of([1.0, 2.0, 3.0]), spread_of([4.0, 6.0])
    assert first == Spread(3, 2.0, 1.0)
    assert other == Spread(2, 5.0, math.sqrt(2))
    assert difference(first, other) == (3.0, pytest.approx(math.sqrt(1 / 3 + 2 / 2)))


def test_a_difference_counts_where_it_is_larger_than_the_spread() -> None:
    values = [1.0, 2.0, 3.0, 1.5, 2.5, 9.0, 10.0, 5.0]
    figures = figures_of([(0, 1, 2), (3, 4), (5, 6), (7,)], values, [None] * 8, "min")
    assert [one.beyond for one in figures] == [None, False, True, None]
    assert [one.direction for one in figures] == ["", "same", "worse", "worse"]
    assert [one.leads for one in figures] == [True, True, False, False]
    assert (figures[3].spread, figures[3].delta, figures[3].error) == (Spread(1, 5.0, None), 3.0, None)


def test_what_is_not_finite_or_not_logged_has_no_part_in_a_mean() -> None:
    assert spread_of([1.0, math.nan, None, math.inf, 3.0]) == Spread(2, 2.0, pytest.approx(math.sqrt(2)))
    nothing = figures_of([(0,), (1, 2)], [math.nan, 1.0, 2.0], [None] * 3, "max")
    assert (nothing[0].spread.count, nothing[1].delta, nothing[1].beyond) == (0, None, None)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_a_group_does_not_differ_from_itself(values: list[float]) -> None:
    places = tuple(range(len(values)))
    same = figures_of([places, places], values, values, "max")[1]
    assert (same.delta, same.beyond, same.direction) == (0.0, False, "same")


def test_the_standard_error_is_that_of_many_draws() -> None:
    """Means of 4 and of 9 draws lie as far from each other as the formula says, over 2,000 pairs."""
    small, large = NormalDist(0.0, 2.0), NormalDist(0.0, 3.0)
    deltas, errors = [], []
    for seed in range(2000):
        first, other = spread_of(small.samples(4, seed=seed)), spread_of(large.samples(9, seed=seed + 10_000))
        delta, error = difference(first, other)
        assert delta is not None
        assert error is not None
        deltas.append(delta)
        errors.append(error**2)
    seen = spread_of(deltas).std
    assert seen == pytest.approx(math.sqrt(2.0**2 / 4 + 3.0**2 / 9), rel=0.05)
    assert math.sqrt(sum(errors) / len(errors)) == pytest.approx(seen, rel=0.05)
