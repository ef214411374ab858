"""The real app on real source processes, seen and pressed as by a user."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from runtower.app import TowerApp
from runtower.folders import Folders
from runtower.screens.over import OverScreen
from runtower.screens.run_keys import RunsScreen
from runtower.settings import Settings, SourceSettings
from runtower.starting import Starter

DEADLINE = 10.0


class Tower:
    """A running app: `press` keys, `sees` a text, `screen` is what is on the terminal."""

    def __init__(self, app: TowerApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def lines(self) -> list[str]:
        """The characters on the terminal, line by line."""
        width, height = self.app.size
        rows = self.app.screen._compositor.render_strips()[:height]
        return [strip.text[:width].rstrip() for strip in rows]

    @property
    def screen(self) -> str:
        return "\n".join(self.lines)

    def line_of(self, text: str) -> int:
        """Where on the terminal the first line with this text stands, -1 where none does."""
        return next((place for place, line in enumerate(self.lines) if text in line), -1)

    @property
    def cursor_line(self) -> str:
        """The row that the cursor stands on."""
        return next((line for line in self.lines[2:] if line.startswith(">")), "")

    @property
    def rows(self) -> list[str]:
        """The names in the table from top to bottom, without their tree."""
        desk = self.app.desk
        assert desk is not None
        from runtower.domain.runs import NAME

        names = desk.tower.catalogue.texts(NAME)
        return [names.text(int(row)) or "" for row in desk.browser.view.rows]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Letters one after the other, as fast as they come."""
        await self.pilot.press(*("space" if letter == " " else letter for letter in text))

    async def until(self, holds: Callable[[], Any], what: str = "", within: float = DEADLINE) -> None:
        """Wait until something holds; fails with the screen after a deadline (in seconds)."""
        end = time.monotonic() + within
        while not holds():
            assert time.monotonic() < end, f"never came: {what or holds}\n{self.screen}"
            await self.pilot.pause()
            await asyncio.sleep(0.01)  # one turn of the waiting loop; the condition decides

    async def sees(self, *texts: str, within: float = DEADLINE) -> None:
        """Wait until all of these are on the screen."""
        await self.until(lambda: all(text in self.screen for text in texts), ", ".join(texts), within)

    async def hears(self, text: str, within: float = DEADLINE) -> None:
        """Wait until this was said in a toast, however its lines are broken."""
        await self.until(lambda: any(text in one.message for one in self.app._notifications), f"said: {text}", within)

    async def sees_no(self, *texts: str) -> None:
        """Wait until none of these is on the screen."""
        await self.until(lambda: not any(text in self.screen for text in texts), "gone: " + ", ".join(texts))

    async def goes_to(self, name: str) -> None:
        """Move the cursor to a run, from the top down."""
        await self.press("g", "g")
        for _ in range(len(self.rows) + 1):
            if name in self.cursor_line:
                return
            await self.press("j")
        raise AssertionError(f"no row {name}\n{self.screen}")

    async def stands_on(self, name: str) -> None:
        """Move the cursor to a line of a tree, from the top down."""
        await self.press("g", "g")
        for _ in range(20):
            if any(line.startswith(">") and name in line for line in self.lines):
                return
            await self.press("j")
        raise AssertionError(f"no line {name}\n{self.screen}")

    async def rests(self) -> None:
        """Wait until every source has answered, every curve on the screen has come, and all of it is drawn."""

        def is_quiet() -> bool:
            desk, screen = self.app.desk, self.app.screen
            if desk is None or not all(desk.tower.has_listed(number) for number in range(len(desk.targets))):
                return False
            if not all(task.done() for asking in (desk.curves, desk.book) for task in asking._asking.values()):
                return False
            if isinstance(screen, OverScreen):
                return screen._due is None and not screen.is_busy
            return not isinstance(screen, RunsScreen) or (screen._due is None and screen._resting is None)

        await self.until(is_quiet, "rest")

    async def settles(self) -> None:
        """Wait until every source has answered and rows no longer come in by themselves."""
        await self.until(
            lambda: (
                self.app.desk is not None
                and all(link.health.heard_ms is not None for link in self.app.desk.tower.links)
                and not self.app.desk.growing
                and self.cursor_line
            ),
            "settled",
        )


# What the fixture `open_lab` gives: `async with open_lab() as tower`.
Open = Callable[..., AbstractAsyncContextManager[Tower]]


def settings_for(store: Path | str, **more: Any) -> Settings:
    """One source named lab, polled often."""
    uri = str(store) if "://" in str(store) else f"sqlite:///{store}"
    return Settings(sources={"lab": SourceSettings("mlflow", uri)}, **{"interval": 0.2, **more})


@asynccontextmanager
async def tower(
    settings: Settings,
    folder: Path,
    size: tuple[int, int] = (80, 24),
    environ: Mapping[str, str] | None = None,
    view: str = "",
    origins: Mapping[str, str] | None = None,
) -> AsyncIterator[Tower]:
    """The app as `runtower` starts it in a folder, its sources in processes of their own; `origins`: who says what."""
    starter = Starter(settings, Folders.of(), folder, origins)
    start = starter.here()
    start.view = view
    app = TowerApp(start, starter, {**os.environ, "TERM": "xterm-256color", **(environ or {})})
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Tower(app, pilot)
