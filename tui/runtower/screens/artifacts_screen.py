"""The artifacts of a run: a tree, the beginning of the file under the cursor, and a download."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer

from runtower.domain.artifacts import Artifact, Piece
from runtower.domain.errors import Cancelled, TowerError
from runtower.keymap import Keymap
from runtower.present.preview import FIRST_BYTES
from runtower.present.spans import wrapped
from runtower.screens.artifact_diff import DiffKeys
from runtower.screens.artifact_download import DownloadKeys
from runtower.screens.artifact_lines import beginning, head, instead
from runtower.screens.move_keys import PageKeys
from runtower.screens.run_lines import footer
from runtower.screens.run_tabs import OpenedRun, RunTab
from runtower_widgets.line import Line, Lines
from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn

_WIDE: Final = 100
_TREE_WIDE: Final = 44
_SIZE: Final = 8
_REST: Final = 0.05
_KEPT: Final = 16
_FOOTER: Final = (
    "app.help",
    "tree.unfold",
    "tree.fold",
    "artifact.text",
    "artifact.diff",
    "artifact.mark",
    "artifact.download",
    "pane.next",
    "log.open",
    "tab.next",
    "live.refresh",
)


class ArtifactsScreen(PageKeys, DownloadKeys, DiffKeys, RunTab):
    """One method an action: `do_` + its id."""

    place: ClassVar[str] = "artifacts"
    tab: ClassVar[str] = "artifacts"
    AUTO_FOCUS: ClassVar[str | None] = "#tree"

    opened: OpenedRun

    def __init__(self, keymap: Keymap, opened: OpenedRun) -> None:
        super().__init__(keymap, opened)
        self.tree_rows = opened.tree
        self._resting: Timer | None = None
        self._looking: asyncio.Future[None] | None = None
        self._reading: asyncio.Future[None] | None = None
        self._pieces: OrderedDict[Artifact, Piece | str] = OrderedDict()
        self._as_text: set[str] = set()
        self._shown = ""

    def compose(self) -> ComposeResult:
        yield Line(id="crumbs")
        with Container(id="files"):
            yield RowTable(id="tree")
            with Container(id="looked"):
                yield Line(id="file")
                yield Lines(id="preview")
        yield Line(id="said")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self._looking = asyncio.ensure_future(self.tree_rows.look())

    def on_unmount(self) -> None:
        for task in (self._looking, self._reading):
            if task is not None:
                task.cancel()

    def on_resize(self, event: events.Resize) -> None:
        wide = event.size.width >= _WIDE
        self.query_one("#files").set_class(wide, "wide")
        self.table.styles.height = "1fr" if wide else max(4, (event.size.height - 4) * 2 // 5)

    @property
    def table(self) -> RowTable:
        return self.query_one("#tree", RowTable)

    @property
    def chosen(self) -> Artifact | None:
        """The file or folder under the cursor."""
        return self.tree_rows.at(self.table.cursor)

    @property
    def is_busy(self) -> bool:
        reading = self._resting is not None or any(
            task is not None and not task.done() for task in (self._looking, self._reading)
        )
        return reading or self.is_downloading

    # -- drawing

    def draw(self) -> None:
        super().draw()
        if not self.is_there:
            return
        tree, table, width = self.tree_rows, self.table, self.size.width
        tree.mark(self.marked_here())
        own = _TREE_WIDE if width >= _WIDE else width
        columns = [
            TableColumn("gutter", "", 1, frozen=True),
            TableColumn("name", "artifacts", own - _SIZE - 5, frozen=True),
            TableColumn("size", "size", _SIZE, True, True),
        ]
        if table.rows is not tree or table.columns != columns or table.cursor != tree.cursor:
            table.show(tree, columns, tree.cursor)
        else:
            table.sync()
        self._draw_file()
        self.draw_said()
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, width, _FOOTER))

    def _draw_file(self) -> None:
        about, pane = self.query_one("#file", Line), self.query_one("#preview", Lines)
        width = max(10, (about.size.width or self.size.width) - 2)
        found = self.chosen
        why = instead(self.tree_rows, found, self.opened.files.uri, self.glyphs)
        said, lines = "", [short for line in why for short in wrapped(line, width)]
        if found is not None and not lines:
            piece, as_text = self._pieces.get(found), found.path in self._as_text
            said, lines = beginning(found, piece, width, as_text, self.keymap.shown("artifact.text"), self.glyphs)
        about.say(head(found.path if found is not None else "", said, width + 2, self.glyphs))
        shown = f"{found.path if found else ''} {found is not None and found.path in self._as_text}"
        pane.say([((" ", ""), *line) for line in lines], None if shown == self._shown else 0)
        self._shown = shown

    # -- the file under the cursor

    def on_row_table_moved(self) -> None:
        self.tree_rows.cursor = self.table.cursor
        self.draw_soon()
        if self._resting is None:
            self._resting = self.set_timer(_REST, self._rested)

    async def on_row_table_opened(self) -> None:
        await self.act("tree.unfold")

    def draw_soon(self) -> None:
        super().draw_soon()
        if self._resting is None and self.is_there and self.chosen not in self._pieces:
            self._resting = self.set_timer(_REST, self._rested)

    def _rested(self) -> None:
        """The cursor stands: what it stands on is read, and what was asked for before no more."""
        self._resting = None
        found = self.chosen
        if found is not None and not found.is_dir and found not in self._pieces:
            self._reading = asyncio.ensure_future(self._read(found))

    async def _read(self, found: Artifact) -> None:
        with suppress(Cancelled):
            try:
                self._pieces[found] = await self.opened.files.part(found.path, 0, FIRST_BYTES, topic="preview")
            except Cancelled:
                raise
            except TowerError as error:
                self._pieces[found] = str(error)
            while len(self._pieces) > _KEPT:
                self._pieces.popitem(last=False)
            self.draw_soon()

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id.startswith("artifact."):
            found = self.chosen
            if found is None:
                return "there is no file here"
            if found.is_dir:
                return "it is a folder; choose one of its files"
            if action_id == "artifact.diff":
                return self.why_no_diff()
            return self.why_no_download() if action_id == "artifact.download" else ""
        if action_id == "tree.unfold" and self.chosen is None:
            return "there is nothing here"
        return ""

    def _in_preview(self) -> bool:
        return self.focused is not None and self.focused.id == "preview"

    def _move(self, by: int) -> None:
        if self._in_preview():
            self.query_one("#preview", Lines).move_by(by)
        else:
            self.table.move_by(by)

    def _page(self, pages: float) -> None:
        pane = self.query_one("#preview", Lines)
        self._move(int(pages) * max(1, pane.size.height if self._in_preview() else self.table.page))

    def do_move_half_down(self) -> None:
        self._scroll(1)

    def do_move_half_up(self) -> None:
        self._scroll(-1)

    def _scroll(self, side: int) -> None:
        """The file, wherever the cursor is."""
        pane = self.query_one("#preview", Lines)
        pane.move_by(side * max(1, pane.size.height // 2))

    def do_page_first(self) -> None:
        self._move(-(10**6))

    def do_page_last(self) -> None:
        self._move(10**6)

    def do_pane_next(self) -> None:
        (self.table if self._in_preview() else self.query_one("#preview", Lines)).focus()

    def do_pane_previous(self) -> None:
        self.do_pane_next()

    async def do_tree_unfold(self) -> None:
        """A folder; of a file its beginning gets the keys."""
        found = self.chosen
        if found is None or self._in_preview():
            return
        if not found.is_dir:
            self.do_pane_next()
        elif not self.tree_rows.is_open(found.path):
            await self.tree_rows.unfold(found.path)

    def do_tree_fold(self) -> None:
        if self._in_preview():
            self.table.focus()
        else:
            self.tree_rows.cursor = self.tree_rows.fold(self.table.cursor)
            self.draw()

    def do_artifact_text(self) -> None:
        found = self.chosen
        assert found is not None
        self._as_text ^= {found.path}
        self.draw()

    def do_log_open(self) -> None:
        self.dismiss("log")

    def do_live_refresh(self) -> None:
        self._pieces.clear()
        self._looking = asyncio.ensure_future(self.tree_rows.look())

    async def do_app_back(self) -> None:
        """One step back: the download, the pane, the page."""
        if self.is_downloading:
            self.stop_download()
        elif self._in_preview():
            self.table.focus()
        else:
            self.dismiss("")
