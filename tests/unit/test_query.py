"""The query language: what a text means, what it finds, and where it is wrong."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.catalogues import catalogue_of, key_of

from runtower.catalog import view as views
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query.misread import Misread
from runtower.catalog.query.understand import understand
from runtower.catalog.view import Query
from runtower.domain.runs import ColumnKey

KNOWN = [
    key_of(name) for name in ("metrics.loss", "metrics.val/loss", "params.lr", "tags.lr", "params.model", "tags.user")
]
NOW = datetime(2026, 11, 25, 14, 30).timestamp() * 1000
HOUR = 3_600_000.0


def found(catalogue: Catalogue, text: str, now_ms: float = NOW) -> list[str]:
    """The ids of the runs that a query finds."""
    query = Query(where=understand(text, catalogue.keys()), now_ms=now_ms, tree=False)
    rows = views.compute(views.frame_of(catalogue, query, None), query).rows
    return sorted(catalogue.run_key(int(row)).run_id for row in rows)


def misread(text: str, known: Collection[ColumnKey] = KNOWN) -> tuple[str, str]:
    """What is said of a wrong query, and the part of it that is marked."""
    with pytest.raises(Misread) as caught:
        understand(text, known)
    start, end = caught.value.place
    return str(caught.value), text[start:end]


# -- what is found


@pytest.fixture
def four() -> Catalogue:
    """The four kinds of nothing and something: a number, NaN, infinity, missing."""
    return catalogue_of(
        [
            {"id": "one", "metrics.x": 1.0, "params.p": "1.0", "params.t": "vit"},
            {"id": "nan", "metrics.x": math.nan, "params.p": "NaN", "params.t": "VIT-b"},
            {"id": "inf", "metrics.x": math.inf, "params.p": "inf", "params.t": ""},
            {"id": "low", "metrics.x": -math.inf, "params.p": "-Infinity", "params.t": "cnn\nnet"},
            {"id": "none", "metrics.y": 0.0},
        ]
    )


@pytest.mark.parametrize("name", ["metrics.x", "params.p"])
@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("= 1", ["one"]),
        ("!= 1", ["inf", "low", "nan"]),
        ("< 1", ["low"]),
        ("<= 1", ["low", "one"]),
        ("> 1", ["inf"]),
        (">= 1", ["inf", "one"]),
        ("= inf", ["inf"]),
        ("< inf", ["low", "one"]),
        ("!= -inf", ["inf", "nan", "one"]),
        ("in (1, inf)", ["inf", "one"]),
        ("not in (1, inf)", ["low", "nan"]),
        ("is nan", ["nan"]),
        ("is not nan", ["inf", "low", "none", "one"]),
        ("is missing", ["none"]),
        ("is null", ["none"]),
        ("is set", ["inf", "low", "nan", "one"]),
        ("is not null", ["inf", "low", "nan", "one"]),
    ],
)
def test_a_number_nan_infinity_and_missing_are_four_things(
    four: Catalogue, name: str, condition: str, runs: list[str]
) -> None:
    assert found(four, f"{name} {condition}") == runs


def test_not_turns_a_comparison_round_also_where_a_value_is_missing(four: Catalogue) -> None:
    assert found(four, "not metrics.x = 1") == ["inf", "low", "nan", "none"]
    assert found(four, "not not x = 1") == ["one"]


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("t = vit", ["one"]),
        ("t = ''", ["inf"]),
        ("t like 'vit%'", ["one"]),
        ("t ilike 'VIT%'", ["nan", "one"]),
        ("t like '___'", ["one"]),
        ("t like '%'", ["inf", "low", "nan", "one"]),
        ("t like 'cnn%net'", ["low"]),
        ("t like 'v.t'", []),
        ("t ~ '^v'", ["one"]),
        ("t ~ '(?i)^v.t'", ["nan", "one"]),
        ("t in (vit, '')", ["inf", "one"]),
        ("t not in ('vit')", ["inf", "low", "nan"]),
        ("t < 3", []),
    ],
)
def test_texts(four: Catalogue, condition: str, runs: list[str]) -> None:
    assert found(four, condition) == runs


def test_a_number_in_quotes_is_a_text() -> None:
    catalogue = catalogue_of([{"id": "a", "params.lr": "0.001"}, {"id": "b", "params.lr": "1e-3"}])
    assert found(catalogue, "lr = 0.001") == ["a", "b"]
    assert found(catalogue, "lr = '0.001'") == ["a"]
    assert found(catalogue, "lr in (1e-3)") == ["a", "b"]
    assert found(catalogue, "lr != '0.001'") == ["b"]
    assert found(catalogue, "lr < '0.01'") == ["a", "b"]


def test_and_binds_closer_than_or_and_not_closest() -> None:
    catalogue = catalogue_of(
        [{"id": f"{a}{b}{c}", "params.a": a, "params.b": b, "params.c": c} for a in "01" for b in "01" for c in "01"]
    )
    assert found(catalogue, "a=1 or b=1 and c=1") == ["011", "100", "101", "110", "111"]
    assert found(catalogue, "(a=1 or b=1) AND c=1") == ["011", "101", "111"]
    assert found(catalogue, "not a=1 and b=1") == ["010", "011"]


def test_the_words_filter_and_the_query_both_hold() -> None:
    from runtower.catalog.words_filter import parse

    catalogue = catalogue_of([{"id": n, "name": n, "metrics.x": float(len(n))} for n in ("a", "ab", "b", "bb")])
    query = Query(where=understand("x > 1", catalogue.keys()), words=parse("a"), tree=False)
    view = views.compute(views.frame_of(catalogue, query, None), query)
    assert [catalogue.run_key(int(row)).run_id for row in view.rows] == ["ab"]
    assert (view.hits, view.within) == (1, 4)


def test_times_and_durations() -> None:
    yesterday = datetime(2026, 11, 24, 23, 59, 59).timestamp() * 1000
    catalogue = catalogue_of(
        [
            {"id": "now", "start_time": NOW - HOUR, "status": "RUNNING"},
            {"id": "quick", "start_time": NOW - 2 * HOUR, "end_time": NOW - 2 * HOUR + 30_000, "status": "FINISHED"},
            {"id": "late", "start_time": yesterday, "end_time": yesterday + 2 * HOUR, "status": "FAILED"},
            {"id": "never"},
        ]
    )
    assert found(catalogue, "start_time >= 90 min ago") == ["now"]
    assert found(catalogue, "started > 3h ago") == ["now", "quick"]
    assert found(catalogue, "created = yesterday") == ["late"]
    assert found(catalogue, "start_time = 2026-11-24") == ["late"]
    assert found(catalogue, "start_time != 2026-11-24") == ["now", "quick"]
    assert found(catalogue, "start_time > yesterday") == ["now", "quick"]
    assert found(catalogue, "start_time >= yesterday") == ["late", "now", "quick"]
    assert found(catalogue, "start_time < today") == ["late"]
    assert found(catalogue, "start_time <= 2026-11-24 23:59:59") == ["late"]
    assert found(catalogue, f"start_time = {yesterday:.0f}") == ["late"]
    assert found(catalogue, "duration < 1m") == ["quick"]
    assert found(catalogue, "duration >= 1h") == ["late", "now"]
    assert found(catalogue, "took > 1h30m") == ["late"]
    assert found(catalogue, "took > 1h30m", NOW + HOUR) == ["late", "now"]
    assert found(catalogue, "duration is missing") == ["never", "now"]
    assert found(catalogue, "state = failed or status = 'RUNNING'") == ["late", "now"]


def test_a_day_ends_where_the_next_begins() -> None:
    spring = datetime(2026, 3, 29, 12).timestamp() * 1000
    first = datetime(2026, 3, 28).timestamp() * 1000
    last = (datetime(2026, 3, 29) - timedelta(milliseconds=1)).timestamp() * 1000
    catalogue = catalogue_of([{"id": n, "start_time": t} for n, t in (("a", first - 1), ("b", first), ("c", last))])
    assert found(catalogue, "start_time = yesterday", spring) == ["b", "c"]


# -- names


def test_names_with_and_without_their_family() -> None:
    for text, key in [
        ("metric.loss = 1", "metrics.loss"),
        ("loss = 1", "metrics.loss"),
        ("val/loss = 1", "metrics.val/loss"),
        ("`val/loss` = 1", "metrics.val/loss"),
        ('metrics."a b" = 1', "metrics.a b"),
        ("`parameters`.lr = 1", "params.lr"),
        ("params.`lr` = 1", "params.lr"),
        ("params.optim.lr = 1", "params.optim.lr"),
        ("attr.run_id = x", "run_id"),
        ("run.`Run name` = x", "name"),
        ("user_id = x", "user"),
    ]:
        assert understand(text, KNOWN).keys == (key_of(key),)


def test_mlflows_attributes_are_never_taken_for_keys() -> None:
    known = [*KNOWN, key_of("params.status"), key_of("params.user")]
    assert understand("status = x", known).keys == (key_of("status"),)
    said, marked = misread("user = x", known)
    assert marked == "user"
    assert "attributes.user and params.user and tags.user" in said


def test_a_query_written_out_means_the_same_when_other_keys_appear() -> None:
    where = understand("loss < 3 and (experiment = 'a' or status = failed)", KNOWN)
    assert where.whole == "metrics.loss < 3 and (attributes.experiment = 'a' or status = failed)"
    again = understand(where.whole, [*KNOWN, key_of("tags.loss"), key_of("params.experiment")])
    assert again.condition == where.condition


def test_a_key_that_no_run_has_is_said_and_matches_nothing() -> None:
    where = understand("metrics.los < 1 and params.loss = 1", KNOWN)
    assert where.doubts == (
        "No run has metrics.los. Did you mean metrics.loss?",
        "No run has params.loss. There is metrics.loss.",
    )
    assert found(catalogue_of([{"metrics.x": 1.0}]), "metrics.z != 1") == []


# -- errors


@pytest.mark.parametrize(
    ("text", "marked", "says"),
    [
        ("", "", "expected is a name"),
        ("los < 1", "los", "Did you mean loss?"),
        ("metrcs.loss < 1", "metrcs.loss", "Did you mean metrics.loss?"),
        ("lr = 1", "lr", "params.lr and tags.lr"),
        ("loss", "", "expected is a comparison"),
        ("loss <", "", "expected is a value, and here it ends"),
        ("loss < 1 model = 'x'", "model", "expected is 'and' or 'or', not 'model'"),
        ("loss < abc", "abc", "a metric is a number"),
        ("loss = nan", "nan", "Write is nan"),
        ("loss like 'a'", "'a'", "like compares texts"),
        ("model < vit", "vit", "< compares numbers"),
        ("model = 'vit", "'vit", "this quotation mark has no second one"),
        ("model ~ '('", "'('", "this pattern can't be read"),
        ("model in ()", ")", "expected is a value"),
        ("model is odd", "odd", "expected is set, missing, nan"),
        ("(loss < 1", "", "expected is ')'"),
        ("loss < 1)", ")", "this bracket closes nothing"),
        ("loss < 1 && lr = 2", "&", "The words are and, or, not"),
        ("attributes.durration > 1", "attributes.durration", "Did you mean duration?"),
        ("start_time > 5 parsecs ago", "5 parsecs ago", "is no time"),
        ("start_time > 2026-02-30", "2026-02-30", "is no time"),
        ("duration > soon", "soon", "is no duration"),
        ("datasets.name = 'x'", "datasets.name", "datasets are not in the table"),
        ("metrics. < 1", "metrics.", "a key is missing"),
    ],
)
def test_an_error_marks_its_place_and_says_what_to_do(text: str, marked: str, says: str) -> None:
    said, part = misread(text)
    assert part == marked
    assert says in said


def test_an_error_points_below_the_query() -> None:
    with pytest.raises(Misread) as caught:
        understand("loss <\t1 and los > 2", KNOWN)
    assert caught.value.pointed() == ("loss < 1 and los > 2", "             ^^^")


def test_depth_and_length_have_an_end() -> None:
    assert understand("(" * 2000 + "loss<1" + ")" * 2000, KNOWN).keys == (key_of("metrics.loss"),)
    assert understand("not " * 4000 + "loss<1", KNOWN).keys == (key_of("metrics.loss"),)
    assert "nested too deeply" in misread("(loss<1 and not " * 100 + "loss<1" + ")" * 100)[0]
    assert "longer than" in misread("loss < 1 or " * 3000 + "loss < 1")[0]


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["loss", "<", "'", "`", "(", ")", "and", "not", "in", "1", "."])).map(" ".join)
)
@example("start_time = 9999-12-31")
@example("start_time > 99999999999999999999 days ago")
def test_whatever_is_typed_is_understood_or_misread(text: str) -> None:
    try:
        where = understand(text, KNOWN)
    except Misread as error:
        shown, carets = error.pointed()
        marked = len(carets.lstrip())
    else:
        catalogue = catalogue_of([{"metrics.loss": 1.0, "params.lr": "1", "start_time": 1.0}])
        query = Query(where=where, now_ms=NOW)
        views.compute(views.frame_of(catalogue, query, None), query)
        return
    assert len(shown) == len(text)
    assert marked >= 1
    assert len(carets) <= len(text) + 1
