"""From a query to rows: filters, orders, trees, folds and pins, against a model in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.catalogues import add_runs, catalogue_of, key_of

from runtower.acts.browse import Browser
from runtower.catalog import sweeps
from runtower.catalog import view as views
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.orders import Orders
from runtower.catalog.view import Query, View
from runtower.catalog.words_filter import parse
from runtower.domain.errors import Invalid
from runtower.domain.runs import Experiment
from runtower.domain.values import number_of

LOSS, LR = key_of("metrics.loss"), key_of("params.lr")
VALUES = [3.0, -math.inf, None, math.nan, 1.0, math.inf, 2.0]


def view_of(catalogue: Catalogue, **asked: Any) -> View:
    query = Query(**asked)
    tree = views.tree_of(catalogue)
    return views.compute(views.frame_of(catalogue, query, tree), query)


def shown(catalogue: Catalogue, **asked: Any) -> list[str]:
    return [catalogue.run_key(int(row)).run_id for row in view_of(catalogue, **asked).rows]


def losses(values: Sequence[float | None]) -> Catalogue:
    return catalogue_of(
        [{"start_time": 1000.0 - n, **({} if v is None else {"metrics.loss": v})} for n, v in enumerate(values)]
    )


def test_without_a_wish_the_newest_run_is_first() -> None:
    catalogue = catalogue_of([{"start_time": 1.0}, {"start_time": 3.0}, {}, {"start_time": 2.0}])
    assert shown(catalogue) == ["r1", "r3", "r0", "r2"]


@pytest.mark.parametrize(
    ("descending", "order"),
    [(False, [-math.inf, 1.0, 2.0, 3.0, math.inf]), (True, [math.inf, 3.0, 2.0, 1.0, -math.inf])],
)
def test_nan_and_missing_are_last_in_both_directions(descending: bool, order: list[float]) -> None:
    catalogue = losses(VALUES)
    rows = view_of(catalogue, sort=((LOSS, descending),)).rows.tolist()
    assert [VALUES[row] for row in rows[:5]] == order
    assert [VALUES[row] for row in rows[6:]] == [None]
    nan = VALUES[rows[5]]
    assert nan is not None
    assert math.isnan(nan)


def test_texts_sort_as_numbers_then_words_then_nan_then_missing() -> None:
    texts = ["auto", "1e-3", None, "0.01", "nan", "warm10", "warm9", "5e-4"]
    catalogue = catalogue_of(
        [{"start_time": float(-n), **({} if t is None else {"params.lr": t})} for n, t in enumerate(texts)]
    )
    up = [texts[row] for row in view_of(catalogue, sort=((LR, False),)).rows.tolist()]
    down = [texts[row] for row in view_of(catalogue, sort=((LR, True),)).rows.tolist()]
    assert up == ["5e-4", "1e-3", "0.01", "auto", "warm9", "warm10", "nan", None]
    assert down == ["warm10", "warm9", "auto", "0.01", "1e-3", "5e-4", "nan", None]


NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, -1.0, math.inf, -math.inf, math.nan]))
TEXTS = st.one_of(st.none(), st.sampled_from(["1", "01", "1e0", "2", "10", "vit", "cnn", "r9", "r10", "nan"]))
MODEL_RUN = st.tuples(NUMBERS, TEXTS, st.integers(0, 3))
SORT = st.lists(st.tuples(st.sampled_from([LOSS, LR]), st.booleans()), max_size=2, unique_by=lambda pair: pair[0])


def class_and_place(value: float | str | None) -> tuple[int, Any]:
    """0 a number, 1 text, 2 NaN, 3 missing; and where it stands within."""
    if value is None:
        return 3, 0
    if isinstance(value, float):
        return (2, 0) if math.isnan(value) else (0, value)
    if value == "nan":
        return 2, 0
    number = number_of(value)
    return (1, ["cnn", "r9", "r10", "vit"].index(value)) if number is None else (0, number)


def ordered_plainly(runs: list[tuple[float | None, str | None, int]], sort: list[tuple[Any, bool]]) -> list[int]:
    order = list(reversed(range(len(runs))))
    order.sort(key=lambda row: runs[row][2], reverse=True)
    for key, descending in reversed(sort):
        cells = {row: class_and_place(runs[row][0] if key == LOSS else runs[row][1]) for row in order}
        there = [row for row in order if cells[row][0] < 2]
        there.sort(key=lambda row: cells[row], reverse=descending)
        order = there + [row for row in order if cells[row][0] == 2] + [row for row in order if cells[row][0] == 3]
    return order


@settings(max_examples=80, deadline=None)
@given(st.lists(MODEL_RUN, min_size=1, max_size=12), SORT, st.integers(0, 12))
def test_the_order_is_that_of_a_plain_model(
    given_runs: list[tuple[float | None, str | None, int]], sort: list[tuple[Any, bool]], cut: int
) -> None:
    cells = [
        {"start_time": float(start)}
        | ({} if loss is None else {"metrics.loss": loss})
        | ({} if lr is None else {"params.lr": lr})
        for loss, lr, start in given_runs
    ]
    whole = catalogue_of(cells)
    pieces = catalogue_of(cells[:cut])
    if cells[cut:]:
        add_runs(pieces, cells[cut:], len(cells[:cut]))
    expected = ordered_plainly(given_runs, sort)
    for catalogue in (whole, pieces):
        assert view_of(catalogue, sort=tuple(sort)).rows.tolist() == expected


FAMILY = [
    {"id": "sweep", "name": "sweep", "start_time": 10.0, "metrics.loss": 9.0},
    {"id": "a", "name": "a", "start_time": 11.0, "parent": "sweep", "metrics.loss": 0.5},
    {"id": "b", "name": "b", "start_time": 12.0, "parent": "sweep", "metrics.loss": 0.2},
    {"id": "deep", "name": "deep", "start_time": 13.0, "parent": "a", "metrics.loss": 0.1},
    {"id": "alone", "name": "alone", "start_time": 20.0, "metrics.loss": 0.3},
]


def test_a_tree_keeps_children_below_their_parent_in_any_order() -> None:
    catalogue = catalogue_of(FAMILY)
    view = view_of(catalogue)
    assert shown(catalogue) == ["alone", "sweep", "b", "a", "deep"]
    assert view.depth.tolist() == [0, 0, 1, 1, 2]
    assert [bool(flag & views.LAST) for flag in view.flags.tolist()][2:] == [False, True, True]
    assert shown(catalogue, sort=((LOSS, False),)) == ["alone", "sweep", "b", "a", "deep"]
    assert shown(catalogue, sort=((LOSS, False),), tree=False) == ["deep", "b", "alone", "a", "sweep"]


SWEEPS = [
    {"id": "good", "start_time": 1.0},
    {"id": "g1", "start_time": 2.0, "parent": "good", "metrics.loss": 0.1},
    {"id": "g2", "start_time": 3.0, "parent": "good", "metrics.loss": 0.8},
    {"id": "g3", "start_time": 3.5, "parent": "good", "metrics.loss": math.nan},
    {"id": "own", "start_time": 4.0, "metrics.loss": 0.5},
    {"id": "o1", "start_time": 5.0, "parent": "own", "metrics.loss": 0.01},
    {"id": "alone", "start_time": 6.0, "metrics.loss": 0.3},
    {"id": "none", "start_time": 7.0},
    {"id": "n1", "start_time": 8.0, "parent": "none", "metrics.loss": math.inf},
]


@pytest.mark.parametrize(
    ("descending", "largest", "order"),
    [
        (False, False, ["good", "alone", "own", "none"]),
        (True, False, ["own", "alone", "good", "none"]),
        (True, True, ["good", "own", "alone", "none"]),
        (False, True, ["alone", "own", "good", "none"]),
    ],
)
def test_a_parent_without_the_metric_stands_where_its_best_child_would(
    descending: bool, largest: bool, order: list[str]
) -> None:
    catalogue = catalogue_of(SWEEPS)
    asked = {"sort": ((LOSS, descending),), "largest": frozenset({LOSS} if largest else ())}
    view = view_of(catalogue, **asked)
    roots = view.rows[view.depth == 0].tolist()
    assert [catalogue.run_key(row).run_id for row in roots] == order
    assert view.rows.tolist()[view.rows.tolist().index(0) :][:4] == ([0, 2, 1, 3] if descending else [0, 1, 2, 3])
    flat = shown(catalogue, **asked, tree=False)
    assert flat[-2:] == ["none", "good"], "in a flat list nobody speaks for another"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBERS, st.integers(-1, 9)), min_size=1, max_size=10), st.booleans())
def test_what_a_parent_is_sorted_by_is_what_it_shows(given_runs: list[tuple[float | None, int]], largest: bool) -> None:
    catalogue = catalogue_of(
        [
            {"start_time": float(place), "metrics.loss": loss}
            | ({"parent": f"r{parent}"} if parent >= 0 and parent < place else {})
            for place, (loss, parent) in enumerate(given_runs)
        ]
    )
    tree, own = views.tree_of(catalogue), catalogue.numbers(LOSS)
    sorted_by = sweeps.with_best_children(tree, own, largest)
    for row in range(len(given_runs)):
        number = own.number(row)
        expected = sweeps.best_child(tree, own, row, largest) if number is None else number
        assert repr(sorted_by.number(row)) == repr(expected)


def test_an_order_by_best_children_follows_when_a_child_gets_better() -> None:
    catalogue = catalogue_of(SWEEPS)
    orders, query = Orders(), Query(sort=((LOSS, False),))

    def roots() -> list[str]:
        tree = views.tree_of(catalogue)
        view = views.compute(views.frame_of(catalogue, query, tree), query, orders)
        return [catalogue.run_key(int(row)).run_id for row in view.rows[view.depth == 0]]

    assert roots() == ["good", "alone", "own", "none"]
    add_runs(catalogue, [{"id": "n2", "parent": "none", "metrics.loss": 0.05}], len(SWEEPS))
    assert roots() == ["none", "good", "alone", "own"]


def test_a_hit_brings_its_parents_dimmed_and_they_dont_count() -> None:
    catalogue = catalogue_of(FAMILY)
    view = view_of(catalogue, words=parse("deep"))
    assert [catalogue.run_key(int(row)).run_id for row in view.rows] == ["sweep", "a", "deep"]
    assert [bool(flag & views.DIM) for flag in view.flags.tolist()] == [True, True, False]
    assert (view.hits, view.within) == (1, 5)


def test_a_fold_hides_the_whole_subtree_but_not_its_hits() -> None:
    catalogue = catalogue_of(FAMILY)
    (sweep,) = catalogue.rows_of([catalogue.run_key(0)]).tolist()
    view = view_of(catalogue, folded=frozenset({sweep}))
    assert [catalogue.run_key(int(row)).run_id for row in view.rows] == ["alone", "sweep"]
    assert view.flags[1] & views.FOLDED
    assert view.hits == 5
    assert sorted(view.hit_rows.tolist()) == [0, 1, 2, 3, 4]


def test_pins_stand_first_in_their_own_order_whatever_the_filter_says() -> None:
    catalogue = catalogue_of(FAMILY)
    view = view_of(catalogue, pins=(4, 3), words=parse("b"))
    assert [catalogue.run_key(int(row)).run_id for row in view.rows] == ["alone", "deep", "sweep", "b"]
    assert [bool(flag & views.PINNED) for flag in view.flags.tolist()] == [True, True, False, False]


@pytest.mark.parametrize("parents", [{"x": "y", "y": "x"}, {"x": "x"}, {"x": "y", "y": "z", "z": "x"}, {"x": "nobody"}])
def test_a_circle_of_parents_and_an_absent_one_lose_no_run(parents: dict[str, str]) -> None:
    ids = ["x", "y", "z"]
    catalogue = catalogue_of(
        [
            {"id": one, "start_time": float(n), **({"parent": parents[one]} if one in parents else {})}
            for n, one in enumerate(ids)
        ]
    )
    assert sorted(shown(catalogue)) == ids
    tree = views.tree_of(catalogue)
    assert tree.parent[0] == -1, "a circle is cut at its oldest run"
    assert tree.depth.max() == len(parents) - 1


def test_experiments_users_and_deleted_runs_are_kept_apart() -> None:
    catalogue = catalogue_of(
        [
            {"experiment_id": "1", "user": "ana", "start_time": 4.0},
            {"experiment_id": "1", "user": "bo", "start_time": 3.0},
            {"experiment_id": "2", "user": "ana", "start_time": 2.0},
            {"experiment_id": "1", "user": "ana", "start_time": 1.0, "lifecycle": "deleted"},
        ],
        [Experiment("1", "one"), Experiment("2", "two")],
    )
    assert shown(catalogue) == ["r0", "r1", "r2"]
    assert shown(catalogue, experiments=frozenset({(0, "1")})) == ["r0", "r1"]
    assert shown(catalogue, user="ana") == ["r0", "r2"]
    assert shown(catalogue, user="nobody") == []
    assert shown(catalogue, deleted=True) == ["r3"]
    assert shown(catalogue, hidden=frozenset({0})) == ["r1", "r2"]
    assert shown(catalogue, experiments=frozenset({(0, "9")})) == []


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("vit", {"r0", "r1"}),
        ("VIT !large", {"r0"}),
        ("!vit", {"r2"}),
        ("/^vit-.*ge$/", {"r1"}),
        ("!/^vit/", {"r2"}),
        ("~vlg", {"r1"}),
        ("0.25", {"r2"}),
        ("(", set()),
        ("", {"r0", "r1", "r2"}),
        ("!", {"r0", "r1", "r2"}),
    ],
)
def test_the_words_filter(text: str, hits: set[str]) -> None:
    catalogue = catalogue_of([{"name": "vit-base"}, {"name": "vit-large"}, {"name": "resnet", "metrics.loss": 0.25}])
    searched = (*Query().searched, LOSS)
    assert set(shown(catalogue, words=parse(text), searched=searched)) == hits


def test_a_regular_expression_that_cant_be_read_says_so() -> None:
    with pytest.raises(Invalid, match=r"\(a"):
        parse("/(a/")


def test_sparse_runs_with_five_thousand_keys_sort_by_a_rare_one() -> None:
    given_runs: list[dict[str, Any]] = [
        {"start_time": float(n)} | {f"metrics.m{n * 50 + k}": float(k) for k in range(50)} for n in range(100)
    ]
    catalogue = catalogue_of(given_runs)
    known = catalogue.keys()
    assert sum(key.kind == "metric" for key in known) == 5000
    rare = key_of("metrics.m2525")
    rows = view_of(catalogue, sort=((rare, False),)).rows.tolist()
    assert rows[0] == 50
    assert rows[1:] == [n for n in reversed(range(100)) if n != 50]


async def test_the_order_is_frozen_until_one_asks() -> None:
    catalogue = catalogue_of(FAMILY)
    browser = Browser(catalogue)
    await browser.order()
    before = browser.view.rows.tolist()
    add_runs(catalogue, [{"id": "fresh", "name": "fresh", "start_time": 99.0}], len(FAMILY))
    assert await browser.count_pending()
    assert browser.pending == (1, 0)
    assert browser.view.rows.tolist() == before
    await browser.order()
    assert browser.pending == (0, 0)
    assert browser.view.rows.tolist() == [5, *before]


async def test_marks_are_runs_not_places() -> None:
    browser = Browser(catalogue_of(FAMILY))
    await browser.order()
    browser.toggle_mark(2)
    browser.sort_by(LOSS, True)
    browser.set_filter("alone")
    await browser.order()
    assert browser.marks == {2}
    browser.mark_all()
    assert browser.marks == {2, 4}
    browser.mark_all()
    assert browser.marks == {2}
    browser.invert_marks()
    assert browser.marks == {2, 4}


async def test_next_hit_skips_parents_that_are_only_shown_for_their_children() -> None:
    browser = Browser(catalogue_of(FAMILY))
    browser.set_filter("deep")
    await browser.order()
    assert browser.next_hit(0, 1) == 2
    assert browser.next_hit(2, 1) == 2
    assert browser.next_hit(0, -1) == 2


def test_a_parents_children_are_counted_and_the_best_is_found() -> None:
    catalogue = catalogue_of(
        [
            {"id": "p", "name": "p"},
            {"parent": "p", "status": "FAILED", "metrics.loss": math.nan},
            {"parent": "p", "status": "RUNNING", "metrics.loss": 0.5},
            {"parent": "p", "status": "RUNNING", "metrics.loss": 0.25},
            {"parent": "p"},
        ]
    )
    tree = views.tree_of(catalogue)
    from runtower.domain.runs import STATUS

    assert sweeps.child_states(tree, catalogue.texts(STATUS), 0) == {"FAILED": 1, "RUNNING": 2, "UNKNOWN": 1}
    assert sweeps.best_child(tree, catalogue.numbers(LOSS), 0, largest=False) == 0.25
    assert sweeps.best_child(tree, catalogue.numbers(LOSS), 0, largest=True) == 0.5
    assert sweeps.best_child(tree, catalogue.numbers(LOSS), 1, largest=True) is None


def test_a_hundred_thousand_rows_keep_a_stable_order() -> None:
    size = 100_000
    catalogue = catalogue_of([])
    rows = np.arange(size, dtype=np.int32)
    from runtower.catalog.encoding import encode
    from runtower.catalog.segment import Segment
    from runtower.sources.port import Delta, Numbers

    cells = [
        Numbers("attribute", "start_time", None, rows.astype(float)),  # type: ignore[arg-type]
        Numbers(*LOSS, None, (rows % 2).astype(float)),
    ]
    segment = Segment.read(encode(Delta([f"{n:06d}" for n in range(size)], cells, b""), rows))
    catalogue.add(0, 1, segment)
    order = view_of(catalogue, sort=((LOSS, False),)).rows.tolist()
    assert order[:2] == [size - 2, size - 4]
    assert order[size // 2 :][:2] == [size - 1, size - 3]


def two_sources() -> Catalogue:
    """Source 0 with experiments 1 and 2, source 1 with an experiment 1 of its own."""
    catalogue = catalogue_of([{"id": "a1", "experiment_id": "1"}, {"id": "a2", "experiment_id": "2"}])
    catalogue.source("team")
    add_runs(catalogue, [{"id": "b1", "experiment_id": "1"}], 0, source=1)
    return catalogue


def test_only_the_runs_of_chosen_sources() -> None:
    catalogue = two_sources()
    assert set(shown(catalogue)) == {"a1", "a2", "b1"}
    assert shown(catalogue, sources=frozenset({1})) == ["b1"]
    assert view_of(catalogue, sources=frozenset({0})).within == 2
    assert shown(catalogue, sources=frozenset({1}), experiments=frozenset({(0, "1")})) == []


def test_choosing_sources_keeps_experiments_where_something_of_them_is_left() -> None:
    browser = Browser(two_sources())
    browser.choose_experiments(frozenset({(0, "1")}))
    browser.choose_sources(frozenset({0}))
    assert browser.query.experiments == {(0, "1")}
    browser.choose_sources(frozenset({1}))
    assert browser.query.experiments is None, "none of source 1's was chosen"
    browser.choose_experiments(frozenset({(1, "1")}))
    browser.choose_sources(None)
    assert browser.query.experiments is None, "source 0 came and would show nothing"
    assert browser.newest_experiment(None) is not None
    browser.choose_sources(frozenset({1}))
    assert browser.newest_experiment(None) == (1, "1")
    assert browser.shown_rows().tolist() == [False, False, True]
