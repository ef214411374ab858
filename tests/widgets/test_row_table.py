"""The virtual table by itself, on rows that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.theme import Theme

from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn
from runtower_widgets.tones import TONES, Span

NAMES = ("plain", "試験実行", "🚀 launch", "ﬁne é")
COLUMNS = [
    TableColumn("name", "run", 12, frozen=True),
    *(TableColumn(f"c{number}", f"col{number}", 8, right=True) for number in range(20)),
]


class Numbered:
    """Any number of rows; remembers which were asked for."""

    version = 0

    def __init__(self, count: int) -> None:
        self.count = count
        self.shift = 0
        self.asked: set[int] = set()

    def __len__(self) -> int:
        return self.count

    def line_id(self, index: int) -> int:
        return index + self.shift

    def cells(self, index: int, columns: Sequence[TableColumn], cursor: bool) -> Sequence[Sequence[Span]]:
        self.asked.add(index)
        name = f"{NAMES[index % len(NAMES)]}{index}"
        return [((name if column.id == "name" else f"{column.id}:{index % 100}", ""),) for column in columns]


class Drawn(RowTable):
    """Notes which lines are to be drawn again; None is all of them."""

    def __init__(self) -> None:
        super().__init__(id="table")
        self.again: list[tuple[int, ...] | None] = []

    def refresh(self, *regions: Region, **kwargs: bool) -> Drawn:  # type: ignore[override]
        if hasattr(self, "again"):
            self.again.append(tuple(region.y for region in regions) or None)
        super().refresh(*regions, **kwargs)
        return self


NAMED = {name for tone in TONES.values() for name in (tone.color, tone.background) if name}
GREY = Theme("grey", primary="#808080", variables=dict.fromkeys(sorted(NAMED), "#808080"))


class TableApp(App[None]):
    def __init__(self, rows: Numbered) -> None:
        super().__init__()
        self.register_theme(GREY)
        self.theme = "grey"
        self.rows = rows

    def compose(self) -> ComposeResult:
        yield Drawn()

    def on_mount(self) -> None:
        self.table.show(self.rows, COLUMNS)

    @property
    def table(self) -> Drawn:
        return self.query_one("#table", Drawn)

    def line(self, y: int) -> str:
        return self.table.render_line(y).text


async def test_a_million_rows_ask_only_for_those_on_the_screen() -> None:
    app = TableApp(Numbered(1_000_000))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        assert app.rows.asked
        assert max(app.rows.asked) < 20
        app.rows.asked.clear()
        app.table.move_to(999_999)
        await pilot.pause()
        assert app.rows.asked == set(range(999_980, 1_000_000))
        assert app.table.on_screen == range(999_980, 1_000_000)
        assert "999999" in app.line(20)


async def test_a_step_of_the_cursor_redraws_two_lines() -> None:
    app = TableApp(Numbered(100))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        app.table.again.clear()
        app.table.move_by(1)
        await pilot.pause()
        assert app.table.again == [(1,), (2,)]


async def test_the_cursor_stays_within_the_rows() -> None:
    app = TableApp(Numbered(3))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        app.table.move_by(-5)
        assert app.table.cursor == 0
        app.table.move_page(1)
        assert app.table.cursor == 2
        app.table.show(Numbered(0), COLUMNS)
        await pilot.pause()
        assert app.table.cursor == 0
        assert app.line(1).strip() == ""


async def test_only_what_changed_is_drawn_again() -> None:
    app = TableApp(Numbered(100))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        app.table.refresh()
        await pilot.pause()
        app.table.again.clear()
        app.rows.version += 1
        app.table.sync()
        assert app.table.again == []


async def test_a_line_that_moves_is_not_made_again() -> None:
    app = TableApp(Numbered(100))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        app.table.refresh()
        await pilot.pause()
        app.rows.asked.clear()
        app.rows.shift = -1  # a new first line: every other stands one lower, and line 0 is the cursor's
        app.table.show(app.rows, COLUMNS)
        await pilot.pause()
        assert app.rows.asked == {0, 1}


async def test_scrolling_columns_leaves_the_frozen_ones() -> None:
    app = TableApp(Numbered(100))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        assert app.table.shows("c0")
        assert not app.table.shows("c9")
        app.table.move_columns(8)
        await pilot.pause()
        assert app.line(0).split()[:2] == ["run", "col8"]
        assert app.line(1).startswith("plain0")
        app.table.move_columns(-100)
        assert app.line(0).split()[:2] == ["run", "col0"]
        app.table.move_columns(100)
        assert app.table.shows("c19")


async def test_wide_characters_keep_the_columns_in_line() -> None:
    app = TableApp(Numbered(len(NAMES)))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        for y in range(1, 1 + len(NAMES)):
            line = app.line(y)
            assert cell_len(line) == 60
            before = line[: line.index("c0:")]
            assert cell_len(before) == 12 + 1 + 4, "right-aligned after the name's twelve cells"


@pytest.mark.parametrize(("width", "shown"), [(22, 1), (40, 3), (120, 12)])
async def test_a_resize_shows_as_many_whole_columns_as_fit(width: int, shown: int) -> None:
    app = TableApp(Numbered(100))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.resize_terminal(width, 9)
        await pilot.pause()
        assert [app.table.shows(f"c{number}") for number in range(20)] == [number < shown for number in range(20)]
        assert cell_len(app.line(1)) == width
        assert len(app.table.on_screen) == 8


async def test_a_resize_keeps_the_cursor_on_the_screen() -> None:
    app = TableApp(Numbered(100))
    async with app.run_test(size=(60, 41)) as pilot:
        await pilot.pause()
        app.table.move_to(35)
        await pilot.resize_terminal(60, 11)
        await pilot.pause()
        assert app.table.cursor == 35
        assert 35 in app.table.on_screen


async def test_the_mouse_moves_opens_and_names_headers() -> None:
    heard: list[str] = []

    class Listening(TableApp):
        def on_row_table_opened(self) -> None:
            heard.append("opened")

        def on_row_table_header_clicked(self, event: RowTable.HeaderClicked) -> None:
            heard.append(event.column_id)

    app = Listening(Numbered(100))
    async with app.run_test(size=(60, 21)) as pilot:
        await pilot.pause()
        await pilot.click("#table", offset=(3, 5))
        assert app.table.cursor == 4
        await pilot.click("#table", offset=(15, 0))
        await pilot.click("#table", offset=(3, 7), times=2)
        await pilot.pause()
        assert app.table.cursor == 6
        assert heard == ["c0", "opened"]
