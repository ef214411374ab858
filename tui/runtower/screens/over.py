"""What the screens over the table of runs have in common: they draw what the desk knows, within a frame of its news."""

from __future__ import annotations

from typing import Any, Final

from textual import events
from textual.await_complete import AwaitComplete
from textual.timer import Timer

from runtower.actions import at
from runtower.acts.face import Face
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.screens.everywhere import next_theme, offer
from runtower.screens.keys import KeyScreen

_FRAME: Final = 0.03


class OverScreen(KeyScreen):
    """Textual calls the handlers (`on_...`) of a screen's own class and of this one: they don't call each other."""

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face) -> None:
        super().__init__(keymap)
        self.glyphs = glyphs
        self.face = face
        self._due: Timer | None = None
        self._is_left = False

    def on_mount(self) -> None:
        self.face.desk.on_change.append(self.draw_soon)
        self.call_after_refresh(self.begin)

    def on_unmount(self) -> None:
        if self.draw_soon in self.face.desk.on_change:
            self.face.desk.on_change.remove(self.draw_soon)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.draw)

    def begin(self) -> None:
        """The screen has its size: draw for the first time."""
        self.draw()

    def draw_soon(self) -> None:
        """Draw within a frame; many calls become one."""
        if self._due is None and self.is_there:
            self._due = self.set_timer(_FRAME, self.draw)

    def draw(self) -> None:
        """Bring every line to what is known now. Each screen draws only while it `is_there`."""
        self._due = None

    @property
    def is_there(self) -> bool:
        """Whether there is something to draw on: not before it stands, nor while it is taken down."""
        return bool(self.is_mounted and self.is_attached and self.size.width and not self._is_left)

    @property
    def is_busy(self) -> bool:
        """Whether something is being read for this screen."""
        return False

    def dismiss(self, result: Any = None) -> AwaitComplete:
        self._is_left = True
        return super().dismiss(result)

    def pause_or_go_on(self) -> None:
        """Stop watching, or watch again, and say so."""
        desk = self.face.desk
        desk.pause(not desk.paused)
        self.say("paused" if desk.paused else "watching again")

    def do_app_quit(self) -> None:
        """Inside a screen over the runs it goes back to them."""
        self.dismiss()

    def do_app_help(self) -> None:
        offer(self, "keys", at(self.place))

    def do_app_palette(self) -> None:
        self.do_app_help()

    def do_app_theme(self) -> None:
        next_theme(self.app)
