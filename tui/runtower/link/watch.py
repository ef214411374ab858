"""When a source's process is silent, when it hangs, and how its health reads."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from runtower.link.events import Health, State, Trouble


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A process that is silent for `stale` is said to be, for `hang` is replaced; `tick` is how often we look.

    `beat` is how often it says that it lives, `retry` the first wait of the back-off.
    """

    beat: float = 5.0
    stale: float = 10.5
    hang: float = 15.0
    tick: float = 1.0
    retry: float = 1.0


class Pulse:
    """Silence in running time: it counts our own ticks, so a stopped terminal or a closed laptop counts for nothing."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._silent = 0.0

    def heard(self) -> None:
        self._silent = 0.0

    def tick(self) -> None:
        """One more tick went by, however long it seemed."""
        self._silent += self._timing.tick

    @property
    def is_stale(self) -> bool:
        return self._silent >= self._timing.stale

    @property
    def hangs(self) -> bool:
        return self._silent >= self._timing.hang


class Vitals:
    """Puts the health together from what is known, and tells when it changed."""

    def __init__(self) -> None:
        self.health = Health(State.STARTING, time.monotonic())
        self._opened = False
        self._stale = False
        self._deaths = 0

    def heard(self, ago: float, round_trip: float | None = None) -> None:
        """The source answered so many seconds ago; an answer takes `round_trip` seconds, None: not told now."""
        self.health = replace(
            self.health,
            heard=time.monotonic() - ago,
            heard_ms=time.time_ns() // 1_000_000 - int(ago * 1000),
            round_trip=self.health.round_trip if round_trip is None else round_trip,
        )

    def opened(self) -> bool:
        self._opened, self._stale = True, False
        return self._set(error=None, next_try=None)

    def steady(self) -> bool:
        """The process lives on. Where it opened its source, what happened to those before it is forgotten."""
        if self._opened:
            self._deaths = 0
        return self._opened

    def reported(self, error: Trouble | None, next_in: float | None, notices: tuple[str, ...]) -> bool:
        next_try = None if next_in is None else time.monotonic() + next_in
        return self._set(error=error, next_try=next_try, notices=notices)

    def synced(self, known: int, total: int | None, complete: bool) -> bool:
        return self._set(known=known, total=total, complete=complete)

    def silent(self, stale: bool) -> bool:
        self._stale = stale
        return self._set()

    def died(self, error: Trouble, next_in: float) -> bool:
        self._opened, self._stale = False, False
        self._deaths += 1
        return self._set(error=error, next_try=time.monotonic() + next_in)

    def closed(self) -> bool:
        return self._set(state=State.CLOSED)

    def _set(self, **changes: object) -> bool:
        health = replace(self.health, **changes)  # type: ignore[arg-type]
        state = State.CLOSED if health.state is State.CLOSED else self._state(health.error)
        if state is not health.state or state is not self.health.state:
            health = replace(health, state=state, since=time.monotonic())
        changed = health != self.health
        self.health = health
        return changed

    def _state(self, error: Trouble | None) -> State:
        if self._stale:
            return State.STALE
        if error is not None:
            return State.QUARANTINED if self._deaths >= 3 else State.WAITING
        return State.LIVE if self._opened else State.STARTING
