"""What the keys of the runs screen do at the table itself: move, columns, marks, and its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtower.domain.runs import ColumnKey
from runtower.screens.menu import Choice, Menu
from runtower.screens.move_keys import MoveKeys
from runtower.screens.runs import RunsTable
from runtower_widgets.line import Lines
from runtower_widgets.row_table import RowTable

if TYPE_CHECKING:
    from runtower.acts.face import Offer
    from runtower.acts.layout import Layout


class TableKeys(MoveKeys, RunsTable):
    """One method an action: `do_` + its id; the other keys stand in `run_keys`."""

    def open_run(self, rows: Sequence[int], tab: str = "", or_else: bool = False) -> None:
        """A run, and others with it, on a screen of its own; `tab` and `or_else` as it takes them."""
        from runtower.screens.run_screen import RunScreen  # noqa: PLC0415  numpy comes after the first paint

        assert self.face is not None
        self.covered = True
        self.app.push_screen(RunScreen(self.keymap, self.glyphs, self.face, rows, tab, or_else), self._uncovered)

    def _uncovered(self, _: object) -> None:
        self.covered = False
        self.draw()

    # -- move

    def _pane_is_focused(self) -> bool:
        return self.focused is not None and self.focused.id == "details"

    def _move(self, by: int) -> None:
        if self._pane_is_focused():
            self.query_one("#details", Lines).move_by(by)
        else:
            self.table.move_by(by)

    def _page(self, pages: float) -> None:
        if self._pane_is_focused():
            pane = self.query_one("#details", Lines)
            pane.move_by(int(pages * max(2, pane.size.height)))
        else:
            self.table.move_page(pages)

    async def do_move_first(self) -> None:
        if self._pane_is_focused():
            self.query_one("#details", Lines).move_by(-(10**6))
            return
        if any(self.desk.browser.pending):
            self.desk.browser.cursor = None
            await self._order()
        self.table.move_to(0)

    def do_move_last(self) -> None:
        if self._pane_is_focused():
            self.query_one("#details", Lines).move_by(10**6)
        else:
            self.table.move_to(len(self.table.rows) - 1)

    def do_move_left(self) -> None:
        self._activate(self.desk.rows.layout.move(-1))

    def do_move_right(self) -> None:
        self._activate(self.desk.rows.layout.move(1))

    def _activate(self, layout: Layout) -> None:
        """Another column is the active one; the table scrolls to it."""
        self.desk.rows.layout = layout
        table = self.table
        loose = layout.places.index(layout.active) - 1  # the name is frozen
        if loose < table.first_column:
            table.move_columns(loose - table.first_column)
        self.draw_table()
        while not table.shows(layout.columns[layout.active].key.value) and loose > table.first_column:
            table.move_columns(1)
        self.draw_table()

    def do_pane_next(self) -> None:
        self.focus_next()

    def do_pane_previous(self) -> None:
        self.focus_previous()

    # -- columns

    async def do_columns_sort(self) -> None:
        key = self.desk.rows.layout.active_key
        await self._sort(key, more=False)

    async def do_columns_sort_more(self) -> None:
        await self._sort(self.desk.rows.layout.active_key, more=True)

    async def on_row_table_header_clicked(self, event: RowTable.HeaderClicked) -> None:
        if self.face is None:
            return
        layout = self.desk.rows.layout
        place = next((n for n, one in enumerate(layout.columns) if one.key.value == event.column_id), None)
        if place is not None:
            self.desk.rows.layout = layout.turn_to(place)
            await self.do_columns_sort()

    async def _sort(self, key: ColumnKey, more: bool) -> None:
        """By what is shown there: the curve's column sorts by its metric; the first direction is the likelier one."""
        sorted_key, descending = self.desk.columns.sort_key(key)
        if more:
            self.desk.browser.sort_more(sorted_key, descending)
        else:
            self.desk.browser.sort_by(sorted_key, descending)
        await self._order()

    def do_columns_choose(self) -> None:
        assert self.face is not None
        offers, shown = self.face.column_offers()
        footer = "type to search   tab show or hide   enter done   esc back"
        self.app.push_screen(Menu("columns", choices(offers), marked=set(shown), footer=footer), self._chose_columns)

    def _chose_columns(self, values: list[str] | None) -> None:
        if values is not None:
            self.desk.columns.show([ColumnKey.of(value) for value in values])
            self.draw()

    def do_columns_hide(self) -> None:
        self._change(self.desk.rows.layout.hide())

    def do_columns_earlier(self) -> None:
        self._change(self.desk.rows.layout.shift(-1))

    def do_columns_later(self) -> None:
        self._change(self.desk.rows.layout.shift(1))

    def do_columns_narrower(self) -> None:
        self._change(self.desk.rows.layout.resize(-2))

    def do_columns_wider(self) -> None:
        self._change(self.desk.rows.layout.resize(2))

    def _change(self, layout: Layout) -> None:
        self.desk.columns.use_layout(layout)
        self.draw()

    # -- mark

    def _with_row(self) -> int:
        row = self.desk.browser.row_at(self.table.cursor)
        assert row is not None
        return row

    def nothing_here(self) -> str:
        """Why what needs a run can't be done on this line; only where no run stands."""
        on_group = self.desk.browser.view.group_at(self.table.cursor) is not None
        return "this line is a group of runs" if on_group else "there is no run here"

    async def _marked(self) -> None:
        self.desk.rows.changed()
        self.draw()
        if await self.desk.columns.follow():
            self.draw()

    async def do_mark_toggle(self) -> None:
        browser = self.desk.browser
        group = browser.view.group_at(self.table.cursor)
        if group is not None:
            browser.toggle_group(group)
        else:
            browser.toggle_mark(self._with_row())
        self.table.move_by(1)
        await self._marked()

    async def do_mark_range(self) -> None:
        self.desk.browser.mark_range(self._with_row())
        await self._marked()

    async def do_mark_all(self) -> None:
        self.desk.browser.mark_all()
        await self._marked()

    async def do_mark_invert(self) -> None:
        self.desk.browser.invert_marks()
        await self._marked()

    async def do_mark_pin(self) -> None:
        self.desk.browser.toggle_pin(self._with_row())
        await self._order()

    def do_mark_baseline(self) -> None:
        self.desk.browser.toggle_baseline(self._with_row())
        self.desk.rows.changed()
        self.draw()

    # -- order

    async def _order(self) -> None:
        await self.desk.order()
        self.draw()

    async def _order_from_the_top(self) -> None:
        self.desk.browser.cursor = None
        await self._order()
        self.table.move_to(0)


def choices(offers: Sequence[Offer]) -> list[Choice]:
    """Offers as the lines of a menu."""
    return [Choice(offer.value, offer.text, "", offer.detail) for offer in offers]
