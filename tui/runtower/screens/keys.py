"""Keys become actions: sequences, reasons why not, and the method that does it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final, cast

from textual import events
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from runtower.actions import BY_ID
from runtower.keymap import Keymap, name_of

_PATIENCE: Final = 0.4


async def type_into(field: Input, event: events.Key) -> bool:
    """Do with a key what the field would have done; whether it would have done anything."""
    if event.is_printable and event.character:
        if field.selection.is_empty:
            field.insert_text_at_cursor(event.character)
        else:
            field.replace(event.character, *field.selection)
    elif event.key == "backspace":
        field.action_delete_left()
    elif event.key == "enter":
        await field.action_submit()
    else:
        return False
    return True


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
        if await self._typed_ahead(event):
            event.stop()
            event.prevent_default()
            return
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

    async def _typed_ahead(self, event: events.Key) -> bool:
        """Whether a key was typed before its field or menu had the focus: it belongs there and does nothing here.

        Textual hands a key to what has the focus when it is read, so the letters of `/loss` typed at once all come
        by way of the table.
        """
        top = self.app.screen
        if top is not self:
            top.post_message(events.Key(event.key, event.character))
            return True
        return isinstance(self.focused, Input) and await type_into(self.focused, event)

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

    def do_app_suspend(self) -> None:
        self.app.action_suspend_process()

    def say(self, text: str) -> None:
        """One line for the user; the next key takes it away."""
        self.notify(text, markup=False)
