"""A run opened: its overview and its curves, the marked runs over them; its artifacts and its log lie on pages of
their own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from runtower.acts.face import Face
from runtower.acts.overview import Overview
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.screens.alert_keys import watch, why_not_watched
from runtower.screens.artifacts_screen import ArtifactsScreen
from runtower.screens.chart_keys import CHARTS, FOOTER, ChartKeys
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

    def on_mount(self) -> None:
        self.face.desk.tower.focus(self.rows)
        self.set_interval(60, self.draw_soon)

    def on_unmount(self) -> None:
        if self._overview is not None:
            self._overview.cancel()
        self._beyond.close()

    def begin(self) -> None:
        self._show(self.tab)

    # -- drawing

    def draw(self) -> None:
        """Bring every line to what is known now, and ask for what isn't."""
        super().draw()
        if not self.is_there:
            return
        book = self.face.desk.book
        if self.tab in _OVER:
            book.want(())  # the page over this one draws
            return
        self.query_one("#crumbs", Line).say(*crumbs(self.opened, self.tab, self.size.width, self.pages()))
        if self.tab in CHARTS:
            self.draw_charts()
        else:
            book.want(())
            if self._overview is not None:
                self._overview.cancel()
            self._overview = asyncio.ensure_future(self._draw_overview())
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width, FOOTER))

    async def _draw_overview(self) -> None:
        pane = self.query_one("#page", Lines)
        details = await self.face.details(self.rows[0])
        baseline = self.face.desk.browser.baseline
        base = await self.face.details(baseline) if baseline is not None else None
        width = pane.size.width - 2
        self._beyond.ask()
        said = [*self.face.pane(details, base, width, 0, "all", False), *self._beyond.lines(width)]
        pane.say([((" ", ""), *line) for line in said])

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id.startswith("chart.") and self.tab not in CHARTS:
            return "there are no charts on this tab"
        if action_id == "alert.watch":
            return why_not_watched(self.face.desk, self.rows[:1])
        return super().why_not(action_id)

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
            super()._step(charts, lines)
        else:
            self.query_one("#page", Lines).move_by(lines)

    def _to_end(self, side: int) -> None:
        if self.tab in CHARTS:
            super()._to_end(side)
        else:
            self.query_one("#page", Lines).move_by(side * 10**6)

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
        if self.tab not in CHARTS or not self.one_back():
            self.dismiss()
