"""What can be said of a run that should be running and isn't heard of: that it is silent, or, with proof, lost.

Silence is no proof. A run may train for hours between two points, and what it writes may come late; so a run is silent
only well beyond its own usual interval, and is never said to be lost because of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MINUTE_MS: Final = 60_000.0
HOUR_MS: Final = 60 * MINUTE_MS

# Nobody is told of less: an evaluation or a checkpoint takes as long.
LEAST_MS: Final = 10 * MINUTE_MS
# So many usual intervals without a point are silence.
INTERVALS: Final = 5
# Where a run's usual interval isn't known.
UNKNOWN_MS: Final = HOUR_MS
# A run that has not logged a metric yet may be preparing data, or may never log one.
NOTHING_YET_MS: Final = 6 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was logged for `for_ms`; `usual_ms` is the run's usual interval where that is known, `ever` whether it
    has logged a metric at all. All in milliseconds."""

    for_ms: float
    usual_ms: float | None = None
    ever: bool = True


class Evidence(StrEnum):
    """What proves that a run's program is gone. There is no other proof."""

    PROCESS = "process"  # its pid, with its start time, is gone on this host since this boot
    SCHEDULER = "scheduler"  # the scheduler says that its job ended
    SUPERVISOR = "supervisor"  # who started it recorded its end


@dataclass(frozen=True, slots=True)
class Lost:
    """A run whose program is gone though its status says RUNNING. `proof` in words, such as 'pid 4711 is gone'."""

    evidence: Evidence
    proof: str


def silence(quiet_ms: float, usual_ms: float | None, ever: bool) -> Silence | None:
    """Whether a RUNNING run that was quiet for `quiet_ms` is silent; None while nothing can be said.

    `usual_ms` is the usual time between two of its points, `ever` whether there was one.
    """
    if not ever:
        return Silence(quiet_ms, None, False) if quiet_ms >= NOTHING_YET_MS else None
    least = UNKNOWN_MS if usual_ms is None else max(LEAST_MS, INTERVALS * usual_ms)
    return Silence(quiet_ms, usual_ms) if quiet_ms >= least else None


def usual_interval(start_ms: float | None, last_ms: float, points: int) -> float | None:
    """The mean time between the points of a metric, from the run's beginning to the last one (UTC epoch ms); None for
    fewer than two. What came before the first point counts too, so that it is rather too long than too short."""
    if start_ms is None or points < 2 or last_ms <= start_ms:
        return None
    return (last_ms - start_ms) / points
