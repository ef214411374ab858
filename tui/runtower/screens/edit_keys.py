"""What the keys of the runs screen change: name, note, tags, lifecycle; undo; and the log of what was changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from runtower.domain.errors import TowerError
from runtower.present.spans import inert
from runtower.screens.confirm import Confirm
from runtower.screens.copying import copy_out
from runtower.screens.field import Field
from runtower.screens.menu import Choice, Menu
from runtower.screens.table_keys import TableKeys, choices

if TYPE_CHECKING:
    from runtower.acts.edit_plan import Plan
    from runtower.acts.editing import Editor

_SHOWN_FOR: Final = 30.0
_LAST_MOMENT: Final = 3.0


class EditKeys(TableKeys):
    """One method an action: `do_` + its id. Nothing is written before a question was answered with yes."""

    _said_drawn = 0.0

    @property
    def editor(self) -> Editor:
        return self.desk.editor

    def why_no_change(self, action_id: str) -> str:
        """`why_not` for the actions of this page."""
        editor, plans = self.editor, self.editor.plans
        if action_id == "change.log":
            return ""
        if action_id == "change.undo":
            return editor.why_no_undo()
        if action_id == "change.edit":
            row = self.desk.browser.row_at(self.table.cursor)
            if row is None:
                return self.nothing_here()
            if plans.is_deleted(row):
                return f"it is deleted; {self.keymap.shown('change.delete')} restores it"
            return editor.why_not([row])
        rows = plans.rows_meant()
        if not rows:
            return "no run is meant" if self.desk.browser.marks else self.nothing_here()
        if action_id == "change.purge":
            return (
                "" if plans.is_deleted(rows[0]) else "only deleted runs can be removed for good (:deleted shows them)"
            )
        if action_id == "change.killed" and not all(plans.is_running(row) for row in rows):
            return "only runs that still say running can be marked"
        return editor.why_not(rows)

    # -- edit

    def do_change_edit(self) -> None:
        row = self._with_row()
        plans = self.editor.plans
        note, name = plans.note(row), plans.name(row)
        offered = [
            Choice("name", "name", "", name or "(empty)"),
            Choice("note", "note", "", note.strip().split("\n")[0] if note else "(none)"),
            *(Choice(f"tag:{key}", key, "", value or "(empty)") for key, value in plans.tags(row).items()),
            Choice("add", "add a tag"),
            Choice("killed", "mark it KILLED", "", "if its process is gone", self.why_no_change("change.killed")),
        ]
        self._menu_for(f"change {name or 'the run'}", offered, lambda value: self._edit(row, value))

    def _menu_for(self, title: str, offered: Sequence[Choice], then: Callable[[str], object]) -> None:
        def picked(values: list[str] | None) -> None:
            if values:
                then(values[0])

        self.app.push_screen(Menu(inert(title), offered), picked)

    def _edit(self, row: int, value: str) -> None:
        plans = self.editor.plans
        kind, _, key = value.partition(":")
        if kind == "name":
            self._field("name", plans.name(row), _no_name, lambda text: plans.rename(row, text))
        elif kind == "note":
            note = plans.note(row) or ""
            self._field("note", note, _anything, lambda text: plans.noted(row, text or None))
        elif kind == "add":
            self._field("tag, as KEY=VALUE", "", _no_tag, lambda text: plans.tag(row, *_key_and_value(text)))
        elif kind == "killed":
            self.run_worker(self._ask_killed([row]), exit_on_error=False)
        else:
            now = plans.tags(row).get(key, "")
            offered = [Choice("set", "change its value", "", now or "(empty)"), Choice("gone", "take it away")]
            self._menu_for(f"tag {key}", offered, lambda what: self._edit_tag(row, key, now, what))

    def _edit_tag(self, row: int, key: str, now: str, what: str) -> None:
        plans = self.editor.plans
        if what == "gone":
            self._ask(plans.tag(row, key, None))
        else:
            self._field(f"tag {key}", now, _anything, lambda text: plans.tag(row, key, text))

    def _field(self, title: str, text: str, wrong: Callable[[str], str], plan: Callable[[str], Plan]) -> None:
        def typed(answer: str | None) -> None:
            if answer is None:
                return
            if answer == text:
                self.say("it is that already")
            else:
                self._ask(plan(answer))

        self.app.push_screen(Field(title, text, "", wrong), typed)

    # -- delete, restore, kill

    def do_change_delete(self) -> None:
        plans = self.editor.plans
        self._ask(plans.lifecycle(plans.rows_meant()))

    def do_change_killed(self) -> None:
        self.run_worker(self._ask_killed(self.editor.plans.rows_meant()), exit_on_error=False)

    async def _ask_killed(self, rows: Sequence[int]) -> None:
        """Looking first may take as long as a server does; keys go on meanwhile."""
        self.speak("Looking whether it is still silent ...", "dim")
        try:
            plan = await self.editor.killed(rows)
        except TowerError as error:
            self.speak(inert(str(error), self.glyphs), "warning")
            return
        self.draw()
        self._ask(plan)

    async def do_change_purge(self) -> None:
        plans = self.editor.plans
        command = plans.purge_command(plans.rows_meant())
        self.say(f"{await copy_out(self.app, command, self.desk.copied_file)}. It is only copied, never run from here.")

    def do_change_undo(self) -> None:
        self._ask(self.editor.undo_plan())

    def _ask(self, plan: Plan) -> None:
        """The question; a yes begins the change."""
        editor = self.editor
        editor.prepare(plan)
        lines = plan.lines(editor.user, editor.plans.addresses, time.time() * 1000)

        def answered(yes: bool | None) -> None:
            if yes:
                editor.carry_out(plan)
                self.draw()
            else:
                self.say("all is left as it was")

        self.app.push_screen(Confirm(plan.title, lines, plan.verb, plan.typed(editor.user)), answered)

    # -- the log

    def do_change_log(self) -> None:
        assert self.face is not None
        offered = choices(self.face.log_offers())
        if not offered:
            self.say("nothing was changed yet")
            return
        self._menu_for("command log", offered, self._show_entry)

    def _show_entry(self, entry_id: str) -> None:
        """One write in full; a yes takes its command along."""
        assert self.face is not None
        entry = self.face.log_entry(entry_id)

        async def answered(yes: bool | None) -> None:
            if yes:
                self.say(await copy_out(self.app, entry.command, self.desk.copied_file))

        self.app.push_screen(Confirm(entry.title, entry.lines, "copy the command", no="back"), answered)

    # -- words and leaving

    def change_words(self) -> tuple[str, str]:
        """What a user should know of changes now, and its tone; '' for nothing."""
        editor = self.editor
        if editor.under_way:
            return f"{inert(editor.under_way, self.glyphs)} ...", "dim"
        if not editor.said or time.monotonic() - editor.said_at > _SHOWN_FOR:
            return "", ""
        if self._said_drawn != editor.said_at:
            self._said_drawn = editor.said_at
            self.set_timer(_SHOWN_FOR + 0.1, self.draw_soon)
        undo = editor.undo_title if not editor.why_no_undo() else ""
        offer = f"     {self.keymap.shown('change.undo')}  {undo}" if undo else ""
        return inert(editor.said + offer, self.glyphs), editor.said_tone

    def leave_when_settled(self) -> bool:
        """Whether a write is under way: then the app ends once it is settled, or in three seconds."""
        under_way = self.face is not None and (self.editor.under_way or self.desk.registrar.under_way)
        if not under_way:
            return False
        self.speak(
            f"Leaving in {_LAST_MOMENT:.0f} s at the latest: {inert(under_way, self.glyphs)} is under way. "
            "It is finished and logged either way.",
            "warning",
        )
        self.run_worker(self._leave(), exit_on_error=False)
        return True

    async def _leave(self) -> None:
        await asyncio.gather(self.editor.settled(_LAST_MOMENT), self.desk.registrar.settled(_LAST_MOMENT))
        self.app.exit()


def _anything(text: str) -> str:
    return ""


def _no_name(text: str) -> str:
    return "" if text else "a run's name can't be empty"


def _no_tag(text: str) -> str:
    key, equals, _ = text.partition("=")
    return "" if key.strip() and equals else "write KEY=VALUE"


def _key_and_value(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.strip(), value.strip()
