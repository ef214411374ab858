"""Changes of MLflow runs: compared before, read back after, tried once; by REST or through MlflowClient.

MLflow has no write that compares: between our look and our write another client may write too. Reading back shows it
where the other one was later; the window is a few milliseconds on a local store and a round trip on a server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from runtower.domain.edits import ACTIVE, DELETED, Edit, Field, RunNow
from runtower.domain.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    TowerError,
    Unauthorised,
    Unreachable,
)
from runtower.domain.runs import Status
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.outcomes import Unsent
from runtower.sources.mlflow.registry_changes import ChangesModels, ModelWrites
from runtower.sources.port import Identity

# After these nothing was done, even where nobody can be asked any more.
_REFUSALS: Final = (Busy, Conflict, Forbidden, NotFound, Unauthorised)


class Writes(Protocol):
    """A way to a store. Both calls raise TowerError; `write` is sent once, and never again by anybody below."""

    def identity(self) -> Identity: ...

    def close(self) -> None: ...

    def look(self, run_id: str) -> RunNow: ...

    def write(self, edit: Edit, end_time: int) -> None:
        """Do it. `end_time` (UTC epoch ms) is that of a run which is marked KILLED."""
        ...


class Edits(ChangesModels):
    """Satisfies EditsRuns over any way to a store, and EditsModels over any to its registry."""

    def __init__(self, way: Writes, models: Later[ModelWrites]) -> None:
        self._way = way
        self._models = models

    def identity(self) -> Identity:
        return self._way.identity()

    def close(self) -> None:
        self._models.close()
        self._way.close()

    def look(self, run_id: str) -> RunNow:
        return self._way.look(run_id)

    def edit(self, edit: Edit, ready: Callable[[], None]) -> RunNow:
        _check(edit)
        now = self.look(edit.run_id)
        if now.value(edit) == edit.after:
            return now
        if not now.still_as_shown(edit):
            raise Conflict(
                f"{_named(now)} changed since it was shown: {_is_now(edit, now)}.", "Look again, then decide."
            )
        if edit.field is not Field.LIFECYCLE and now.lifecycle == DELETED:
            raise Conflict(
                f"{_named(now)} is deleted, and MLflow changes nothing of deleted runs.", "Restore it first."
            )
        ready()
        try:
            self._way.write(edit, _last_sign_of_life(now))
        except Invalid as refusal:
            raise self._refused(now, refusal) from refusal
        except Unsent as error:
            raise Unreachable(f"Nothing was changed: {error.tried}", error.remedy) from error
        except TowerError as error:
            return self._what_became(edit, error)
        return self._read_back(edit)

    def _read_back(self, edit: Edit) -> RunNow:
        try:
            now = self.look(edit.run_id)
        except TowerError as error:
            raise OutcomeUnknown(
                f"The change was sent and could not be read back: {error.tried}", error.remedy
            ) from error
        if now.value(edit) != edit.after:
            text = f"{_named(now)} was changed, and reads otherwise now: {_is_now(edit, now)}."
            raise Conflict(text, "Somebody else changed it at the same moment; look again.")
        return now

    def _refused(self, before: RunNow, refusal: Invalid) -> TowerError:
        """The store doesn't take the change: because of its value, or because the run is in another state by now."""
        with suppress(TowerError):
            now = self.look(before.run_id)
            if now.lifecycle != before.lifecycle:
                text = f"{_named(now)} changed since it was shown: its lifecycle is {now.lifecycle!r}."
                return Conflict(text, "Look again, then decide.")
        return Invalid(refusal.tried, "Give another name, key or value.")

    def _what_became(self, edit: Edit, error: TowerError) -> RunNow:
        """The write failed: whether it took effect all the same."""
        try:
            now = self.look(edit.run_id)
        except TowerError:
            now = None
        if now is not None and now.value(edit) == edit.after:
            return now
        if isinstance(error, _REFUSALS):
            raise error
        # A server that didn't answer may still be at it.
        if now is None or isinstance(error, Unreachable):
            text = f"Whether the change took effect isn't known: {error.tried}"
            raise OutcomeUnknown(text, "It is read back; look at the run before trying again.") from error
        raise error


def _check(edit: Edit) -> None:
    """Refuse what MLflow would take for something else. Raises Invalid."""
    if edit.field is Field.NAME and not edit.after:
        raise Invalid("A run's name can't be empty: MLflow would leave it as it is.", "Give a name.")
    if edit.field is Field.LIFECYCLE and edit.after not in (ACTIVE, DELETED):
        raise Invalid(f"There is no lifecycle '{edit.after}'.")
    if edit.field is Field.STATUS and edit.after != Status.KILLED:
        raise Invalid(f"A run is marked KILLED, never {edit.after}.")


def _last_sign_of_life(now: RunNow) -> int:
    """When a run that is marked KILLED ended, in UTC epoch ms: with its last metric, as nobody saw it later."""
    known = [moment for moment in (now.start_time, now.last_metric) if moment is not None]
    present = time.time_ns() // 1_000_000
    return min(max(known, default=present), present)


def _named(now: RunNow) -> str:
    return f"Run {now.name or 'without a name'} ({now.run_id})"


def _is_now(edit: Edit, now: RunNow) -> str:
    """What is there, in words."""
    value = now.value(edit)
    what = f"its tag {edit.key}" if edit.field is Field.TAG else f"its {edit.field}"
    if edit.field is Field.STATUS and value == edit.before:
        return "it logged another metric"
    return f"{what} is gone" if value is None else f"{what} is {value[:200]!r}"
