"""Changes of runs from the runs screen: what may be changed, plans, carrying them out, undo, and what is still open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

from runtower.acts.browse import Browser
from runtower.acts.edit_plan import Change, Plan
from runtower.acts.edit_process import is_at_work
from runtower.acts.edit_words import doing, done
from runtower.acts.plans import Plans
from runtower.acts.tower import News, Tower
from runtower.acts.writer import Outcome, Writer
from runtower.domain.edits import Edit, Field
from runtower.domain.errors import TowerError
from runtower.domain.runs import RunKey, Status
from runtower.folders import Folders
from runtower.link import commandlog
from runtower.link.commandlog import Entry, Intent
from runtower.link.offloop import off_loop
from runtower.settings import Settings
from runtower.sources.port import Identity, Target

_LOOK_AGAIN: Final = 10.0
_LOOK_WHETHER_AT_WORK: Final = 1.0


class Editor:
    """What the runs screen changes. `changed` is called on the loop after anything that it may want to redraw.

    `targets` is the sitting's own list, by source number: it grows, and what is read-only in it may change.
    """

    def __init__(
        self,
        tower: Tower,
        browser: Browser,
        targets: Sequence[Target],
        folders: Folders,
        settings: Settings,
        user: str,
        changed: Callable[[], None],
    ) -> None:
        self.user = user
        self.said = ""
        self.said_tone = "dim"
        self.said_at = 0.0
        self.under_way = ""
        self._tower = tower
        self._targets = targets
        self._folders = folders
        self._changed = changed
        self.plans = Plans(tower, browser, targets)
        self._settings = settings
        self._writers: dict[int, Writer] = {}
        self._locked: set[RunKey] = set()
        self._last: tuple[Change, ...] = ()
        self._why_no_undo = "nothing was changed here yet"
        self._answered: set[int] = set()
        self._carrying: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        tower.on_change(self._heard)

    # -- what may be changed

    def why_not(self, rows: Sequence[int]) -> str:
        """Why these runs can't be changed now; '' where they can."""
        numbers = self._tower.catalogue.source_numbers()
        for number in sorted({int(numbers[row]) for row in rows}):
            target = self._targets[number]
            if target.read_only:
                return f"{target.name} is read-only (flag or settings)"
            if number not in self._tower.identities:
                return f"{target.name} has not answered yet"
            if number not in self._tower.editable:
                return f"runs of a {target.kind} source can't be changed; {target.name} is one"
        if self.under_way:
            return f"still busy: {self.under_way}"
        locked = sum(self._tower.catalogue.run_key(row) in self._locked for row in rows)
        return "what became of its last change isn't known yet" if locked else ""

    def why_no_undo(self) -> str:
        """Why the last edit can't be undone; '' where it can."""
        if not self._last:
            return self._why_no_undo
        if any(RunKey(self._targets[c.source].name, c.edit.run_id) in self._locked for c in self._last):
            return "what became of the last change isn't known yet"
        return f"still busy: {self.under_way}" if self.under_way else ""

    @property
    def undo_title(self) -> str:
        """What `undo` would do, '' where there is nothing."""
        return self.undo_plan().title if self._last else ""

    def undo_plan(self) -> Plan:
        """The opposite of the last edit made here. Only where `why_no_undo` is ''."""
        changes = tuple(replace(change, edit=change.edit.undone()) for change in self._last)
        return Plan(changes, undoes=True)

    def _writer(self, number: int) -> Writer:
        """The one of a source, made when it is first needed, and anew where its target is another by now."""
        writer, target = self._writers.get(number), self._targets[number]
        if writer is None or writer.target != target:
            if writer is not None:
                writer.leave()
            writer = self._writers[number] = Writer(target, self._folders, self._settings)
        return writer

    async def killed(self, rows: Sequence[int]) -> Plan:
        """A plan that marks runs KILLED, after a look at each. Raises TowerError, Conflict."""
        return await self.plans.killed(rows, lambda number, run_id: self._writer(number).look(run_id))

    async def kill_stopped(self, keys: Sequence[RunKey]) -> None:
        """Mark runs KILLED whose program was just stopped from here: they say RUNNING still, or FAILED because it saw
        the signal come. Raises TowerError where they can't be looked at or changed."""
        catalogue, changes = self._tower.catalogue, []
        rows = [int(row) for row in catalogue.rows_of(keys) if row >= 0]
        if reason := self.why_not(rows):
            raise TowerError(f"It can't be changed now: {reason}.", "`:killed` marks it later.")
        numbers = catalogue.source_numbers()
        for row in rows:
            run_id = catalogue.run_key(row).run_id
            now = await self._writer(int(numbers[row])).look(run_id)
            if now.status in (Status.RUNNING, Status.SCHEDULED, Status.FAILED):
                edit = Edit(run_id, Field.STATUS, now.status, Status.KILLED, last_metric=now.last_metric)
                changes.append(Change(int(numbers[row]), now.name or run_id[:8], now.user, edit))
        if changes:
            self.carry_out(Plan(tuple(changes)))

    def prepare(self, plan: Plan) -> None:
        """The question is being asked: the processes that would write open their sources meanwhile."""
        for number in {change.source for change in plan.changes}:
            self._writer(number).prepare()

    # -- carrying out

    def carry_out(self, plan: Plan) -> None:
        """Begin; `said` tells how it went, `under_way` is empty again at the end."""
        self.under_way, self.said = plan.title, ""
        self._idle.clear()
        self._carrying = asyncio.ensure_future(self._carry_out(plan))

    async def _carry_out(self, plan: Plan) -> None:
        outcomes: list[tuple[Change, Outcome]] = []
        try:
            for place, change in enumerate(plan.changes):
                if len(plan.changes) > 1:
                    self.under_way = f"{plan.title}: {place} of {len(plan.changes)}"
                    self._changed()
                outcomes.append((change, await self._one(change)))
        except TowerError as error:
            self._say(str(error), "warning")
        finally:
            self.under_way = ""
            self._idle.set()
            if outcomes:
                self._tell(plan, outcomes)
            self._changed()

    async def _one(self, change: Change) -> Outcome:
        """One write; its run is locked until it is settled."""
        key = RunKey(self._targets[change.source].name, change.edit.run_id)
        self._locked.add(key)
        outcome: Outcome | None = None
        try:
            identity = self._tower.identities[change.source]
            outcome = await self._writer(change.source).write(change.edit, change.run_name, identity)
            return outcome
        finally:
            self._tower.links[change.source].refresh()
            if outcome is not None and outcome.entry is not None:
                self._start(self._settle(change.source, key, outcome.entry))
            else:
                self._locked.discard(key)

    def _tell(self, plan: Plan, outcomes: Sequence[tuple[Change, Outcome]]) -> None:
        finished = tuple(change for change, outcome in outcomes if outcome.word == "done")
        if finished and all(change.edit.can_be_undone for change in finished):
            self._last = () if plan.undoes else tuple(reversed(finished))
            self._why_no_undo = "the last change was taken back already"
        elif finished:
            self._last, self._why_no_undo = (), "a run that was marked KILLED keeps its end time: that can't be undone"
        undone = "undone: " if plan.undoes else ""
        if len(outcomes) == 1:
            change, outcome = outcomes[0]
            if outcome.word == "done":
                self._say(undone + done(change.edit, change.run_name), "better")
            else:
                self._say(str(outcome.error), "warning")
            return
        if finished:
            self._say(undone + done(finished[0].edit, f"{len(finished)} runs"), "better")
        for word in ("refused", "unknown"):
            other = [outcome for _, outcome in outcomes if outcome.word == word]
            if other:
                self._say(f"{self.said}  {len(other)} {word}: {other[0].error}".strip(), "warning")

    def _say(self, text: str, tone: str) -> None:
        self.said, self.said_tone, self.said_at = text, tone, time.monotonic()

    # -- what isn't settled

    def _heard(self, news: News) -> None:
        """Once a source has answered: what an earlier sitting began there and didn't see the end of is read back."""
        number = news.source
        if number in self._tower.identities and number not in self._answered:
            self._answered.add(number)
            if not self._targets[number].read_only:
                self._start(self._settle_open(number))

    async def _settle_open(self, number: int) -> None:
        entries = await off_loop(lambda: commandlog.read(self._folders.commands))
        for entry in entries:
            unsettled = entry.outcome in ("open", "unknown") and not entry.intent.hidden
            if unsettled and _is_of(entry.intent, self._tower.identities[number]):
                key = RunKey(self._targets[number].name, entry.intent.edit.run_id)
                self._locked.add(key)
                self._start(self._settle(number, key, entry))

    async def _settle(self, number: int, key: RunKey, entry: Entry) -> None:
        """Until it is known what became of a write; its run stays locked."""
        intent = entry.intent
        while is_at_work(intent):  # noqa: ASYNC110 - another process works, and nobody tells its end
            await asyncio.sleep(_LOOK_WHETHER_AT_WORK)
        known = {one.intent.id: one for one in await off_loop(lambda: commandlog.read(self._folders.commands))}
        logged = known.get(intent.id)
        word = logged.outcome if logged is not None else "open"
        while word not in ("done", "refused"):
            outcome = await self._writer(number).settle(entry)
            word = outcome.word
            if word == "unknown":
                self._say(f"Whether '{doing(intent.edit, intent.run_name)}' took effect isn't known yet.", "warning")
                self._changed()
                await asyncio.sleep(_LOOK_AGAIN)
        self._locked.discard(key)
        took = "took effect" if word == "done" else "did not take effect"
        self._say(
            f"A change of {time.strftime('%H:%M', time.localtime(intent.time / 1000))}, '{intent.what}', {took}.", "hit"
        )
        self._tower.links[number].refresh()
        self._changed()

    # -- the end

    async def settled(self, seconds: float) -> bool:
        """Wait until no write is under way; False where the time was over first."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Leave at once; what was begun is finished and logged by its own process."""
        for task in self._tasks:
            task.cancel()
        for writer in self._writers.values():
            writer.leave()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_of(intent: Intent, identity: Identity) -> bool:
    """Whether a write was meant for this store; commands know only its address."""
    return intent.address == identity.address and intent.source_key in ("", identity.key)
