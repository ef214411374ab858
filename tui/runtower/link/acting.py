"""A source's second process, which changes runs and models: opened at the first change, polls nothing, and logs what it
did.

It doesn't end with the terminal: a change that was begun is finished and logged first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from runtower.domain.edits import Edit
from runtower.domain.errors import Broken, Forbidden, Invalid, OutcomeUnknown, TowerError
from runtower.domain.model_changes import Edited, ModelEdit
from runtower.domain.promotions import Promotion
from runtower.link import commandlog
from runtower.link.kinds import find
from runtower.link.lanes import Tell
from runtower.link.opening import refuse_held, target_of
from runtower.link.sourcelog import note
from runtower.link.wire import VERSION, Hello, Opened
from runtower.promote.edits import carry_out_edit
from runtower.promote.settling import settle
from runtower.promote.transaction import carry_out
from runtower.sources.port import Editable, EditsModels, Identity, OpensForEdits


class EditDesk:
    """What the lanes know as a source: changes runs one at a time, and beside them models one at a time, where a
    version may have to be waited for.

    `alone` is set once the terminal has left: from then on the end of an edit is logged here, else by the terminal.
    """

    def __init__(self, source: Editable, log: Path, alone: threading.Event) -> None:
        self._source = source
        self._log = log
        self._alone = alone
        self._turn = threading.Lock()
        self._models_turn = threading.Lock()

    def identity(self) -> Identity:
        return self._source.identity()

    def close(self) -> None:
        self._source.close()

    def operate(self, name: str, arguments: Mapping[str, str], tell: Tell) -> bytes:
        """Operations on runs and, where the source edits models too, on models; results are JSON. Raises TowerError.

        look           run_id -> RunNow
        edit           edit (JSON), id of its intent -> RunNow
        identify       -> Identity
        look_model     name -> ModelNow
        promote        promotion (JSON), id of its intent -> Promoted
        settle_promotion  promotion (JSON) -> Settled
        edit_model     edit (JSON), id of its intent -> Edited
        """
        if name == "look_model":  # nobody has to wait for a promotion that waits itself
            return msgspec.json.encode(self._registry.model(arguments["name"]))
        if name in ("promote", "settle_promotion", "edit_model"):
            with self._models_turn:
                return self._operate_models(name, arguments, tell)
        with self._turn:
            match name:
                case "look":
                    return msgspec.json.encode(self._source.look(arguments["run_id"]))
                case "identify":
                    return msgspec.json.encode(self._source.identity())
                case "edit":
                    edit = msgspec.json.decode(arguments["edit"], type=Edit)
                    return self._write(lambda: self._source.edit(edit, lambda: tell(0, None, "")), arguments["id"])
                case _:
                    raise Invalid(f"There is no operation '{name}'.")

    def _operate_models(self, name: str, arguments: Mapping[str, str], tell: Tell) -> bytes:
        registry = self._registry
        match name:
            case "promote":
                wanted = msgspec.json.decode(arguments["promotion"], type=Promotion)
                return self._write(
                    lambda: carry_out(registry, wanted, lambda doing: tell(0, None, doing)), arguments["id"]
                )
            case "edit_model":
                edit = msgspec.json.decode(arguments["edit"], type=ModelEdit)

                def work() -> Edited:
                    tell(0, None, "")
                    return carry_out_edit(registry, edit)

                return self._write(work, arguments["id"])
            case _:
                left = msgspec.json.decode(arguments["promotion"], type=Promotion)
                return msgspec.json.encode(settle(registry, left))

    @property
    def _registry(self) -> EditsModels:
        if not isinstance(self._source, EditsModels):
            raise Forbidden("Models can't be changed through this source.", "Change them where they are registered.")
        return self._source

    def _write(self, work: Callable[[], object], intent_id: str) -> bytes:
        try:
            now = work()
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
