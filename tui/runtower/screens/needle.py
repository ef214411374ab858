"""The field at the bottom of a screen for what is searched for in its lines."""

from __future__ import annotations

from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from runtower.present.spans import Span
from runtower_widgets.line import Line

TYPING: Final[tuple[Span, ...]] = ((" ", ""), ("enter", "key"), (" find   ", "dim"), ("esc", "key"), (" clear", "dim"))


class Needle(Horizontal):
    """Not there until it is asked for. The screen takes the keys back when it was `Searched`."""

    class Typed(Message):
        """The text is another one."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Searched(Message):
        """Enter was pressed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        yield Line(id="slash")
        yield Input(id="needle", select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one("#slash", Line).say([(" / ", "key")])
        self.query_one("#needle", Input).cursor_blink = False

    @property
    def is_typing(self) -> bool:
        return self.has_class("typing")

    def ask(self, text: str) -> None:
        """Show the field with what was searched for; the next letter replaces it."""
        field = self.query_one("#needle", Input)
        with field.prevent(Input.Changed):
            field.value = text
        self.add_class("typing")
        field.focus()
        field.select_all()

    def leave(self) -> None:
        self.remove_class("typing")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Searched(event.value))
