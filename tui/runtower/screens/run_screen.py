"""A run opened: its overview and its curves, the marked runs over them; its artifacts and its log lie on pages of
their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from textual.app import ComposeResult

from runtower.acts.face import Face
from runtower.acts.overview import Overview
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.screens.alert_keys import watch, why_not_watched
from runtower.screens.artifacts_screen import ArtifactsScreen
from runtower.screens.chart_curves import Scene
from runtower.screens.chart_keys import CHARTS, ChartKeys
from runtower.screens.chart_page import page
from runtower.screens.copying import copy_out
from runtower.screens.log_screen import LogScreen
from runtower.screens.run_lines import footer
from runtower.screens.run_tabs import crumbs, opened_run
from runtower_widgets.line import Line, Lines

_OVER: Final = ("artifacts", "log")


class RunScreen(ChartKeys):
    """One method an action: `do_` + its id. `rows` are global rows, the first one is the run that was opened."""

    place = "run"

    def __init__(
        self, keymap: Keymap, glyphs: Glyphs, face: Face, rows: Sequence[int], tab: str = "", or_else: bool = False
    ) -> None:
        """`tab` is shown first, else the one that was used last; with `or_else` that too where `tab` is the log, and
        there is none."""
        super().__init__(keymap, glyphs, face, rows)
        tabs = ["overview", *(tab for tab in CHARTS if self._charts[tab].metrics), *_OVER]
        usual = face.desk.run_tab if face.desk.run_tab in tabs else tabs[int(tabs[1] in CHARTS)]
        self.tab = tab or usual
        self._or_else = usual if or_else and usual != "log" else ""
        self.opened = opened_run(face, glyphs, self.rows, len(rows) - len(self.rows), tabs)
        self._overview: asyncio.Future[None] | None = None
        self._beyond = Overview(face, self.rows[0], glyphs, self.draw_soon)

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        yield Lines(id="page")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.face.desk.tower.focus(self.rows)
        self.set_interval(60, self.draw_soon)

    def on_unmount(self) -> None:
        if self._overview is not None:
            self._overview.cancel()
        self._beyond.close()
        desk = self.face.desk
        desk.chart_looks.update({tab: charts.look() for tab, charts in self._charts.items()})
        desk.book.want(())

    def begin(self) -> None:
        self._show(self.tab)

    # -- drawing

    def draw_soon(self) -> None:
        self.find_rows()
        super().draw_soon()

    def draw(self) -> None:
        """Bring every line to what is known now, and ask for what isn't."""
        super().draw()
        if not self.is_there:
            return
        book = self.face.desk.book
        if self.tab in _OVER:
            book.want(())  # the page over this one draws
            return
        self.query_one("#crumbs", Line).say(*crumbs(self.opened, self.tab, self.size.width, self._pages()))
        if self.tab in CHARTS:
            charts, grid, pane = self.charts, self.grid, self.query_one("#page", Lines)
            book.want(charts.wishes(book, charts.shown(grid.size)))
            names = [self.face.name_of(row) for row in self.rows]
            colours = self.face.desk.run_colours.of([self.face.desk.tower.catalogue.run_key(row) for row in self.rows])
            scene = Scene(charts, book, names, colours, self.glyphs, time.time() * 1000)
            pane.say(page(scene, grid, pane.size.width), 0)
        else:
            book.want(())
            if self._overview is not None:
                self._overview.cancel()
            self._overview = asyncio.ensure_future(self._draw_overview())
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width, _FOOTER))

    async def _draw_overview(self) -> None:
        pane = self.query_one("#page", Lines)
        details = await self.face.details(self.rows[0])
        baseline = self.face.desk.browser.baseline
        base = await self.face.details(baseline) if baseline is not None else None
        width = pane.size.width - 2
        self._beyond.ask()
        said = [*self.face.pane(details, base, width, 0, "all", False), *self._beyond.lines(width)]
        pane.say([((" ", ""), *line) for line in said])

    def _pages(self) -> str:
        """`2 of 3`, where the charts take several pages."""
        if self.tab not in CHARTS:
            return ""
        size = self.grid.size
        pages = -(-len(self.charts.metrics) // size)
        return f"{self.charts.active // size + 1} of {pages}" if pages > 1 else ""

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id.startswith("chart.") and self.tab not in CHARTS:
            return "there are no charts on this tab"
        if action_id == "chart.spread" and len(self.rows) < 2:
            return "a mean wants several runs: mark them first"
        if action_id == "alert.watch":
            return why_not_watched(self.face.desk, self.rows[:1])
        return ""

    def _turn_tab(self, by: int) -> None:
        self.face.desk.run_tab = self.opened.after(self.tab, by)
        self._show(self.face.desk.run_tab)

    def _show(self, tab: str) -> None:
        """A tab of this page, or a page over it."""
        self.tab, or_else = tab, self._or_else
        self._or_else = ""
        self.query_one("#page", Lines).say((), 0)
        self.draw()
        if tab == "artifacts":
            self.app.push_screen(ArtifactsScreen(self.keymap, self.opened), self._shown)
        elif tab == "log":
            self.app.push_screen(LogScreen(self.keymap, self.opened, or_else), self._shown)

    def _shown(self, tab: str | None) -> None:
        """The page over this one was left for another tab, or for the runs."""
        if tab:
            self._show(tab)
        else:
            self.dismiss()

    def do_tab_next(self) -> None:
        self._turn_tab(1)

    def do_tab_previous(self) -> None:
        self._turn_tab(-1)

    def do_log_open(self) -> None:
        self._show("log")

    def _step(self, charts: int, lines: int) -> None:
        """Another chart is the active one, or the lines move."""
        if self.tab in CHARTS:
            last = len(self.charts.metrics) - 1
            self.charts.active = max(0, min(self.charts.active + charts, last))
            self.draw()
        else:
            self.query_one("#page", Lines).move_by(lines)

    def do_move_down(self) -> None:
        self._step(self.grid.across if self.tab in CHARTS else 0, 1)

    def do_move_up(self) -> None:
        self._step(-self.grid.across if self.tab in CHARTS else 0, -1)

    def do_pane_next(self) -> None:
        self._step(1, 1)

    def do_pane_previous(self) -> None:
        self._step(-1, -1)

    def _page_by(self, share: float) -> None:
        pane = self.query_one("#page", Lines)
        self._step(
            int(share * self.grid.size) or (1 if share > 0 else -1) if self.tab in CHARTS else 0,
            int(share * pane.size.height),
        )

    def do_move_page_down(self) -> None:
        self._page_by(1)

    def do_move_page_up(self) -> None:
        self._page_by(-1)

    def do_move_half_down(self) -> None:
        self._page_by(0.5)

    def do_move_half_up(self) -> None:
        self._page_by(-0.5)

    def do_page_first(self) -> None:
        self._to_end(-1)

    def do_page_last(self) -> None:
        self._to_end(1)

    def _to_end(self, side: int) -> None:
        if self.tab not in CHARTS:
            self.query_one("#page", Lines).move_by(side * 10**6)
        elif (whole := self.whole()) is not None:
            self.charts.move_cursor(side * 1e9, whole)
            self.draw()

    # -- everywhere

    async def do_take_id(self) -> None:
        run_id = self.face.desk.tower.catalogue.run_key(self.rows[0]).run_id
        self.say(await copy_out(self.app, run_id, self.face.desk.copied_file))

    def do_alert_watch(self) -> None:
        watch(self, self.face, self.glyphs, self.rows[:1])
        self.draw_soon()

    def do_live_refresh(self) -> None:
        self.face.desk.tower.refresh()

    def do_live_pause(self) -> None:
        self.pause_or_go_on()

    def do_app_back(self) -> None:
        """From one chart to the grid, else to the runs."""
        if self.tab in CHARTS and self.charts.alone:
            self.do_chart_alone()
        else:
            self.dismiss()


_FOOTER: Final = (
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
