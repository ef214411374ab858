"""Keys become actions: sequences, reasons why not, and the method that does it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, cast

from textual import events
from textual.screen import Screen
from textual.timer import Timer

from runtower.actions import BY_ID
from runtower.keymap import Keymap, name_of

_PATIENCE: Final = 0.4


class KeyScreen(Screen[Any], inherit_bindings=False):
    """A screen whose keys come from the registry of actions. `place` is its name there."""

    place: ClassVar[str] = ""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self.keymap = keymap
        self._begun = ""
        self._waiting: Timer | None = None

    def why_not(self, action_id: str) -> str:
        """Why an action can't be done now, in words; '' where it can."""
        return ""

    async def on_key(self, event: events.Key) -> None:
        name = name_of(event.key, event.character)
        keys = f"{self._begun} {name}".strip()
        begun, self._begun = self._begun, ""
        self._stop_waiting()
        if self.keymap.begins(self.place, keys):
            event.stop()
            self._begun = keys
            self._waiting = self.set_timer(_PATIENCE, self._waited)
            return
        action = self.keymap.action(self.place, keys) or (self.keymap.action(self.place, name) if begun else None)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.act(action)

    async def _waited(self) -> None:
        """No further key came: what was typed so far counts by itself."""
        keys, self._begun = self._begun, ""
        action = self.keymap.action(self.place, keys)
        if action is not None:
            await self.act(action)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None

    async def act(self, action_id: str) -> None:
        """Do an action by its id, or say why it can't be done."""
        reason = self.why_not(action_id)
        if reason:
            self.say(f"{BY_ID[action_id].title}: {reason}")
            return
        method = cast("Callable[[], Awaitable[None] | None]", getattr(self, "do_" + action_id.replace(".", "_")))
        result = method()
        if inspect.isawaitable(result):
            await result

    def say(self, text: str) -> None:
        """One line for the user; the next key takes it away."""
        self.notify(text, markup=False)
