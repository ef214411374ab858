"""The record of a promotion: one tag of its own on the version, written once, never changed, read by everybody.

The key is `runtower.promotion.<ulid>`, the value JSON below 4 KB. Who reads one written by a newer version takes what
it knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from runtower.domain.errors import Invalid
from runtower.domain.models import ModelNow
from runtower.domain.promotions import Destination, DestinationKind, Promotion, State, Way, destination_of
from runtower.domain.ulids import is_ulid

OWN: Final = "runtower."
PREFIX: Final = "runtower.promotion."
LONGEST: Final = 3500  # bytes: the oldest servers keep 5,000 characters a tag, and an intent holds a record too
_TEXT: Final = 600
_LINE: Final = 200
_VERSION: Final = 1


class GateLine(msgspec.Struct, frozen=True):
    """A rule, what came of it (`met`, `not_met`, `cant_tell`) and its numbers in words, shortened."""

    rule: str
    state: str
    says: str = ""


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename={"before": "from"}):
    """What was done. `at` is UTC epoch ms, `to` as on the command line, `before` the holders until then.

    `model` and `version` are what was promoted, '' where an alias was removed. `copied_as` is the number in the other
    model, on the version that was copied. `settled`: it was found done later, by who looked after a promotion whose end
    nobody saw.
    """

    who: str
    at: int
    model: str
    version: str
    to: str
    before: tuple[str, ...] = ()
    way: str = Way.PROMOTE
    archive: bool = False
    gate: tuple[GateLine, ...] = ()
    cut: int = 0
    override: str = ""
    reason: str = ""
    context: dict[str, str] = {}
    copied_as: str = ""
    settled: bool = False
    v: int = _VERSION

    def is_to(self, to: Destination) -> bool:
        """Whether it went to that destination."""
        try:
            return destination_of(self.to) == to
        except Invalid:
            return False

    @property
    def gate_state(self) -> State | None:
        """What the gate came to, None where no rules were declared."""
        states = {line.state for line in self.gate}
        return next((one for one in (State.NOT_MET, State.CANT_TELL, State.MET) if one in states), None)


class Kept(msgspec.Struct, frozen=True):
    """A record, its id, and the version whose tag it is."""

    id: str
    on: str
    record: Record


def key_of(promotion_id: str) -> str:
    """The tag that holds the record of that promotion."""
    return PREFIX + promotion_id


def record_of(promotion: Promotion) -> Record:
    """What is kept of a promotion; `cut` of the gate's lines are left out where they don't fit."""
    return fitting(
        Record(
            who=promotion.who[:_LINE],
            at=promotion.at,
            model=promotion.model,
            version=promotion.version,
            to=str(promotion.to),
            before=promotion.before[:50],
            way=promotion.way.value,
            archive=promotion.archive,
            gate=tuple(
                GateLine(_short(one.rule, _LINE), one.state.value, _short(one.says, _LINE)) for one in promotion.gate
            ),
            override=_short(promotion.override, _TEXT),
            reason=_short(promotion.reason, _TEXT),
            context={key[:40]: _short(value, _LINE) for key, value in list(promotion.context.items())[:8]},
        )
    )


def fitting(record: Record) -> Record:
    """The same with fewer lines of the gate, what isn't met kept longest, then without the rest that is long."""
    replace = msgspec.structs.replace
    lines = sorted(record.gate, key=lambda line: line.state == State.MET)
    while lines and len(encoded(record)) > LONGEST:
        lines.pop()
        kept = tuple(line for line in record.gate if line in lines)
        record = replace(record, gate=kept, cut=record.cut + 1)
    if len(encoded(record)) > LONGEST:
        record = replace(record, context={}, reason=record.reason[:150], override=record.override[:150])
    return record


def encoded(record: Record) -> bytes:
    """As the value of a tag, UTF-8."""
    return msgspec.json.encode(record)


def decoded(text: str) -> Record | None:
    """None for what is no record of ours."""
    try:
        return msgspec.json.decode(text, type=Record)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def records(now: ModelNow, to: Destination) -> list[Kept]:
    """All records of what went to a destination of this model, the oldest first.

    For another model as destination (whose state `now` has to be): those on the copies.
    """
    found = [one for one in all_records(now) if one.record.is_to(to) and _is_here(one, now, to)]
    return sorted(found, key=lambda one: (one.record.at, one.id))


def all_records(now: ModelNow) -> Iterator[Kept]:
    """Every record of every version, in no order."""
    for version in now.versions:
        for key, text in version.tags.items():
            promotion_id = key.removeprefix(PREFIX)
            if promotion_id != key and is_ulid(promotion_id) and (record := decoded(text)) is not None:
                yield Kept(promotion_id, version.version, record)


def _is_here(kept: Kept, now: ModelNow, to: Destination) -> bool:
    """A copied version tells of the copy too; that is no move of what it was copied from."""
    if to.kind is not DestinationKind.MODEL:
        return kept.record.model == now.model.name
    return to.name == now.model.name and not kept.record.copied_as


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
