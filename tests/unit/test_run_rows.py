"""Which news and which orders make lines of the runs table anew."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from support.catalogues import add_runs, catalogue_of, key_of

from runtower.acts.browse import Browser
from runtower.acts.layout import Layout, Shown
from runtower.acts.run_rows import RunRows
from runtower.catalog.catalogue import Catalogue
from runtower.domain import runs
from runtower.present.glyphs import UNICODE

LOSS = key_of("metrics.loss")
GIVEN = [
    {"name": "sweep", "status": "FINISHED", "start_time": 40.0},
    {"name": "child", "status": "RUNNING", "start_time": 30.0, "parent": "r0", "metrics.loss": 0.5},
    {"name": "alone", "status": "FINISHED", "start_time": 20.0, "metrics.loss": 0.25},
    {"name": "below", "status": "FINISHED", "start_time": 10.0, "metrics.loss": 0.75},
]
COLUMNS = [SimpleNamespace(id=key.value, width=width) for key, width in ((runs.NAME, 12), (runs.STATUS, 10), (LOSS, 8))]


def rows_over(catalogue: Catalogue) -> tuple[Browser, RunRows]:
    nothing: Any = SimpleNamespace(of=lambda *_: None, get=lambda *_: None)
    browser = Browser(catalogue)
    rows = RunRows(browser, nothing, UNICODE, {}, nothing)
    rows.layout = Layout((Shown(runs.NAME, 12), Shown(runs.STATUS, 10), Shown(LOSS, 8)))
    return browser, rows


async def ordered(browser: Browser, rows: RunRows) -> None:
    await browser.order()
    rows.ordered()


def tell(rows: RunRows, lines: range) -> list[str]:
    """The lines as text, as a table asks for them."""
    said = [rows.cells(line, cast(Any, COLUMNS), False) for line in lines]
    return ["|".join("".join(text for text, _ in cell) for cell in cells) for cells in said]


async def test_news_of_runs_that_are_not_told_make_no_line_anew() -> None:
    catalogue = catalogue_of(GIVEN)
    browser, rows = rows_over(catalogue)
    await ordered(browser, rows)
    tell(rows, range(3))
    before = rows.version
    rows.heard(np.array([3], np.int32))
    assert rows.version == before
    rows.heard(np.array([2, 3], np.int32))
    assert rows.version > before


async def test_news_of_a_folded_child_make_its_parent_anew() -> None:
    catalogue = catalogue_of(GIVEN)
    browser, rows = rows_over(catalogue)
    await ordered(browser, rows)
    assert browser.view.refs.tolist() == [0, 1, 2, 3]
    tell(rows, range(1))
    before = rows.version
    rows.heard(np.array([1], np.int32))
    assert rows.version > before


async def test_an_order_that_only_moves_lines_leaves_them() -> None:
    catalogue = catalogue_of(GIVEN)
    browser, rows = rows_over(catalogue)
    await ordered(browser, rows)
    ids, said, before = [rows.line_id(line) for line in range(4)], tell(rows, range(4)), rows.version
    add_runs(catalogue, [{"name": "new", "status": "FINISHED", "start_time": 50.0, "metrics.loss": 0.5}], 4)
    await ordered(browser, rows)
    assert rows.version == before
    assert [rows.line_id(line) for line in range(1, 5)] == ids
    assert tell(rows, range(1, 5)) == said


async def test_a_new_best_value_makes_all_lines_anew() -> None:
    catalogue = catalogue_of(GIVEN)
    browser, rows = rows_over(catalogue)
    await ordered(browser, rows)
    before = rows.version
    add_runs(catalogue, [{"name": "best", "status": "FINISHED", "start_time": 5.0, "metrics.loss": 0.05}], 4)
    await ordered(browser, rows)
    assert rows.version > before


async def test_a_parent_with_another_child_is_another_line() -> None:
    catalogue = catalogue_of(GIVEN)
    browser, rows = rows_over(catalogue)
    await ordered(browser, rows)
    before = rows.line_id(0)
    add_runs(catalogue, [{"name": "second", "status": "RUNNING", "start_time": 35.0, "parent": "r0"}], 4)
    await ordered(browser, rows)
    assert browser.view.refs[0] == 0
    assert rows.line_id(0) != before
