"""Edits in words and commands, plans and what has to be typed, and texts in a field."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtower.acts.edit_plan import Change, Plan
from runtower.acts.edit_words import by_hand, doing, done, purge
from runtower.domain.edits import ACTIVE, DELETED, NOTE, Edit, Field
from runtower.present.field_text import as_typed, from_typed
from runtower.present.spans import inert

RENAME = Edit("id", Field.NAME, "old", "-new one")
TAG = Edit("id", Field.TAG, None, "a'b; rm -rf /", "team")
DELETE = Edit("id", Field.LIFECYCLE, ACTIVE, DELETED)
KILL = Edit("id", Field.STATUS, "RUNNING", "KILLED", last_metric=5)


def test_each_edit_says_what_it_does() -> None:
    assert doing(RENAME, "old") == "rename old to -new one"
    assert done(TAG, "x") == "set the tag team of x to a'b; rm -rf /"
    assert done(TAG.undone(), "x") == "took the tag team of x away"
    assert doing(Edit("id", Field.TAG, None, "n", NOTE), "x") == "write the note of x"
    assert (done(DELETE, "x"), done(DELETE.undone(), "x")) == ("deleted x", "restored x")
    assert done(KILL, "x") == "marked x KILLED"


def test_the_command_by_hand_survives_a_shell() -> None:
    words = shlex.split(by_hand(RENAME, "sqlite:////a b.db"))
    assert words[:4] == ["runtower", "rename", "--tracking-uri", "sqlite:////a b.db"]
    assert words[4:] == ["--if=old", "--yes", "--", "id", "-new one"]
    assert shlex.split(by_hand(TAG, "u"))[-3:] == ["--yes", "id", "team=a'b; rm -rf /"]
    assert "--if-none" in by_hand(TAG, "u")
    assert shlex.split(by_hand(TAG.undone(), "u"))[-1] == "team"
    assert shlex.split(purge(["a", "b"], "sqlite:///x.db"))[-1] == "a,b"
    assert "THE_SERVERS_DATABASE" in purge(["a"], "http://host:5000")


def test_what_can_be_undone() -> None:
    assert RENAME.undone().undone() == RENAME
    assert not KILL.can_be_undone


def plan(edit: Edit, count: int = 1, user: str = "ana", **more: int) -> Plan:
    return Plan(tuple(Change(0, f"run-{n}", user, edit) for n in range(count)), **more)


@pytest.mark.parametrize(
    ("made", "typed"),
    [
        (plan(DELETE), ""),
        (plan(DELETE, 10), ""),
        (plan(DELETE, 11), "11"),
        (plan(DELETE, 2, "bo"), "2"),
        (plan(RENAME, 1, "bo"), "1"),
        (plan(RENAME, 1, ""), ""),
        (plan(KILL), "killed"),
        (plan(KILL, 3), "3 killed"),
    ],
)
def test_above_ten_others_runs_and_the_lost_are_typed(made: Plan, typed: str) -> None:
    assert made.typed("ana") == typed


def test_a_question_names_object_server_and_who() -> None:
    said = "\n".join(
        text for text, _ in plan(DELETE, 12, "bo", out_of_sight=3, children=2).lines("ana", ["sqlite:///x"], 0)
    )
    for words in ("on sqlite:///x", "and 6 more", "3 of the 12 are out of sight", "12 are not yours: bo (12)"):
        assert words in said
    assert "2 runs below stay" in said
    assert "and 11 more" in said.splitlines()[-1]
    assert plan(DELETE, 12).title == "delete 12 runs"


@given(st.text())
def test_any_text_comes_back_from_a_field(text: str) -> None:
    typed = as_typed(text)
    assert from_typed(typed) == text
    assert inert(typed) == typed


def test_a_backslash_that_begins_no_escape_stays() -> None:
    assert from_typed(r"\d+ \q \x1 C:\data") == r"\d+ \q \x1 C:\data"
    assert from_typed(r"one\ntwo") == "one\ntwo"
