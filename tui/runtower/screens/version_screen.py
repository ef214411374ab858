"""One version of a model: who has it, what it takes and gives, what it is made of, and where it came from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult

from runtower.acts.face import Face
from runtower.acts.registry_words import uri_of, version_name
from runtower.acts.version_about import about_version
from runtower.acts.version_files import VersionFiles, files_of
from runtower.acts.version_lineage import Lineage, lineage_of
from runtower.acts.version_lines import file_lines, lineage_lines
from runtower.acts.version_rows import runs_of
from runtower.domain.models import Model, ModelNow, ModelVersion
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, shortened, wrapped
from runtower.screens.model_keys import RegistryKeys
from runtower.screens.move_keys import LineKeys
from runtower.screens.run_lines import footer
from runtower.screens.run_screen import RunScreen
from runtower.screens.version_keys import VersionKeys
from runtower_widgets.line import Line, Lines

_FOOTER: Final = (
    "app.help",
    "app.back",
    "version.promote",
    "version.back",
    "version.compare",
    "version.run",
    "take.uri",
    "model.edit",
    "version.download",
)


class VersionScreen(VersionKeys, RegistryKeys, LineKeys):
    """Gives whether one goes on to the runs."""

    place: ClassVar[str] = "version"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, number: int, name: str, version: str) -> None:
        super().__init__(keymap, glyphs, face)
        self._named = (number, name)
        self.version = version
        self._unwatch = face.desk.registries.watch((number, name))
        self._files: VersionFiles | None = None
        self._lineage: Lineage | None = None
        self._reading: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="status")
        yield Lines(id="page")
        yield Line(id="said")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.page.focus()

    @property
    def page(self) -> Lines:
        return self.query_one("#page", Lines)

    def on_unmount(self) -> None:
        self._unwatch()
        if self._reading is not None:
            self._reading.cancel()

    @property
    def now(self) -> ModelNow | None:
        return self.registries.model(self.number, self._named[1])

    # -- reading

    async def _read(self, one: ModelVersion) -> None:
        tower = self.face.desk.tower
        self._files = await files_of(tower, self.number, one)
        self.draw_soon()
        row = runs_of(tower, self.number, [one]).get(one.version)
        self._lineage = await lineage_of(tower, row) if row is not None else None
        self.draw_soon()

    # -- drawing

    def draw(self) -> None:
        """Bring every line to what is known now."""
        super().draw()
        if not self.is_there:
            return
        one = self.version_here
        if one is not None and self._reading is None:
            self._reading = asyncio.ensure_future(self._read(one))
        self.query_one("#status", Line).say(*self._status())
        width = self.size.width - 2
        pieces = [short for line in self._lines(one, width) for short in wrapped(line, width)]
        self.page.say([((" ", ""), *line) for line in pieces])
        self.draw_said()
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width, _FOOTER))

    def _status(self) -> tuple[Spans, Spans]:
        glyphs = self.glyphs
        name = shortened(inert(self._named[1], glyphs), max(8, self.size.width - 40), glyphs)
        left: Spans = ((" models ", "title"), (f"{glyphs.within} ", "dim"), (name, ""), (f" {glyphs.within} ", "dim"))
        one = self.version_here
        held = " ".join(f"@{alias}" for alias in one.aliases) if one is not None else ""
        right = shortened(held, self.size.width // 3, glyphs)
        return (*left, (version_name(self.version), "bright")), ((right + " ", "hit"),)

    def _lines(self, one: ModelVersion | None, width: int) -> Sequence[Spans]:
        if one is None:
            error = self.registries.error(self.number, self._named[1])
            gone = f"{self._named[1]} {version_name(self.version)} isn't there any more."
            if self.now is None:
                return [((str(error), "warning") if error is not None else ("Reading ...", "dim"),)]
            return [((gone, "warning"),)]
        tower = self.face.desk.tower
        row = runs_of(tower, self.number, [one]).get(one.version)
        lines: list[Spans] = [*about_version(tower, one, row, self.glyphs)]
        lines += file_lines(self._files, one, width, self.glyphs)
        if row is not None:
            lines += lineage_lines(self._lineage)
        return [tuple((inert(text, self.glyphs), tone) for text, tone in line) for line in lines]

    # -- which version

    def registered_name(self) -> tuple[int, str]:
        return self._named

    @property
    def model_here(self) -> Model | None:
        return self.now.model if self.now is not None else None

    @property
    def version_here(self) -> ModelVersion | None:
        return self.now.version(self.version) if self.now is not None else None

    @property
    def marked(self) -> Sequence[ModelVersion]:
        return ()

    # -- keys

    def why_not(self, action_id: str) -> str:
        needs = action_id.split(".")[0] in ("version", "take", "model")
        if needs and self.version_here is None:
            return "the version isn't there"
        if action_id == "version.run" and self._run_row is None:
            return "its run isn't among the runs of this source"
        return self.why_no_version(action_id)

    @property
    def _run_row(self) -> int | None:
        one = self.version_here
        return runs_of(self.face.desk.tower, self.number, [one]).get(one.version) if one is not None else None

    def do_version_run(self) -> None:
        row = self._run_row
        assert row is not None
        self.app.push_screen(RunScreen(self.keymap, self.glyphs, self.face, [row]), lambda _: self.draw_soon())

    def uri_here(self) -> str:
        one = self.version_here
        assert one is not None
        return uri_of(one)

    def do_live_refresh(self) -> None:
        self._reading = None
        super().do_live_refresh()
        self.draw_soon()

    def do_live_pause(self) -> None:
        self.pause_or_go_on()

    def do_app_back(self) -> None:
        if not self.stop_download():
            self.dismiss(False)

    def do_app_quit(self) -> None:
        self.dismiss(False)
