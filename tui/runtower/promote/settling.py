"""What became of promotions whose end nobody saw: told by the registry, and what is missing of them is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runtower.domain.errors import Invalid, NotFound, TowerError
from runtower.domain.models import ModelNow
from runtower.domain.promotions import Destination, DestinationKind, Promoted, Promotion, destination_of
from runtower.promote.clock import Clock, SystemClock
from runtower.promote.intents import Intent, intents, key_of
from runtower.promote.landing import Landed, Move, has_record, landed, shown, write_record
from runtower.promote.records import Record, record_of, records
from runtower.promote.turns import Turn, withdraw
from runtower.sources.port import EditsModels

_LOOK_AGAIN: Final = 2.0


@dataclass(frozen=True, slots=True)
class Settled:
    """`word` is done, refused (it has no effect now) or unknown (the registry doesn't answer); `says` a sentence."""

    word: str
    says: str
    promoted: Promoted | None = None


def settle(registry: EditsModels, promotion: Promotion, clock: Clock | None = None) -> Settled:
    """What became of a promotion that nobody works on any more. Completes its record and takes its intent away.

    Where it isn't there it is looked at twice: a server may still be at a request whose sender is gone.
    """
    move = Move(promotion.id, promotion.to, record_of(promotion))
    try:
        if landed(move, registry.model(move.where)) is Landed.AS_BEFORE:
            (clock or SystemClock()).pause(_LOOK_AGAIN)
    except NotFound as error:
        return Settled("refused", f"It has no effect now: {error.tried}")
    except TowerError as error:
        return Settled("unknown", f"What became of it can't be told: {error}")
    try:
        return _settle(registry, move)
    except TowerError as error:
        return Settled("unknown", f"What became of it can't be told: {error}")


def _settle(registry: EditsModels, move: Move) -> Settled:
    try:
        now = registry.model(move.where)
        source = now if move.where == move.record.model else registry.model(move.record.model)
    except NotFound as error:
        return Settled("refused", f"It has no effect now: {error.tried}")
    holders = move.to.holders(now)
    is_here = f"{move.to.shown} of {move.where} is held by {shown(holders)}"
    if has_record(move, source):
        says = _withdrawn(registry, move, now)
        return Settled("done", "It was done, as its record says.", Promoted(holders, False, move.copy_in(now), says))
    if took_effect(move, now):
        copied_as = move.copy_in(now)
        warning = write_record(registry, move, copied_as, settled=True)
        # An intent whose record can't be written stays: it holds the record.
        warnings = (warning,) if warning else _withdrawn(registry, move, now)
        return Settled("done", f"It was done: {is_here}.", Promoted(holders, False, copied_as, warnings))
    _withdrawn(registry, move, now)
    if landed(move, now) is Landed.AS_BEFORE:
        return Settled("refused", f"It did not take effect: {is_here}, as before.")
    return Settled("refused", f"It has no effect now: {is_here}.")


def took_effect(move: Move, now: ModelNow) -> bool:
    """Whether the registry shows that it did: what was wanted is there and nobody else's record claims it, or
    somebody's record goes on from it."""
    others = [one for one in records(now, move.to) if one.id != move.id]
    if landed(move, now) is Landed.THERE:
        return not any(_claims(one.record, move.record) for one in others)
    if move.to.kind is not DestinationKind.ALIAS or not move.record.version:
        return False
    later = [one.record for one in others if one.record.at >= move.record.at]
    return any(one.before == (move.record.version,) for one in later[:1])


def _claims(other: Record, mine: Record) -> bool:
    """Whether that later record is what brought the version there."""
    return other.version == mine.version and other.way == mine.way and other.at >= mine.at and other.before != ()


def finish_expired(turn: Turn, now: ModelNow, source: ModelNow) -> Iterable[str]:
    """Settle the intents that runtowers left behind when they died, and say of each what was found. In a turn of one's
    own only: nobody else does the same then."""
    for intent in turn.expired:
        move = _move_of(intent)
        if move is None:
            yield f"A mark that nobody can read was taken away: {intent.key}."
        elif move.record.model == source.model.name and not has_record(move, source) and took_effect(move, now):
            warning = write_record(turn.registry, move, move.copy_in(now), settled=True)
            if warning:
                yield warning
                continue
            yield f"A promotion that {intent.who} left unfinished was done; its record was written."
        else:
            yield f"A mark that {intent.who} left behind was taken away."
        withdraw(turn.registry, turn.model, intent.key)


def _move_of(intent: Intent) -> Move | None:
    if intent.record is None:
        return None
    try:
        to: Destination = destination_of(intent.record.to)
    except Invalid:
        return None
    return Move(intent.id, to, intent.record)


def _withdrawn(registry: EditsModels, move: Move, now: ModelNow) -> tuple[str, ...]:
    if not any(one.id == move.id for one in intents(now.model, move.to)):
        return ()
    says = withdraw(registry, move.where, key_of(move.to, move.id))
    return (says,) if says else ()
