"""The sources: how each is, which are shown, one more, read-only or not, trusted or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, work
from textual.app import ComposeResult

from runtower.actions import at
from runtower.domain.errors import TowerError
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import inert, wrapped
from runtower.screens.ask import Ask
from runtower.screens.confirm import Confirm
from runtower.screens.everywhere import offer
from runtower.screens.keys import KeyScreen
from runtower.screens.move_keys import RowKeys
from runtower.screens.run_lines import footer, rule
from runtower_widgets.line import Line, Lines
from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn

if TYPE_CHECKING:
    from runtower.acts.face import Desk, Face
    from runtower.acts.open_sources import OpenSources
    from runtower.acts.trust import Doubt
    from runtower.domain.targets import Target

_EVERY: Final = 0.5
_FOOTER: Final = (
    "app.help",
    "app.back",
    "sources.toggle",
    "sources.only",
    "sources.add",
    "sources.all",
    "sources.trust",
    "sources.read_only",
    "live.refresh",
)
_HEADS: Final[tuple[tuple[str, str, int, bool], ...]] = (
    ("gutter", "", 3, False),
    ("source", "source", 14, False),
    ("state", "state", 12, False),
    ("runs", "runs", 7, True),
    ("exps", "exps", 5, True),
    ("answer", "answer", 8, True),
    ("access", "", 10, False),
)
_NARROW: Final = 100
_TALL: Final = 20
_ABOUT: Final = 7
_ABOUT_SMALL: Final = 4


class SourcesScreen(RowKeys, KeyScreen):
    """A page over the runs. Gives whether other runs are to be shown than before it was opened."""

    place: ClassVar[str] = "sources"
    AUTO_FOCUS: ClassVar[str | None] = "#sources"

    def __init__(self, keymap: Keymap, face: Face, glyphs: Glyphs) -> None:
        super().__init__(keymap)
        self._face = face
        self._glyphs = glyphs
        self._rows = face.sources()
        self._before = face.desk.browser.query

    def compose(self) -> ComposeResult:
        yield Line(id="status")
        yield RowTable(id="sources")
        yield Line(id="rule")
        yield Lines(id="about", can_focus=False)
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.draw()
        self.set_interval(_EVERY, self.draw)

    def on_resize(self, event: events.Resize) -> None:
        self.query_one("#about").styles.height = _ABOUT if event.size.height >= _TALL else _ABOUT_SMALL
        self.call_after_refresh(self.draw)

    @property
    def desk(self) -> Desk:
        return self._face.desk

    @property
    def sources(self) -> OpenSources:
        return self.desk.sources

    @property
    def table(self) -> RowTable:
        return self.query_one("#sources", RowTable)

    # -- drawing

    def draw(self) -> None:
        """Bring every part to how the sources are now; what stands already sends nothing."""
        if not self.is_mounted:
            return
        width = self.size.width
        self._rows.look()
        left = [(" runtower  ", "title"), ("1 runs ", "dim"), ("[sources]", "active")]
        self.query_one("#status", Line).say(left, [(self._rows.summary() + " ", "")])
        columns = self._columns(width)
        if self.table.rows is not self._rows or self.table.columns != columns:
            self.table.show(self._rows, columns)
        else:
            self.table.sync()
        self._draw_about()
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, width, _FOOTER))

    def _columns(self, width: int) -> list[TableColumn]:
        heads = [head for head in _HEADS if width >= _NARROW or head[0] != "access"]
        used = sum(head[2] for head in heads) + len(heads)
        frozen = ("gutter", "source")
        columns = [TableColumn(key, title, wide, right, key in frozen) for key, title, wide, right in heads]
        return [*columns, TableColumn("where", "where", max(10, width - used - 1))]

    def _draw_about(self) -> None:
        number = self.table.cursor
        target = self.desk.targets[number]
        self.query_one("#rule", Line).say(rule(target.name, "", self.size.width, False, self._glyphs))
        room = self.size.width - 3
        about = [short for line in self._rows.about(number) for short in wrapped(line, room)]
        self.query_one("#about", Lines).say([((" ", ""), *line) for line in about])

    def on_row_table_moved(self) -> None:
        self.draw()

    async def on_row_table_opened(self) -> None:
        await self.act("sources.only")

    # -- which are shown

    def why_not(self, action_id: str) -> str:
        number, shown = self.table.cursor, self.sources.chosen
        if action_id == "sources.toggle" and shown == [number]:
            return "it is the only one that is shown"
        if action_id == "sources.all" and len(shown) == len(self.desk.targets):
            return "all are shown"
        if action_id == "sources.read_only":
            busy = self.desk.editor.under_way
            return f"still busy: {busy}" if busy else self.sources.why_not_writable(number)
        if action_id == "sources.trust" and not self.desk.targets[number].held:
            return "it needs no trust, or has it"
        return ""

    def do_sources_toggle(self) -> None:
        self._choose(frozenset(self.sources.chosen) ^ {self.table.cursor})

    def do_sources_all(self) -> None:
        self._choose(frozenset(range(len(self.desk.targets))))

    def do_sources_only(self) -> None:
        self._choose(frozenset({self.table.cursor}))
        self._leave()

    def _choose(self, chosen: frozenset[int]) -> None:
        self.desk.choose_sources(chosen)
        self.draw()

    # -- one more

    def do_sources_add(self) -> None:
        foot = "a path or an address, enter next   esc back"
        self.app.push_screen(Ask("add a source: where is it?", foot, wrong=self._wrong_place), self._placed)

    def _wrong_place(self, text: str) -> str:
        try:
            self.sources.found(text)
        except TowerError as error:
            return inert(error.tried, self._glyphs)
        return ""

    def _placed(self, text: str | None) -> None:
        if text is None:
            return
        target = self.sources.found(text)
        foot = "enter opens it beside the others   esc back"
        ask = Ask("how shall it be called?", foot, target.name, self.sources.wrong_name)

        def named(name: str | None) -> None:
            if name is not None:
                self._open(replace(target, name=name))

        self.app.push_screen(ask, named)

    def _open(self, target: Target) -> None:
        try:
            number = self.desk.open_source(target)
        except TowerError as error:
            self.say(inert(str(error), self._glyphs))
            return
        self.draw()
        self.table.move_to(number)
        wrong = self.sources.why_not_kept(number)
        if wrong:
            self.say(f"{inert(target.name, self._glyphs)} is open for this sitting; {wrong}")
            return
        entries = self.sources.entries(number)
        lines = [(str(self.desk.project_file), ""), *((f"  {line}", "bright") for line in entries)]
        if len(entries) > 1:
            lines.append(("The folder isn't searched any more, so what was found is named too.", "dim"))
        title = f"keep {target.name} in runtower.yaml?"

        def answered(yes: bool | None) -> None:
            if yes:
                self._keep(number)

        self.app.push_screen(Confirm(title, lines, "write it", no="only for this sitting"), answered)

    @work(exit_on_error=False)
    async def _keep(self, number: int) -> None:
        try:
            file = await self.desk.keep_source(number)
        except TowerError as error:
            self.say(inert(str(error), self._glyphs))
            return
        self.say(f"{inert(self.desk.targets[number].name, self._glyphs)} is in {inert(str(file), self._glyphs)}")
        self.draw()

    # -- one source

    def do_sources_read_only(self) -> None:
        name = inert(self.desk.targets[self.table.cursor].name, self._glyphs)
        now = self.sources.toggle_read_only(self.table.cursor)
        self.say(f"{name} is read-only now" if now else f"{name} can be changed in this sitting")
        self.draw()

    def do_sources_trust(self) -> None:
        doubt = self.sources.doubt(self.table.cursor)
        if doubt is None:
            self._attempt(self.sources.look_again)
            return
        lines = [(f"{doubt.file} says:", ""), *((f"  {line}", "bright") for line in doubt.says)]
        lines += [("", ""), ("It would be sent:", "")]
        lines += [(f"  {what}", "bright") for what in doubt.gets or ("questions, without credentials",)]
        title = f"trust {doubt.name}?"
        self.app.push_screen(
            Confirm(title, lines, "trust it", no="send nothing"), lambda yes: self._trusted(doubt, bool(yes))
        )

    def _trusted(self, doubt: Doubt, yes: bool) -> None:
        if yes:
            self._attempt(lambda: self.sources.trust(doubt))

    def _attempt(self, do: Callable[[], None]) -> None:
        try:
            do()
        except TowerError as error:
            self.say(inert(str(error), self._glyphs))
        self.draw()

    def do_live_refresh(self) -> None:
        """All are asked again; what was trusted meanwhile is opened."""
        self._attempt(self.sources.look_again)
        self.desk.tower.refresh()

    # -- leave

    def _leave(self) -> None:
        query = self.desk.browser.query
        self.dismiss((query.sources, query.experiments) != (self._before.sources, self._before.experiments))

    def do_app_back(self) -> None:
        self._leave()

    def do_app_quit(self) -> None:
        """Inside a page it goes back."""
        self._leave()

    def do_app_help(self) -> None:
        actions = sorted(at(self.place), key=lambda action: action.group != "Sources")
        offer(self, "keys", actions, lambda _: "")
