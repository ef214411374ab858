"""What changed in an MLflow store since a cursor, through MlflowClient.

Nothing that can be filtered says when a run last changed. So each look asks for the RUNNING runs, those that began or
ended since, and those on the screen; and goes on with a lap over all runs, a page at a time. A store on this machine
has a gate (gates.py): no look where it says that nothing changed, and a whole lap where it did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final
from zlib import crc32

import msgspec
from mlflow.entities import Run

from runtower.domain.errors import Invalid
from runtower.domain.runs import Experiment
from runtower.sources.mlflow.client_reader import ClientReader
from runtower.sources.mlflow.client_rows import cells_of, digest_of
from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.gates import Gate, Stamp
from runtower.sources.port import Delta

FIRST_RUNS: Final = 200
PAGE_RUNS: Final = 1_000
# A server takes 2 ms a run and more: this much it is asked beyond what is hot, at each third look.
LAP_RUNS: Final = 100
_LAP_EACH: Final = 3
# Clocks of the machines that log differ; what began or ended this long before the last known is looked at again.
_OVERLAP_MS: Final = 120_000
_MOST_ASKED: Final = 200
_NONCE: Final = 16


class _State(msgspec.Struct, array_like=True):
    """What a cursor holds: digests by run id, and where things stand."""

    store: str
    digests: dict[str, int] = {}
    is_complete: bool = False
    experiments: int = 0
    last_start: int = 0
    last_end: int = 0


class ClientSync:
    """The state of one stream of changes; used by one thread at a time."""

    def __init__(self, reader: ClientReader, gate: Gate, store: str, known: Sequence[str]) -> None:
        self._reader = reader
        self._gate = gate
        self._store = store
        self._remembered = set(known)
        self._state = _State(store)
        self._cursor = b""
        self._seen: Stamp | None = None
        self._looks = 0
        self._lap: Iterator[list[Run]] | None = None
        self._lap_unmet: set[str] = set()
        self._experiments: Sequence[Experiment] | None = None

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        """The port's `changes`."""
        stamp = self._gate.stamp()
        self._resume(cursor)
        state = self._state
        if stamp is not None and stamp == self._seen and state.is_complete:
            return
        ids = self._look_at_experiments()
        if state.is_complete:
            yield from self._new_of(self._hot(ids, focus))
            self._looks += 1
            if stamp is not None or self._looks % _LAP_EACH == 0:
                yield from self._lap_on(ids, is_whole=stamp is not None)
        else:
            yield from self._everything(ids)
        if self._experiments is not None:
            yield self._delta([])
        self._seen = stamp

    def _resume(self, cursor: bytes) -> None:
        if cursor and cursor[:_NONCE] == self._cursor[:_NONCE]:
            return
        self._cursor, self._seen, self._lap = cursor, None, None
        self._state = _State(self._store)
        try:
            found = msgspec.msgpack.decode(cursor[_NONCE:], type=_State)
        except msgspec.MsgspecError:
            return
        if found.store == self._store:
            self._state = found

    def _look_at_experiments(self) -> list[str]:
        experiments = self._reader.experiments()
        rows = [(one.experiment_id, one.name, one.deleted) for one in experiments]
        # Never 0, which stands for 'none given yet'.
        now = crc32(msgspec.msgpack.encode(rows)) | 1 << 32
        if now != self._state.experiments:
            self._state.experiments, self._experiments = now, experiments
        return [one.experiment_id for one in experiments]

    def _everything(self, ids: Sequence[str]) -> Iterator[Delta]:
        """A first sync; where one was interrupted, only what isn't known yet is given."""
        seen: set[str] = set()
        for page in self._first_and_rest(ids):
            seen.update(run.info.run_id for run in page)
            yield from self._new_of(page)
        gone = (self._remembered | self._state.digests.keys()) - seen
        self._remembered = set()
        self._state.is_complete = True
        yield self._delta([], sorted(gone))

    def _first_and_rest(self, ids: Sequence[str]) -> Iterator[list[Run]]:
        yield self._reader.newest(ids, FIRST_RUNS)
        yield from self._reader.everything(ids, PAGE_RUNS)

    def _hot(self, ids: Sequence[str], focus: Sequence[str]) -> list[Run]:
        """What most likely changed, each run once."""
        conditions = [
            f"attributes.status = '{RUNNING}'",
            f"attributes.start_time > {self._state.last_start - _OVERLAP_MS}",
            f"attributes.end_time > {self._state.last_end - _OVERLAP_MS}",
        ]
        found: dict[str, Run] = {}
        for condition in conditions:
            try:
                for page in self._reader.matching(ids, condition, PAGE_RUNS):
                    found.update((run.info.run_id, run) for run in page)
            except Invalid:
                # A server that doesn't know this filter: the lap finds the same, later.
                continue
        missing = [run_id for run_id in focus if run_id not in found and run_id in self._state.digests]
        found.update((run.info.run_id, run) for run in self._reader.by_ids(ids, missing))
        return list(found.values())

    def _lap_on(self, ids: Sequence[str], is_whole: bool) -> Iterator[Delta]:
        """The next page of the lap, or all of it; at its end, what it didn't meet is gone for good."""
        if self._lap is None or is_whole:
            self._lap = self._reader.everything(ids, PAGE_RUNS if is_whole else LAP_RUNS)
            self._lap_unmet = set(self._state.digests)
        while (page := self._next_page()) is not None:
            self._lap_unmet.difference_update(run.info.run_id for run in page)
            yield from self._new_of(page)
            if not is_whole and len(page) >= LAP_RUNS:
                return
        gone = self._really_gone(self._lap_unmet)
        if gone:
            yield self._delta([], gone)

    def _next_page(self) -> list[Run] | None:
        """None at the end of the lap. After an error the next look begins another one."""
        lap, self._lap = self._lap, None
        if lap is None:
            return None
        page = next(lap, None)
        self._lap = lap if page is not None else None
        return page

    def _really_gone(self, unmet: set[str]) -> list[str]:
        """Of runs that a lap didn't meet, those that aren't there; few are asked for, many are believed."""
        if len(unmet) > _MOST_ASKED:
            return sorted(unmet)
        return sorted(run_id for run_id in unmet if self._reader.run(run_id) is None)

    def _new_of(self, runs: Sequence[Run]) -> Iterator[Delta]:
        """Those that aren't as they were given, whole."""
        digests = self._state.digests
        changed: list[Run] = []
        for run in runs:
            now = digest_of(run)
            if digests.get(run.info.run_id) != now:
                digests[run.info.run_id] = now
                changed.append(run)
            self._state.last_start = max(self._state.last_start, run.info.start_time or 0)
            self._state.last_end = max(self._state.last_end, run.info.end_time or 0)
        if changed:
            yield self._delta(changed)

    def _delta(self, runs: Sequence[Run], gone: Sequence[str] = ()) -> Delta:
        for run_id in gone:
            self._state.digests.pop(run_id, None)
        experiments, self._experiments = self._experiments, None
        self._cursor = os.urandom(_NONCE) + msgspec.msgpack.encode(self._state)
        return Delta(
            [run.info.run_id for run in runs],
            cells_of(runs) if runs else (),
            self._cursor,
            gone=gone,
            experiments=experiments,
            complete=self._state.is_complete,
            known=len(self._state.digests),
        )
