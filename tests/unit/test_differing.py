"""In which columns runs differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.catalogues import add_runs, catalogue_of, key_of

from runtower.acts.browse import Browser
from runtower.acts.differing import Differing, question
from runtower.domain.values import MISSING

LOSS, LR, MODEL = key_of("metrics.loss"), key_of("params.lr"), key_of("params.model")


async def asked(given: list[dict[str, Any]], *own: str, rows: list[int] | None = None) -> Differing:
    browser = Browser(catalogue_of(given))
    await browser.order()
    shown = np.array(rows, np.int32) if rows is not None else browser.view.hit_rows
    return question(browser, shown, [key_of(name) for name in own], ["seed", "paths"])()


async def test_of_the_tables_columns_and_of_the_params_beside_them() -> None:
    given = [
        {"params.lr": "0.1", "params.model": "vit", "params.depth": "8", "params.opt": "sgd", "metrics.loss": 1.0},
        {"params.lr": "0.2", "params.model": "vit", "params.depth": "12", "params.opt": "sgd", "metrics.loss": 1.0},
    ]
    found = await asked(given, "params.lr", "params.model", "metrics.loss")
    assert found == Differing(frozenset({LR}), (key_of("params.depth"),), 5)
    assert found.count == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [("1e-3", "0.001"), ("1", "1.0"), ("True", "true"), ("[1, 2]", "[1,2]"), ("nan", "NaN")],
)
async def test_what_a_diff_calls_the_same_is_the_same(first: str, second: str) -> None:
    assert not (await asked([{"params.lr": first}, {"params.lr": second}], "params.lr")).count
    assert (await asked([{"params.lr": first}, {"params.lr": "other"}], "params.lr")).count == 1


async def test_a_number_that_is_nan_in_all_runs_is_the_same() -> None:
    nan = float("nan")
    assert not (await asked([{"metrics.loss": nan}, {"metrics.loss": nan}], "metrics.loss")).count
    assert (await asked([{"metrics.loss": nan}, {"metrics.loss": 0.0}], "metrics.loss")).count == 1
    assert (await asked([{"metrics.loss": nan}, {"metrics.loss": MISSING}], "metrics.loss")).count == 1


async def test_having_none_differs_but_not_for_the_parent_of_those_that_have_one() -> None:
    given = [
        {"name": "sweep", "params.other": "1"},
        {"parent": "r0", "params.lr": "0.1", "metrics.loss": 0.5},
        {"parent": "r0", "params.lr": "0.1", "metrics.loss": 0.5},
    ]
    assert (await asked(given, "params.lr", "metrics.loss")).own == frozenset()
    assert (await asked([*given, {"name": "alone"}], "params.lr")).own == {LR}


async def test_only_the_runs_that_are_asked_about_count() -> None:
    given = [{"params.lr": "1"}, {"params.lr": "2"}, {"params.lr": "1"}]
    assert (await asked(given, "params.lr", rows=[0, 2])).own == frozenset()
    assert (await asked(given, "params.lr", rows=[0, 1])).own == {LR}


async def test_ignored_params_are_no_news_but_a_column_that_is_shown_is() -> None:
    given = [{"params.seed": "1", "params.paths/data": "a"}, {"params.seed": "2", "params.paths/data": "b"}]
    assert (await asked(given)) == Differing(frozenset(), (), 0)
    assert (await asked(given, "params.seed")).own == {key_of("params.seed")}


async def test_a_single_other_value_among_many_runs_is_found() -> None:
    given: list[dict[str, Any]] = [
        {"params.lr": "0.1", "params.model": "vit", "metrics.loss": 0.5} for _ in range(4000)
    ]
    given[3999] = {"params.lr": "0.2", "params.model": "vit", "metrics.loss": 0.5}
    found = await asked(given, "params.lr", "metrics.loss")
    assert found == Differing(frozenset({LR}), (), 3)
    assert (await asked(given)).others == (LR,), "a param beside the columns is looked at in all runs too"


async def test_the_same_word_from_two_pieces_of_the_table_is_one() -> None:
    catalogue = catalogue_of([{"params.model": "vit", "params.lr": "1"}])
    add_runs(catalogue, [{"params.model": "vit", "params.lr": "2"}], 1)
    browser = Browser(catalogue)
    await browser.order()
    assert question(browser, browser.view.hit_rows, [MODEL], [])() == Differing(frozenset(), (LR,), 2)
