"""A source's second process, which changes runs: opened at the first change, polls nothing, and logs what it did.

It doesn't end with the terminal: a change that was begun is finished and logged first.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from runtower.domain.edits import Edit
from runtower.domain.errors import Broken, Forbidden, Invalid, OutcomeUnknown, TowerError
from runtower.link import commandlog
from runtower.link.kinds import find
from runtower.link.lanes import Tell
from runtower.link.opening import refuse_held, target_of
from runtower.link.sourcelog import note
from runtower.link.wire import VERSION, Hello, Opened
from runtower.sources.port import Editable, Identity, OpensForEdits


class EditDesk:
    """What the lanes know as a source: carries out `edit`, `look` and `identify`, one at a time.

    `alone` is set once the terminal has left: from then on the end of an edit is logged here, else by the terminal.
    """

    def __init__(self, source: Editable, log: Path, alone: threading.Event) -> None:
        self._source = source
        self._log = log
        self._alone = alone
        self._turn = threading.Lock()

    def identity(self) -> Identity:
        return self._source.identity()

    def close(self) -> None:
        self._source.close()

    def operate(self, name: str, arguments: Mapping[str, str], tell: Tell) -> bytes:
        """`look` (run_id) and `edit` (edit, as JSON; id of its intent) give a RunNow, `identify` an Identity, as JSON.

        Raises TowerError.
        """
        with self._turn:
            match name:
                case "look":
                    return msgspec.json.encode(self._source.look(arguments["run_id"]))
                case "identify":
                    return msgspec.json.encode(self._source.identity())
                case "edit":
                    return self._edit(msgspec.json.decode(arguments["edit"], type=Edit), arguments["id"], tell)
                case _:
                    raise Invalid(f"There is no operation '{name}'.")

    def _edit(self, edit: Edit, intent_id: str, tell: Tell) -> bytes:
        try:
            now = self._source.edit(edit, lambda: tell(0, None, ""))
        except TowerError as error:
            outcome = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
            self._settle(intent_id, outcome, error)
            raise
        except Exception as error:
            note("an edit failed", error)
            unknown = OutcomeUnknown(f"The source failed during the change: {error!r}.", "The source's log says more.")
            self._settle(intent_id, "unknown", unknown)
            raise unknown from error
        self._settle(intent_id, "done", None)
        return msgspec.json.encode(now)

    def _settle(self, intent_id: str, outcome: str, error: TowerError | None) -> None:
        if not self._alone.is_set():
            return
        name, says = (error.name, str(error)) if error is not None else ("", "")
        try:
            commandlog.result(self._log, intent_id, outcome, name, says)
        except OSError as failed:
            note("the command log can't be written", failed)  # the next start reads back what became of it


class Opener:
    """Opens the source once it is needed, and again after a failure."""

    def __init__(self, hello: Hello) -> None:
        self._hello = hello
        self._desk: EditDesk | None = None
        self._opening = threading.Lock()
        self.alone = threading.Event()

    def source(self) -> EditDesk:
        """Raises TowerError."""
        with self._opening:
            if self._desk is None:
                self._desk = EditDesk(self._open(), Path(self._hello.commands), self.alone)
            return self._desk

    def begin(self) -> None:
        """Open before anybody asks: importing a library takes seconds. A failure is told to whoever asks."""
        with suppress(TowerError):
            self.source()

    def opened(self) -> Opened:
        """What the terminal hears at once: nothing of this process depends on an open source."""
        return Opened(VERSION, "", "", "", edits=True)

    def _open(self) -> Editable:
        target = target_of(self._hello)
        refuse_held(target)
        if target.read_only:
            raise Forbidden(f"{target.name} is read-only.", "Leave --read-only, or read_only in the settings, away.")
        kind = find(target.kind)
        if not isinstance(kind, OpensForEdits):
            raise Forbidden(f"Runs of a {target.kind} source can't be changed.", "Change them where they are recorded.")
        try:
            return kind.open_for_edits(target)
        except TowerError:
            raise
        except Exception as error:
            note("the source can't be opened for changes", error)
            raise Broken(f"The source can't be opened for changes: {error!r}.", "Its log has the details.") from error
