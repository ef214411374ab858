"""Changes of a registry of models: each written once, and told truly whether it took effect; by REST or MlflowClient.

Nothing is compared before a write, which is who wants it to do. What MLflow answered with a failure of its own is read
back, for then it is done with it; where no answer came the server may still be at it.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from runtower.domain.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    TooNew,
    TooOld,
    TowerError,
    Unauthorised,
    Unreachable,
)
from runtower.domain.model_changes import (
    AddModel,
    AddVersion,
    Change,
    DeleteVersion,
    Describe,
    SetAlias,
    SetStage,
    SetTag,
)
from runtower.domain.models import STAGES, ModelNow
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.outcomes import Failed, Unsent
from runtower.sources.mlflow.registry import Origin, copied_version_of

# What MLflow passes on of a statement that its database didn't take; it says that the question was a bad one.
_OF_DATABASE: Final = re.compile(r"\((psycopg2?|sqlite3|pymysql|MySQLdb|pyodbc)\.|\[SQL:")
_STATEMENT: Final = re.compile(r"\s+(LINE \d+:|\[SQL:).*", re.DOTALL)
# After these nothing was done.
_REFUSALS: Final = (Busy, Conflict, Forbidden, NotFound, Unauthorised, TooNew, TooOld)


class ModelWrites(Protocol):
    """A way to a registry. All raise TowerError; `write` is sent once, and never again by anybody below."""

    def model(self, name: str) -> ModelNow: ...

    def origin(self, name: str, version: str) -> Origin: ...

    def write(self, change: Change) -> str:
        """Do it; the number of a version that was added, else ''."""
        ...

    def close(self) -> None: ...


class ChangesModels:
    """Satisfies EditsModels by `_models`, which a source of edits sets when it is opened."""

    _models: Later[ModelWrites]

    def model(self, name: str) -> ModelNow:
        return self._models().model(name)

    def change(self, change: Change) -> str:
        return _Writing(self._models(), change).done()


@dataclass(slots=True)
class _Writing:
    """One change on its way."""

    way: ModelWrites
    change: Change

    def done(self) -> str:
        """Write, and give what `EditsModels.change` gives. Raises as that."""
        _check(self.change)
        before: Set[str] = frozenset()
        if isinstance(self.change, AddVersion):
            before = {one.version for one in self.way.model(self.change.model).versions}
            self.change = self._with_its_run(self.change)
        try:
            return self.way.write(self.change)
        except Invalid as refusal:
            if _OF_DATABASE.search(refusal.tried):
                return self._what_became(_shortened(refusal), before)
            raise Invalid(refusal.tried, "Give another name, key or value.") from refusal
        except Unsent as error:
            raise Unreachable(f"Nothing was changed: {error.tried}", error.remedy) from error
        except Failed as error:
            return self._what_became(error, before)
        except _REFUSALS:
            raise
        except TowerError as error:
            raise _unknown(error) from error

    def _with_its_run(self, change: AddVersion) -> AddVersion:
        """A copy keeps the run of what is copied, as MLflow's own copies do. Raises NotFound where that isn't there."""
        copied = copied_version_of(change.source)
        if copied is None or change.run_id:
            return change
        return msgspec.structs.replace(change, run_id=self.way.origin(*copied).run_id)

    def _what_became(self, error: TowerError, before: Set[str]) -> str:
        try:
            now: ModelNow | None = self.way.model(self.change.model)
        except NotFound:
            now = None
        except TowerError:
            raise _unknown(error) from error
        if isinstance(self.change, AddVersion):
            added = _added(self.change, now, before)
            if added:
                return added
        elif is_done(self.change, now):
            return ""
        raise TowerError(f"Nothing was changed: {error.tried}", _remedy(self.change)) from error


def is_done(change: Change, now: ModelNow | None) -> bool:
    """Whether a model is as a change leaves it; `now` is None where there is none. An added version isn't told so."""
    if now is None or isinstance(change, AddModel | AddVersion):
        return now is not None and isinstance(change, AddModel)
    if isinstance(change, SetAlias):
        return now.model.aliases.get(change.alias) == change.version
    version = now.version(change.version)
    if isinstance(change, DeleteVersion):
        return version is None
    of = now.model if not change.version else version
    if of is None:
        return False
    if isinstance(change, SetTag):
        return of.tags.get(change.key) == change.value
    if isinstance(change, Describe):
        return of.description == change.text
    others = set(now.in_stage(change.stage)) - {change.version}
    return version is not None and version.stage == change.stage and not (change.archive and others)


def _added(change: AddVersion, now: ModelNow | None, before: Set[str]) -> str:
    """The version that is there since, and is what was to be added; '' where none is."""
    for one in now.versions if now is not None else ():
        if one.version in before:
            continue
        is_mine = (one.source, one.run_id, one.description) == (change.source, change.run_id, change.description)
        if is_mine and dict(change.tags).items() <= dict(one.tags).items():
            return one.version
    return ""


def _check(change: Change) -> None:
    """Refuse what MLflow would take for something else. Raises Invalid."""
    if isinstance(change, SetStage) and change.stage not in STAGES:
        raise Invalid(f"There is no stage {change.stage!r}.", f"MLflow knows {', '.join(STAGES)}.")
    version = getattr(change, "version", None)
    if version and not (version.isascii() and version.isdecimal()):
        raise Invalid(f"{version!r} is no version of a model.", "Versions are numbers.")


def _shortened(error: TowerError) -> Failed:
    """A database's refusal without the statement."""
    return Failed(f"{_STATEMENT.sub('', error.tried)}.", error.remedy)


def _remedy(change: Change) -> str:
    if isinstance(change, SetStage) and change.archive:
        return (
            "MLflow on PostgreSQL fails to archive what is in a stage while it moves another version there: archive"
            " those first, then move this one without."
        )
    return "The server's log says why; try again, or ask who runs it."


def _unknown(error: TowerError) -> OutcomeUnknown:
    text = f"Whether the change took effect isn't known: {error.tried}"
    return OutcomeUnknown(text, "Look at the model before trying again.")
