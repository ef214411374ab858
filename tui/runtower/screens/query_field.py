"""The field in which a query is typed: its wrong part is marked, and what may follow is listed below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Input

from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, shortened

if TYPE_CHECKING:
    from runtower.acts.complete import Completion

OFFERS: Final = 6
_WIDEST: Final = 44
# The field keeps these, where the screen has other uses for them.
_EDITING: Final = {
    "left": "cursor_left",
    "right": "cursor_right",
    "home": "home",
    "ctrl+a": "home",
    "end": "end",
    "ctrl+e": "end",
    "ctrl+left": "cursor_left_word",
    "ctrl+right": "cursor_right_word",
    "ctrl+w": "delete_left_word",
    "ctrl+u": "delete_left_all",
    "ctrl+k": "delete_right_all",
    "delete": "delete_right",
}


class _Marker(Highlighter):
    """Reverses the characters from `start` to `end`."""

    def __init__(self) -> None:
        self.start = self.end = 0

    def highlight(self, text: Text) -> None:
        if self.end > self.start:
            text.stylize("reverse", self.start, self.end)


class QueryField(Input):
    """`offers` are what may go on at the cursor, of which `chosen` is the one that tab takes."""

    class Moved(Message):
        """The cursor stands elsewhere in the same text, or another offer is chosen."""

    def __init__(self, *, id: str) -> None:
        self._marker = _Marker()
        super().__init__(id=id, select_on_focus=False, highlighter=self._marker)
        self.cursor_blink = False
        self.offers: Sequence[Completion] = ()
        self.chosen = 0

    @property
    def before(self) -> str:
        """The text up to the cursor."""
        return self.value[: self.cursor_position]

    def mark(self, start: int, end: int) -> None:
        """Show that these characters are wrong; none where start is end."""
        if (start, end) != (self._marker.start, self._marker.end):
            self._marker.start, self._marker.end = start, end
            self.refresh()

    def offer(self, offers: Sequence[Completion]) -> None:
        """These may follow; the first is chosen."""
        self.offers, self.chosen = offers, 0

    def take(self) -> None:
        """Put the chosen offer in the place of the word before the cursor."""
        if self.offers:
            one = self.offers[self.chosen]
            self.replace(one.text, one.start, self.cursor_position)

    async def _on_key(self, event: events.Key) -> None:
        at_end = self.cursor_position == len(self.value)
        if event.key == "tab" or (event.key == "right" and at_end and self.offers):
            self.take()
        elif event.key in ("up", "down") and self.offers:
            self.chosen = (self.chosen + (1 if event.key == "down" else -1)) % len(self.offers)
            self.post_message(self.Moved())
        elif event.key in _EDITING:
            text = self.value
            getattr(self, f"action_{_EDITING[event.key]}")()
            if self.value == text:
                self.post_message(self.Moved())
        else:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()


def offer_lines(field: QueryField, room: int, glyphs: Glyphs) -> tuple[int, int, list[Spans]]:
    """What is listed below the field: the cell of the field at which it begins, its width, and its lines."""
    if not field.offers or room < 12:
        return 0, 0, []
    said = [(inert(one.text.strip(), glyphs), one.detail) for one in field.offers]
    widest = min(_WIDEST, max(cell_len(text) for text, _ in said))
    remark = max(len(detail) for _, detail in said)
    width = min(room, widest + (remark + 2 if remark else 0) + 2)
    begin = min(cell_len(field.value[: field.offers[0].start]), room - width)
    lines: list[Spans] = []
    for place, (text, detail) in enumerate(said):
        shown = shortened(text, min(widest, width - 2), glyphs)
        lead = glyphs.cursor if place == field.chosen else " "
        gap = " " * (widest - cell_len(shown) + 2) if remark else ""
        ground = "cursor " if place == field.chosen else ""
        rest = f"{gap}{detail}"[: width - 2 - cell_len(shown)].ljust(width - 1 - cell_len(shown))
        lines.append(((f"{lead}{shown}", f"{ground}bright"), (rest, f"{ground}dim")))
    return begin, width, lines
