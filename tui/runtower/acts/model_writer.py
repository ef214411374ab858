"""Writes to one source's registry of models: logged before they happen, carried out in the process that changes runs,
and settled: done, refused, or read back."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from runtower.acts.edit_process import EditProcess, boot, who
from runtower.acts.model_words import changing, promoting
from runtower.domain.errors import OutcomeUnknown, TowerError
from runtower.domain.model_changes import AddModel, AddVersion, DeleteVersion, Describe, Edited, ModelEdit, SetTag
from runtower.domain.models import ModelNow
from runtower.domain.promotions import Promoted, Promotion
from runtower.folders import Folders
from runtower.link import commandlog
from runtower.link.commandlog import ModelEntry, ModelIntent
from runtower.link.offloop import off_loop
from runtower.promote.settling import Settled
from runtower.settings import Settings
from runtower.sources.port import Identity, Target

DEADLINE: Final = 240.0
_LOOK: Final = 30.0


@dataclass(frozen=True)
class ModelOutcome:
    """How a write ended: `word` is done, refused (it has no effect) or unknown.

    `promoted` is there for a promotion that was done, `edited` for an edit that was. `says` is a sentence of what was
    read back, where it had to be. An unknown one's `entry` can be settled later.
    """

    word: str
    promoted: Promoted | None = None
    edited: Edited | None = None
    error: TowerError | None = None
    says: str = ""
    entry: ModelEntry | None = None


class ModelWriter:
    """The writes to the registry of one target. Lives on one event loop."""

    def __init__(
        self, target: Target, folders: Folders, settings: Settings, process: EditProcess | None = None
    ) -> None:
        """`process`: one that is shared with other writes to the target."""
        self.target = target
        self._folders = folders
        self._redact = [pattern.casefold() for pattern in settings.redact]
        self._process = process or EditProcess(target, folders)

    @property
    def pid(self) -> int | None:
        """The process that writes, where one runs."""
        return self._process.pid

    def prepare(self) -> None:
        """Begin to open the source for changes: a question is being asked, and a library takes seconds to import."""
        self._process.prepare()

    async def identity(self) -> Identity:
        """Who would be written to. Raises TowerError."""
        return msgspec.json.decode(await self._process.operate("identify", {}, _LOOK), type=Identity)

    async def look(self, name: str) -> ModelNow:
        """A model as it is now, through the way by which it is written. Raises TowerError."""
        return msgspec.json.decode(await self._process.operate("look_model", {"name": name}, _LOOK), type=ModelNow)

    async def promote(self, promotion: Promotion, command: str, identity: Identity) -> ModelOutcome:
        """Log, carry out, settle; `command` does the same by hand. Raises TowerError where it can't be logged; nothing
        was written then."""
        intent = self._intent(identity, promoting(promotion), command, promotion=promotion)
        await self._begin(intent)
        arguments = {"promotion": msgspec.json.encode(promotion).decode(), "id": intent.id}
        try:
            promoted = msgspec.json.decode(await self._process.operate("promote", arguments, DEADLINE), type=Promoted)
        except OutcomeUnknown as error:
            return await self._unknown(intent, error)
        except TowerError as error:
            return await self._refused(intent, error)
        await self._log(intent.id, "done", None, " ".join(promoted.warnings))
        return ModelOutcome("done", promoted)

    async def edit(self, edit: ModelEdit, command: str, identity: Identity) -> ModelOutcome:
        """The same for an edit."""
        intent = self._intent(identity, changing(edit.change), command, edit=edit)
        await self._begin(intent)
        arguments = {"edit": msgspec.json.encode(edit).decode(), "id": intent.id}
        try:
            edited = msgspec.json.decode(await self._process.operate("edit_model", arguments, DEADLINE), type=Edited)
        except OutcomeUnknown as error:
            return await self._unknown(msgspec.structs.replace(intent, edit=edit), error)
        except TowerError as error:
            return await self._refused(intent, error)
        await self._log(intent.id, "done", None)
        return ModelOutcome("done", edited=edited)

    async def settle(self, entry: ModelEntry, error: TowerError | None = None) -> ModelOutcome:
        """Read back what became of a write whose end isn't known; a promotion's record is completed. The log doesn't
        have the values of one that is `hidden`: it can't be settled from there."""
        intent = entry.intent
        try:
            if intent.promotion is not None:
                arguments = {"promotion": msgspec.json.encode(intent.promotion).decode()}
                body = await self._process.operate("settle_promotion", arguments, DEADLINE)
                settled = msgspec.json.decode(body, type=Settled)
            else:
                settled = _seen(intent.edit, await self.look(intent.edit.change.model) if intent.edit else None)
        except TowerError as failed:
            return ModelOutcome("unknown", error=error or failed, says=str(failed), entry=entry)
        if settled.word == "unknown":
            return ModelOutcome("unknown", error=error or TowerError(settled.says), says=settled.says, entry=entry)
        if settled.word == "done":
            await self._log(intent.id, "done", None, settled.says)
            return ModelOutcome("done", settled.promoted, says=settled.says)
        said = TowerError(settled.says, "Do it again if it is still wanted.")
        await self._log(intent.id, "refused", said)
        return ModelOutcome("refused", error=said, says=settled.says)

    def leave(self) -> None:
        """For good, and at once; the process first finishes and logs what it has begun."""
        self._process.leave()

    # -- the ends

    async def _unknown(self, intent: ModelIntent, error: OutcomeUnknown) -> ModelOutcome:
        await self._log(intent.id, "unknown", error)
        self._process.abandon()
        return await self.settle(ModelEntry(intent), error)

    async def _refused(self, intent: ModelIntent, error: TowerError) -> ModelOutcome:
        if self._process.left:
            raise error  # it is finished and logged over there
        await self._log(intent.id, "refused", error)
        return ModelOutcome("refused", error=error)

    # -- the log

    async def _begin(self, intent: ModelIntent) -> None:
        file = self._folders.commands
        try:
            await off_loop(lambda: commandlog.append(file, intent))
        except OSError as error:
            raise TowerError(
                f"The command log {file} can't be written ({error.strerror}); nothing was changed.",
                "Make room on the disk, or look at the folder's permissions.",
            ) from error

    def _intent(
        self,
        identity: Identity,
        what: str,
        command: str,
        promotion: Promotion | None = None,
        edit: ModelEdit | None = None,
    ) -> ModelIntent:
        hidden = False
        if edit is not None and isinstance(edit.change, SetTag):
            key = edit.change.key.casefold()
            hidden = any(fnmatchcase(key, one) for one in self._redact)
        if hidden and edit is not None and isinstance(edit.change, SetTag):
            change = msgspec.structs.replace(edit.change, value=None if edit.change.value is None else "...")
            edit = replace(edit, change=change, before=None if edit.before is None else "...")
            what, command = changing(change), ""
        return ModelIntent(
            id=commandlog.new_id(),
            time=time.time_ns() // 1_000_000,
            who=promotion.who if promotion is not None else who(),
            source=self.target.name,
            address=identity.address,
            source_key=identity.key,
            what=what,
            command=command,
            deadline=DEADLINE,
            pid=self._process.prepare(),
            promotion=promotion,
            edit=edit,
            boot=boot(),
            hidden=hidden,
        )

    async def _log(self, intent_id: str, outcome: str, error: TowerError | None, says: str = "") -> None:
        name = error.name if error is not None else ""
        words = str(error) if error is not None else says
        with suppress(OSError):  # it stays open then, and is read back at the next start
            await off_loop(lambda: commandlog.result(self._folders.commands, intent_id, outcome, name, words))


def _seen(edit: ModelEdit | None, now: ModelNow | None) -> Settled:
    """Whether an edit took effect, by the model as it is now."""
    if edit is None or now is None:
        return Settled("refused", "The command log doesn't say what it was.")
    change = edit.change
    match change:
        case SetTag():
            place = now.version(change.version) if change.version else now.model
            there = place is not None and place.tags.get(change.key) == change.value
        case Describe():
            place = now.version(change.version) if change.version else now.model
            there = place is not None and place.description == change.text
        case DeleteVersion():
            there = now.version(change.version) is None
        case AddVersion():
            known = int(edit.before or 0)
            there = any(one.source == change.source and int(one.version) > known for one in now.versions)
        case AddModel():
            there = True
        case _:
            there = False
    return Settled("done", "It took effect, as read back.") if there else Settled("refused", "It did not take effect.")
