"""One line is asked for over the screen. Enter accepts it, esc leaves."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from runtower.screens.keys import type_into
from runtower_widgets.line import Line


class Ask(ModalScreen[str | None], inherit_bindings=False):
    """Gives what was typed, without blanks around it, or None; an empty text is not accepted.

    `wrong` says what is wrong with a text, '' where nothing is. Typing takes the place of `value`.
    """

    def __init__(self, title: str, foot: str, value: str = "", wrong: Callable[[str], str] = lambda text: "") -> None:
        super().__init__()
        self._title = title
        self._foot = foot
        self._value = value
        self._wrong = wrong

    def compose(self) -> ComposeResult:
        with Vertical(id="sheet"):
            field = Input(self._value, id="answer", select_on_focus=False)
            field.cursor_blink = False
            yield field
            yield Line(id="foot")

    def on_mount(self) -> None:
        self.query_one("#sheet", Vertical).border_title = self._title
        self.query_one("#foot", Line).say([(self._foot, "dim")])
        self.query_one("#answer", Input).select_all()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if not self.is_current:
            return
        if not text:
            self.query_one("#foot", Line).say([("it can't be empty   esc back", "warning")])
            return
        wrong = self._wrong(text)
        if wrong:
            self.query_one("#foot", Line).say([(wrong, "warning")])
        else:
            self.dismiss(text)

    async def on_key(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
        elif await type_into(self.query_one("#answer", Input), event):
            event.stop()  # else it comes to the field a second time, by way of the app
            event.prevent_default()
