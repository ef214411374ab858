"""Searching in a log: from hit to hit, and from error to error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import on

from runtower.acts.log_lines import LogLines, errors, hits
from runtower.keymap import Keymap
from runtower.screens.needle import Needle
from runtower.screens.run_tabs import Opened, RunTab
from runtower_widgets.line import Lines

_CONTEXT: Final = 3


class LogSearch(RunTab):
    """What the keys do that look for something in the lines of the log."""

    def __init__(self, keymap: Keymap, opened: Opened) -> None:
        super().__init__(keymap, opened)
        self._run_log = opened.log
        self._follows = True
        self._needle = ""
        self._here = -1
        self._found: tuple[Sequence[str], str, Sequence[int]] = ((), "", ())
        self._wrong: tuple[Sequence[str], Sequence[int]] = ((), ())
        self._drawn: LogLines | None = None

    @property
    def pane(self) -> Lines:
        return self.query_one("#log", Lines)

    def _hits(self) -> Sequence[int]:
        """The lines that hold what is searched for."""
        lines = self._run_log.text.lines
        if self._found[0] is not lines or self._found[1] != self._needle:
            self._found = (lines, self._needle, hits(lines, self._needle))
        return self._found[2]

    @property
    def _is_typing(self) -> bool:
        return self.query_one(Needle).is_typing

    def _errors(self) -> Sequence[int]:
        """The lines that tell of an error."""
        lines = self._run_log.text.lines
        if self._wrong[0] is not lines:
            self._wrong = (lines, errors(lines))
        return self._wrong[1]

    def do_log_search(self) -> None:
        self.query_one(Needle).ask(self._needle)
        self.draw_soon()

    @on(Needle.Typed)
    def _typed(self, event: Needle.Typed) -> None:
        self._needle = event.text
        self.draw_soon()

    @on(Needle.Searched)
    def _searched(self, event: Needle.Searched) -> None:
        self._leave_search()
        if self._needle:
            self._go_to(self._hits(), -1 if self._follows else 1, "nothing is found")

    def _leave_search(self) -> None:
        self.query_one(Needle).leave()
        self.set_focus(self.pane)
        self.draw_soon()

    def do_log_next(self) -> None:
        self._go_to(self._hits(), 1, "no further hit")

    def do_log_previous(self) -> None:
        self._go_to(self._hits(), -1, "no earlier hit")

    def do_log_error_next(self) -> None:
        self._go_to(self._errors(), 1, "no further error")

    def do_log_error_previous(self) -> None:
        self._go_to(self._errors(), -1, "no earlier error")

    def _go_to(self, lines: Sequence[int], step: int, none: str) -> None:
        """The next of these lines, seen from the one that was found last or else from what is on the screen."""
        drawn, pane = self._drawn, self.pane
        if drawn is None:
            return
        first = drawn.line_at(pane.top)
        last = drawn.line_at(min(len(drawn), pane.top + pane.size.height) - 1)
        beyond = first - 1 if step > 0 else last + 1
        start = self._here if first <= self._here <= last else beyond
        ahead = [one for one in lines if one > start] if step > 0 else [one for one in lines if one < start]
        if not ahead:
            self.say(none)
            return
        self._here = ahead[0] if step > 0 else ahead[-1]
        if not first + 1 <= self._here <= last - 1:
            pane.move_by(drawn.row_of(max(0, self._here - _CONTEXT)) - pane.top)
        self._follows = False
        self.draw()
