"""Taking turns: of all runtowers that are about to change the same thing on a model, one goes on.

MLflow compares nothing before it writes, so the runtowers compare among themselves. Each writes an intent, a tag under
a key of its own that nobody else writes, then reads all of them, and goes on only if it sees no other live one. Why two
never go on at once, as long as a server shows what it has said to be written: let A and B both go on, each alone in
what it read. A wrote before A read, and B before B read. If A didn't see B's intent, B wrote after A had read, hence
after A had written; so B read after A had written, and saw A's intent, unless A had withdrawn it by then, and so was
through. Whose id is older plays no part in that: where two see each other, the younger withdraws and the older reads
again until the other is gone, so that one of them gets its turn. Ids that are equal can't be. Clocks that differ change
who is called the older, and nothing else.

Times do play a part where a runtower dies with its intent standing. An intent counts for 600 s by the clock of who
wrote it, and its owner begins no write later than 180 s after it. Another runtower, whose clock may be ahead by up to
300 s, takes it for dead 300 s after it was written at the earliest: 120 s after the last write can have begun.

What this doesn't exclude: other clients, a machine that stands still for minutes between its last look at the clock and
the write, a request that a proxy holds back as long. These are found by reading back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from runtower.domain.errors import Busy, Conflict, NotFound, OutcomeUnknown, TowerError
from runtower.domain.model_changes import SetTag
from runtower.domain.models import ModelNow
from runtower.domain.promotions import Destination
from runtower.promote.clock import Clock
from runtower.promote.intents import LEASE_MS, Intent, intents, key_of, value_of
from runtower.promote.records import Record
from runtower.sources.port import EditsModels

WRITES_WITHIN: Final = 180.0
_PATIENCE: Final = 30.0
_LOOK_AGAIN: Final = 0.25


@dataclass
class Turn:
    """The right to change something on a model. `expired` are the intents of runtowers that died, to be settled."""

    registry: EditsModels
    clock: Clock
    model: str
    to: Destination
    id: str
    began: float
    expired: list[Intent] = field(default_factory=list)

    @property
    def in_time(self) -> bool:
        """Whether a write may still begin."""
        return self.clock.running() - self.began <= WRITES_WITHIN

    def release(self) -> str:
        """Take the intent away; a sentence where that didn't go, else ''."""
        return withdraw(self.registry, self.model, key_of(self.to, self.id))


def take_turn(registry: EditsModels, model: str, to: Destination, record: Record, id: str, clock: Clock) -> Turn:
    """Write the intent and wait until nobody else is at it.

    Raises Conflict where another runtower is first, Busy where one keeps standing there, and whatever the registry
    raises; the own intent is withdrawn then, and nothing else was changed.
    """
    turn = Turn(registry, clock, model, to, id, clock.running())
    key = key_of(to, id)
    value = value_of(record, clock.now_ms())
    try:
        registry.change(SetTag(model, "", key, value))
    except OutcomeUnknown:
        pass  # whether it stands there is read next
    try:
        _wait(turn)
    except BaseException:
        turn.release()
        raise
    return turn


def withdraw(registry: EditsModels, model: str, key: str) -> str:
    """Take an intent away. It's gone too where it was never there. A sentence where that can't be told, else ''."""
    try:
        registry.change(SetTag(model, "", key, None))
    except NotFound:
        return ""
    except TowerError as error:
        try:
            if key not in registry.model(model).model.tags:
                return ""
        except TowerError:
            pass
        minutes = LEASE_MS // 60_000
        return f"The tag {key} could not be taken away ({error.tried}); it stops counting after {minutes} minutes."
    return ""


def _wait(turn: Turn) -> None:
    while True:
        now = turn.registry.model(turn.model)
        others = _others(turn, now)
        if not others:
            return
        older = next((one for one in others if one.id < turn.id), None)
        if older is not None:
            raise Conflict(
                f"{older.who} is changing {turn.to.shown} of {turn.model} right now; nothing was changed.",
                f"Look again once that is done. A mark that was left behind stops counting {_in(turn, older)}.",
            )
        if turn.clock.running() - turn.began > _PATIENCE:
            raise Busy(
                f"{others[0].who} is changing {turn.to.shown} of {turn.model} and doesn't end; nothing was changed.",
                f"Try again. A mark that was left behind stops counting {_in(turn, others[0])}.",
            )
        turn.clock.pause(_LOOK_AGAIN)


def _others(turn: Turn, now: ModelNow) -> list[Intent]:
    """The live intents of others; remembers those that expired."""
    found = intents(now.model, turn.to)
    if not any(one.id == turn.id for one in found):
        raise Busy(
            f"The registry doesn't show the tag that was just written on {turn.model}; nothing was changed.",
            "Try again; if it stays so, the server's answers are out of date.",
        )
    moment = turn.clock.now_ms()
    others = [one for one in found if one.id != turn.id]
    turn.expired = [one for one in others if one.until <= moment]
    return [one for one in others if one.until > moment]


def _in(turn: Turn, intent: Intent) -> str:
    minutes = max(1, round((intent.until - turn.clock.now_ms()) / 60_000))
    return f"in {minutes} min"
