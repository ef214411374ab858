"""From keys to actions, with a user's own bindings over the registry's."""

from __future__ import annotations

import pytest

from runtower.domain.errors import Invalid
from runtower.keymap import Keymap, name_of


def test_single_keys_and_sequences() -> None:
    keymap = Keymap()
    assert keymap.action("runs", "j") == "move.down"
    assert keymap.action("runs", "g g") == "move.first"
    assert keymap.action("runs", "g") is None
    assert keymap.begins("runs", "g")
    assert keymap.begins("runs", "z")
    assert not keymap.begins("runs", "j")
    assert keymap.action("empty", "j") is None


def test_a_users_key_leaves_its_old_action() -> None:
    keymap = Keymap({"columns.sort": "o, ctrl+o", "mark.pin": "s"})
    assert keymap.action("runs", "o") == "columns.sort"
    assert keymap.action("runs", "ctrl+o") == "columns.sort"
    assert keymap.action("runs", "s") == "mark.pin"
    assert keymap.action("runs", "p") is None
    assert keymap.action("empty", "p") == "empty.snippet", "another screen keeps its own"


def test_an_empty_binding_takes_the_keys_away() -> None:
    keymap = Keymap({"app.quit": ""})
    assert keymap.action("runs", "q") is None
    assert keymap.shown("app.quit") == ""


def test_an_unknown_action_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(Invalid, match=r"columns\.sort"):
        Keymap({"columns.srot": "o"})


def test_keys_are_shown_as_people_read_them() -> None:
    keymap = Keymap()
    assert keymap.shown("move.first") == "gg"
    assert keymap.shown("app.back") == "esc"
    assert keymap.shown_all("app.palette") == ": ctrl+p"
    assert keymap.shown_all("move.page_down") == "PgDn"


@pytest.mark.parametrize(
    ("key", "character", "name"),
    [("j", "j", "j"), ("question_mark", "?", "?"), ("space", " ", "space"), ("tilde", None, "~"), ("up", None, "up")],
)
def test_keys_have_the_registrys_names(key: str, character: str | None, name: str) -> None:
    assert name_of(key, character) == name
