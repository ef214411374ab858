"""The versions that were at a destination, in time, and which one was there before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runtower.domain.models import READY, ModelNow
from runtower.domain.promotions import Destination, DestinationKind, Way
from runtower.promote.records import Kept, Record, all_records, records

_SKEW_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class Move:
    """What was at a destination until then and from then on, the newest version first; nothing for nobody.

    `record` is None where it was moved elsewhere: by another client, that left none. `at` is UTC epoch ms, None where
    nobody knows it. `gone`: those of the versions that there aren't any more.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    record: Record | None = None
    id: str = ""
    gone: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> bool:
        """Whether another client did it."""
        return self.record is None

    @property
    def at(self) -> int | None:
        return self.record.at if self.record is not None else None


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a destination, the oldest first, up to who is there now."""

    to: Destination
    moves: tuple[Move, ...]
    holders: tuple[str, ...]


def history(now: ModelNow, to: Destination) -> History:
    """The moves of a destination, by the records on all versions.

    Where a record doesn't go on from where the last one ended, and where who holds it now is nobody of the last one, a
    move made elsewhere stands between. For a model as destination, `now` is that model's state.
    """
    moves: list[Move] = []
    reached: tuple[str, ...] | None = None
    for kept in _in_order(records(now, to), to):
        before = kept.record.before
        if reached is not None and reached != before:
            moves.append(_move(now, reached, before, _went_on(now, to, reached, before)))
        reached = _after(kept, to)
        moves.append(_move(now, before, reached, kept))
    holders = to.holders(now)
    if reached is not None and reached != holders:
        moves.append(_move(now, reached, holders, _went_on(now, to, reached, holders)))
    elif reached is None and holders:
        moves.append(_move(now, (), holders))
    return History(to, tuple(moves), holders)


def previous(now: ModelNow, to: Destination) -> str | None:
    """The version that a rollback brings back, None where none is known.

    It is who was there before the present holder came. A rollback takes back what it undid, so that a second one goes
    further back and not forth again. Versions that were deleted or never became READY are passed over.
    """
    past: list[tuple[str, ...]] = []
    for move in history(now, to).moves:
        if move.before and (not past or past[-1] != move.before):
            past.append(move.before)
        if move.record is not None and move.record.way == Way.ROLLBACK and move.after in past:
            del past[past.index(move.after) :]
        past.append(move.after)
    holders = to.holders(now)
    for state in reversed(past):
        if state == holders or not state:
            continue
        found = next((one for one in state if one not in holders and _is_ready(now, one)), None)
        if found is not None:
            return found
    return None


def _went_on(now: ModelNow, to: Destination, before: tuple[str, ...], after: tuple[str, ...]) -> Kept | None:
    """The record by which one version left this stage: a version is in one stage, and another took it."""
    left = set(before) - set(after)
    if to.kind is not DestinationKind.STAGE or len(left) != 1 or set(after) - set(before):
        return None
    found = [
        one
        for one in all_records(now)
        if one.record.version in left
        and one.record.to.startswith(f"{DestinationKind.STAGE}:")
        and not one.record.is_to(to)
    ]
    return max(found, key=lambda one: one.record.at, default=None)


def _in_order(found: Sequence[Kept], to: Destination) -> Iterator[Kept]:
    """By their times, but for clocks that differ: of those that may have been first, the one that goes on from where
    the last one ended."""
    left = list(found)
    reached: tuple[str, ...] | None = None
    while left:
        near = [one for one in left if one.record.at - left[0].record.at <= _SKEW_MS]
        ends = {_after(one, to) for one in near}
        follows = [one for one in near if one.record.before == reached]
        begins = [one for one in near if one.record.before not in ends]
        chosen = (follows or begins or near)[0]
        left.remove(chosen)
        reached = _after(chosen, to)
        yield chosen


def _after(kept: Kept, to: Destination) -> tuple[str, ...]:
    record = kept.record
    if record.way == Way.REMOVE:
        return ()
    if to.kind is DestinationKind.MODEL:
        return (kept.on,)
    if to.kind is DestinationKind.STAGE and not record.archive:
        return newest_first({record.version, *record.before})
    return (record.version,)


def newest_first(versions: set[str]) -> tuple[str, ...]:
    """Numbers of versions in order."""
    return tuple(sorted(versions, key=lambda one: int(one) if one.isdecimal() else -1, reverse=True))


def _move(now: ModelNow, before: Sequence[str], after: Sequence[str], kept: Kept | None = None) -> Move:
    gone = tuple(one for one in (*before, *after) if now.version(one) is None)
    record, promotion_id = (kept.record, kept.id) if kept is not None else (None, "")
    return Move(tuple(before), tuple(after), record, promotion_id, gone)


def _is_ready(now: ModelNow, number: str) -> bool:
    version = now.version(number)
    return version is not None and version.status == READY
