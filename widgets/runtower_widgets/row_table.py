"""A virtual table: only the rows on the screen are ever asked for, whatever their number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from runtower_widgets.table_cells import NoRows, TableColumn, TableRows, cell_spans, fitted
from runtower_widgets.tones import Span, Tones

_STRIPS_KEPT: Final = 512


class RowTable(Widget, can_focus=True):
    """Rows under a header, with a cursor. Moves by itself with the mouse only; keys call its `move_` methods.

    Redraws what differs from what is drawn and nothing else.
    """

    DEFAULT_CSS = "RowTable { height: 1fr; }"

    class Moved(Message):
        """The cursor stands on another row, or the rows on the screen are others."""

    class Opened(Message):
        """A row was clicked twice."""

    class HeaderClicked(Message):
        def __init__(self, column_id: str) -> None:
            super().__init__()
            self.column_id = column_id

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.cursor = 0
        self.top = 0
        self.first_column = 0
        self.rows: TableRows = NoRows()
        self.columns: Sequence[TableColumn] = ()
        self._tones = Tones(self)
        self._strips: dict[tuple[Hashable, bool], Strip] = {}
        self._shown: tuple[Sequence[TableColumn], int, int, list[tuple[int, TableColumn, int]]] = ((), 0, 0, [])
        self._drawn: dict[int, Strip] = {}
        self._version = -1

    # -- what it shows

    def show(
        self, rows: TableRows, columns: Sequence[TableColumn], cursor: int | None = None, line: int | None = None
    ) -> None:
        """Other rows or columns; the cursor goes to `cursor`, on the screen line `line` (0: first row) where given."""
        if rows is not self.rows or columns != self.columns:
            self._strips.clear()
        self.rows = rows
        self.columns = columns
        if cursor is not None:
            self.cursor = cursor
            if line is not None:
                self.top = cursor - line
        self._clamp()
        self.sync()

    def sync(self) -> None:
        """Redraw the lines whose content is another than what is drawn.

        Rows are made again only where `rows.version` says that something changed.
        """
        self._clamp()
        width, height = self.size
        if not self.is_mounted or not height:
            return
        changed = [y for y in range(height) if self._drawn.get(y) != self._line(y)]
        if len(changed) > height // 2:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - 1)

    @property
    def on_screen(self) -> range:
        """Indices of the rows on the screen."""
        return range(self.top, min(len(self.rows), self.top + self.page))

    # -- moving

    def move_by(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def move_page(self, pages: float) -> None:
        """Scrolls too, as a page down does; half pages as 0.5."""
        step = max(1, int(self.page * abs(pages))) * (1 if pages > 0 else -1)
        self.top += step
        self.move_to(self.cursor + step)

    def move_to(self, index: int) -> None:
        before, top = self.cursor, self.top
        self.cursor = index
        self._clamp()
        if self.top != top:
            self.refresh()
        elif self.cursor != before:
            for row in (before, self.cursor):
                self.refresh(Region(0, 1 + row - self.top, self.size.width, 1))
        if (self.cursor, self.top) != (before, top):
            self.post_message(self.Moved())

    def move_columns(self, by: int) -> None:
        """Bring other columns into view; the frozen ones stay."""
        loose = sum(not column.frozen for column in self.columns)
        first = max(0, min(self.first_column + by, loose - 1))
        if first != self.first_column:
            self.first_column = first
            self._strips.clear()
            self.refresh()

    def _clamp(self) -> None:
        count, page = len(self.rows), self.page
        self.cursor = max(0, min(self.cursor, count - 1))
        self.top = max(0, min(self.top, count - page))
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + page:
            self.top = self.cursor - page + 1

    # -- drawing

    def shown_columns(self) -> list[tuple[int, TableColumn, int]]:
        """What fits now: (left edge, column, width)."""
        known = self._shown
        room = self.size.width
        if known[0] is self.columns and known[1:3] == (self.first_column, room):
            return known[3]
        self._shown = self.columns, self.first_column, room, self._fitting(room)
        return self._shown[3]

    def _fitting(self, whole: int) -> list[tuple[int, TableColumn, int]]:
        out: list[tuple[int, TableColumn, int]] = []
        loose = [column for column in self.columns if not column.frozen][self.first_column :]
        left = 0
        for column in [*(column for column in self.columns if column.frozen), *loose]:
            room = whole - left
            if room < min(column.width, 4):
                break
            width = min(column.width, room)
            if width < column.width and not column.frozen and column.right:
                break
            out.append((left, column, width))
            left += width + 1
        return out

    def shows(self, column_id: str) -> bool:
        """Whether the whole column is on the screen."""
        return any(column.id == column_id and width == column.width for _, column, width in self.shown_columns())

    def render_line(self, y: int) -> Strip:
        strip = self._line(y)
        self._drawn[y] = strip
        return strip

    def _line(self, y: int) -> Strip:
        if y == 0:
            return self._header()
        index = self.top + y - 1
        if index >= len(self.rows):
            return Strip.blank(self.size.width, self._tones.style(""))
        if self._version != self.rows.version:
            self._version = self.rows.version
            self._strips.clear()
        key = (self.rows.line_id(index), index == self.cursor)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > _STRIPS_KEPT:
                self._strips.clear()
            strip = self._strips[key] = self._row(index)
        return strip

    def _header(self) -> Strip:
        spans: list[Span] = []
        for _, column, width in self.shown_columns():
            title = fitted(column.title, width, column.right)
            spans += [(title, f"title {column.tone}".strip()), (" ", "")]
        return self._tones.strip(spans, self.size.width)

    def _row(self, index: int) -> Strip:
        shown = self.shown_columns()
        columns = [column for _, column, _ in shown]
        ground = ""
        if index == self.cursor:
            ground = "cursor" if self.has_focus else "cursor-away"
        spans: list[Span] = []
        for (_, column, width), cell in zip(shown, self.rows.cells(index, columns, index == self.cursor), strict=True):
            spans += cell_spans(cell, width, column.right)
            spans.append((" ", ""))
        return self._tones.strip(spans, self.size.width, ground)

    # -- what happens to it

    def on_resize(self, event: events.Resize) -> None:
        self._strips.clear()
        self._drawn.clear()
        self._clamp()
        self.post_message(self.Moved())

    def on_focus(self) -> None:
        self._redraw_cursor()

    def on_blur(self) -> None:
        self._redraw_cursor()

    def _redraw_cursor(self) -> None:
        if self.cursor < len(self.rows):
            self._strips.pop((self.rows.line_id(self.cursor), True), None)
        self.refresh(Region(0, 1 + self.cursor - self.top, self.size.width, 1))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tones.forget()
        self._strips.clear()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move_by(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move_by(-3)

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            for left, column, width in self.shown_columns():
                if left <= event.x < left + width:
                    self.post_message(self.HeaderClicked(column.id))
            return
        index = self.top + event.y - 1
        if index < len(self.rows):
            self.move_to(index)
            if event.chain == 2:
                self.post_message(self.Opened())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return container.height
