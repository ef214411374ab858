"""From keys to actions: the registry's own bindings with the user's over them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from runtower.actions import ACTIONS, BY_ID, at
from runtower.domain.errors import Invalid

_NAMES: Final = {
    "question_mark": "?",
    "colon": ":",
    "slash": "/",
    "asterisk": "*",
    "tilde": "~",
    "equals_sign": "=",
    "minus": "-",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "circumflex_accent": "^",
    "at": "@",
    "plus": "+",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "comma": ",",
    "full_stop": ".",
}
_SPOKEN: Final = {
    "escape": "esc",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
}


class Keymap:
    """Which key sequence means which action, by screen. A user's binding takes the place of an action's own keys, and
    takes its keys away from any other action of the same screen."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        """`overrides`: action id -> keys, several separated by commas, '' for none.

        Raises Invalid for an unknown id.
        """
        self.keys: dict[str, tuple[str, ...]] = {action.id: action.keys for action in ACTIONS}
        for action_id, keys in (overrides or {}).items():
            if action_id not in BY_ID:
                near = difflib.get_close_matches(action_id, BY_ID, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                raise Invalid(f"The setting keys.{action_id} names no action.{hint}", "docs/keys.md lists the ids.")
            taken = tuple(key.strip() for key in keys.split(",") if key.strip())
            for other, bound in self.keys.items():
                if set(BY_ID[other].places) & set(BY_ID[action_id].places):
                    self.keys[other] = tuple(key for key in bound if key not in taken)
            self.keys[action_id] = taken
        self._places: dict[str, dict[str, str]] = {}

    def _bound(self, place: str) -> dict[str, str]:
        found = self._places.get(place)
        if found is None:
            found = {key: action.id for action in at(place) for key in self.keys[action.id]}
            self._places[place] = found
        return found

    def action(self, place: str, keys: str) -> str | None:
        """The action that a whole sequence means."""
        return self._bound(place).get(keys)

    def begins(self, place: str, keys: str) -> bool:
        """Whether a longer sequence begins with this one."""
        return any(bound.startswith(keys + " ") for bound in self._bound(place))

    def shown(self, action_id: str) -> str:
        """The first binding as a person reads it: `gg`, `esc`, `ctrl+p`; '' where there is none."""
        keys = self.keys[action_id]
        return "".join(_SPOKEN.get(key, key) for key in keys[0].split(" ")) if keys else ""

    def shown_all(self, action_id: str) -> str:
        """All bindings, separated by spaces."""
        return " ".join("".join(_SPOKEN.get(key, key) for key in keys.split(" ")) for keys in self.keys[action_id])


def name_of(key: str, character: str | None) -> str:
    """A key as the registry spells it: printable ones by their character, but the space bar by its name."""
    if character and character.isprintable() and character != " ":
        return character
    return _NAMES.get(key, key)
