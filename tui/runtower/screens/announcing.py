"""What a user is told while looking elsewhere: a toast, the terminal's bell, its title, and OSC 9 where it passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from textual.app import App

from runtower.present.glyphs import Glyphs
from runtower.present.spans import inert, shortened

if TYPE_CHECKING:
    from runtower.acts.alarms import Told

_NAME: Final = "runtower"
_LONGEST: Final = 200
_SHOWN_FOR: Final = 12.0  # seconds that something bad stays
_KEEP_TITLE, _OLD_TITLE = "\x1b[22;2t", "\x1b[23;2t"  # xterm's stack of titles; others ignore it


class Announcer:
    """Writes to the terminal when something is told, and at no other time. `outside`: the terminal's notification and
    title are used too."""

    def __init__(self, app: App[Any], glyphs: Glyphs, environ: Mapping[str, str], outside: bool) -> None:
        self._app = app
        self._glyphs = glyphs
        self._in_tmux = bool(environ.get("TMUX"))
        self._outside = outside
        self._titled = self._title_is_kept = False

    def tell(self, told: Told) -> None:
        """Once for all of it."""
        text = inert(told.text, self._glyphs) + ("  (:happened)" if len(told.happenings) > 1 else "")
        if told.is_bad:
            self._app.notify(text, severity="warning", timeout=_SHOWN_FOR, markup=False)
        else:
            self._app.notify(text, markup=False)
        if told.bell:
            self._app.bell()
        if self._outside:
            # Behind our name, since a text that begins with a number and a semicolon is another command to some.
            said = f"{_NAME}: {shortened(inert(told.text), _LONGEST)}"
            self._write(self._through(f"\x1b]9;{said}\x07"))
            self._write(("" if self._title_is_kept else _KEEP_TITLE) + f"\x1b]2;{said}\x07")
            self._titled = self._title_is_kept = True

    def trouble(self, text: str) -> None:
        """What went wrong on the way."""
        self._app.notify(inert(text, self._glyphs), severity="warning", timeout=_SHOWN_FOR, markup=False)

    def seen(self) -> None:
        """A key was pressed: the title needs nobody's eye any more."""
        if self._titled:
            self._titled = False
            self._write(f"\x1b]2;{_NAME}\x07")

    def leave(self) -> None:
        """The title that was there before."""
        if self._title_is_kept:
            self._write(_OLD_TITLE)

    def _through(self, sequence: str) -> str:
        """tmux hands on to the terminal around it what comes like this, where its allow-passthrough is on."""
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if self._in_tmux else sequence

    def _write(self, sequence: str) -> None:
        driver: Any = self._app._driver  # Textual has no public way to write a sequence of one's own
        if driver is not None:
            driver.write(sequence)
            driver.flush()
