"""What the keys of an opened run do to its charts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from textual.app import ComposeResult

from runtower.acts import bands
from runtower.acts.charts import SMOOTHINGS, Charts, limits_of, limits_wrong
from runtower.acts.face import Face
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import inert
from runtower.screens.chart_curves import Scene
from runtower.screens.chart_page import Grid, grid_of, page
from runtower.screens.field import Field
from runtower.screens.menu import Choice, Menu
from runtower.screens.move_keys import MoveKeys
from runtower.screens.over import OverScreen
from runtower_widgets.line import Line, Lines

CHARTS: Final = ("curves", "system")

_MOST_RUNS: Final = 50
_SYSTEM: Final = "system/"
_STEPS_ACROSS: Final = 60

FOOTER: Final = (
    "chart.left",
    "chart.zoom_in",
    "chart.x",
    "chart.scale",
    "chart.smooth",
    "chart.spread",
    "chart.metrics",
    "tab.next",
    "log.open",
    "chart.alone",
    "chart.clip",
    "app.help",
)


class ChartKeys(MoveKeys, OverScreen):
    """One method an action: `do_` + its id. `rows` are global rows, the first one is the run that was opened, `tab` is
    what is shown of it."""

    tab: str

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, rows: Sequence[int]) -> None:
        super().__init__(keymap, glyphs, face)
        self.rows = list(rows)[:_MOST_RUNS]
        self._keys = [face.desk.tower.catalogue.run_key(row) for row in self.rows]
        metrics = face.metrics_of(self.rows)
        self._charts = {
            "curves": Charts(list(self.rows), [key for key in metrics if not key.startswith(_SYSTEM)]),
            "system": Charts(list(self.rows), [key for key in metrics if key.startswith(_SYSTEM)], x="relative"),
        }
        self._regroup()
        for name, charts in self._charts.items():
            if name in face.desk.chart_looks:
                charts.look_as(face.desk.chart_looks[name])

    def find_rows(self) -> None:
        """After a reset of a source its runs have other rows; those that it doesn't have any more are left out, but for
        the one that was opened."""
        rows = self.face.desk.tower.catalogue.rows_again(self._keys, self.rows)
        if rows == self.rows or rows[0] < 0:
            return
        there = [(key, row) for key, row in zip(self._keys, rows, strict=True) if row >= 0]
        self._keys, self.rows[:] = [key for key, _ in there], [row for _, row in there]
        for charts in self._charts.values():
            charts.rows = list(self.rows)
        self._regroup()

    def _regroup(self) -> None:
        groups = bands.groups_of(self.face.desk.browser, self.rows)
        for charts in self._charts.values():
            charts.groups = groups

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        yield Lines(id="page")
        yield Line(id="keys")

    def draw_soon(self) -> None:
        self.find_rows()
        super().draw_soon()

    def on_unmount(self) -> None:
        desk = self.face.desk
        desk.chart_looks.update({tab: charts.look() for tab, charts in self._charts.items()})
        desk.book.want(())

    @property
    def charts(self) -> Charts:
        """What the chosen tab's charts show."""
        return self._charts[self.tab]

    @property
    def grid(self) -> Grid:
        """How the charts of the chosen tab stand on the page."""
        return grid_of(self.charts, *self.query_one("#page", Lines).size)

    def whole(self) -> tuple[float, float] | None:
        """The range of x of the charts on the page."""
        return self.charts.whole(self.face.desk.book, self.charts.shown(self.grid.size))

    def draw_charts(self) -> None:
        """The page of charts, and the wish for what is not known of them."""
        charts, grid, pane, desk = self.charts, self.grid, self.query_one("#page", Lines), self.face.desk
        desk.book.want(charts.wishes(desk.book, charts.shown(grid.size)))
        names = [self.face.name_of(row) for row in self.rows]
        colours = desk.run_colours.of([desk.tower.catalogue.run_key(row) for row in self.rows])
        scene = Scene(charts, desk.book, names, colours, self.glyphs, time.time() * 1000)
        pane.say(page(scene, grid, pane.size.width), 0)

    def pages(self) -> str:
        """`2 of 3`, where the charts take several pages."""
        if self.tab not in CHARTS:
            return ""
        size = self.grid.size
        pages = -(-len(self.charts.metrics) // size)
        return f"{self.charts.active // size + 1} of {pages}" if pages > 1 else ""

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id == "chart.spread" and len(self.rows) < 2:
            return "a mean wants several runs: mark them first"
        return ""

    def one_back(self) -> bool:
        """From one chart to the grid; whether there was a step."""
        if self.charts.alone:
            self.do_chart_alone()
            return True
        return False

    def _step(self, charts: int, lines: int) -> None:
        """Another chart is the active one."""
        last = len(self.charts.metrics) - 1
        self.charts.active = max(0, min(self.charts.active + charts, last))
        self.draw()

    def _move(self, by: int) -> None:
        """To the chart below or above."""
        self._step(by * self.grid.across if self.tab in CHARTS else 0, by)

    def do_pane_next(self) -> None:
        self._step(1, 1)

    def do_pane_previous(self) -> None:
        self._step(-1, -1)

    def _page(self, pages: float) -> None:
        pane = self.query_one("#page", Lines)
        self._step(
            int(pages * self.grid.size) or (1 if pages > 0 else -1) if self.tab in CHARTS else 0,
            int(pages * pane.size.height),
        )

    def do_page_first(self) -> None:
        self._to_end(-1)

    def do_page_last(self) -> None:
        self._to_end(1)

    def _to_end(self, side: int) -> None:
        if (whole := self.whole()) is not None:
            self.charts.move_cursor(side * 1e9, whole)
            self.draw()

    def _cursor_by(self, by: float) -> None:
        whole = self.whole()
        if whole is not None:
            self.charts.move_cursor(by, whole)
            self.draw()

    def do_chart_left(self) -> None:
        self._cursor_by(-1 / _STEPS_ACROSS)

    def do_chart_right(self) -> None:
        self._cursor_by(1 / _STEPS_ACROSS)

    def do_chart_zoom_in(self) -> None:
        if (whole := self.whole()) is not None:
            self.charts.zoom_in(whole)
            self.draw()

    def do_chart_zoom_out(self) -> None:
        if (whole := self.whole()) is not None:
            self.charts.zoom_out(whole)
            self.draw()

    def do_chart_reset(self) -> None:
        self.charts.reset()
        self.draw()

    def do_chart_alone(self) -> None:
        self.charts.alone = not self.charts.alone
        self.draw()

    def do_chart_scale(self) -> None:
        self.charts.log_y = not self.charts.log_y
        self.draw()

    def do_chart_clip(self) -> None:
        self.charts.clip = not self.charts.clip
        self.draw()

    def do_chart_smooth(self) -> None:
        place = SMOOTHINGS.index(self.charts.smooth) if self.charts.smooth in SMOOTHINGS else 0
        self.charts.smooth = SMOOTHINGS[(place + 1) % len(SMOOTHINGS)]
        self.draw()

    def do_chart_spread(self) -> None:
        place = bands.KINDS.index(self.charts.spread)
        self.charts.spread = bands.KINDS[(place + 1) % len(bands.KINDS)]
        self.draw()

    def do_chart_limits(self) -> None:
        now = self.charts.limits
        text = "" if now is None else f"{now[0]:g} {now[1]:g}"
        self.app.push_screen(
            Field("y from and to, such as 0.1 0.5; empty: what fits", text, "", limits_wrong), self._limit
        )

    def _limit(self, text: str | None) -> None:
        if text is not None:
            self.charts.limits = limits_of(text)
            self.draw()

    def do_chart_x(self) -> None:
        offers = [
            Choice("step", "step"),
            Choice("relative", "relative time", "", "since each curve's first point"),
            Choice("time", "wall time"),
            *(Choice(f"metric:{key}", inert(key, self.glyphs), "", "metric") for key in self._charts["curves"].metrics),
        ]
        start = next((n for n, one in enumerate(offers) if one.value == self.charts.x), 0)
        self.app.push_screen(Menu("x axis", offers, start=start), self._chose_x)

    def _chose_x(self, values: list[str] | None) -> None:
        if values:
            self.charts.x = values[0]
            self.charts.reset()
            self.draw()

    def do_chart_metrics(self) -> None:
        every = [key for key in self.face.metrics_of(self.rows) if key.startswith(_SYSTEM) == (self.tab == "system")]
        offers = [Choice(key, inert(key, self.glyphs)) for key in every]
        self.app.push_screen(Menu("metrics", offers, marked=set(self.charts.metrics)), self._chose_metrics)

    def _chose_metrics(self, values: list[str] | None) -> None:
        if values:
            every = self.face.metrics_of(self.rows)
            self.charts.metrics = [key for key in every if key in values]
            self.charts.active = 0
            self.draw()
