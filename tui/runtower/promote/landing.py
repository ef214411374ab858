"""Whether a promotion took effect, told by the registry alone, and its record where it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from runtower.domain.errors import NotFound, TowerError
from runtower.domain.model_changes import SetTag
from runtower.domain.models import ModelNow
from runtower.domain.promotions import Destination, DestinationKind, Way
from runtower.promote.records import Record, encoded, fitting, key_of
from runtower.sources.port import EditsModels


class Landed(StrEnum):
    """Where a destination is, seen from one promotion."""

    THERE = "there"
    AS_BEFORE = "as_before"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Move:
    """A promotion as its record has it, with its id and its destination as such."""

    id: str
    to: Destination
    record: Record

    @property
    def where(self) -> str:
        """The model whose alias, stage or versions are changed."""
        return self.to.name if self.to.kind is DestinationKind.MODEL else self.record.model

    def copy_in(self, now: ModelNow) -> str:
        """The number of the copy that this promotion made, '' where there is none."""
        return next((one.version for one in now.versions if key_of(self.id) in one.tags), "")


def landed(move: Move, now: ModelNow) -> Landed:
    """Whether what was wanted is there; `now` is the state of `move.where`."""
    record, holders = move.record, move.to.holders(now)
    if move.to.kind is DestinationKind.MODEL:
        return Landed.THERE if move.copy_in(now) else Landed.AS_BEFORE
    if record.way == Way.REMOVE:
        there = not holders
    elif move.to.kind is DestinationKind.STAGE and not record.archive:
        there = record.version in holders
    else:
        there = holders == (record.version,)
    if there:
        return Landed.THERE
    return Landed.AS_BEFORE if holders == record.before else Landed.ELSEWHERE


def has_record(move: Move, source: ModelNow) -> bool:
    """Whether the record stands where it belongs; `source` is the state of the promoted model."""
    version = source.version(_holder_of_record(move.record))
    return version is not None and key_of(move.id) in version.tags


def write_record(registry: EditsModels, move: Move, copied_as: str = "", settled: bool = False) -> str:
    """Write the record on the version that was promoted, or that had what was taken away. Done twice it is the same.

    Tried a second time where it doesn't go. A sentence where it is not there afterwards, else ''.
    """
    record = fitting(msgspec.structs.replace(move.record, copied_as=copied_as, settled=settled))
    change = SetTag(record.model, _holder_of_record(record), key_of(move.id), encoded(record).decode())
    says = ""
    for _ in range(2):
        try:
            registry.change(change)
            return ""
        except NotFound as error:
            return f"The record of this promotion has no place any more: {error.tried}"
        except TowerError as error:
            says = error.tried
    try:
        if has_record(move, registry.model(record.model)):
            return ""
    except TowerError as error:
        says = error.tried
    return f"The record of this promotion could not be written: {says} The next promotion of {move.where} writes it."


def _holder_of_record(record: Record) -> str:
    return record.before[0] if record.way == Way.REMOVE and record.before else record.version


def shown(holders: tuple[str, ...]) -> str:
    """`v3`, `v5 and v4`, or `nobody`."""
    return " and ".join(f"v{one}" for one in holders) or "nobody"
