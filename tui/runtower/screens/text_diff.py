"""Two texts line by line: side by side, or below each other where that is too narrow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult

from runtower.acts.face import Face
from runtower.acts.text_files import ComparedTexts, TextFile, compared
from runtower.domain.errors import TowerError
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import Span, inert, shortened, wrapped
from runtower.present.text_diff_lines import DiffLines, half_of, side_by_side, unified
from runtower.screens.move_keys import MoveKeys
from runtower.screens.over import OverScreen
from runtower.screens.run_lines import footer
from runtower_widgets.line import Line, Lines

_BESIDE: Final = 100
_ABOVE: Final = 3  # lines between the top and a change that was gone to
_FOOTER: Final = ("texts.next", "texts.differences", "app.back", "app.help", "live.refresh")


@dataclass(frozen=True)
class Side:
    """A file, `name` says whose: of a run, or of a commit."""

    name: str
    path: str
    read: Callable[[], Awaitable[TextFile]]


class TextDiffScreen(MoveKeys, OverScreen):
    """One method an action: `do_` + its id."""

    place: ClassVar[str] = "texts"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, left: Side, right: Side) -> None:
        super().__init__(keymap, glyphs, face)
        self._left = left
        self._right = right
        self._found: ComparedTexts | None = None
        self._error = ""
        self._only = True
        self._change = -1
        self._shown = DiffLines((), ())
        self._laid: tuple[object, ...] = ()
        self._reading: asyncio.Future[None] | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        yield Line(id="heads")
        yield Lines(id="page")
        yield Line(id="note")
        yield Line(id="keys")

    def begin(self) -> None:
        self._reading = asyncio.ensure_future(self._read())
        super().begin()

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    @property
    def is_busy(self) -> bool:
        return self._reading is None or not self._reading.done()

    async def _read(self) -> None:
        try:
            self._found = await compared(self._left.read(), self._right.read())
            self._error = ""
        except TowerError as error:
            self._found, self._error = None, str(error)
        self._laid = ()
        self.draw_soon()

    # -- drawing

    def draw(self) -> None:
        super().draw()
        if not self.is_there:
            return
        pane, width = self.query_one("#page", Lines), self.size.width
        asked = (self._found, self._error, self._only, width)
        if asked != self._laid:
            self._laid = asked
            self._lay(pane, width)
        self.query_one("#crumbs", Line).say(*self._crumbs(width))
        self.query_one("#heads", Line).say(self._heads(width))
        note = self._found.note if self._found is not None else ""
        self.query_one("#note", Line).set_class(bool(note), "said")
        self.query_one("#note", Line).say(
            [(f" {shortened(inert(note, self.glyphs), width - 2, self.glyphs)}", "warning")]
        )
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, width, _FOOTER))

    def _lay(self, pane: Lines, width: int) -> None:
        """The lines anew; the change that one was at stays in sight."""
        found = self._found
        if found is None:
            said: Spans = ((inert(self._error, self.glyphs), "warning") if self._error else ("Reading ...", "dim"),)
            pane.say([(), *(((" ", ""), *line) for line in wrapped(said, width - 2))], 0)
            return
        if not found.diff.is_different and self._only:
            key = self.keymap.shown("texts.differences")
            pane.say([(), ((" The lines are the same in both.", ""),), (), ((f" {key} shows them", "dim"),)], 0)
            self._shown = DiffLines((), ())
            return
        rows = found.diff.around() if self._only else found.diff.rows
        self._shown = (side_by_side if width >= _BESIDE else unified)(rows, width - 1, self.glyphs)
        self._change = min(max(self._change, 0), len(self._shown.changes) - 1)
        self._say(pane)

    def _say(self, pane: Lines) -> None:
        """The lines, with a sign at the change that one is at."""
        changes, lines = self._shown.changes, list(self._shown.lines)
        if 0 <= self._change < len(changes):
            here = changes[self._change]
            first, *rest = lines[here]
            lines[here] = ((self.glyphs.cursor, "bright"), (first[0][1:], first[1]), *rest)
            pane.say(lines, max(0, here - _ABOVE))
        else:
            pane.say(lines, 0)

    def _crumbs(self, width: int) -> tuple[Spans, Spans]:
        said = self._found.diff.summary() if self._found is not None else ""
        if len(self._shown.changes) > 1:
            said = f"change {self._change + 1} of {len(self._shown.changes)}   {said}"
        paths = dict.fromkeys(side.path for side in (self._left, self._right))
        room = max(8, width - len(said) - 16)
        what = shortened(inert(f" {self.glyphs.arrow} ".join(paths), self.glyphs), room, self.glyphs)
        return ((" texts ", "title"), (f"{self.glyphs.within} ", "dim"), (what, "bright")), ((f"{said} ", "dim"),)

    def _heads(self, width: int) -> list[Span]:
        """The rule over the texts, with whose they are."""
        dash, glyphs = self.glyphs.rule, self.glyphs
        names = [self._whose(side) for side in (self._left, self._right)]
        if width < _BESIDE:
            room = max(6, (width - 16) // 2)
            spans: list[Span] = [(f" {dash}{dash} ", "rule")]
            for sign, tone, name in zip("-+", ("worse", "better"), names, strict=True):
                spans += [(f"{sign} ", tone), (shortened(name, room, glyphs), "bright"), ("  ", "")]
        else:
            half = half_of(width - 1)
            left = shortened(names[0], half - 8, glyphs)
            spans = [(f" {dash}{dash} ", "rule"), (left, "bright"), (" ", "")]
            spans.append((dash * max(0, half - cell_len(left) - 4) + glyphs.tee + f"{dash}{dash} ", "rule"))
            spans += [(shortened(names[1], width - half - 8, glyphs), "bright"), (" ", "")]
        used = sum(cell_len(text) for text, _ in spans)
        return [*spans, (dash * max(0, width - used - 1), "rule")]

    def _whose(self, side: Side) -> str:
        """The run, with the path where the two have others."""
        path = f" {side.path}" if self._left.path != self._right.path else ""
        return inert(f"{side.name}{path}", self.glyphs)

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id.startswith("texts.") and self._found is None:
            return "there are no two texts to compare" if self._error else "the files are being read"
        if action_id in ("texts.next", "texts.previous") and not self._shown.changes:
            return "no line differs"
        return ""

    def _go(self, by: int) -> None:
        """To another change, around the end."""
        self._change = (self._change + by) % len(self._shown.changes)
        self._say(self.query_one("#page", Lines))
        self.draw()

    def do_texts_next(self) -> None:
        self._go(1)

    def do_texts_previous(self) -> None:
        self._go(-1)

    def do_texts_differences(self) -> None:
        self._only = not self._only
        self.draw()

    def _move(self, by: int) -> None:
        self.query_one("#page", Lines).move_by(by)

    def _page(self, pages: float) -> None:
        self._move(int(pages * max(2, self.query_one("#page", Lines).size.height)))

    def do_page_first(self) -> None:
        self._move(-(10**6))

    def do_page_last(self) -> None:
        self._move(10**6)

    def do_live_refresh(self) -> None:
        """Read both again."""
        if not self.is_busy:
            self._reading = asyncio.ensure_future(self._read())

    def do_app_back(self) -> None:
        self.dismiss()
