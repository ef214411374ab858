"""The Textual application: themes, the first paint, and then everything that is heavy.

Before the first paint only Textual, msgspec and the standard library are imported; numpy, Arrow and what stands on them
come right after it, in a thread (`_wake`).
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import locale
import os
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App
from textual.binding import BindingType

from runtower.keymap import Keymap
from runtower.link.blas import one_thread
from runtower.present.glyphs import ASCII, UNICODE, Glyphs
from runtower.screens.announcing import Announcer
from runtower.screens.driver import LeavingDriver
from runtower.screens.empty import EmptyScreen, Found
from runtower.screens.run_keys import RunsScreen
from runtower.settings import Settings
from runtower.starting import Start, Starter
from runtower.styles.themes import THEMES

if TYPE_CHECKING:
    from runtower.acts.face import Desk, Face


class TowerApp(App[None], inherit_bindings=False):
    """runtower on the screen."""

    CSS_PATH: ClassVar[Any] = "styles/app.tcss"
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = []
    TITLE = "runtower"

    def __init__(
        self,
        start: Start,
        starter: Starter,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`starter` makes another start from what a user names on the first screen."""
        self._environ = os.environ if environ is None else environ
        super().__init__(driver_class=LeavingDriver)
        self._start = start
        self._starter = starter
        settings = starter.settings
        self.glyphs = glyphs_for(settings, self._environ)
        self._mouse_on = settings.mouse
        self._announcer = Announcer(self, self.glyphs, self._environ, settings.notify)
        self.desk: Desk | None = None
        self._waking: asyncio.Future[None] | None = None
        self._tower_keys = Keymap(settings.keys)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = settings.theme if settings.theme in ("dark", "light", "contrast") else theme_of(self._environ)

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        if self._start.targets:
            self._show_runs()
        else:
            gc.enable()
            self.push_screen(
                EmptyScreen(self._tower_keys, Found(self._start.folder, tuple(self._start.looked)), self._named)
            )

    def _named(self, uri: str | None) -> None:
        """The first screen was told what to open. Raises TowerError where that can't be."""
        self._start = self._starter.demo(None) if uri is None else self._starter.named(uri)
        self.pop_screen()
        self._show_runs()

    def _show_runs(self) -> None:
        screen = RunsScreen(self._tower_keys, self.glyphs)
        screen.steps = self._start.steps
        self.push_screen(screen)
        screen.call_after_refresh(self._begin_to_wake, screen)

    def _begin_to_wake(self, screen: RunsScreen) -> None:
        """As a task of its own: the screen's messages, and with them its first frame, don't wait for it."""
        self._waking = asyncio.ensure_future(self._wake(screen))

    async def _wake(self, screen: RunsScreen) -> None:
        """Bring in the data's side, show what was known last time, then listen."""
        module = await asyncio.to_thread(_bring_in_the_data)
        start = self._start
        desk: Desk = module.Desk(start, self._starter, self.glyphs, screen.draw_soon)
        face: Face = module.Face(desk, self.glyphs)
        self.desk = desk
        desk.alarms.on_told.append(self._announcer.tell)
        desk.alarms.on_trouble.append(self._announcer.trouble)
        cached = await asyncio.to_thread(desk.read_cache)
        gc.collect()
        gc.freeze()  # what was imported stays; a full collection over it would stall a key for 20 ms and more
        gc.enable()
        await screen.seat(face)
        await desk.begin(cached)
        screen.lay_panes(screen.size.width, screen.size.height)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self._announcer.seen()
        await super().on_event(event)

    def on_runs_screen_mouse_toggled(self) -> None:
        """Give the mouse to the terminal or take it back. Textual's driver has no public way to do it while it runs."""
        self._mouse_on = not self._mouse_on
        driver: Any = self._driver
        (driver._enable_mouse_support if self._mouse_on else driver._disable_mouse_support)()
        self.notify("the mouse is on" if self._mouse_on else "the mouse is off: the terminal's own selection works")

    async def on_unmount(self) -> None:
        """Everything ends at once: the view is kept, the processes see their descriptors close."""
        self._announcer.leave()
        if self.desk is not None:
            self.desk.keep()
            self.desk.editor.close()
            self.desk.registrar.close()
            self.desk.tower.stop()
        else:
            for link in self._start.links:
                link.close()

    def let_go(self) -> None:
        """After the screen is gone: what was started for it ends too (the demo says where it was)."""
        self._start.ended()


def _bring_in_the_data() -> ModuleType:
    with one_thread():
        return importlib.import_module("runtower.acts.face")


def glyphs_for(settings: Settings, environ: Mapping[str, str]) -> Glyphs:
    """ASCII where it is set, on the Linux console, and in a locale that isn't UTF-8."""
    if settings.glyphs != "auto":
        return ASCII if settings.glyphs == "ascii" else UNICODE
    encoding = locale.getpreferredencoding(False).lower().replace("-", "")
    return ASCII if environ.get("TERM") == "linux" or encoding != "utf8" else UNICODE


def theme_of(environ: Mapping[str, str]) -> str:
    """Light where the terminal says so in COLORFGBG (`foreground;background`), dark else."""
    background = environ.get("COLORFGBG", "").rsplit(";", 1)[-1]
    return "light" if background in ("7", "15") else "dark"
