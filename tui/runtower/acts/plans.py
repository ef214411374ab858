"""From runs on the screen to plans: what is shown of them, and what is to become of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from runtower.acts.browse import Browser
from runtower.acts.edit_plan import Change, Plan
from runtower.acts.edit_words import purge
from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.edits import ACTIVE, DELETED, NOTE, Edit, Field, RunNow
from runtower.domain.errors import Conflict
from runtower.domain.runs import ColumnKey, Kind, Status
from runtower.jobs import proofs
from runtower.sources.port import Target

_OURS: Final = "mlflow."

# A look at a run as it is now: (number of its source, its id).
Look = Callable[[int, str], Awaitable[RunNow]]


class Plans:
    """Makes plans of what a catalogue shows; changes nothing. Runs are global rows."""

    def __init__(self, tower: Tower, browser: Browser, targets: Sequence[Target]) -> None:
        self._tower = tower
        self._browser = browser
        self._targets = targets

    @property
    def addresses(self) -> list[str]:
        """Where each source is, for people."""
        known = self._tower.identities
        return [known[n].address if n in known else target.name for n, target in enumerate(self._targets)]

    def rows_meant(self) -> list[int]:
        """The marked runs, else the one under the cursor; of the deleted ones or of the living, as the screen shows."""
        browser = self._browser
        if not browser.marks:
            return [browser.cursor] if isinstance(browser.cursor, int) else []
        return [row for row in sorted(browser.marks) if self.is_deleted(row) == browser.query.deleted]

    def is_deleted(self, row: int) -> bool:
        return self._text(row, runs.LIFECYCLE) == DELETED

    def is_running(self, row: int) -> bool:
        return self._text(row, runs.STATUS) in (Status.RUNNING, Status.SCHEDULED)

    def tags(self, row: int) -> dict[str, str]:
        """The tags of a run that people set, by key."""
        catalogue = self._tower.catalogue
        keys = sorted(key.key for key in catalogue.coverage() if key.kind is Kind.TAG and not key.key.startswith(_OURS))
        found = {key: self._text(row, ColumnKey(Kind.TAG, key)) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def note(self, row: int) -> str | None:
        return self._text(row, ColumnKey(Kind.TAG, NOTE))

    def name(self, row: int) -> str:
        return self._text(row, runs.NAME) or ""

    def rename(self, row: int, name: str) -> Plan:
        return self._plan([row], lambda _: (Field.NAME, self.name(row), name, ""))

    def tag(self, row: int, key: str, value: str | None) -> Plan:
        before = self._text(row, ColumnKey(Kind.TAG, key))
        return self._plan([row], lambda _: (Field.TAG, before, value, key))

    def noted(self, row: int, text: str | None) -> Plan:
        """Another note; None takes it away."""
        return self.tag(row, NOTE, text)

    def lifecycle(self, rows: Sequence[int]) -> Plan:
        """Deletes living runs, restores deleted ones."""
        deleted = self.is_deleted(rows[0])
        before, after = (DELETED, ACTIVE) if deleted else (ACTIVE, DELETED)
        return self._plan(rows, lambda _: (Field.LIFECYCLE, before, after, ""))

    async def killed(self, rows: Sequence[int], look: Look) -> Plan:
        """Marks runs KILLED that their source still calls running; looks at each first. Raises TowerError, Conflict."""
        plan = self._plan(rows, lambda row: (Field.STATUS, self._text(row, runs.STATUS), Status.KILLED, ""))
        looked = []
        for change in plan.changes:
            now = await look(change.source, change.edit.run_id)
            if now.status != change.edit.before:
                raise Conflict(f"{change.run_name} is {now.status} by now.", "Look again, then decide.")
            lost = proofs.lost(now.tags)
            edit = replace(change.edit, last_metric=now.last_metric)
            looked.append(replace(change, edit=edit, proof=lost.proof if lost is not None else ""))
        return replace(plan, changes=tuple(looked))

    def purge_command(self, rows: Sequence[int]) -> str:
        """The command that removes these deleted runs for good."""
        keys = [self._tower.catalogue.run_key(row) for row in rows]
        number = int(self._tower.catalogue.source_numbers()[rows[0]])
        return purge([key.run_id for key in keys if key.source == self._targets[number].name], self.addresses[number])

    def _plan(self, rows: Sequence[int], edit_of: Callable[[int], tuple[Field, str | None, str | None, str]]) -> Plan:
        catalogue, view, tree = self._tower.catalogue, self._browser.view, self._browser.tree
        numbers = catalogue.source_numbers()
        changes = []
        for row in rows:
            field, before, after, key = edit_of(row)
            run_id = catalogue.run_key(row).run_id
            edit = Edit(run_id, field, before, after, key)
            name = self.name(row) or run_id[:8]
            changes.append(Change(int(numbers[row]), name, self._text(row, runs.USER) or "", edit))
        hidden = sum(view.index_of(row) < 0 for row in rows)
        below = {int(child) for row in rows for child in tree.children(row)} if tree is not None else set()
        return Plan(tuple(changes), hidden, len(below - set(rows)))

    def _text(self, row: int, key: ColumnKey) -> str | None:
        return self._tower.catalogue.texts(key).text(row)
