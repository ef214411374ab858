"""One text, asked for: a name, a note, a tag. Enter gives it back and writes nothing."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from runtower.present.field_text import as_typed, from_typed
from runtower.present.spans import inert
from runtower.screens.keys import type_into
from runtower_widgets.line import Line


class Field(ModalScreen[str | None], inherit_bindings=False):
    """Gives the text, or None. `wrong` says what is wrong with a text, '' where nothing is."""

    def __init__(self, title: str, text: str, hint: str, wrong: Callable[[str], str] = lambda text: "") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._hint = hint
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            field = Input(as_typed(self._text), id="text", placeholder=self._hint)
            field.cursor_blink = False
            yield field
            yield Line(id="foot")

    def on_mount(self) -> None:
        self.query_one("#question", Vertical).border_title = inert(self._title)
        self._foot("")

    def _foot(self, wrong: str) -> None:
        foot = self.query_one("#foot", Line)
        if wrong:
            foot.say([(wrong, "warning")])
        else:
            foot.say([("enter next, asks before it writes   esc back   \\n is a new line", "dim")])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.is_current:
            text = from_typed(event.value)
            wrong = self._wrong(text)
            if wrong:
                self._foot(wrong)
            else:
                self.dismiss(text)

    async def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.dismiss(None)
        else:
            await type_into(self.query_one("#text", Input), event)
