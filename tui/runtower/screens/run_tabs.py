"""What the pages of an opened run have in common: its head, its tabs, and the keys that lead away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from runtower.acts.artifact_tree import ArtifactTree
from runtower.acts.run_files import RunFiles
from runtower.acts.run_log import LogFiles, RunLog
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import Span, inert, shortened
from runtower.screens.copying import copy_out
from runtower.screens.over import OverScreen
from runtower_widgets.line import Line

if TYPE_CHECKING:
    from runtower.acts.face import Desk, Face

_FRAME = 0.03


@dataclass
class Download:
    """The one that was begun last: its task, and what is said of it."""

    task: asyncio.Future[None] | None = None
    said: str = ""
    tone: str = ""


@dataclass(kw_only=True)
class Opened:
    """What was opened and has a log, under the name of what it was opened from. `heard` is called after news of its
    files: the page that is shown redraws."""

    face: Face
    glyphs: Glyphs
    tabs: Sequence[str]
    files: LogFiles
    log: RunLog = field(init=False)
    heard: Callable[[], None] = field(default=lambda: None)
    home: str = "runs"

    def __post_init__(self) -> None:
        self.log = RunLog(self.files, self.glyphs, lambda: self.heard())

    @property
    def desk(self) -> Desk:
        return self.face.desk

    @property
    def name(self) -> str:
        """What people call it."""
        return self.files.name

    @property
    def beside(self) -> tuple[str, str]:
        """What was opened with it, and what was left out for want of room."""
        return "", ""

    def after(self, tab: str, by: int) -> str:
        """The tab so many further on."""
        return self.tabs[(self.tabs.index(tab) + by) % len(self.tabs)]


@dataclass(kw_only=True)
class OpenedRun(Opened):
    """The run that was opened, the first of `rows` (global ones), with those beside it, and its files as they are
    known so far."""

    files: RunFiles
    rows: Sequence[int]
    left_out: int
    tree: ArtifactTree = field(init=False)
    download: Download = field(default_factory=Download)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tree = ArtifactTree(self.files, self.glyphs, lambda: self.heard())

    @property
    def name(self) -> str:
        return self.face.name_of(self.rows[0])

    @property
    def beside(self) -> tuple[str, str]:
        more = f" and {len(self.rows) - 1} more" if len(self.rows) > 1 else ""
        return more, f" ({self.left_out} left out)" if self.left_out else ""


def opened_run(face: Face, glyphs: Glyphs, rows: Sequence[int], left_out: int, tabs: Sequence[str]) -> OpenedRun:
    """A run that is opened now, none of whose files is known."""
    files = RunFiles(face.desk.tower, rows[0])
    return OpenedRun(face=face, glyphs=glyphs, tabs=tabs, files=files, rows=rows, left_out=left_out)


def crumbs(opened: Opened, tab: str, width: int, said: str = "") -> tuple[Spans, Spans]:
    """The head line: the run at the left, at the right the tabs and what is `said` of the chosen one."""
    glyphs = opened.glyphs
    gap = 2 if width >= 100 else 0
    room = max(8, width - sum(len(one) + 2 + gap for one in opened.tabs) - len(said) - 22)
    more, left_out = opened.beside
    left: list[Span] = [(f" {opened.home} ", "title"), (f"{glyphs.within} ", "dim")]
    left += [(shortened(inert(opened.name, glyphs), room, glyphs), "bright"), (more, ""), (left_out, "warning")]
    return tuple(left), tabs_line(opened.tabs, tab, gap, said)


def tabs_line(tabs: Sequence[str], tab: str, gap: int, said: str = "") -> Spans:
    """The names of the tabs with the chosen one in brackets, and behind them what is `said` of it."""
    spans: list[Span] = []
    for one in tabs:
        text, tone = (f"[{one}]", "active") if one == tab else (f" {one} ", "dim")
        spans += [(text, tone), (" " * gap, "")]
    if said:
        spans.append((f" {said} ", ""))
    return tuple(spans)


class RunTab(OverScreen):
    """A page over the run screen. Gives the tab to turn to, '' for back to the runs."""

    tab: ClassVar[str] = ""

    def __init__(self, keymap: Keymap, opened: Opened) -> None:
        super().__init__(keymap, opened.glyphs, opened.face)
        self.opened = opened

    def on_mount(self) -> None:
        self.opened.heard = self.draw_soon

    def draw(self) -> None:
        """Bring the head line to what is known now; each page draws the rest."""
        super().draw()
        if self.is_there:
            self.query_one("#crumbs", Line).say(*crumbs(self.opened, self.tab, self.size.width))

    # -- keys

    def turn(self, tab: str) -> None:
        """To another tab, which the next run opens with too."""
        self.opened.desk.run_tab = tab
        self.dismiss(tab)

    def do_tab_next(self) -> None:
        self.turn(self.opened.after(self.tab, 1))

    def do_tab_previous(self) -> None:
        self.turn(self.opened.after(self.tab, -1))

    async def do_take_id(self) -> None:
        self.say(await copy_out(self.app, self.opened.files.run_id, self.opened.desk.copied_file))

    def do_live_pause(self) -> None:
        self.pause_or_go_on()

    def do_app_back(self) -> Awaitable[None] | None:
        self.dismiss("")
        return None
