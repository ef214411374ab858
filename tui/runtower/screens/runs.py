"""The runs screen: where its lines and panes stand, and when they are drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.timer import Timer
from textual.widgets import Input

from runtower.keymap import Keymap, name_of
from runtower.present.glyphs import Glyphs
from runtower.present.spans import wrapped
from runtower.screens.keys import KeyScreen
from runtower.screens.run_lines import ending, footer, rule, table_columns
from runtower_widgets.line import Line, Lines
from runtower_widgets.row_table import RowTable

if TYPE_CHECKING:
    from runtower.acts.details import RunDetails
    from runtower.acts.face import Desk, Face

_WIDE: Final = 160
_FRAME: Final = 0.03
_REST: Final = 0.1
_AT_ONCE: Final = ("app.", "pane.")


class RunsTable(KeyScreen):
    """The screen's parts and their redrawing; what keys do stands in `run_keys`.

    Until the face is there it says what it waits for, at the final size of everything.
    """

    place = "runs"
    AUTO_FOCUS = "#table"  # not the filter's field, which is the first that could have the focus

    def __init__(self, keymap: Keymap, glyphs: Glyphs) -> None:
        super().__init__(keymap)
        self.glyphs = glyphs
        self.face: Face | None = None
        self._early: list[events.Key] = []
        self.steps: Sequence[tuple[str, tuple[str, ...]]] = ()
        self.step = 0
        self._details: RunDetails | None = None
        self._base: RunDetails | None = None
        self._due: Timer | None = None
        self._resting: Timer | None = None
        self._drawn_order = -1
        self.covered = False  # by a screen that fills the terminal
        self._query_room: int | str = "1fr"
        self.aside = ("", "")  # what the field of the query says of what is typed, and its tone

    def compose(self) -> ComposeResult:
        """Only what the first frame shows; `seat` brings the rest."""
        yield Line(id="status")
        with Horizontal(id="top"):
            yield Line(id="query")
        with Container(id="body"):
            yield RowTable(id="table")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.query_one("#status", Line).say([(" runtower ", "title"), (" ", ""), ("[1 runs]", "active")])
        self._draw_keys()
        self.set_interval(60, self._minute)

    async def _furnish(self) -> None:
        """The filter's field, the panes and the line for words."""
        search = Input(id="filter", select_on_focus=False)
        search.cursor_blink = False
        search.display = False
        slash = Line(id="slash")
        slash.say([(" / ", "key")])
        await self.query_one("#top").mount(slash, search, before=0)
        beside = Container(Line(id="rule"), Lines(id="details"), id="beside")
        await self.query_one("#body").mount(Lines(id="notice", can_focus=False), beside)
        await self.mount(Lines(id="words", can_focus=False), before="#keys")

    @property
    def table(self) -> RowTable:
        return self.query_one("#table", RowTable)

    @property
    def desk(self) -> Desk:
        """The sitting; only after `seat`."""
        assert self.face is not None
        return self.face.desk

    async def seat(self, face: Face) -> None:
        """The data is there (or begins to come)."""
        await self._furnish()
        self.face = face
        self.lay_panes(self.size.width, self.size.height)
        self.draw()
        for key in self._early:
            self.post_message(events.Key(key.key, key.character))
        self._early.clear()

    async def on_key(self, event: events.Key) -> None:
        """What is typed right after the start waits for the data; only what needs none is done at once."""
        action = self.keymap.action(self.place, name_of(event.key, event.character))
        if self.face is None and not (action and action.startswith(_AT_ONCE)):
            self._early.append(event)
            event.stop()
            event.prevent_default()

    # -- drawing

    def draw_soon(self) -> None:
        """Draw within a frame; many calls become one."""
        if self._due is None and not self.covered:
            self._due = self.set_timer(_FRAME, self._draw_due)

    def _draw_due(self) -> None:
        self._due = None
        self.draw()

    def draw(self) -> None:
        """Bring every part to what the desk says now."""
        if self.face is None or not self.is_mounted:
            return
        width = self.size.width
        self.query_one("#status", Line).say(*self.face.status(width))
        top = self.query_one("#top")
        filtering = top.has_class("filtering") or top.has_class("querying")
        left, right = self.face.query(width)
        query = self.query_one("#query", Line)
        room = min(width // 2, sum(len(text) for text, _ in right)) if filtering else "1fr"
        if room != self._query_room:
            self._query_room = query.styles.width = room
        query.say(() if filtering else left, ending(right, room) if filtering else right)
        empty = self.face.empty()
        if empty and self.focused is self.table:
            self.set_focus(None)  # a hidden table would hand it to the pane, which would keep it
        self.query_one("#body").set_class(bool(empty), "empty")
        if not empty and self.focused is None:
            self.table.focus()  # a table that isn't shown loses it
        self.query_one("#notice", Lines).say([short for line in empty for short in wrapped(line, width - 4)])
        self.draw_table()
        self._draw_words()
        self._draw_keys()
        self._look_closer()

    def draw_table(self) -> None:
        """The rows; after an ordering the cursor's run stays on its line of the screen."""
        desk, table = self.desk, self.table
        desk.rows.narrow = self.size.width < 100
        columns = table_columns(desk.rows, dict(desk.browser.query.sort), self.glyphs, self.size.width)
        cursor = line = None
        if self._drawn_order != desk.browser.ordered:
            self._drawn_order = desk.browser.ordered
            line = table.cursor - table.top
            cursor = self._cursor_index()
        if columns == table.columns and cursor is None and table.rows is desk.rows:
            table.sync()
        else:
            table.show(desk.rows, columns, cursor, line)
            self._rescale()

    def _cursor_index(self) -> int:
        """Where the cursor's run or group stands now; where it is gone, what took its line becomes the cursor's."""
        browser = self.desk.browser
        index = browser.view.index_of(browser.cursor) if browser.cursor is not None else 0
        if index < 0:
            index = min(self.table.cursor, max(0, len(browser.view) - 1))
            browser.cursor = browser.view.spot_at(index)
        return index

    def _draw_words(self) -> None:
        """One line for what a user should know now: an error, a notice, the demo's steps."""
        assert self.face is not None
        if self.aside[0]:
            self.speak(*self.aside)
            return
        words, tone = self.change_words()
        if not words:
            words, tone = "" if self.query_one("#body").has_class("empty") else self.face.trouble(), "warning"
            if self.steps and self.desk.missing:
                words, tone = "The demo's MLflow store is being made; its runs join these in some 20 seconds.", "dim"
            if not words and self.face.doubts() and not self.query_one("#body").has_class("empty"):
                words, tone = self.face.doubts(), "warning"
        if not words and self.face.notices():
            words, tone = self.face.notices()[0], "dim"
        if not words and self.step < len(self.steps) and not self.desk.kept.demo_dismissed:
            words = f"{self.step + 1} of {len(self.steps)}: {self.steps[self.step][0]}     (:dismiss)"
            tone = "hit"
        self.speak(words, tone)

    def change_words(self) -> tuple[str, str]:
        """What is to be said of changes, and its tone."""
        return "", ""

    def speak(self, words: str, tone: str) -> None:
        """Up to three lines above the keys; none for ''."""
        pane = self.query_one("#words", Lines)
        lines = wrapped(((" " + words, tone),), self.size.width - 1)[:3] if words else []
        pane.set_class(bool(words), "said")
        if len(lines) != pane.size.height:
            pane.styles.height = max(1, len(lines))
        pane.say(lines)

    def _draw_keys(self) -> None:
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width))

    # -- the run under the cursor

    def on_row_table_moved(self) -> None:
        if self.face is None:
            return
        self.desk.browser.cursor = self.desk.browser.view.spot_at(self.table.cursor)
        self._look_closer()

    def _look_closer(self) -> None:
        """Once the cursor rests: the pane, and curves for what is on the screen."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_REST, self._rested)

    async def _rested(self) -> None:
        self._resting = None
        if self.face is None:
            return
        desk = self.desk
        on_screen = self._on_screen()
        await self._draw_details()
        self._draw_keys()  # a line of a group offers less
        wishes = [] if desk.rows.metric is None else [(desk.rows.metric, on_screen)]
        if self._details is not None:
            wishes += [(key, [self._details.row]) for key in self._details.curve_keys()]
        desk.curves.want(wishes)
        desk.tower.scope(desk.browser.query.experiments, desk.browser.query.sources)
        desk.tower.seek(desk.browser.query.where)
        desk.tower.focus(on_screen)
        self._rescale()

    def _on_screen(self) -> list[int]:
        """The runs that stand on the screen now."""
        return [row for index in self.table.on_screen if (row := self.desk.browser.row_at(index)) is not None]

    def _rescale(self) -> None:
        """One scale for the curves on the screen."""
        self.desk.rows.rescale(self._on_screen())
        self.table.sync()

    async def _draw_details(self) -> None:
        assert self.face is not None
        browser = self.desk.browser
        row = browser.row_at(self.table.cursor)
        over, pane = self.query_one("#rule", Line), self.query_one("#details", Lines)
        if row is None:
            self._details = None
            await self._draw_group(browser.view.group_at(self.table.cursor), over, pane)
            return
        fresh = self._details is None or self._details.row != row
        self._details = await self.face.details(row)
        self._base = await self.face.details(browser.baseline) if browser.baseline is not None else None
        width = pane.size.width or self.size.width
        form = self._form()
        only = self.desk.columns.only_differing
        lines = self.face.pane(self._details, self._base, width, pane.size.height, form, only)
        pane.say([((" ", ""), *line) for line in lines], 0 if fresh else None)
        against = self._base.name if self._base is not None and self._base.row != row else ""
        width = over.size.width or self.size.width
        over.say(rule(self._details.name, against, width, form == "beside", self.glyphs))

    async def _draw_group(self, number: int | None, over: Line, pane: Lines) -> None:
        """What the runs of the group under the cursor have in common, and how they differ."""
        assert self.face is not None
        if number is None:
            over.say(())
            pane.say(())
            return
        width = pane.size.width or self.size.width
        name, lines = await self.face.group(number, width, self._form())
        pane.say([((" ", ""), *line) for line in lines], 0)
        over.say(rule(name, "", over.size.width or self.size.width, False, self.glyphs))

    def _form(self) -> str:
        """How the pane says things: by its room."""
        body = self.query_one("#body")
        if body.has_class("wide") or body.has_class("large"):
            return "all"
        return "small" if self.size.height < 28 or self.size.width < 80 else "beside"

    # -- size and time

    def on_resize(self, event: events.Resize) -> None:
        self.lay_panes(event.size.width, event.size.height)

    def lay_panes(self, width: int, height: int) -> None:
        """Panes by the size of the terminal and the user's wish."""
        if self.face is None:
            return
        body = self.query_one("#body")
        mode = self.desk.kept.details
        body.set_class(mode == "large", "large")
        body.set_class(mode == "off" or (mode == "beside" and height < 18), "off")
        body.set_class(mode == "beside" and width >= _WIDE, "wide")
        tall = mode == "large" or (mode == "beside" and width >= _WIDE)
        lines = 2 if height < 28 or width < 80 else max(6, height // 4)
        self.query_one("#details").styles.height = "1fr" if tall else lines
        self.call_after_refresh(self.draw)

    def _minute(self) -> None:
        """Relative times move once a minute, and only the cells that changed are sent."""
        if self.face is not None and not self.covered:
            self.desk.tick()
            self.draw()
