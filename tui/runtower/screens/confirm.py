"""A question before something is written: what, where, whose. The safe answer is chosen; some want a word typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, wrapped
from runtower.screens.keys import type_into
from runtower_widgets.line import Line, Lines

_BORDERS = 4


class Confirm(ModalScreen[bool], inherit_bindings=False):
    """True for a yes. `word` has to be typed before a yes can be given; '' for none. `no` is the safe answer."""

    def __init__(
        self, title: str, lines: Sequence[tuple[str, str]], yes: str, word: str = "", no: str = "leave all as it is"
    ) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._yes = yes
        self._no = no
        self._word = word
        self._typed = not word
        self._chosen_yes = False

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield Lines(id="said", can_focus=False)
            if self._word:
                field = Input(id="word", placeholder=f"type {self._word} to choose")
                field.cursor_blink = False
                yield field
            yield Line(id="answers")
            yield Line(id="foot")

    def on_mount(self) -> None:
        self.query_one("#question", Vertical).border_title = inert(self._title)
        self._lay()
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self._lay()

    def _lay(self) -> None:
        """All lines where there is room, else as many as fit; they scroll."""
        width = min(76, self.app.size.width * 96 // 100) - _BORDERS
        lines: list[Spans] = [
            short for text, tone in self._lines for short in wrapped(((inert(text), tone),), max(20, width))
        ]
        said = self.query_one("#said", Lines)
        said.styles.height = max(1, min(len(lines), self.app.size.height - 8))
        said.say(lines)

    def _draw(self) -> None:
        answers = [self._no, inert(self._yes)]
        spans: list[tuple[str, str]] = []
        for place, text in enumerate(answers):
            here = place == int(self._chosen_yes)
            tone = "active" if here else "dim" if place and not self._typed else ""
            spans += [(f"[{text}]" if here else f" {text} ", tone), ("  ", "")]
        self.query_one("#answers", Line).say(spans)
        foot = (
            "esc leaves all as it is"
            if not self._typed
            else "y yes   n, esc no   ←→ choose   enter takes the chosen one"
        )
        self.query_one("#foot", Line).say([(foot, "dim")])

    async def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(False)
        elif not self._typed:
            await self._into_the_field(event)
        elif event.key in ("left", "right", "tab", "shift+tab", "h", "l"):
            self._chosen_yes = not self._chosen_yes
            self._draw()
        elif event.key in ("down", "up", "pagedown", "pageup"):
            self.query_one("#said", Lines).move_by(1 if event.key.endswith("down") else -1)
        elif event.key == "enter":
            self.dismiss(self._chosen_yes)
        elif event.key in ("y", "n"):
            self.dismiss(event.key == "y")

    async def _into_the_field(self, event: events.Key) -> None:
        """Enter accepts the word and answers nothing yet."""
        field = self.query_one("#word", Input)
        if event.key != "enter":
            await type_into(field, event)
        else:
            self._accept(field)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._accept(event.input)

    def _accept(self, field: Input) -> None:
        if field.value.strip() == self._word:
            self._typed = True
            field.disabled = True
            self.set_focus(None)
            self._draw()
        else:
            self.query_one("#foot", Line).say([(f"that isn't {self._word}   esc leaves all as it is", "warning")])
