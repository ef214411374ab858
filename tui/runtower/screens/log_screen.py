"""The log of a run: its end, followed while it grows; searched; from error to error."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult

from runtower.acts.log_lines import LogLines
from runtower.acts.run_log import HOW_TO
from runtower.keymap import Keymap
from runtower.present.sizes import size_text
from runtower.present.spans import Line as Spans
from runtower.present.spans import Span, inert, shortened, wrapped
from runtower.screens.log_search import LogSearch
from runtower.screens.menu import Choice, Menu
from runtower.screens.move_keys import MoveKeys
from runtower.screens.needle import TYPING, Needle
from runtower.screens.run_lines import footer
from runtower.screens.run_tabs import Opened
from runtower_widgets.line import Line, Lines

_FAR: Final = 5.0
_FOOTER: Final = (
    "app.help",
    "log.search",
    "log.next",
    "log.error_next",
    "log.follow",
    "log.file",
    "tab.next",
    "live.refresh",
)


class LogScreen(MoveKeys, LogSearch):
    """One method an action: `do_` + its id."""

    place: ClassVar[str] = "log"
    tab: ClassVar[str] = "log"
    AUTO_FOCUS: ClassVar[str | None] = "#log"

    def __init__(self, keymap: Keymap, opened: Opened, or_else: str = "") -> None:
        """`or_else`: the tab to turn to where the run has no log."""
        super().__init__(keymap, opened)
        self._or_else = or_else
        self._dropped = 0
        self._reading: asyncio.Future[None] | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        yield Line(id="about")
        yield Lines(id="log")
        yield Needle()
        yield Line(id="keys")

    def on_mount(self) -> None:
        interval = self.opened.desk.settings.interval
        self.set_interval(max(_FAR, interval) if self.opened.files.is_far else interval, self._look)
        self._reading = asyncio.ensure_future(self._find() if self._run_log.search is None else self._run_log.look())

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def _find(self) -> None:
        found = await self._run_log.find()
        if not found and self._or_else and self.is_current:
            self.dismiss(self._or_else)

    def _look(self) -> None:
        """At the poll's pace: what is new is read on."""
        done = self._reading is None or self._reading.done()
        if done and self._run_log.grows and not self.opened.desk.paused:
            self._reading = asyncio.ensure_future(self._run_log.look())

    @property
    def is_busy(self) -> bool:
        return self._reading is not None and not self._reading.done()

    # -- drawing

    def draw(self) -> None:
        super().draw()
        if not self.is_there or not self.pane.size.width:
            return
        pane = self.pane
        width, log = max(10, pane.size.width - 2), self._run_log
        if log.place is None or not log.text.lines:
            self._drawn = None
            pane.say([((" ", ""), *short) for line in self._instead() for short in wrapped(line, width)])
        else:
            self._draw_lines(pane, log.text.lines, width)
        self._draw_about()
        keys = TYPING if self._is_typing else footer(self.keymap, self.why_not, self.size.width, _FOOTER)
        self.query_one("#keys", Line).say(keys)

    def _draw_lines(self, pane: Lines, lines: Sequence[str], width: int) -> None:
        before = self._drawn
        drawn = LogLines(lines, width, self._needle, self._here, before)
        top: int | None = None
        if self._follows:
            top = len(drawn)
        elif before is not None and before.lines is not lines and len(before):
            # What was dropped at the beginning must not move what is being read.
            gone = self._run_log.text.dropped - self._dropped
            top = drawn.row_of(max(0, before.line_at(pane.top) - gone))
            self._here = self._here - gone if self._here >= gone else -1
        self._dropped = self._run_log.text.dropped
        self._drawn = drawn
        pane.say(drawn, top)

    def _draw_about(self) -> None:
        log, glyphs = self._run_log, self.glyphs
        left: list[Span] = []
        right: list[Span] = []
        if log.place is not None:
            kind = "artifact" if log.place.is_artifact else "on this machine"
            said = f"  {kind}, {log.said}" if log.is_read else f"  {kind}"
            room = max(10, self.size.width - len(said) - 32)
            left = [(" ", ""), (shortened(inert(log.place.path, glyphs), room, glyphs), "bright"), (said, "dim")]
            more = len(log.search.found) - 1 if log.search is not None else 0
            if more > 0:
                left.append((f", {more} more", "dim"))
        if self._needle:
            found = self._hits()
            place = f"{found.index(self._here) + 1} of " if self._here in found else ""
            right.append(
                (f"{place}{len(found)} hit{'s' if len(found) != 1 else ''}  ", "marked" if found else "warning")
            )
        if self._drawn is not None and len(self._drawn):
            last = min(len(self._drawn), self.pane.top + self.pane.size.height) - 1
            counted = f"line {self._drawn.line_at(last) + 1 + log.text.dropped:,}"
            right.append(("following " if self._follows and log.is_live else f"{counted} ", "dim"))
        self.query_one("#about", Line).say(left, right)

    def _instead(self) -> list[Spans]:
        """What is said where there is no log to show."""
        log, glyphs = self._run_log, self.glyphs
        if log.search is None:
            return [(("Looking for the log ...", "dim"),)]
        if log.error:
            return [((inert(log.error, glyphs), "warning"),)]
        if log.place is not None:
            return [(("The log is empty so far." if log.is_read else "Reading ...", "dim"),)]
        lines: list[Spans] = [(("No log of this run was found. Looked at:", ""),), ()]
        lines += [((f"  {inert(place, glyphs)}", ""),) for place in log.search.looked]
        lines += [(), (("One line of Python gives it one, at its end or now and then:", "dim"),)]
        return [*lines, ((f"  {HOW_TO[0]}", "bright"),), ((HOW_TO[1], "dim"),)]

    # -- moving

    def _move(self, by: int) -> None:
        self.pane.move_by(by)
        self._follows = self.pane.hidden_below == 0
        self.draw()

    def _page(self, pages: float) -> None:
        self._move(int(pages * self.pane.size.height))

    def on_lines_scrolled(self) -> None:
        self._follows = self.pane.hidden_below == 0
        self.draw_soon()

    def do_page_first(self) -> None:
        self._move(-(10**8))

    def do_page_last(self) -> None:
        self._move(10**8)

    def do_log_follow(self) -> None:
        self._follows = not self._follows
        self.say("following the end" if self._follows else "the end is no longer followed")
        self.draw()

    # -- other keys

    def why_not(self, action_id: str) -> str:
        log = self._run_log
        if action_id.startswith("log.") and not log.text.lines:
            return "there is no log here"
        if action_id in ("log.next", "log.previous") and not self._needle:
            return f"nothing is searched for ({self.keymap.shown('log.search')} searches)"
        if action_id == "log.file" and (log.search is None or len(log.search.found) < 2):
            return "no other log was found"
        return ""

    def do_log_file(self) -> None:
        search = self._run_log.search
        assert search is not None
        offers = [
            Choice(str(place), inert(one.path, self.glyphs), "", size_text(one.size) if one.size is not None else "")
            for place, one in enumerate(search.found)
        ]
        start = search.found.index(self._run_log.place) if self._run_log.place in search.found else 0
        self.app.push_screen(Menu("logs", offers, start=start), self._chose_file)

    async def _chose_file(self, values: list[str] | None) -> None:
        search = self._run_log.search
        if values and search is not None:
            self._follows, self._here = True, -1
            await self._run_log.choose(search.found[int(values[0])])
            self.draw()

    async def do_live_refresh(self) -> None:
        """Where none was found it is looked for again."""
        if self._run_log.place is None:
            await self._run_log.find()
        else:
            await self._run_log.look()

    async def do_app_back(self) -> None:
        """One step back: the field, the search, the page."""
        if self._is_typing or self._needle:
            self._needle, self._here = "", -1
            self._leave_search()
        else:
            self.dismiss("")
