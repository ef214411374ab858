"""A promotion before it happens: who is there, what would come, and the gate rule by rule.

Nothing is written before the question at its end was answered with yes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult

from runtower.acts.compared_versions import ComparedVersions
from runtower.acts.face import Face
from runtower.acts.preparing import Asked, Prepared, prepare, with_evidence
from runtower.acts.promoting import promotion_of
from runtower.acts.promotion_lines import PromotionLines
from runtower.acts.promotion_sides import Sides, sides_of
from runtower.acts.promotion_words import question, title_of
from runtower.domain.errors import TowerError
from runtower.domain.promotions import DestinationKind, Promotion, State, Way
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert, shortened, wrapped
from runtower.screens.ask import Ask
from runtower.screens.compare_screen import CompareScreen
from runtower.screens.confirm import Confirm
from runtower.screens.copying import copy_out
from runtower.screens.move_keys import LineKeys
from runtower.screens.over import OverScreen
from runtower.screens.run_lines import footer
from runtower_widgets.line import Line, Lines

_FOOTER: Final = (
    "app.help",
    "app.back",
    "promotion.go",
    "version.compare",
    "promotion.archive",
    "take.command",
    "live.refresh",
)


class PromotionScreen(LineKeys, OverScreen):
    """One method an action: `do_` + its id. Gives whether something was written."""

    place: ClassVar[str] = "promotion"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, asked: Asked) -> None:
        super().__init__(keymap, glyphs, face)
        self._asked = asked
        self._prepared: Prepared | None = None
        self._sides: Sides | None = None
        self._error: TowerError | None = None
        self._said = ("", "")
        self._reading: asyncio.Task[None] | None = None
        self._is_writing = False
        self._wrote = False

    def compose(self) -> ComposeResult:
        yield Line(id="status")
        yield Lines(id="page")
        yield Lines(id="said", can_focus=False)
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.page.focus()

    @property
    def page(self) -> Lines:
        return self.query_one("#page", Lines)

    def on_unmount(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    def begin(self) -> None:
        """The page stands: the registry and the runs are read, and what would write is made ready meanwhile."""
        if not self.face.desk.registrar.why_not(self._asked.number):
            self.face.desk.registrar.prepare(self._asked.number)
        self._again()

    # -- reading

    def _again(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._prepared, self._sides, self._error = None, None, None
        self._reading = asyncio.ensure_future(self._read())
        self.draw()

    async def _read(self) -> None:
        desk = self.face.desk
        try:
            self._prepared = await prepare(desk.tower, desk.settings, self._asked)
        except TowerError as error:
            self._error = error
            self.draw_soon()
            return
        self.draw_soon()
        self._prepared = await with_evidence(desk.tower, desk.settings, self._prepared, shows=True)
        self.draw_soon()
        self._sides = await sides_of(desk.tower, desk.settings, self._prepared)
        self.draw_soon()

    @property
    def is_busy(self) -> bool:
        return self._reading is not None and not self._reading.done()

    # -- drawing

    def draw(self) -> None:
        """Bring every line to what is known now."""
        super().draw()
        if not self.is_there:
            return
        width = self.size.width - 2
        self.query_one("#status", Line).say(*self._status())
        lines = self._lines(width)
        self.page.say([((" ", ""), *short) for line in lines for short in wrapped(line, width)])
        pane, (said, tone) = self.query_one("#said", Lines), self._said
        words = wrapped(((inert(said, self.glyphs), tone),), width)[:3] if said else []
        pane.set_class(bool(words), "said")
        pane.styles.height = max(1, len(words))
        pane.say([((" ", ""), *line) for line in words])
        self.query_one("#keys", Line).say(footer(self.keymap, self.why_not, self.size.width, _FOOTER))

    def _status(self) -> tuple[Spans, Spans]:
        asked, glyphs = self._asked, self.glyphs
        address = self._address
        right = shortened(inert(address, glyphs), max(8, self.size.width // 3), glyphs)
        room = self.size.width - len(right) - 4
        title = shortened(inert(title_of(asked), glyphs), room, glyphs)
        return ((f" {title}", "title"),), ((f"{right} ", "dim"),)

    @property
    def _address(self) -> str:
        identity = self.face.desk.tower.identities.get(self._asked.number)
        return identity.address if identity is not None else self.face.desk.targets[self._asked.number].name

    def _lines(self, width: int) -> Sequence[Spans]:
        if self._error is not None:
            return [((inert(str(self._error), self.glyphs), "warning"),)]
        if self._prepared is None:
            return [(("Reading the registry ...", "dim"),)]
        lines = PromotionLines(self.face.desk.tower, self._prepared, self._sides, self.glyphs, width).lines()
        return [*lines, (), *self._foot(self._prepared, width)]

    def _foot(self, prepared: Prepared, width: int) -> Sequence[Spans]:
        lines: list[Spans] = []
        key = self.keymap.shown("promotion.go")
        if self._is_writing:
            return [(("It is being carried out ...", "dim"),)]
        if reason := self.why_not("promotion.go"):
            lines.append(((f"It can't go on: {inert(reason, self.glyphs)}.", "warning"),))
        elif prepared.word:
            protected = f"{prepared.asked.to.shown} is protected: " if prepared.protected else ""
            said = f"{protected}{prepared.word} has to be typed. {key} goes on, esc leaves all as is."
            lines.append(((inert(said, self.glyphs), ""),))
        if self._asked.to.kind is DestinationKind.STAGE and prepared.before:
            who = ", ".join(f"v{one}" for one in prepared.before)
            does = "goes to Archived" if self._asked.archive else "stays in the stage, too"
            lines.append(((f"{who} {does} ({self.keymap.shown('promotion.archive')} changes that)", ""),))
        command = shortened(inert(self._planned_command(prepared), self.glyphs), width - 9, self.glyphs)
        lines.append((("by hand: ", "dim"), (command, "dim")))
        return lines

    def _planned_command(self, prepared: Prepared) -> str:
        return self.face.desk.registrar.command(self._asked.number, promotion_of(prepared, os.environ))

    # -- keys

    def why_not(self, action_id: str) -> str:
        prepared = self._prepared
        if action_id == "promotion.archive":
            return "" if self._asked.to.kind is DestinationKind.STAGE else "only who is in a stage can go to Archived"
        if action_id == "take.command":
            return "" if prepared is not None else "it is being read"
        if action_id == "version.compare":
            return self._why_no_comparison()
        if action_id != "promotion.go":
            return ""
        if prepared is None or prepared.evidence is None:
            return str(self._error.tried).rstrip(".") if self._error is not None else "it is being read"
        if self._is_writing:
            return "it is under way"
        if prepared.already:
            return "it is there already"
        return self.face.desk.registrar.why_not(self._asked.number)

    def _why_no_comparison(self) -> str:
        prepared = self._prepared
        if prepared is None or prepared.evidence is None:
            return "it is being read"
        if prepared.holder is None:
            return "there is nobody to compare it with"
        missing = [one for one in (prepared.holder, prepared.version) if one.run_id not in prepared.rows]
        return f"the run of v{missing[0].version} isn't there" if missing else ""

    def do_version_compare(self) -> None:
        prepared = self._prepared
        assert prepared is not None
        assert prepared.holder is not None
        versions = ComparedVersions(self._asked.number, (prepared.holder, prepared.version))
        rows = [prepared.rows[one.run_id] for one in versions.versions]
        screen = CompareScreen(self.keymap, self.glyphs, self.face, rows, versions)
        self.app.push_screen(screen, lambda _: self.draw_soon())

    def do_promotion_archive(self) -> None:
        archive = not self._asked.archive
        self._asked = Asked(
            self._asked.number, self._asked.model, self._asked.version, self._asked.to, self._asked.way, archive
        )
        self._again()

    async def do_take_command(self) -> None:
        assert self._prepared is not None
        self.say(await copy_out(self.app, self._planned_command(self._prepared), self.face.desk.copied_file))

    # -- going on

    def do_promotion_go(self) -> None:
        """A reason first, where one is wanted; then the question."""
        prepared = self._prepared
        assert prepared is not None
        if prepared.asked.way is Way.ROLLBACK:
            title = f"why is {prepared.asked.model} v{prepared.asked.version} brought back?"
            self.app.push_screen(Ask(title, "enter next, asks before it writes   esc back"), self._reasoned)
        elif prepared.blocks is not State.MET:
            title = f"{prepared.gate_says}: why is the gate overridden?"
            self.app.push_screen(Ask(title, "it is kept in the record   enter next   esc back"), self._overridden)
        else:
            self._ask("", "")

    def _reasoned(self, text: str | None) -> None:
        if text is not None:
            self._ask("", text)

    def _overridden(self, text: str | None) -> None:
        if text is not None:
            self._ask(text, "")

    def _ask(self, override: str, reason: str) -> None:
        prepared = self._prepared
        if prepared is None:
            self.say("it is being read again")
            return
        login = self.face.desk.registrar.login(self._asked.number)
        promotion = promotion_of(prepared, os.environ, override, reason, login)
        verb = (
            "bring it back" if prepared.asked.way is Way.ROLLBACK else "copy it" if prepared.is_copy else "promote it"
        )
        lines = question(
            prepared, promotion, self._address, self.face.desk.registrar.command(self._asked.number, promotion)
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._carry_out(promotion)
            else:
                self.say("all is left as it was")

        self.app.push_screen(Confirm(f"{title_of(prepared.asked)}?", lines, verb, prepared.word), answered)

    def _carry_out(self, promotion: Promotion) -> None:
        self._is_writing = True
        self._said = ("", "")
        self.draw()
        self.run_worker(self._write(promotion), exit_on_error=False)

    async def _write(self, promotion: Promotion) -> None:
        outcome = await self.face.desk.registrar.promote(self._asked.number, promotion)
        self._is_writing = False
        self._wrote = True
        if outcome.is_done and self.is_there:
            self.app.notify(inert(outcome.says, self.glyphs), markup=False)
            self.dismiss(True)
            return
        self._said = (outcome.says, "better" if outcome.is_done else "warning")
        if self.is_there:
            self._again()
        else:
            self.app.notify(inert(outcome.says, self.glyphs), markup=False)

    # -- leave

    def do_live_refresh(self) -> None:
        self._again()

    def do_app_back(self) -> None:
        self.dismiss(self._wrote)

    def do_app_quit(self) -> None:
        self.dismiss(self._wrote)
