"""What is known of a server's store between two looks, small enough for a cursor: who was seen, when it began, in which
experiment, and a crc32 over all that was given of it."""

from __future__ import annotations

import os
from array import array
from collections.abc import Container, Iterable, MutableSequence
from typing import Any, Final

import msgspec
import numpy as np

from runtower.sources.mlflow.rest_walk import Walk

_FORMAT: Final = "rest 1"
_NONCE: Final = 16
_LARGEST: Final = 16 * 1024 * 1024


class _Packed(msgspec.Struct, array_like=True):
    format: str
    store: str
    experiments: int
    last_start: int
    last_end: int
    done: list[str]
    walk: Walk | None
    lap: Walk | None
    running: list[str]
    places: list[str]
    run_ids: list[str]
    digests: bytes
    starts: bytes
    where: bytes


class Ledger:
    """`done` are the experiments whose runs are all known, `walk` where the way through the others is, `lap` where
    the audit is; `running` the runs that were RUNNING when last seen. `last_start`, `last_end`: UTC epoch ms."""

    def __init__(self, store: str) -> None:
        self.store = store
        self.experiments = 0
        self.last_start = 0
        self.last_end = 0
        self.done: set[str] = set()
        self.walk: Walk | None = None
        self.lap: Walk | None = None
        self.running: set[str] = set()
        self._place: dict[str, int] = {}
        self._run_ids: list[str] = []
        self._digests = array("I")
        self._starts = array("q")
        self._where = array("I")
        self._experiment_ids: list[str] = []
        self._number: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._run_ids)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._place

    def run_ids(self) -> list[str]:
        """All runs that were given."""
        return list(self._run_ids)

    def is_news(self, run_id: str, digest: int) -> bool:
        """Whether a run isn't as it was given."""
        place = self._place.get(run_id)
        return place is None or self._digests[place] != digest

    def give(self, run_id: str, digest: int, start: int, experiment_id: str) -> None:
        """A run is given as it is now."""
        place = self._place.get(run_id)
        number = self._number_of(experiment_id)
        if place is None:
            self._place[run_id] = len(self._run_ids)
            self._run_ids.append(run_id)
            self._digests.append(digest)
            self._starts.append(start)
            self._where.append(number)
        else:
            self._digests[place], self._starts[place], self._where[place] = digest, start, number

    def drop(self, run_id: str) -> None:
        """A run is no more. Raises KeyError where it wasn't known."""
        place, last = self._place.pop(run_id), len(self._run_ids) - 1
        columns: tuple[MutableSequence[Any], ...] = (self._run_ids, self._digests, self._starts, self._where)
        for column in columns:
            column[place] = column[last]
            column.pop()
        if place != last:
            self._place[self._run_ids[place]] = place
        self.running.discard(run_id)

    def among(self, run_ids: Iterable[str], experiment_ids: Container[str]) -> list[str]:
        """Those of these runs that are known to be in these experiments."""
        return [
            run_id
            for run_id in run_ids
            if run_id in self._place and self._experiment_ids[self._where[self._place[run_id]]] in experiment_ids
        ]

    def began_between(self, experiment_ids: Iterable[str], after: int | None, upto: int | None) -> set[str]:
        """The runs of these experiments that began after one time and up to another (ms; None: without that limit)."""
        starts = np.array(self._starts, dtype=np.int64)
        numbers = [self._number[one] for one in experiment_ids if one in self._number]
        fits = np.isin(np.array(self._where, dtype=np.uint32), numbers)
        if after is not None:
            fits &= starts > after
        if upto is not None:
            fits &= starts <= upto
        return {self._run_ids[place] for place in np.flatnonzero(fits).tolist()}

    def experiments_of(self, run_ids: Iterable[str]) -> list[str]:
        """The experiments of these runs, of those that are known, each once."""
        places = [self._place[run_id] for run_id in run_ids if run_id in self._place]
        return [self._experiment_ids[number] for number in sorted({self._where[place] for place in places})]

    def pack(self) -> bytes:
        """The ledger as a cursor; its first 16 bytes are unique, and all there is where it grew too large (some 300,000
        runs)."""
        body = msgspec.msgpack.encode(
            _Packed(
                _FORMAT,
                self.store,
                self.experiments,
                self.last_start,
                self.last_end,
                sorted(self.done),
                self.walk,
                self.lap,
                sorted(self.running),
                self._experiment_ids,
                self._run_ids,
                self._digests.tobytes(),
                self._starts.tobytes(),
                self._where.tobytes(),
            )
        )
        return os.urandom(_NONCE) + (body if len(body) + _NONCE <= _LARGEST else b"")

    def _number_of(self, experiment_id: str) -> int:
        number = self._number.get(experiment_id)
        if number is None:
            number = self._number[experiment_id] = len(self._experiment_ids)
            self._experiment_ids.append(experiment_id)
        return number


def unpack(cursor: bytes, store: str) -> Ledger | None:
    """The ledger in a cursor, or None where it holds none, or that of another store."""
    try:
        packed = msgspec.msgpack.decode(cursor[_NONCE:], type=_Packed)
        ledger = Ledger(packed.store)
        ledger._digests.frombytes(packed.digests)
        ledger._starts.frombytes(packed.starts)
        ledger._where.frombytes(packed.where)
    except (msgspec.MsgspecError, ValueError):
        return None
    columns = (ledger._digests, ledger._starts, ledger._where)
    if packed.format != _FORMAT or packed.store != store or any(len(one) != len(packed.run_ids) for one in columns):
        return None
    if max(ledger._where, default=-1) >= len(packed.places):
        return None
    ledger.experiments, ledger.last_start, ledger.last_end = packed.experiments, packed.last_start, packed.last_end
    ledger.done, ledger.running = set(packed.done), set(packed.running)
    ledger.walk, ledger.lap = packed.walk, packed.lap
    ledger._run_ids, ledger._experiment_ids = packed.run_ids, packed.places
    ledger._place = {run_id: place for place, run_id in enumerate(packed.run_ids)}
    ledger._number = {experiment_id: number for number, experiment_id in enumerate(packed.places)}
    return ledger


def same_cursor(one: bytes, other: bytes) -> bool:
    """Whether two cursors are one and the same; doesn't read megabytes for it."""
    return one[:_NONCE] == other[:_NONCE] and len(one) == len(other)
