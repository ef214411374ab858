"""What is known of a store between two polls, small enough for a cursor: no cells, only who was seen and in what state.

For each run its rowid, id and a crc32 over its row and tags, in arrays sorted by rowid; for each table that only grows
the last rowid seen, with marks further back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

_FORMAT: Final = 2
_LARGEST: Final = 16 * 1024 * 1024
_NONCE: Final = 16


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """One row of a table and a crc32 of what it holds: whether rowids still mean what they meant."""

    rowid: int
    crc: int


Marks = tuple[Mark, ...]


class _Packed(msgspec.Struct, array_like=True):
    format: int
    store: str
    tails: dict[str, Marks]
    experiments: int
    width: int
    rowids: bytes
    ids: bytes
    digests: bytes
    running: bytes
    fresh: bytes
    apart: bytes
    given: bytes
    scan: dict[str, int]
    is_listed: bool


class Ledger:
    """The arrays are of one length, sorted by `rowids`.

    ids      bytes (UTF-8)
    digests  uint32, of the row and its tags as last given
    running  whether it was RUNNING when last given
    given    whether it was ever given
    fresh    whether what was given is still right as far as is known; what isn't is read and given next
    apart    whether it has to be read by itself, and not by the scan of a first sync

    `scan` holds, while a first sync is under way, the rowid up to which each table is still to be read; `is_listed`
    whether all runs that there were at its beginning have their place here.
    """

    def __init__(self, store: str) -> None:
        self.store = store
        self.tails: dict[str, Marks] = {}
        self.experiments = 0
        self.rowids: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.ids: NDArray[np.bytes_] = np.empty(0, dtype="S32")
        self.digests: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
        self.running: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self.fresh: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self.apart: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self.was_given: NDArray[np.bool_] = np.empty(0, dtype=np.bool_)
        self.scan: dict[str, int] = {}
        self.is_listed = False
        self._ids_order: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.rowids)

    def add(self, rowids: NDArray[np.int64], ids: NDArray[np.bytes_], apart: bool = True) -> None:
        """Places for runs that weren't known, unread; those that are known stay as they are."""
        is_new = ~np.isin(rowids, self.rowids)
        rowids, ids = rowids[is_new], ids[is_new]
        count = len(rowids)
        if not count:
            return
        merged = np.concatenate([self.rowids, rowids])
        order = np.argsort(merged, kind="stable")
        self.rowids = merged[order]
        self.ids = np.concatenate([self.ids, ids])[order]
        self.digests = np.concatenate([self.digests, np.zeros(count, dtype=np.uint32)])[order]
        nothing = np.zeros(count, dtype=np.bool_)
        self.running = np.concatenate([self.running, nothing])[order]
        self.fresh = np.concatenate([self.fresh, nothing])[order]
        self.was_given = np.concatenate([self.was_given, nothing])[order]
        self.apart = np.concatenate([self.apart, np.full(count, apart)])[order]
        self._ids_order = None

    def places_of(self, rowids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where these rowids are; each must be there."""
        return np.searchsorted(self.rowids, rowids)

    def known_among(self, rowids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of these rowids that have a place."""
        if not len(self):
            return rowids[:0]
        kept: NDArray[np.int64] = rowids[self.rowids[np.minimum(self.places_of(rowids), len(self) - 1)] == rowids]
        return kept

    def places_of_ids(self, run_ids: Sequence[str]) -> NDArray[np.intp]:
        """The place of each id, -1 where it isn't known."""
        return self._places_of_encoded(encoded(run_ids))

    def _places_of_encoded(self, wanted: NDArray[np.bytes_]) -> NDArray[np.intp]:
        if not len(self):
            return np.full(len(wanted), -1, dtype=np.intp)
        if self._ids_order is None:
            self._ids_order = np.argsort(self.ids, kind="stable")
        order = self._ids_order
        places = order[np.minimum(np.searchsorted(self.ids, wanted, sorter=order), len(self) - 1)]
        return np.where(self.ids[places] == wanted, places, -1)

    def give(self, rowids: NDArray[np.int64], digests: NDArray[np.uint32], running: NDArray[np.bool_]) -> None:
        """These runs were read whole."""
        places = self.places_of(rowids)
        self.digests[places] = digests
        self.running[places] = running
        self.fresh[places] = True
        self.apart[places] = False
        self.was_given[places] = True

    def make_stale(self, places: NDArray[np.intp]) -> None:
        """What was given of these runs is no longer right."""
        self.fresh[places] = False
        self.apart[places] = True

    def set_apart(self, run_ids: Sequence[str]) -> None:
        """These runs, where known, are to be read by themselves."""
        places = self.places_of_ids(run_ids)
        self.make_stale(places[places >= 0])

    def drop(self, rowids: NDArray[np.int64]) -> list[str]:
        """Forget these runs; gives the ids of those that had been given."""
        places = self.places_of(rowids)
        gone = self._names(places)
        self._keep(np.delete(np.arange(len(self)), places))
        return gone

    def renumber(self, rowids: NDArray[np.int64], ids: NDArray[np.bytes_]) -> list[str]:
        """Take over the store's present (rowid, id) pairs: what is known moves with the ids. Gives the ids gone."""
        sources = self._places_of_encoded(ids)
        found = sources >= 0
        lost = np.setdiff1d(np.arange(len(self)), sources[found])
        gone = self._names(lost)
        # The caller's rowids are ascending, and so are the ones that stay.
        self._keep(sources[found])
        self.rowids = rowids[found]
        self.add(rowids, ids)
        return gone

    def known(self) -> int:
        """How many runs have been given."""
        return int(np.count_nonzero(self.was_given))

    def run_ids(self) -> list[str]:
        """The ids of all runs that have been given."""
        return self._names(np.arange(len(self)))

    def pack(self) -> bytes:
        """The ledger as a cursor; its first 16 bytes are unique. b'' where it grew too large (some 350,000 runs)."""
        packed = _Packed(
            _FORMAT,
            self.store,
            self.tails,
            self.experiments,
            self.ids.dtype.itemsize,
            self.rowids.tobytes(),
            self.ids.tobytes(),
            self.digests.tobytes(),
            self.running.tobytes(),
            self.fresh.tobytes(),
            self.apart.tobytes(),
            self.was_given.tobytes(),
            self.scan,
            self.is_listed,
        )
        body = msgspec.msgpack.encode(packed)
        return os.urandom(_NONCE) + body if len(body) + _NONCE <= _LARGEST else os.urandom(_NONCE)

    def _names(self, places: NDArray[np.intp]) -> list[str]:
        return [name.decode() for name in self.ids[places[self.was_given[places]]].tolist()]

    def _keep(self, places: NDArray[np.intp]) -> None:
        self.rowids, self.ids, self.digests = self.rowids[places], self.ids[places], self.digests[places]
        self.running, self.fresh = self.running[places], self.fresh[places]
        self.apart, self.was_given = self.apart[places], self.was_given[places]
        self._ids_order = None


def unpack(cursor: bytes, store: str) -> Ledger | None:
    """The ledger in a cursor, or None where it holds none, or that of another store."""
    try:
        packed = msgspec.msgpack.decode(cursor[_NONCE:], type=_Packed)
        ledger = Ledger(packed.store)
        ledger.tails, ledger.experiments = packed.tails, packed.experiments
        ledger.rowids = np.frombuffer(packed.rowids, dtype=np.int64).copy()
        ledger.ids = np.frombuffer(packed.ids, dtype=f"S{packed.width}").copy()
        ledger.digests = np.frombuffer(packed.digests, dtype=np.uint32).copy()
        ledger.running = np.frombuffer(packed.running, dtype=np.bool_).copy()
        ledger.fresh = np.frombuffer(packed.fresh, dtype=np.bool_).copy()
        ledger.apart = np.frombuffer(packed.apart, dtype=np.bool_).copy()
        ledger.was_given = np.frombuffer(packed.given, dtype=np.bool_).copy()
        ledger.scan, ledger.is_listed = packed.scan, packed.is_listed
    except (msgspec.MsgspecError, ValueError):
        return None
    arrays = (ledger.ids, ledger.digests, ledger.running, ledger.fresh, ledger.apart, ledger.was_given)
    if packed.format != _FORMAT or packed.store != store or any(len(array) != len(ledger) for array in arrays):
        return None
    return ledger


def same_cursor(one: bytes, other: bytes) -> bool:
    """Whether two cursors are one and the same; doesn't read megabytes for it."""
    return one[:_NONCE] == other[:_NONCE] and len(one) == len(other)


def encoded(run_ids: Sequence[str]) -> NDArray[np.bytes_]:
    """Ids as an array of bytes, at least 32 wide."""
    raw = [run_id.encode() for run_id in run_ids]
    return np.array(raw, dtype=f"S{max(32, max(map(len, raw), default=0))}")
