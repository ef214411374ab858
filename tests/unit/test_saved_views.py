"""Saved views: what is shown becomes one, and one becomes what is shown."""

from __future__ import annotations

import pytest
from support.catalogues import catalogue_of, key_of

from runtower.acts.browse import Browser
from runtower.acts.layout import CURVE
from runtower.acts.saved_views import as_settings, column_of, experiments_of, named, read
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.runs import NAME, STATUS, Experiment
from runtower.settings import ViewSettings

CATALOGUE = catalogue_of(
    [{"metrics.loss": 1.0, "params.a b": "x", "experiment_id": "1"}, {"tags.user": "ana", "experiment_id": "2"}],
    [Experiment("1", "one"), Experiment("2", "two")],
)


def test_what_is_shown_is_written_and_read_again() -> None:
    browser = Browser(CATALOGUE)
    browser.choose_experiments(frozenset({(0, "2")}))
    browser.set_where("loss < 3")
    browser.set_filter("vit !old")
    browser.sort_by(key_of("metrics.loss"), True)
    browser.sort_more(key_of("params.a b"), False)
    browser.group_by(key_of("params.a b"))
    shown = (NAME, STATUS, CURVE, key_of("params.a b"), key_of("start_time"))
    view = as_settings(browser, shown, key_of("metrics.loss"))
    assert view == ViewSettings(
        experiments=["two"],
        where="metrics.loss < 3",
        filter="vit !old",
        sort=["metrics.loss:desc", "params.`a b`"],
        group="params.`a b`",
        columns=["status", "curve", "params.`a b`", "start_time"],
        metric="metrics.loss",
    )
    again = read(view, CATALOGUE)
    assert again.experiments == browser.query.experiments
    assert again.where is not None
    assert browser.query.where is not None
    assert again.where.condition == browser.query.where.condition
    assert (again.words, again.filter) == (browser.query.words, browser.filter_text)
    assert again.sort == browser.query.sort
    assert again.group == browser.query.group
    assert again.columns == shown[1:]
    assert again.metric == key_of("metrics.loss")


def test_an_empty_view_asks_for_everything() -> None:
    view = read(ViewSettings(), CATALOGUE)
    assert (view.experiments, view.where, bool(view.words), view.sort, view.group, view.columns) == (
        None,
        None,
        False,
        (),
        None,
        (),
    )


def test_names() -> None:
    assert experiments_of(CATALOGUE, ["two", "1"]) == {(0, "2"), (0, "1")}
    with pytest.raises(NotFound, match="There is one, two"):
        experiments_of(CATALOGUE, ["three"])
    assert column_of("metrics.never logged") == key_of("metrics.never logged")
    assert column_of("attributes.user") == key_of("user")
    with pytest.raises(Invalid, match=r"Write metrics\.KEY"):
        column_of("loss")
    with pytest.raises(Invalid, match="can't group by the curve"):
        read(ViewSettings(group="curve"), CATALOGUE)
    with pytest.raises(NotFound, match="There is good"):
        named({"good": ViewSettings()}, "god")
    with pytest.raises(NotFound, match="None is saved yet"):
        named({}, "good")


def test_a_view_names_its_sources() -> None:
    catalogue = catalogue_of([{"metrics.loss": 1.0}])
    catalogue.source("team")
    browser = Browser(catalogue)
    browser.choose_sources(frozenset({1}))
    view = as_settings(browser, (NAME,), None)
    assert view.sources == ["team"]
    assert read(view, catalogue).sources == {1}
    assert read(ViewSettings(), catalogue).sources is None
    with pytest.raises(NotFound, match=r"no source 'gone'.*lab, team"):
        read(ViewSettings(sources=["gone"]), catalogue)
    assert read(ViewSettings(sources=["team", "gone"]), catalogue).sources == {1}, "one that isn't open is left out"
