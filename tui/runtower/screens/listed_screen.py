"""A screen with one table of listed rows, what is to be said of the row under the cursor below it, and a filter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult

from runtower.acts.face import Face
from runtower.acts.listed import GUTTER, Head, Listed, fitting
from runtower.domain.errors import Invalid
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, wrapped
from runtower.screens.move_keys import MoveKeys, RowKeys
from runtower.screens.needle import TYPING, Needle
from runtower.screens.over import OverScreen
from runtower.screens.run_lines import footer, rule
from runtower_widgets.line import Line, Lines
from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn

_TALL: Final = 28
_ABOUT: Final = 9
_ABOUT_SMALL: Final = 4


class ListedScreen(RowKeys, MoveKeys, OverScreen):
    """One method an action: `do_` + its id. A screen says what its head line, heads and the lines below are."""

    AUTO_FOCUS: ClassVar[str | None] = "#rows"
    footer_keys: ClassVar[Sequence[str]] = ()
    open_action: ClassVar[str] = "model.open"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face) -> None:
        super().__init__(keymap, glyphs, face)
        self.listed = Listed(glyphs)
        self._cursor_id: Hashable | None = None
        self._laid = 0

    def compose(self) -> ComposeResult:
        yield Line(id="status")
        yield RowTable(id="rows")
        yield Lines(id="instead", can_focus=False)
        yield Line(id="rule")
        yield Lines(id="about", can_focus=False)
        yield Line(id="said")
        yield Needle()
        yield Line(id="keys")

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#about").styles.height = _ABOUT if event.size.height >= _TALL else _ABOUT_SMALL

    @property
    def table(self) -> RowTable:
        return self.query_one("#rows", RowTable)

    @property
    def here(self) -> Hashable | None:
        """The id of the row under the cursor."""
        return self.listed.shown[self.table.cursor].id if len(self.listed) else None

    # -- what each screen says

    @abstractmethod
    def heads(self) -> Sequence[Head]:
        """The columns."""

    @abstractmethod
    def status(self) -> tuple[Spans, Spans]:
        """The head line: left and right."""

    @abstractmethod
    def about(self) -> tuple[str, Sequence[Spans]]:
        """What is to be said of the row under the cursor, under its name."""

    @abstractmethod
    def instead(self) -> Sequence[Spans]:
        """What is said where there are no rows at all; none where they are."""

    # -- drawing

    def draw_rows(self) -> None:
        """Bring every part to what is known now; the cursor stays on its row."""
        width = self.size.width
        self.query_one("#status", Line).say(*self.status())
        instead = self.instead() or self._nothing_found()
        self.set_class(bool(instead), "nothing")
        self.query_one("#instead", Lines).say([short for line in instead for short in wrapped(line, width - 4)])
        table, columns = self.table, self._columns(width)
        cursor = None
        if self._laid != self.listed.laid:
            self._laid = self.listed.laid
            place = self.listed.index_of(self._cursor_id) if self._cursor_id is not None else -1
            cursor = place if place >= 0 and place != table.cursor else None
        if table.rows is self.listed and table.columns == columns and cursor is None:
            table.sync()
        else:
            table.show(self.listed, columns, cursor, table.cursor - table.top if cursor is not None else None)
        if not instead and self.focused is None:
            table.focus()  # it had lost it while there was nothing to show
        self._draw_about()
        self.draw_keys()

    def draw_keys(self) -> None:
        is_typing = self.query_one(Needle).is_typing
        keys = TYPING if is_typing else footer(self.keymap, self.why_not, self.size.width, self.footer_keys)
        self.query_one("#keys", Line).say(keys)

    def _columns(self, width: int) -> list[TableColumn]:
        columns = [TableColumn(GUTTER, "", 3, frozen=True)]
        order = self.listed.order
        shown = fitting(self.heads(), width)
        keys = [head.key for head, _ in shown]
        if self.listed.active not in keys and keys:
            self.listed.active = keys[0]
        for place, (head, wide) in enumerate(shown):
            mark = ""
            if order is not None and order[0] == head.key:
                mark = self.glyphs.descending if order[1] else self.glyphs.ascending
            tone = "active" if head.key == self.listed.active else ""
            title = inert(head.title, self.glyphs)[: wide - len(mark)] + mark
            columns.append(TableColumn(head.key, title, wide, head.right, place == 0, tone))
        return columns

    def _nothing_found(self) -> Sequence[Spans]:
        if len(self.listed) or not self.listed.needle:
            return ()
        asked = inert(self.listed.needle, self.glyphs)
        return [
            (("Nothing matches ", ""), (asked, "bright"), (f" in {self.listed.total:,}.", "")),
            (),
            (("esc", "key"), (" clears it", "")),
        ]

    def _draw_about(self) -> None:
        over, pane, width = self.query_one("#rule", Line), self.query_one("#about", Lines), self.size.width
        if self.here is None:
            over.say(())
            pane.say(())
            return
        name, lines = self.about()
        over.say(rule(name, "", width, False, self.glyphs))
        said = [short for line in lines for short in wrapped(_plain(line, self.glyphs), width - 3)]
        pane.say([((" ", ""), *line) for line in said], 0)

    @on(RowTable.Moved)
    def _moved(self) -> None:
        if self.is_there:
            self._cursor_id = self.here
            self._draw_about()
            self.draw_keys()

    # -- columns

    def _turn_column(self, by: int) -> None:
        keys = [column.id for column in self.table.columns if column.id != GUTTER]
        place = keys.index(self.listed.active) if self.listed.active in keys else 0
        self.listed.active = keys[max(0, min(place + by, len(keys) - 1))]
        while by > 0 and not self.table.shows(self.listed.active) and self.table.first_column < len(keys) - 2:
            self.table.move_columns(1)
        if by < 0 and not self.table.shows(self.listed.active):
            self.table.move_columns(-1)
        self.draw()

    def do_move_left(self) -> None:
        self._turn_column(-1)

    def do_move_right(self) -> None:
        self._turn_column(1)

    # -- find, sort, mark

    def do_find_filter(self) -> None:
        self.query_one(Needle).ask(self.listed.needle)
        self.draw()

    @on(Needle.Typed)
    def _typed(self, event: Needle.Typed) -> None:
        try:
            self.listed.search(event.text)
        except Invalid as error:
            self.query_one("#keys", Line).say([(f" {inert(error.tried, self.glyphs)}", "warning")])
            return
        self.draw()

    @on(Needle.Searched)
    def _searched(self) -> None:
        self._leave_filter()

    def _leave_filter(self) -> None:
        self.query_one(Needle).leave()
        self.set_focus(self.table)
        self.draw()

    def do_columns_sort(self) -> None:
        self.listed.sort(self.listed.active)
        self.draw()

    @on(RowTable.Opened)
    async def _opened(self) -> None:
        await self.act(self.open_action)

    @on(RowTable.HeaderClicked)
    def _header_clicked(self, event: RowTable.HeaderClicked) -> None:
        if event.column_id != GUTTER:
            self.listed.active = event.column_id
            self.do_columns_sort()

    def do_mark_toggle(self) -> None:
        self.listed.mark(self.table.cursor)
        self.table.move_by(1)
        self.draw()

    def do_mark_range(self) -> None:
        self.listed.mark_range(self.table.cursor)
        self.draw()

    def do_mark_all(self) -> None:
        self.listed.mark_all()
        self.draw()

    def do_mark_invert(self) -> None:
        self.listed.invert()
        self.draw()

    def why_not(self, action_id: str) -> str:
        if self.here is None and action_id.split(".")[0] not in ("app", "live", "find", "tab", "models"):
            return "there is nothing here"
        return ""

    def one_back(self) -> bool:
        """Whether esc only left the filter."""
        if self.query_one(Needle).is_typing or self.listed.needle:
            self.listed.search("")
            self._leave_filter()
            return True
        return False

    def do_live_pause(self) -> None:
        self.pause_or_go_on()


def _plain(line: Spans, glyphs: Glyphs) -> Spans:
    return tuple((inert(text, glyphs), tone) for text, tone in line)
