"""A searchable list over the screen: keys, palette, experiments, columns, metrics. Enter picks, esc leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from runtower.present.spans import inert
from runtower.screens.keys import type_into
from runtower_widgets.line import Line
from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn
from runtower_widgets.tones import Span


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of a menu. `value` is what picking it gives; `reason` says why it can't be picked now."""

    value: str
    text: str
    hint: str = ""
    detail: str = ""
    reason: str = ""


class _Choices:
    """The choices that match what was typed, as rows; the best match first."""

    def __init__(self, choices: Sequence[Choice], marked: set[str] | None) -> None:
        self.version = 0
        self.marked = marked
        self._all = list(choices)
        self.shown = list(choices)

    def __len__(self) -> int:
        return len(self.shown)

    def line_id(self, index: int) -> int:
        return index

    def search(self, text: str) -> None:
        words = text.casefold().split()
        ranked = [(rank, place, c) for place, c in enumerate(self._all) if (rank := _rank(words, c)) is not None]
        self.shown = [choice for _, _, choice in sorted(ranked, key=lambda entry: entry[:2])]
        self.version += 1

    def cells(self, index: int, columns: Sequence[TableColumn], cursor: bool) -> Sequence[Sequence[Span]]:
        choice = self.shown[index]
        tone = "dim" if choice.reason else ""
        out: list[Sequence[Span]] = []
        for column in columns:
            if column.id == "mark":
                out.append((("+" if self.marked is not None and choice.value in self.marked else "", "marked"),))
            elif column.id == "hint":
                out.append(((choice.hint, "key" if not choice.reason else "dim"),))
            elif column.id == "text":
                out.append(((inert(choice.text), tone or "bright"),))
            else:
                out.append(((inert(choice.reason or choice.detail), "dim"),))
        return out


def _rank(words: Sequence[str], choice: Choice) -> int | None:
    """0 for a beginning, 1 for a part, 2 for letters in order; None for no match."""
    text = f"{choice.text} {choice.hint} {choice.detail}".casefold()
    worst = 0
    for word in words:
        if text.startswith(word):
            continue
        if word in text:
            worst = max(worst, 1)
            continue
        spot = -1
        for letter in word:
            spot = text.find(letter, spot + 1)
            if spot < 0:
                return None
        worst = max(worst, 2)
    return worst


class Menu(ModalScreen[list[str] | None], inherit_bindings=False):
    """Gives the picked values, or None. With `marks` several may be marked (tab, ctrl+a for all) before enter."""

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        marked: set[str] | None = None,
        hint_width: int = 0,
        footer: str = "type to search   enter pick   esc back",
        start: int = 0,
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = _Choices(choices, marked)
        self._marked = marked
        self._hint_width = hint_width
        self._footer = footer
        self._start = start

    def compose(self) -> ComposeResult:
        with Vertical(id="sheet"):
            search = Input(placeholder="search", id="search", select_on_focus=False)
            search.cursor_blink = False
            yield search
            yield RowTable(id="choices")
            yield Line(id="foot")

    def on_mount(self) -> None:
        sheet = self.query_one("#sheet", Vertical)
        sheet.border_title = self._title
        self.query_one("#foot", Line).say([(self._footer, "dim")])
        self.query_one("#choices", RowTable).can_focus = False
        self.call_after_refresh(self._show, self._start)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._show)

    def _show(self, cursor: int | None = None) -> None:
        table = self.query_one("#choices", RowTable)
        width = table.size.width
        mark = 2 if self._marked is not None else 0
        longest = max((len(choice.reason or choice.detail) for choice in self._choices.shown), default=0)
        detail = min(longest, max(0, (width - self._hint_width) * 2 // 5))
        columns = [TableColumn("mark", "", mark)] if mark else []
        if self._hint_width:
            columns.append(TableColumn("hint", "key", self._hint_width))
        columns += [
            TableColumn("text", "", max(10, width - detail - mark - self._hint_width - 4)),
            TableColumn("detail", "", detail),
        ]
        table.show(self._choices, columns, cursor)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._choices.search(event.value)
        self._show(0)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.is_current:  # an enter may come twice: through the field, and as a key typed ahead
            self._pick()

    def on_row_table_opened(self, event: RowTable.Opened) -> None:
        event.stop()
        self._pick()

    def _pick(self) -> None:
        shown = self._choices.shown
        if not shown:
            return
        choice = shown[self.query_one("#choices", RowTable).cursor]
        if choice.reason:
            self.notify(f"{choice.text}: {choice.reason}", markup=False)
        elif self._marked:
            self.dismiss(sorted(self._marked))
        else:
            self.dismiss([choice.value])

    def _mark(self) -> None:
        table = self.query_one("#choices", RowTable)
        if self._marked is None or not self._choices.shown:
            return
        self._marked ^= {self._choices.shown[table.cursor].value}
        self._choices.version += 1
        table.move_by(1)
        table.sync()

    def _mark_all(self) -> None:
        if self._marked is None:
            return
        shown = {choice.value for choice in self._choices.shown}
        self._marked ^= shown & self._marked if shown <= self._marked else shown - self._marked
        self._choices.version += 1
        self.query_one("#choices", RowTable).sync()

    async def on_key(self, event: events.Key) -> None:
        table = self.query_one("#choices", RowTable)
        moves: dict[str, Callable[[], Any]] = {
            "down": lambda: table.move_by(1),
            "up": lambda: table.move_by(-1),
            "ctrl+n": lambda: table.move_by(1),
            "ctrl+p": lambda: table.move_by(-1),
            "pagedown": lambda: table.move_page(1),
            "pageup": lambda: table.move_page(-1),
            "tab": self._mark,
            "ctrl+t": self._mark_all,
            "escape": lambda: self.dismiss(None),
        }
        move = moves.get(event.key)
        if move is not None:
            event.stop()
            event.prevent_default()
            move()
        elif await type_into(self.query_one("#search", Input), event):
            event.stop()  # else it comes to the field a second time, by way of the app
            event.prevent_default()
