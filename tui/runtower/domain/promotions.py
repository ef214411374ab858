"""Promotions as values: what is promoted to where, from which holder, by whom, and what the gate said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from runtower.domain.errors import Invalid
from runtower.domain.models import NO_STAGE, STAGES, ModelNow

_NUMBERED: Final = re.compile(r"v\d+", re.IGNORECASE)


class DestinationKind(StrEnum):
    """Where a version can be promoted to."""

    ALIAS = "alias"
    STAGE = "stage"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Destination:
    """An alias, a stage, or another model that gets a copy."""

    kind: DestinationKind
    name: str

    def __str__(self) -> str:
        """As it is written on a command line: `champion`, `stage:Production`, `model:detector-prod`."""
        return self.name if self.kind is DestinationKind.ALIAS else f"{self.kind}:{self.name}"

    @property
    def shown(self) -> str:
        """As it is shown: `@champion`, `stage Production`, `model detector-prod`."""
        return f"@{self.name}" if self.kind is DestinationKind.ALIAS else f"{self.kind} {self.name}"

    def holders(self, now: ModelNow) -> tuple[str, ...]:
        """The versions that are there now, the newest first; of another model (whose state `now` has to be) its newest
        version."""
        match self.kind:
            case DestinationKind.ALIAS:
                return tuple(one for one in (now.model.aliases.get(self.name),) if one is not None)
            case DestinationKind.STAGE:
                return now.in_stage(self.name)
            case DestinationKind.MODEL:
                return tuple(one.version for one in now.versions[:1])


def destination_of(text: str) -> Destination:
    """What `T` in `--to T` stands for: an alias (with or without @), `stage:NAME` or `model:NAME`. Raises Invalid."""
    kind, colon, name = text.partition(":")
    if not colon:
        alias = text.removeprefix("@")
        if not alias or not all(one.isalnum() or one in "-_" for one in alias):
            raise Invalid(f"'{text}' is no alias.", "Letters, digits, - and _; or stage:NAME, or model:NAME.")
        if alias.casefold() == "latest" or _NUMBERED.fullmatch(alias):
            raise Invalid(f"'{alias}' can't be an alias: MLflow keeps it for itself.", "Choose another word.")
        return Destination(DestinationKind.ALIAS, alias)
    if kind == "stage":
        found = next((one for one in STAGES if one.casefold() == name.casefold() and one != NO_STAGE), None)
        if found is None:
            raise Invalid(f"There is no stage '{name}'.", "Stages are Staging, Production and Archived.")
        return Destination(DestinationKind.STAGE, found)
    if kind == "model" and ("/" in name or ":" in name):
        raise Invalid(f"A model can't be named '{name}'.", "MLflow allows neither / nor : in it.")
    if kind == "model" and name:
        return Destination(DestinationKind.MODEL, name)
    raise Invalid(f"'{text}' names nothing to promote to.", "Give an alias, stage:NAME or model:NAME.")


class State(StrEnum):
    """What became of a rule."""

    MET = "met"
    NOT_MET = "not_met"
    CANT_TELL = "cant_tell"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule of a gate and what came of it. `rule` is its name with what it asks for, `says` the numbers behind it;
    `numbers` the same for programs. `comparative`: it compares with another version. `declared_by` says where the rule
    stands: a place in the settings, or the tag of a model."""

    rule: str
    state: State
    says: str
    comparative: bool = False
    numbers: Mapping[str, float | str | bool | None] = field(default_factory=dict)
    declared_by: str = ""


class Way(StrEnum):
    """How a version came to where it is."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version of `model` to a destination. `before`: the holders as they were shown, none for nobody.

    `id` is a ULID and `at` UTC epoch ms; `version` is '' where an alias is removed. `archive`: who was in the stage
    goes to Archived. `override`: why a gate that isn't met was overridden. `context` is what CI told of itself.
    """

    id: str
    at: int
    who: str
    model: str
    version: str
    to: Destination
    before: tuple[str, ...]
    way: Way = Way.PROMOTE
    archive: bool = False
    gate: tuple[Verdict, ...] = ()
    override: str = ""
    reason: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promoted:
    """How a promotion ended that went well: the holders as they were read back, whether nothing had to be done, and the
    number that a copy got in the other model, else ''. `warnings` are sentences."""

    holders: tuple[str, ...]
    already: bool = False
    copied_as: str = ""
    warnings: tuple[str, ...] = ()
