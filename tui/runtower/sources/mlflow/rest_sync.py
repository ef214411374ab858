"""What changed on a server since a cursor, asked so that the others on it don't notice.

Nothing that can be filtered says when a run last changed. So a first sync walks through all runs, latest first; after
it each look asks for the RUNNING runs, and in turn for those on the screen, those that began or ended since, the
experiments, and the next page of an audit of everything. A page at a time, with a rest after it of four times what it
took. How often a look comes, and so how long each lap is, says `pace`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final
from zlib import crc32

import msgspec

from runtower.domain.runs import Experiment
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.rest_held import Held
from runtower.sources.mlflow.rest_ledger import Ledger, same_cursor, unpack
from runtower.sources.mlflow.rest_pages import FIRST_RUNS, MOST_RUNS, Pages
from runtower.sources.mlflow.rest_reader import Reader, latest_first, pieces
from runtower.sources.mlflow.rest_rows import cells_of
from runtower.sources.mlflow.rest_search import Search
from runtower.sources.mlflow.rest_walk import Walk
from runtower.sources.mlflow.rest_wire import RawExperiment, Run
from runtower.sources.port import Delta

# In looks, which are five seconds apart by default. A default server needs 50 ms of its CPU for any search, 80 for 10
# RUNNING runs, 230 for 100 runs: so these add up to less than 3 % of one core.
FOCUS_EACH: Final = 4
AUDIT_EACH: Final = 12
ENDS_EACH: Final = 12
EXPERIMENTS_EACH: Final = 6

# A rest is so many times what the look before it took: in the middle of something, and where all is known.
_REST: Final = 4.0
_CALM: Final = 10.0
_LONGEST: Final = 120.0
_SHORTEST: Final = 0.05
# Clocks of the machines that log differ; what began or ended this long before the last known is looked at again.
_OVERLAP_MS: Final = 120_000
_MOST_FOCUS: Final = 50
_MOST_ASKED: Final = 200
_HOT: Final = f"attributes.status = '{RUNNING}'"


class RestSync:
    """The state of one stream of changes; used by one thread at a time."""

    def __init__(
        self,
        reader: Reader,
        experiments: Sequence[RawExperiment],
        store_of: Callable[[Sequence[RawExperiment]], str],
        known: Sequence[str],
        interval: float,
    ) -> None:
        """`experiments` as they were at opening, `store_of` gives the source key that belongs to some, `interval`:
        seconds between looks."""
        self._pages = Pages(reader)
        self._store_of = store_of
        self._interval = interval
        self._ledger = Ledger(store_of(experiments))
        self._remembered = set(known)
        self._cursor = b""
        self._raw: Sequence[RawExperiment] | None = experiments
        self._ids: list[str] = []
        self._scope: frozenset[str] | None = None
        self._wanted: frozenset[str] | None = None
        self._experiments: Sequence[Experiment] | None = None
        self._search = Search()
        self._looks = 0
        self._due = 0.0
        self._hot_at = 0.0
        self._running: list[Walk] = []
        self._running_met: set[str] = set()
        self._errands: list[Walk] = []
        self._lap_met: set[str] = set()
        self._lap_piece = 0
        self._held = Held()
        self._gone: list[str] = []
        self._is_told = False

    def pace(self, interval: float) -> float:
        """Seconds to the next look; `interval` is the user's wish."""
        if self._unknown() or self._running or self._errands:
            seconds = max(_SHORTEST, _REST * self._pages.spent)
        else:
            seconds = max(interval, self._interval, min(_LONGEST, _CALM * self._pages.spent))
        self._due = time.monotonic() + seconds
        return seconds

    def scope(self, experiment_ids: Sequence[str] | None) -> None:
        """The experiments that are looked at, None: all. May be called from another thread."""
        self._wanted = None if experiment_ids is None else frozenset(experiment_ids)

    def seek(self, condition: str) -> None:
        """A filter in MLflow's words for what a first sync gives first, '' for none. May be called from another
        thread."""
        self._search.want(condition)

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        """The port's `changes`; of a first sync the next page."""
        self._resume(cursor)
        if self._wanted != self._scope:
            self._scope, self._is_told = self._wanted, False
            self._running, self._lap_met = [], set()
        # Somebody who doesn't wait pressed a key to see what is on the screen as it is now.
        is_wanted = time.monotonic() < self._due
        number, self._looks, self._pages.spent = self._looks, self._looks + 1, 0.0
        if number % EXPERIMENTS_EACH == 0:
            self._look_at_experiments()
        met: dict[str, Run] = {}
        if not self._unknown() or time.monotonic() - self._hot_at >= self._interval:
            met = self._hot()
        if self._unknown():
            yield from self._new_of(met.values())
            yield from self._go_on()
        else:
            met |= self._begun_or_ended(number)
            if is_wanted or number % FOCUS_EACH == 0:
                shown = [run_id for run_id in focus if run_id in self._ledger and run_id not in met]
                met |= self._asked_for(shown[:_MOST_FOCUS])
            yield from self._new_of(met.values())
            if number % AUDIT_EACH == 0:
                yield from self._audit()
        if self._gone or self._experiments is not None or not (self._is_told or self._unknown()):
            yield self._delta()

    # -- what is known

    def _resume(self, cursor: bytes) -> None:
        if cursor and same_cursor(cursor, self._cursor):
            return
        store = self._ledger.store
        self._ledger = (unpack(cursor, store) if cursor else None) or Ledger(store)
        self._begin(cursor)

    def _begin(self, cursor: bytes) -> None:
        self._cursor, self._looks, self._gone, self._held = cursor, 0, [], Held()
        self._running, self._errands, self._lap_met = [], [], set()
        # A first sync begins with what was asked at opening; RUNNING runs are among the latest anyway.
        self._hot_at = time.monotonic()
        self._is_told = bool(self._ledger.done) and self._ledger.walk is None

    def _look_at_experiments(self) -> None:
        raw, self._raw = self._raw, None
        if raw is None:
            raw = self._pages.experiments()
        store = self._store_of(raw)
        if store != self._ledger.store:
            # Another store under the old address: what was known has to be taken away as far as it isn't there.
            self._remembered |= set(self._ledger.run_ids())
            self._ledger = Ledger(store)
            self._begin(b"")
        self._ids = [one.experiment_id for one in raw]
        found = [Experiment(one.experiment_id, one.name, one.lifecycle_stage == "deleted") for one in raw]
        # Never 0, which stands for 'none given yet'.
        now = crc32(msgspec.msgpack.encode([(one.experiment_id, one.name, one.deleted) for one in found])) | 1 << 32
        if now != self._ledger.experiments:
            self._ledger.experiments, self._experiments = now, found

    def _chosen(self) -> list[str]:
        """The experiments that are looked at."""
        return self._ids if self._scope is None else [one for one in self._ids if one in self._scope]

    def _unknown(self) -> list[str]:
        """Those of them that aren't known whole, the ones made last first."""
        return latest_first(one for one in self._chosen() if one not in self._ledger.done)

    # -- the laps

    def _go_on(self) -> Iterator[Delta]:
        """The next page of the first sync, or of what is sought first."""
        ledger, unknown = self._ledger, self._unknown()
        sought = self._search.step(self._pages, unknown[: rest_wire.EXPERIMENTS_A_SEARCH])
        if sought is not None:
            yield from self._new_of(sought)
            return
        if ledger.walk is None or not set(ledger.walk.experiment_ids) <= set(unknown):
            ledger.walk = Walk(tuple(unknown[: rest_wire.EXPERIMENTS_A_SEARCH]))
        page = self._pages.step(ledger.walk, MOST_RUNS)
        if page is None:
            return
        if page.ended:
            ledger.done.update(ledger.walk.experiment_ids)
            ledger.walk = None
            if self._scope is None and not self._unknown():
                met = {run.run_id for run in page.runs}
                self._gone += [run_id for run_id in self._remembered if run_id not in ledger and run_id not in met]
                self._remembered = set()
        self._held.take(ledger, page.runs)
        if page.ended or self._held.are_enough(len(ledger)):
            yield self._delta()

    def _hot(self) -> dict[str, Run]:
        """The RUNNING runs, and those that were and aren't any more."""
        if not self._running:
            self._running = [Walk(tuple(ids), _HOT) for ids in pieces(self._chosen(), rest_wire.EXPERIMENTS_A_SEARCH)]
            self._running_met = set()
        self._hot_at = time.monotonic()
        found = self._steps(self._running)
        self._running_met |= found.keys()
        if not self._running:
            ended = self._ledger.running - self._running_met
            found |= self._asked_for(self._ledger.among(ended, set(self._chosen())))
        return found

    def _begun_or_ended(self, number: int) -> dict[str, Run]:
        lasts = {"start": self._ledger.last_start, "end": self._ledger.last_end}
        # Both at first; then in turn, as each search costs.
        due = [*lasts] if number == 0 else {0: ["start"], ENDS_EACH // 2: ["end"]}.get(number % ENDS_EACH, [])
        if not self._errands:
            for attribute, last in ((attribute, lasts[attribute]) for attribute in due):
                condition = f"attributes.{attribute}_time > {last - _OVERLAP_MS}"
                searches = pieces(self._ids, rest_wire.EXPERIMENTS_A_SEARCH)
                self._errands += [Walk(tuple(ids), condition) for ids in searches]
        return self._steps(self._errands)

    def _audit(self) -> Iterator[Delta]:
        """The next page of the lap over everything, and what should have been in it and wasn't."""
        ledger, searches = self._ledger, list(pieces(self._chosen(), rest_wire.EXPERIMENTS_A_SEARCH))
        if ledger.lap is None or not set(ledger.lap.experiment_ids) <= set(self._chosen()):
            if not searches:
                return
            ledger.lap, self._lap_met = Walk(tuple(searches[self._lap_piece % len(searches)])), set()
        lap = ledger.lap
        page = self._pages.step(lap, FIRST_RUNS)
        if page is None:
            return
        self._lap_met |= {run.run_id for run in page.runs}
        unmet = ledger.began_between(lap.experiment_ids, page.low, page.high) - self._lap_met
        if not lap.token:
            self._lap_met = set()
        if page.ended:
            ledger.lap, self._lap_piece = None, self._lap_piece + 1
        yield from self._new_of(page.runs)
        if len(unmet) > _MOST_ASKED:
            self._gone += sorted(unmet)
        else:
            yield from self._new_of(self._asked_for(sorted(unmet)).values())

    # -- what is asked

    def _steps(self, walks: list[Walk]) -> dict[str, Run]:
        """The next page of each of these walks; those that ended are taken out."""
        found: dict[str, Run] = {}
        for walk in list(walks):
            page = self._pages.step(walk, FIRST_RUNS)
            if page is not None:
                found.update((run.run_id, run) for run in page.runs)
                if page.ended:
                    walks.remove(walk)
        return found

    def _asked_for(self, run_ids: Sequence[str]) -> dict[str, Run]:
        """These runs, as far as they are there; the others are gone."""
        if not run_ids:
            return {}
        experiments = self._ledger.experiments_of(run_ids)
        found = {run.run_id: run for run in self._pages.by_ids(experiments, run_ids)}
        self._gone += [run_id for run_id in run_ids if run_id not in found]
        return found

    # -- what is told

    def _new_of(self, runs: Iterable[Run]) -> Iterator[Delta]:
        """Those that aren't as they were given, whole, with all that is held."""
        if self._held.take(self._ledger, runs):
            yield self._delta()

    def _delta(self) -> Delta:
        """All that is held, and all that changed else."""
        gone, self._gone = list(dict.fromkeys(self._gone)), []
        for run_id in gone:
            self._held.drop(run_id)
            if run_id in self._ledger:
                self._ledger.drop(run_id)
        runs = self._held.hand_over()
        experiments, self._experiments = self._experiments, None
        self._is_told = not self._unknown()
        self._cursor = self._ledger.pack()
        return Delta(
            [run.run_id for run in runs],
            cells_of(runs) if runs else (),
            self._cursor,
            gone=gone,
            experiments=experiments,
            complete=self._is_told,
            partial=self._scope is not None,
            known=len(self._ledger),
            total=len(self._ledger) if self._is_told else None,
        )
