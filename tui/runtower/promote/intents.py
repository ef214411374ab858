"""What a runtower writes on a model before it moves something there: a tag of its own, with all that its record will
say.

The key is `runtower.intent.<what>.<ulid>` on the model whose alias, stage or versions are changed. The value is JSON:
the record, and until when the intent counts. So whoever finds one of a runtower that died can finish its record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec

from runtower.domain.models import Model
from runtower.domain.promotions import Destination, DestinationKind
from runtower.domain.ulids import LENGTH, is_ulid, made
from runtower.promote.records import Record, fitting

PREFIX: Final = "runtower.intent."
LEASE_MS: Final = 600_000
_LONGEST: Final = 150
# No alias has a dot in its name, so neither of these is one.
_STAGES: Final = "of.stages"
_COPIES: Final = "of.copies"


class Written(msgspec.Struct, frozen=True):
    """The value of the tag; `until` is UTC epoch ms by the clock of who wrote it."""

    until: int
    record: Record
    v: int = 1


class Intent(msgspec.Struct, frozen=True):
    """An intent that stands on a model. `record` is None where nobody can read it; it counts all the same, until
    `until`."""

    key: str
    id: str
    until: int
    record: Record | None

    @property
    def who(self) -> str:
        return self.record.who if self.record is not None else "somebody"


def slot(to: Destination) -> str:
    """What excludes each other: an alias only itself, all stages of a model, all copies into a model."""
    match to.kind:
        case DestinationKind.ALIAS:
            return to.name if len(to.name) <= _LONGEST else f"of.{hashlib.sha256(to.name.encode()).hexdigest()[:32]}"
        case DestinationKind.STAGE:
            return _STAGES
        case DestinationKind.MODEL:
            return _COPIES


def key_of(to: Destination, promotion_id: str) -> str:
    """The tag of an intent; MLflow takes 250 characters."""
    return f"{PREFIX}{slot(to)}.{promotion_id}"


def value_of(record: Record, now_ms: int) -> str:
    """What the tag says."""
    return msgspec.json.encode(Written(now_ms + LEASE_MS, fitting(record))).decode()


def intents(model: Model, to: Destination) -> list[Intent]:
    """All intents that exclude a move to that destination, live or not, the oldest first."""
    return sorted(_intents(model, f"{PREFIX}{slot(to)}."), key=lambda one: one.id)


def _intents(model: Model, prefix: str) -> Iterator[Intent]:
    for key, text in model.tags.items():
        promotion_id = key[-LENGTH:]
        if key != prefix + promotion_id or not is_ulid(promotion_id):
            continue
        try:
            written = msgspec.json.decode(text, type=Written)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            yield Intent(key, promotion_id, made(promotion_id) + LEASE_MS, None)
        else:
            yield Intent(key, promotion_id, written.until, written.record)
