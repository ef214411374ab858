"""The first screen where nothing was found: what to do, in four lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from runtower.acts.snippet import SNIPPET
from runtower.domain.errors import TowerError
from runtower.keymap import Keymap
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, wrapped
from runtower.screens.keys import KeyScreen
from runtower_widgets.line import Lines


@dataclass(frozen=True, slots=True)
class Found:
    """Where was looked, and for what."""

    folder: Path
    looked: tuple[str, ...]


class EmptyScreen(KeyScreen):
    """Asks for a server, a file or a folder, or offers the demo. `named` opens what was named (None: the demo)."""

    place: ClassVar[str] = "empty"
    AUTO_FOCUS: ClassVar[str | None] = ""  # keys are the screen's until the address is asked for

    def __init__(self, keymap: Keymap, found: Found, named: Callable[[str | None], None]) -> None:
        super().__init__(keymap)
        self._found = found
        self._named = named
        self._answer = ""

    def compose(self) -> ComposeResult:
        yield Lines(id="first", can_focus=False)
        field = Input(placeholder="sqlite:///mlflow.db, ./mlruns, a folder, http://host:5000", id="address")
        field.cursor_blink = False
        yield field
        yield Lines(id="answer", can_focus=False)

    def on_mount(self) -> None:
        lines = [short for line in self._lines() for short in wrapped(line, self.app.size.width - 4)]
        first = self.query_one("#first", Lines)
        first.styles.height = len(lines) + 2
        first.say(lines)
        self.set_focus(None)

    def _lines(self) -> list[Spans]:
        folder = inert(self._found.folder.name or str(self._found.folder))
        looked = ", ".join(self._found.looked) or "mlflow.db, mlruns/, CSV logs, MLFLOW_TRACKING_URI"
        rows: list[Spans] = [
            (("Nothing to show in ", ""), (folder, "bright"), (" yet. Looked here and up to its root for", "")),
            ((inert(looked), "dim"),),
            (),
        ]
        for action_id, text in (
            ("empty.uri", "a server or a file: type where it is"),
            ("empty.demo", "the demo: a real little project, live, in a folder of its own"),
            ("empty.snippet", "three lines of Python that log a first run"),
            ("app.help", "what is wrong: runtower doctor"),
            ("app.quit", "quit"),
        ):
            rows.append(((f"  {self.keymap.shown(action_id):<4}", "key"), (text, "")))
        return rows

    def do_empty_uri(self) -> None:
        self.add_class("naming")
        self.query_one("#address", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.is_current:
            self._open(event.value.strip())

    def _open(self, uri: str | None) -> None:
        if uri == "":
            return
        try:
            self._named(uri)
        except TowerError as error:
            said: list[Spans] = [((inert(error.tried), "warning"),), ((inert(error.remedy), ""),)]
            self._say([short for line in said for short in wrapped(line, self.app.size.width - 4)])

    def do_empty_demo(self) -> None:
        self._open(None)

    def do_empty_snippet(self) -> None:
        self.app.copy_to_clipboard(SNIPPET)
        lines: list[Spans] = [((line, "bright"),) for line in SNIPPET.splitlines()]
        self._say([*lines, (), (("sent to the terminal's clipboard (OSC 52)", "dim"),)])

    def _say(self, lines: list[Spans]) -> None:
        answer = self.query_one("#answer", Lines)
        answer.styles.height = len(lines) + 2
        answer.say(lines)

    def do_app_help(self) -> None:
        self._say(
            [
                (("runtower doctor", "bright"), (" says what was found, what answers, and what is wrong.", "")),
                (("runtower PATH", "bright"), (" or ", ""), ("runtower URI", "bright"), (" opens that.", "")),
            ]
        )

    def do_app_back(self) -> None:
        self.remove_class("naming")
        self.set_focus(None)

    def do_app_quit(self) -> None:
        self.app.exit()
