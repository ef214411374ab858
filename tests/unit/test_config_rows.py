"""A diff as rows, the rules that hide some of it, and many configs at once."""

from __future__ import annotations

import math

from runtower.config.diff import diff
from runtower.config.matrix import Varying, matrix
from runtower.config.rows import UNSET, Choice, Kind, Row, choices_of, equal_count, rows_of
from runtower.config.rules import Hidden, Rules
from runtower.config.tree import Config, Place

A = {
    "model": {"name": "vit", "patch": 16, "head": {"dim": 8}},
    "optim": {"lr": 1e-3, "betas": [0.9, 0.999]},
    "callbacks": [{"kind": "ema", "decay": 0.9}, {"kind": "stop"}],
    "trainer": {"warmup": 500},
    "seed": 1,
    "paths": {"out": "/a", "log": "/b"},
}
B = {
    "model": {"name": "cnn", "kernel": 3, "head": {"dim": 9}},
    "optim": {"lr": "big", "betas": [0.9, 0.95]},
    "callbacks": [{"kind": "new"}, {"kind": "ema", "decay": 0.99}, {"kind": "stop"}],
    "trainer": {"warmup": 500, "precision": {"kind": "bf16", "seed": 3}},
    "seed": 2,
    "paths": {"out": "/c", "log": "/d"},
}


def test_rows_are_single_differences() -> None:
    shown = {row.name: (str(row.kind), row.before, row.after, row.note) for row in rows_of(diff(A, B))}
    assert shown == {
        "model.name": ("changed", "vit", "cnn", ""),
        "model.patch": ("removed", 16, UNSET, ""),
        "model.head.dim": ("changed", 8, 9, ""),
        "model.kernel": ("added", UNSET, 3, ""),
        "optim.lr": ("retyped", 1e-3, "big", ""),
        "optim.betas": ("changed", [0.9, 0.999], [0.9, 0.95], "item 2 of 2"),
        "callbacks[0].kind": ("changed", "ema", "new", ""),
        "callbacks[0].decay": ("removed", 0.9, UNSET, ""),
        "callbacks[1]": ("added", UNSET, {"kind": "ema", "decay": 0.99}, "item put in"),
        "trainer.precision.kind": ("added", UNSET, "bf16", ""),
        "trainer.precision.seed": ("added", UNSET, 3, ""),
        "seed": ("changed", 1, 2, ""),
        "paths.out": ("changed", "/a", "/c", ""),
        "paths.log": ("changed", "/b", "/d", ""),
    }
    assert equal_count(A, B, False) == 1


def test_what_follows_from_a_choice_is_marked() -> None:
    one = Config(A, "a", {"model": "vit", "model/head": "small", "db@backup": "x", "hydra/launcher": "basic"})
    other = Config(B, "b", {"model": "cnn", "model/head": "small", "hydra/launcher": "joblib", "new": "y"})
    choices = choices_of(one, other)
    assert choices == [Choice("model", "vit", "cnn"), Choice("db@backup", "x", None), Choice("new", None, "y")]
    follows = {row.name: row.follows for row in rows_of(diff(A, B), choices)}
    assert [name for name, group in follows.items() if group == "model"] == [
        "model.name",
        "model.patch",
        "model.head.dim",
        "model.kernel",
    ]
    assert follows["optim.lr"] == ""
    assert choices_of(one, Config(B, "b")) == []


def test_rules_hide_and_count() -> None:
    kept, hidden = Rules(["seed", "*.seed", "paths"]).split(diff(A, B))
    names = [row.name for row in rows_of(kept)]
    assert "trainer.precision.kind" in names
    assert not {"seed", "paths.out", "paths.log", "trainer.precision.seed"} & set(names)
    assert hidden == [
        Hidden(("trainer", "precision", "seed"), "*.seed"),
        Hidden(("seed",), "seed"),
        Hidden(("paths", "out"), "paths"),
        Hidden(("paths", "log"), "paths"),
    ]
    assert Rules([]).split(diff(A, B)) == (diff(A, B), [])
    inside, found = Rules(["*[[]*].decay"]).split(diff({"l": [{"decay": 1}]}, {"l": [{"decay": 2}]}))
    assert not inside.items
    assert found == [Hidden(("l", Place(0), "decay"), "*[[]*].decay")]


def test_a_list_says_what_became_of_its_items() -> None:
    def note(a: list[int], b: list[int]) -> str:
        (row,) = rows_of(diff({"l": a}, {"l": b}))
        assert row.kind is Kind.CHANGED
        return row.note

    assert note([1, 2, 3], [1, 9, 2, 3]) == "1 put in"
    assert note([1, 2, 3], [1, 3]) == "1 taken out"
    assert note([1, 2, 3, 4], [7, 2, 9, 4]) == "2 of 4 items"
    assert note([1, 2], [5, 2, 6, 7]) == "item 1 of 4, 2 put in"


def test_a_row_of_an_empty_map() -> None:
    assert rows_of(diff({}, {"a": {}})) == [Row(("a",), Kind.ADDED, UNSET, {})]


def test_many_configs_show_what_varies() -> None:
    trees: list[dict[object, object]] = [
        {"lr": 1e-3, "m": {"n": 1, "d": [1]}, "seed": 1, "x": math.nan, "same": "a", "flag": True},
        {"lr": "0.001", "m": {"n": 2, "d": [1]}, "seed": 2, "x": math.nan, "same": "a", "flag": 1},
        {"lr": 0.01, "seed": 3, "x": math.nan, "same": "a", "flag": True},
    ]
    found = matrix(trees, Rules(["seed"]))
    assert found.rows == (
        Varying(("lr",), (1e-3, "0.001", 0.01)),
        Varying(("m", "n"), (1, 2, UNSET)),
        Varying(("m", "d"), ([1], [1], UNSET)),
        Varying(("flag",), (True, 1, True)),
    )
    assert found.hidden == (Hidden(("seed",), "seed"),)
    assert found.equal == 2
    assert matrix(trees[:1] * 3, Rules([])).rows == ()
