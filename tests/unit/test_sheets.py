"""Compared runs as lines: what differs, folded sections, what is searched for, and how values are said."""

from __future__ import annotations

from typing import Any

import pytest

from runtower.acts.config_diff import compared
from runtower.acts.config_sheets import MatrixSheet, PairSheet
from runtower.acts.figure_sheet import FigureSheet
from runtower.acts.run_compare import Figure, MetricRow
from runtower.acts.sheets import SheetRows, markdown
from runtower.config.matrix import matrix
from runtower.config.rules import Rules
from runtower.config.tree import Config
from runtower.present.glyphs import UNICODE
from runtower.present.spans import plain

A = {
    "seed": 1,
    "name": "base",
    "optim": {"lr": 0.001, "betas": [0.9, 0.999], "name": "adam"},
    "data": {"path": "${root}/a", "size": 10},
    "root": "/data",
    "layers": [{"width": 8, "act": "relu"}, {"width": 16, "act": "relu"}],
}
B = {
    "seed": 2,
    "name": "base",
    "optim": {"lr": "0.01 * 3", "betas": [0.9, 0.95], "name": "adam", "warmup": 100},
    "data": {"path": "${root}/b", "size": 10},
    "root": "/data",
    "layers": [{"width": 8, "act": "relu"}, {"width": 32, "act": "relu"}],
}


def pair(a: dict[Any, Any], b: dict[Any, Any], **choices: dict[str, str]) -> PairSheet:
    one = Config(a, "a", choices.get("before", {}))
    other = Config(b, "b", choices.get("after", {}))
    return PairSheet(compared(one, other, ("seed",), (), False), UNICODE)


def shown(rows: SheetRows) -> list[str]:
    """Labels, indented as they stand."""
    lines = (rows.at(index) for index in range(len(rows)))
    return ["  " * row.depth + row.label for row in lines if row is not None]


def test_only_what_differs_and_all() -> None:
    rows = SheetRows(pair(A, B), UNICODE)
    assert shown(rows) == [
        *("optim", "  lr", "  betas", "  warmup"),
        *("data", "  path"),
        *("layers", "  [1].width"),
    ]
    rows.only = False
    rows.lay()
    assert shown(rows)[:3] == ["seed", "name", "root"], "what has nothing below it comes first"
    assert "  name" in shown(rows)
    seed = rows.at(0)
    assert seed is not None
    assert rows.sheet.note(seed) == "ignored by the rule seed"
    assert rows.sheet.summary == "5 differ, 4 equal, 1 ignored by rules (seed)"


def test_values_are_said_with_what_they_come_to() -> None:
    sheet = pair(A, B)
    rows = {row.path: row for row in sheet.rows}
    assert sheet.full(rows["data.path"], 1) == "${root}/b (is /data/b)"
    assert sheet.full(rows["optim.warmup"], 0) == "not set"
    assert sheet.note(rows["optim.lr"]) == "was a number, is a text"
    assert sheet.note(rows["optim.betas"]) == "item 2 of 2"
    (before,), (after,) = sheet.cells(rows["optim.betas"], (0, 1), 40)
    assert (before, after) == (("[0.9, 0.999]", ""), ("[0.9, 0.95]", "bright"))
    assert sheet.cells(rows["optim.warmup"], (1,), 40) == [(("100", "better"),)]


def test_choices_come_apart_from_what_follows_from_them() -> None:
    a, b = {"model": {"name": "vit", "depth": 12}}, {"model": {"name": "cnn", "width": 64}}
    sheet = pair(a, b, before={"model": "vit"}, after={"model": "cnn"})
    rows = SheetRows(sheet, UNICODE)
    assert shown(rows) == ["choices", "  model", "model", "  name", "  depth", "  width"]
    assert sheet.full(sheet.rows[1], 0) == "vit"
    assert sheet.note(sheet.rows[2]) == "follows the choice of model"


@pytest.mark.parametrize(
    ("a", "b", "empty"), [(A, A, "Nothing differs."), ({}, {}, "None of these runs recorded a config.")]
)
def test_nothing_to_see_is_said(a: dict[Any, Any], b: dict[Any, Any], empty: str) -> None:
    rows = SheetRows(pair(a, b), UNICODE)
    assert len(rows) == 0
    assert rows.sheet.empty == empty


def test_folding_and_what_is_next() -> None:
    rows = SheetRows(pair(A, B), UNICODE)
    assert rows.fold(2) == 0, "the section of the line, and the cursor goes there"
    assert shown(rows) == ["optim", "data", "  path", "layers", "  [1].width"]
    (_, _, note), *_ = [rows.cells(0, [Spot("name"), Spot("0"), Spot("note")], False)]
    assert plain(tuple(note)) == "3 differ"
    assert rows.next(0, 1) == 1, "the section unfolds for what is in it"
    assert shown(rows)[1] == "  lr"
    assert rows.next(len(rows) - 1, 1) is None
    assert rows.next(1, -1) is None
    rows.fold_all()
    assert shown(rows) == ["optim", "data", "layers"]
    rows.fold_all()
    assert len(rows) == 8


class Spot:
    def __init__(self, id: str, width: int = 30) -> None:
        self.id, self.width = id, width


def test_searching_counts_what_is_not_shown() -> None:
    rows = SheetRows(pair(A, B), UNICODE)
    rows.needle = "NAME"
    assert rows.hits() == (0, 2)
    assert rows.next(0, 1) is None
    rows.only = False
    rows.lay()
    assert rows.hits() == (2, 0)
    hit = rows.next(0, 1)
    assert hit is not None
    row = rows.at(hit)
    assert row is not None
    assert row.path == "name"


def test_many_configs_in_sections() -> None:
    trees = [
        {"lr": 1, "m": {"n": 1, "o": {"p": 1}}},
        {"lr": 1.0, "m": {"n": 2, "o": {"p": 1}}},
        {"lr": 2, "m": {"o": {"p": 2}}},
    ]
    sheet = MatrixSheet(matrix(trees, Rules(()), False), ["a", "b", "c"], False, UNICODE)
    rows = SheetRows(sheet, UNICODE)
    assert shown(rows) == ["lr", "m", "  n", "  o", "    p"]
    assert sheet.cells(sheet.rows[0], (0, 1, 2), 9) == [(("1", ""),), (("1.0", "dim"),), (("2", "bright"),)]
    assert sheet.cells(sheet.rows[2], (2,), 9) == [(("not set", "dim"),)]
    assert sheet.summary == "3 vary, 0 equal"


def test_metrics_in_the_longest_form_that_fits() -> None:
    figures = (
        Figure(0.5, 0.4, None, "", False),
        Figure(0.25, 0.2, -0.25, "better", True),
        Figure(None, None, None, "", False),
    )
    sheet = FigureSheet([MetricRow("loss", "min", figures)], UNICODE)
    row, best = sheet.rows
    assert [plain(tuple(cell)) for cell in sheet.cells(row, (0, 1, 2), 30)] == [
        "0.50",
        "0.25 -0.25 -50% best",
        "not logged",
    ]
    assert plain(tuple(sheet.cells(row, (1,), 15)[0])) == "0.25 -50% best"
    assert plain(tuple(sheet.cells(row, (1,), 10)[0])) == "0.25 -50%"
    assert plain(tuple(sheet.cells(row, (1,), 4)[0])) == "0.25"
    assert best.label == "best (min)"
    assert plain(tuple(sheet.cells(best, (1,), 30)[0])) == "0.2"
    assert sheet.full(row, 1) == "0.25 -0.25 -50% better best"


def test_as_markdown() -> None:
    text = markdown(pair({"a": "x|y", "b": 1}, {"a": "z", "b": 1}), ["one", "two"])
    assert text.splitlines() == ["|  | one | two |  |", "| --- | --- | --- | --- |", "| a | x\\|y | z |  |"]
