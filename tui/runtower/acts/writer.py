"""One source's writes: each logged before it happens, sent once, and settled: done, refused, or read back.

Its process is started by `prepare` or the first write, opens the source for changes, and is let go after a minute
without need.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from runtower.acts.edit_process import EditProcess, boot, who
from runtower.acts.edit_words import by_hand, doing
from runtower.domain.edits import Edit, Field, RunNow
from runtower.domain.errors import OutcomeUnknown, TowerError
from runtower.folders import Folders
from runtower.link import commandlog
from runtower.link.commandlog import Entry, Intent
from runtower.link.offloop import off_loop
from runtower.settings import Settings
from runtower.sources.port import Identity, Target

DEADLINE: Final = 30.0
_LOOK_AGAIN: Final = 2.0


@dataclass(frozen=True)
class Outcome:
    """How a write ended: `word` is done, refused (nothing was changed) or unknown. `now` is what was read back."""

    edit: Edit
    run_name: str
    word: str
    now: RunNow | None = None
    error: TowerError | None = None
    entry: Entry | None = None


class Writer:
    """The writes of one target. Lives on one event loop."""

    def __init__(self, target: Target, folders: Folders, settings: Settings, deadline: float = DEADLINE) -> None:
        """`deadline`: seconds that a write may take, the opening of the source included."""
        self.target = target
        self._folders = folders
        self._redact = [pattern.casefold() for pattern in settings.redact]
        self._deadline = deadline
        self._process = EditProcess(target, folders)

    def prepare(self) -> None:
        """Begin to open the source for changes: a question is being asked, and a library takes seconds to import."""
        self._process.prepare()

    @property
    def pid(self) -> int | None:
        """The process that writes, where one runs."""
        return self._process.pid

    async def identity(self) -> Identity:
        """Who would be written to. Raises TowerError."""
        return msgspec.json.decode(await self._operate("identify", {}), type=Identity)

    async def look(self, run_id: str) -> RunNow:
        """A run as it is now. Raises TowerError."""
        return msgspec.json.decode(await self._operate("look", {"run_id": run_id}), type=RunNow)

    async def write(self, edit: Edit, run_name: str, identity: Identity) -> Outcome:
        """Log, write, settle. Raises TowerError where it can't be logged; nothing was written then."""
        intent = self._intent(edit, run_name, identity)
        file = self._folders.commands
        try:
            await off_loop(lambda: commandlog.append(file, intent))
        except OSError as error:
            raise TowerError(
                f"The command log {file} can't be written ({error.strerror}); nothing was changed.",
                "Make room on the disk, or look at the folder's permissions.",
            ) from error
        arguments = {"edit": msgspec.json.encode(edit).decode(), "id": intent.id}
        try:
            now = msgspec.json.decode(await self._operate("edit", arguments), type=RunNow)
        except OutcomeUnknown as error:
            await self._log(intent.id, "unknown", error)
            self._process.abandon()
            return await self.settle(Entry(intent), error, again=True)
        except TowerError as error:
            if self._process.left:
                raise  # it is finished and logged over there
            await self._log(intent.id, "refused", error)
            return Outcome(edit, run_name, "refused", None, error)
        await self._log(intent.id, "done", None)
        return Outcome(edit, run_name, "done", now)

    async def settle(self, entry: Entry, error: TowerError | None = None, again: bool = False) -> Outcome:
        """Read back what became of a write whose end isn't known; `again`: twice, as a server may still be at it."""
        intent, edit = entry.intent, entry.intent.edit
        for last in (False, True) if again else (True,):
            try:
                now = await self.look(edit.run_id)
            except TowerError as failed:
                return Outcome(edit, intent.run_name, "unknown", None, error or failed, entry)
            if now.value(edit) == edit.after:
                await self._log(intent.id, "done", None, "read back")
                return Outcome(edit, intent.run_name, "done", now)
            if not last:
                await asyncio.sleep(_LOOK_AGAIN)
        said = TowerError("It did not take effect, as read back.", "Do it again if it is still wanted.")
        await self._log(intent.id, "refused", said)
        return Outcome(edit, intent.run_name, "refused", now, said)

    def leave(self) -> None:
        """For good, and at once; the process first finishes and logs what it has begun."""
        self._process.leave()

    async def _operate(self, name: str, arguments: dict[str, str]) -> bytes:
        return await self._process.operate(name, arguments, self._deadline)

    # -- the log

    def _intent(self, edit: Edit, run_name: str, identity: Identity) -> Intent:
        hidden = edit.field is Field.TAG and any(fnmatchcase(edit.key.casefold(), one) for one in self._redact)
        shown = edit
        if hidden:
            before, after = (None if value is None else "..." for value in (edit.before, edit.after))
            shown = replace(edit, before=before, after=after)
        return Intent(
            id=commandlog.new_id(),
            time=time.time_ns() // 1_000_000,
            who=who(),
            source=self.target.name,
            address=identity.address,
            source_key=identity.key,
            run_name=run_name,
            edit=shown,
            what=doing(shown, run_name),
            command=by_hand(shown, identity.address),
            deadline=self._deadline,
            pid=self._process.prepare(),
            boot=boot(),
            hidden=hidden,
        )

    async def _log(self, intent_id: str, outcome: str, error: TowerError | None, says: str = "") -> None:
        name = error.name if error is not None else ""
        words = str(error) if error is not None else says
        with suppress(OSError):  # it stays open then, and is read back at the next start
            await off_loop(lambda: commandlog.result(self._folders.commands, intent_id, outcome, name, words))
