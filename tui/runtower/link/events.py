"""What a link tells the terminal, in the order it happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from runtower.domain.runs import Experiment
from runtower.domain.targets import Identity, RowError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from runtower.catalog.segment import Segment


class State(StrEnum):
    """How a source is.

    starting     its process has not opened it yet
    live         it answers
    stale        its process is silent for two beats; the rows stay
    waiting      an error: it is tried again at `next_try`
    quarantined  its process died three times in a row before anything came; tried again, ever more rarely
    closed       the link was closed
    """

    STARTING = "starting"
    LIVE = "live"
    STALE = "stale"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error of the taxonomy, as a value: its name, what was tried, what to do next."""

    name: str
    tried: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How a source is, and since when.

    `since`, `heard` and `next_try` are seconds of time.monotonic, `heard_ms` is UTC epoch ms: when the source last
    answered. `round_trip` is seconds that an answer takes, None where the source doesn't tell. `known`, `total` and
    `complete` tell how far the list of its runs is. `notices` are sentences for people.
    """

    state: State
    since: float
    heard: float | None = None
    heard_ms: int | None = None
    error: Trouble | None = None
    next_try: float | None = None
    known: int = 0
    total: int | None = None
    complete: bool = False
    notices: tuple[str, ...] = ()
    round_trip: float | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The source was opened, at first or again after its process was replaced.

    `base` is there where the rows to begin with are others than the caller has. `reset`: everything that the caller
    has of this source, row ids included, is void. `edits`: its runs can be changed.
    """

    identity: Identity
    base_id: str | None
    base: Segment | None
    experiments: tuple[Experiment, ...] | None
    reset: bool
    edits: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """New or changed rows (`segment`), and int32 row ids that are gone. `seq` counts up."""

    seq: int
    segment: Segment | None
    gone: NDArray[np.int32]
    experiments: tuple[Experiment, ...] | None
    complete: bool
    known: int
    total: int | None
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """A new base that stands for the old one and for all `Rows` up to and including `upto_seq`."""

    upto_seq: int
    base_id: str
    segment: Segment


Event = Opened | Rows | Base | Health
