"""What differs between two configs, and that it makes the one of the other."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trees import PATIENT, configs

from runtower.config.diff import Added, Changed, ItemDiff, ListDiff, MapDiff, Removed, apply, diff
from runtower.config.same import canonical, is_retyped

PAIRS = st.tuples(configs(), configs()) | configs().flatmap(
    lambda one: st.tuples(st.just(one), configs().map(lambda more: {**one, **more}))
)


@PATIENT
@given(configs(), st.booleans())
def test_a_config_does_not_differ_from_itself(a: dict[Any, Any], strict: bool) -> None:
    assert diff(a, a, strict) == MapDiff({})
    assert diff(a, copy.deepcopy(a), strict) == MapDiff({})


@PATIENT
@given(PAIRS, st.booleans())
def test_a_diff_applied_gives_the_other(pair: tuple[dict[Any, Any], dict[Any, Any]], strict: bool) -> None:
    a, b = pair
    before = copy.deepcopy(a)
    found = diff(a, b, strict)
    assert canonical(apply(found, a), strict) == canonical(b, strict)
    assert canonical(a, True) == canonical(before, True), "the first one stays as it is"
    assert bool(found.items) == (canonical(a, strict) != canonical(b, strict))


@pytest.mark.parametrize(
    ("a", "b", "loosely", "strictly"),
    [
        (0.001, "1e-3", True, False),
        (1, 1.0, True, False),
        (1, "1", True, False),
        (True, 1, False, False),
        (False, 0, False, False),
        (True, "true", False, False),
        (math.nan, float("nan"), True, True),
        (2**53 + 1, float(2**53), False, False),
        (2**53 + 1, str(2**53 + 1), True, False),
        (None, "null", False, False),
        (None, False, False, False),
        ("a", "A", False, False),
        ("12e4567", "13e4567", False, False),
        ([1, [True]], [1.0, [True]], True, False),
        ([1, [True]], [1.0, [1]], False, False),
        ({}, [], False, False),
        ("${a}", "${a}", True, True),
    ],
)
def test_what_is_the_same(a: Any, b: Any, loosely: bool, strictly: bool) -> None:
    assert (not diff({"x": a}, {"x": b}).items) is loosely
    assert (not diff({"x": a}, {"x": b}, strict=True).items) is strictly


def test_types_that_change_are_told() -> None:
    assert is_retyped("a", 1)
    assert not is_retyped(None, 1)
    assert is_retyped([1], {"a": 1})
    assert is_retyped(True, 1)
    assert not is_retyped(1, 1.5)


def test_an_inserted_item_is_one_change() -> None:
    a = {"layers": [{"n": 1}, {"n": 2}, {"n": 3}]}
    b = {"layers": [{"n": 1}, {"n": 9}, {"n": 2}, {"n": 3}]}
    assert diff(a, b).items["layers"] == ListDiff(a["layers"], b["layers"], (ItemDiff(None, 1, Added({"n": 9})),))
    assert diff(b, a).items["layers"] == ListDiff(b["layers"], a["layers"], (ItemDiff(1, None, Removed({"n": 9})),))


def test_a_changed_item_is_looked_into() -> None:
    a, b = {"l": [{"n": 1, "m": 2}, 5]}, {"l": [{"n": 1, "m": 3}, 5]}
    assert diff(a, b).items["l"] == ListDiff(a["l"], b["l"], (ItemDiff(0, 0, MapDiff({"m": Changed(2, 3)})),))


def test_long_lists_end_soon() -> None:
    a, b = {"l": list(range(6000))}, {"l": [-1, *range(0, 6000, 2), *range(7000, 9000)]}
    assert apply(diff(a, b), a) == b
