"""The runs screen: where its lines and panes stand, and when they are drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Horizontal
from textual.timer import Timer
from textual.widgets import Input

from runtower.actions import BY_ID
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Span, inert, shortened, wrapped
from runtower.screens.keys import KeyScreen
from runtower_widgets.line import Line, Lines
from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn

if TYPE_CHECKING:
    from runtower.acts.details import RunDetails
    from runtower.acts.face import Desk, Face

_WIDE: Final = 160
_FOOTER: Final = (
    "find.filter",
    "app.help",
    "look.open",
    "mark.toggle",
    "columns.sort",
    "find.experiments",
    "columns.choose",
    "mark.baseline",
    "look.differences",
    "find.mine",
)
_FRAME: Final = 0.03
_SHORTEST_NAME: Final = 12
_REST: Final = 0.1


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
        self.steps: Sequence[tuple[str, tuple[str, ...]]] = ()
        self.step = 0
        self._details: RunDetails | None = None
        self._base: RunDetails | None = None
        self._due: Timer | None = None
        self._resting: Timer | None = None
        self._drawn_order = -1
        self._query_room: int | str = "1fr"

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

    # -- drawing

    def draw_soon(self) -> None:
        """Draw within a frame; many calls become one."""
        if self._due is None:
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
        filtering = self.query_one("#top").has_class("filtering")
        left, right = self.face.query(width)
        query = self.query_one("#query", Line)
        room = min(width // 2, sum(len(text) for text, _ in right)) if filtering else "1fr"
        if room != self._query_room:
            self._query_room = query.styles.width = room
        query.say(() if filtering else left, _ending(right, room) if filtering else right)
        empty = self.face.empty()
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
        columns = self._table_columns()
        cursor = line = None
        if self._drawn_order != desk.browser.ordered:
            self._drawn_order = desk.browser.ordered
            line = table.cursor - table.top
            cursor = self._cursor_index()
        if columns == table.columns and cursor is None and table.rows is desk.rows:
            table.sync()
        else:
            table.show(desk.rows, columns, cursor, line)

    def _cursor_index(self) -> int:
        """Where the cursor's run stands now; where it is gone, the run that took its line becomes the cursor's."""
        browser = self.desk.browser
        index = browser.view.index_of(browser.cursor) if browser.cursor is not None else 0
        if index < 0:
            index = min(self.table.cursor, max(0, len(browser.view.rows) - 1))
            browser.cursor = browser.row_at(index)
        return index

    def _table_columns(self) -> list[TableColumn]:
        rows = self.desk.rows
        order = dict(self.desk.browser.query.sort)
        columns = [TableColumn("gutter", "", 3, frozen=True)]
        for place, shown in enumerate(rows.layout.columns):
            right = rows.is_right(shown.key)
            title = inert(shown.title, self.glyphs)
            mark = ""
            if shown.key in order:
                mark = self.glyphs.descending if order[shown.key] else self.glyphs.ascending
            title = shortened(title, shown.width - len(mark), self.glyphs) + mark
            tone = "active" if place == rows.layout.active else ""
            # In a small split the name gives way, so that state, metric and curve remain.
            width = max(_SHORTEST_NAME, min(shown.width, self.size.width - 37)) if place == 0 else shown.width
            columns.append(TableColumn(str(place), title, width, right, place == 0, tone))
        return columns

    def _draw_words(self) -> None:
        """One line for what a user should know now: an error, a notice, the demo's steps."""
        assert self.face is not None
        words = "" if self.query_one("#body").has_class("empty") else self.face.trouble()
        tone = "warning"
        if self.steps and self.desk.missing:
            words, tone = "The demo's MLflow store is being made; its runs join these in some 20 seconds.", "dim"
        if not words and self.face.notices():
            words, tone = self.face.notices()[0], "dim"
        if not words and self.step < len(self.steps) and not self.desk.kept.demo_dismissed:
            words = f"{self.step + 1} of {len(self.steps)}: {self.steps[self.step][0]}     (:dismiss)"
            tone = "hit"
        self.speak(words, tone)

    def speak(self, words: str, tone: str) -> None:
        """Up to three lines above the keys; none for ''."""
        pane = self.query_one("#words", Lines)
        lines = wrapped(((" " + words, tone),), self.size.width - 1)[:3] if words else []
        pane.set_class(bool(words), "said")
        if len(lines) != pane.size.height:
            pane.styles.height = max(1, len(lines))
        pane.say(lines)

    def _draw_keys(self) -> None:
        spans: list[Span] = [(" ", "")]
        left = self.size.width - 1
        shown = [action_id for action_id in _FOOTER if not self.why_not(action_id) and self.keymap.shown(action_id)]
        keep = [a for a in shown if a in ("find.filter", "app.help")]
        for action_id in shown:
            text = f" {BY_ID[action_id].short}   "
            key = self.keymap.shown(action_id)
            rest = sum(len(f"{self.keymap.shown(a)} {BY_ID[a].short}   ") for a in keep if a != action_id)
            if action_id not in keep and len(key) + len(text) > left - rest:
                continue
            keep = [a for a in keep if a != action_id]
            spans += [(key, "key"), (text, "dim")]
            left -= len(key) + len(text)
        self.query_one("#keys", Line).say(spans)

    # -- the run under the cursor

    def on_row_table_moved(self) -> None:
        if self.face is None:
            return
        self.desk.browser.cursor = self.desk.browser.row_at(self.table.cursor)
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
        on_screen = [row for index in self.table.on_screen if (row := desk.browser.row_at(index)) is not None]
        await self._draw_details()
        wishes = [] if desk.rows.metric is None else [(desk.rows.metric, on_screen)]
        if self._details is not None:
            wishes += [(key, [self._details.row]) for key in self._details.curve_keys()]
        desk.curves.want(wishes)
        desk.tower.focus(on_screen)
        desk.rows.rescale(on_screen)
        self.table.sync()

    async def _draw_details(self) -> None:
        assert self.face is not None
        browser = self.desk.browser
        row = browser.row_at(self.table.cursor)
        rule, pane = self.query_one("#rule", Line), self.query_one("#details", Lines)
        if row is None:
            self._details = None
            rule.say(())
            pane.say(())
            return
        fresh = self._details is None or self._details.row != row
        self._details = await self.face.details(row)
        self._base = await self.face.details(browser.baseline) if browser.baseline is not None else None
        width = pane.size.width or self.size.width
        form = self._form()
        lines = self.face.pane(self._details, self._base, width, pane.size.height, form, self._only_differences)
        pane.say([((" ", ""), *line) for line in lines], 0 if fresh else None)
        self._draw_rule(rule)

    _only_differences = False

    def _draw_rule(self, rule: Line) -> None:
        assert self._details is not None
        dash = self.glyphs.rule
        width = rule.size.width or self.size.width
        name = shortened(inert(self._details.name, self.glyphs), max(8, width // 2 - 8), self.glyphs)
        spans: list[Span] = [(f" {dash}{dash} ", "rule"), (name, "bright"), (" ", "")]
        used = len(name) + 5
        base = self._base
        if self._form() == "beside" and width >= 80:
            half = (width - 1) // 2 + 2
            spans.append((dash * max(0, half - used - 1) + self.glyphs.tee, "rule"))
            used = max(used, half)
            if base is not None and base.row != self._details.row:
                said = shortened(
                    f"differs from the baseline {inert(base.name, self.glyphs)}", width - used - 6, self.glyphs
                )
                spans += [(f"{dash}{dash} ", "rule"), (said, "title"), (" ", "")]
                used += len(said) + 4
        spans.append((dash * max(0, width - used - 1), "rule"))
        rule.say(spans)

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
        if self.face is not None:
            self.desk.tick()
            self.draw()


def _ending(spans: Sequence[Span], room: int | str) -> list[Span]:
    """The first pieces that fit whole."""
    out: list[Span] = []
    left = room if isinstance(room, int) else 0
    for text, tone in spans:
        left -= len(text)
        if left < 0:
            break
        out.append((text, tone))
    return out
