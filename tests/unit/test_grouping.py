"""Runs in groups by a column, against a model in plain Python."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.catalogues import add_runs, catalogue_of, key_of

from runtower.acts.browse import Browser
from runtower.catalog import view as views
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.grouping import Groups, spread
from runtower.catalog.grouping import key_of as group_key
from runtower.catalog.view import OnGroup, Query, View
from runtower.catalog.words_filter import parse
from runtower.domain.values import number_of

LOSS, ACC, LR = key_of("metrics.loss"), key_of("metrics.acc"), key_of("params.lr")
NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, -1.0, math.inf, -math.inf, math.nan]))
WORDS = st.one_of(st.none(), st.sampled_from(["1", "01", "1e0", "2", "10", "vit", "cnn", "r9", "r10", "nan", "NaN"]))
RUN = st.tuples(NUMBERS, NUMBERS, WORDS, st.sampled_from(["x", "y"]))
SORT = st.lists(st.tuples(st.sampled_from([LOSS, ACC, LR]), st.booleans()), max_size=2, unique_by=lambda one: one[0])
TEXTS = ["cnn", "r9", "r10", "vit"]


def view_of(catalogue: Catalogue, **asked: Any) -> View:
    query = Query(**{"group": LR, **asked})
    return views.compute(views.frame_of(catalogue, query, views.tree_of(catalogue)), query)


def groups_of(view: View) -> Groups:
    assert view.groups is not None
    return view.groups


def outline(view: View) -> list[str | int | None]:
    """The lines from top to bottom: a group's key in brackets, a run's row."""
    keys = groups_of(view).keys
    lines = zip(view.kinds.tolist(), view.refs.tolist(), strict=True)
    return [f"[{keys[ref]}]" if kind == views.GROUP else ref for kind, ref in lines]


def class_and_place(word: str | float | None) -> tuple[int, float]:
    """0 a number, 1 a text, 2 NaN, 3 missing; and where it stands within."""
    if word is None:
        return 3, 0.0
    number = word if isinstance(word, float) else number_of(word)
    if number is None:
        assert isinstance(word, str)
        return 1, float(TEXTS.index(word))
    return (2, 0.0) if math.isnan(number) else (0, number)


def grouped_plainly(
    runs: list[tuple[float | None, float | None, str | None, str]],
    by: Any,
    rows: list[int],
    sort: list[tuple[Any, bool]],
    largest: frozenset[Any],
) -> list[list[int]]:
    """The groups of `rows`, which stand in order, as a person would put them."""

    def value(row: int, key: Any) -> Any:
        return runs[row][2] if key == LR else runs[row][0 if key == LOSS else 1]

    groups: dict[tuple[int, float], list[int]] = {}
    for row in rows:
        groups.setdefault(class_and_place(value(row, by)), []).append(row)

    order = sorted(groups)
    for key, descending in reversed(sort):
        if key == by:
            valued = sorted((g for g in order if g[0] < 2), reverse=descending, key=lambda g: g)
            order = [*valued, *(g for g in order if g[0] >= 2)]
        elif key != LR:
            best: dict[tuple[int, float], float] = {}
            for group, members in groups.items():
                finite = [v for row in members if (v := value(row, key)) is not None and math.isfinite(v)]
                if finite:
                    best[group] = max(finite) if key in largest else min(finite)
            there = sorted((g for g in order if g in best), key=lambda g: best[g], reverse=descending)
            order = there + [g for g in order if g not in best]
    return [groups[group] for group in sorted(order, key=lambda group: group[0] == 3)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(RUN, max_size=12),
    st.sampled_from([LR, LOSS]),
    SORT,
    st.frozensets(st.sampled_from([LOSS, ACC])),
    st.integers(0, 12),
    st.sampled_from(["", "x"]),
)
def test_the_groups_are_those_of_a_plain_model(
    given_runs: list[tuple[float | None, float | None, str | None, str]],
    by: Any,
    sort: list[tuple[Any, bool]],
    largest: frozenset[Any],
    cut: int,
    words: str,
) -> None:
    cells = [
        {"start_time": float(place), "name": name}
        | ({} if loss is None else {"metrics.loss": loss})
        | ({} if acc is None else {"metrics.acc": acc})
        | ({} if lr is None else {"params.lr": lr})
        for place, (loss, acc, lr, name) in enumerate(given_runs)
    ]
    catalogue = catalogue_of(cells[:cut])
    if cells[cut:]:
        add_runs(catalogue, cells[cut:], len(cells[:cut]))
    asked = {"sort": tuple(sort), "words": parse(words), "largest": largest}
    flat = view_of(catalogue, group=None, tree=False, **asked)
    view = view_of(catalogue, group=by, **asked)
    expected = grouped_plainly(given_runs, by, flat.rows.tolist(), sort, largest)
    groups = groups_of(view)
    assert [groups.members(number).tolist() for number in range(len(groups))] == expected
    assert (view.hits, view.within, sorted(view.hit_rows)) == (flat.hits, flat.within, sorted(flat.hit_rows))
    lines: list[int] = []
    for number, members in enumerate(expected):
        lines += [-1 - number, *members]
    assert [-1 - ref if kind else ref for kind, ref in zip(view.kinds, view.refs, strict=True)] == lines
    assert len(set(groups.keys)) == len(groups), "each group is known by a key of its own"
    for number, key in enumerate(groups.keys):
        assert (groups.find(key), view.spot_at(view.index_of(OnGroup(key)))) == (number, OnGroup(key))
        assert all(groups.number_of(int(row)) == number for row in groups.members(number))


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=8), st.frozensets(WORDS, max_size=4), st.lists(st.integers(0, 7), max_size=3))
def test_folds_and_pins_take_lines_and_nothing_else(
    words: list[str | None], folded: frozenset[str | None], pinned: list[int]
) -> None:
    catalogue = catalogue_of(
        [{"start_time": float(-n)} | ({} if word is None else {"params.lr": word}) for n, word in enumerate(words)]
    )
    keys = frozenset(group_key(word) for word in folded)
    pins = tuple(dict.fromkeys(row for row in pinned if row < len(words)))
    view = view_of(catalogue, folded_groups=keys, pins=pins)
    groups = groups_of(view)
    expected: list[int | str] = list(pins)
    for number, key in enumerate(groups.keys):
        expected.append(f"[{key}]")
        expected += [row for row in groups.members(number).tolist() if key not in keys and row not in pins]
    assert outline(view) == expected
    assert view.hits == len(words)
    for index, (kind, flag) in enumerate(zip(view.kinds.tolist(), view.flags.tolist(), strict=True)):
        number = view.group_at(index)
        assert (kind == views.GROUP) == (number is not None)
        if number is not None:
            assert bool(flag & views.FOLDED) == (groups.keys[number] in keys)
            assert flag & views.DIM


def test_groups_stand_by_their_value_and_by_the_best_where_a_metric_sorts() -> None:
    catalogue = catalogue_of(
        [
            {"params.lr": "0.01", "metrics.loss": 0.5, "start_time": 1.0},
            {"params.lr": "1e-2", "metrics.loss": 0.9, "start_time": 2.0},
            {"params.lr": "0.1", "metrics.loss": 0.4, "start_time": 3.0},
            {"metrics.loss": 0.1, "start_time": 4.0},
        ]
    )
    assert outline(view_of(catalogue)) == ["[0.01]", 1, 0, "[0.1]", 2, "[None]", 3]
    assert outline(view_of(catalogue, sort=((LOSS, False),))) == ["[0.1]", 2, "[0.01]", 0, 1, "[None]", 3]
    up = view_of(catalogue, sort=((LOSS, True),), largest=frozenset({LOSS}))
    assert outline(up) == ["[0.01]", 1, 0, "[0.1]", 2, "[None]", 3]
    assert groups_of(up).word(0) == "1e-2", "as its first run spells it"
    assert outline(view_of(catalogue, sort=((LR, True),)))[0] == "[0.1]"


def test_a_column_that_no_run_has_is_one_group() -> None:
    catalogue = catalogue_of([{"name": "a"}, {"name": "b"}])
    assert outline(view_of(catalogue, group=key_of("tags.nowhere"))) == ["[None]", 1, 0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.sampled_from([math.inf, -math.inf, math.nan])), max_size=9))
def test_the_spread_is_that_of_the_finite_values(values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)]
    found = spread(np.array(values, np.float64))
    if not finite:
        assert found is None
        return
    assert found is not None
    assert (found.count, found.low, found.high) == (len(finite), min(finite), max(finite))
    assert found.mean == pytest.approx(statistics.fmean(finite), rel=1e-9, abs=1e-6)
    if len(finite) > 1:
        assert found.std == pytest.approx(statistics.stdev(finite), rel=1e-6, abs=1e-6)
    else:
        assert math.isnan(found.std)


RUNS = [
    {"name": "a", "params.lr": "0.1", "start_time": 4.0},
    {"name": "b", "params.lr": "0.2", "start_time": 3.0},
    {"name": "c", "params.lr": "1e-1", "start_time": 2.0},
    {"name": "d", "start_time": 1.0},
]


async def test_a_group_is_folded_from_its_line_and_from_its_runs() -> None:
    browser = Browser(catalogue_of(RUNS))
    browser.group_by(LR)
    await browser.order()
    assert outline(browser.view) == ["[0.1]", 0, 2, "[0.2]", 1, "[None]", 3]
    assert browser.cursor == OnGroup("0.1")
    assert browser.fold(2)
    await browser.order()
    assert outline(browser.view) == ["[0.1]", "[0.2]", 1, "[None]", 3]
    assert browser.cursor == OnGroup("0.1")
    assert browser.fold(OnGroup("0.1"))
    assert browser.fold(OnGroup(None))
    await browser.order()
    assert outline(browser.view) == ["[0.1]", 0, 2, "[0.2]", 1, "[None]"]
    browser.group_by(None)
    await browser.order()
    assert browser.view.rows.tolist() == [0, 1, 2, 3]
    assert browser.view.groups is None


async def test_marks_are_of_runs_alone() -> None:
    browser = Browser(catalogue_of(RUNS))
    browser.group_by(LR)
    await browser.order()
    assert browser.row_at(0) is None
    browser.toggle_group(0)
    assert browser.marks == {0, 2}
    browser.toggle_mark(2)
    browser.toggle_group(0)
    assert browser.marks == {0, 2}
    browser.toggle_group(0)
    assert browser.marks == set()
    browser.toggle_mark(0)
    browser.mark_range(3)
    assert browser.marks == {0, 1, 2, 3}
    assert browser.next_hit(0, 1) == 1
    assert browser.next_hit(2, 1) == 4


async def test_a_refresh_changes_no_group_until_asked() -> None:
    catalogue = catalogue_of(RUNS)
    browser = Browser(catalogue)
    browser.group_by(LR)
    await browser.order()
    before = outline(browser.view)
    add_runs(catalogue, [{"name": "e", "params.lr": "0.3", "start_time": 9.0}], len(RUNS))
    assert await browser.count_pending()
    assert browser.pending == (1, 0)
    assert outline(browser.view) == before
    await browser.order()
    assert outline(browser.view) == ["[0.1]", 0, 2, "[0.2]", 1, "[0.3]", 4, "[None]", 3]
