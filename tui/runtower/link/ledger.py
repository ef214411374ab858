"""Row ids: dense int32, given once to a run and never again to another one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LONGEST: Final = 64
_MOST_LOOSE: Final = 4096


class Ledger:
    """Which run has which row id.

    The ids lie sorted in one array, and only new or very long ones in a dict: 100,000 of them take 4 MB and not 20.
    """

    def __init__(self) -> None:
        self.seed((), ())

    def __len__(self) -> int:
        return len(self._rows) + len(self._loose)

    def seed(self, run_ids: Iterable[str], rows: Iterable[int]) -> None:
        """Take over ids that were given before."""
        self._ids: NDArray[np.bytes_] = np.empty(0, "S1")
        self._rows: NDArray[np.int32] = np.empty(0, np.int32)
        self._loose = dict(zip(run_ids, rows, strict=True))
        self._next = 1 + max(self._loose.values(), default=-1)
        self.settle()

    def give(self, run_ids: Sequence[str]) -> NDArray[np.int32]:
        """The row ids of the runs, in their order; a new run gets the next one."""
        rows = self._find(run_ids)
        for place in np.flatnonzero(rows < 0).tolist():
            rows[place] = self._loose.setdefault(run_ids[place], self._next)
            self._next = max(self._next, int(rows[place]) + 1)
        if len(self._loose) > max(_MOST_LOOSE, len(self._rows)):
            self.settle()
        return rows

    def settle(self) -> None:
        """Put what came since into the array; sorting 100,000 ids takes some 30 ms."""
        run_ids = list(self._loose)
        raws, fits = _packed(run_ids)
        came = np.fromiter(self._loose.values(), np.int32, len(run_ids))
        self._loose = {run_ids[place]: int(came[place]) for place in np.flatnonzero(~fits).tolist()}
        ids = np.concatenate([self._ids, raws[fits]])
        order = np.argsort(ids, kind="stable")
        self._ids, self._rows = ids[order], np.concatenate([self._rows, came[fits]])[order]

    def known(self, run_ids: Iterable[str]) -> list[int]:
        """The row ids of those runs that have one."""
        return [row for row in self._find(list(run_ids)).tolist() if row >= 0]

    def run_ids(self) -> list[str]:
        """All runs, in the order of their row ids."""
        return [run_id for _, run_id in sorted(self._pairs())]

    def rows(self) -> set[int]:
        return {*self._rows.tolist(), *self._loose.values()}

    def agrees(self, run_ids: Sequence[str]) -> bool:
        """Whether every id given here is the same in `run_ids`, a list by row id."""
        return all(row < len(run_ids) and run_ids[row] == run_id for row, run_id in self._pairs())

    def _pairs(self) -> list[tuple[int, str]]:
        ids = (raw.decode("utf-8", "surrogatepass") for raw in self._ids.tolist())
        return [*zip(self._rows.tolist(), ids, strict=True), *((row, run_id) for run_id, row in self._loose.items())]

    def _find(self, run_ids: Sequence[str]) -> NDArray[np.int32]:
        """Row ids, -1 for a run that has none."""
        rows = np.fromiter((self._loose.get(run_id, -1) for run_id in run_ids), np.int32, len(run_ids))
        places = np.flatnonzero(rows < 0)
        if len(places) and len(self._ids):
            raws, fits = _packed([run_ids[place] for place in places.tolist()])
            raws, places = raws[fits], places[fits]
            found = np.minimum(np.searchsorted(self._ids, raws), len(self._ids) - 1)
            rows[places] = np.where(self._ids[found] == raws, self._rows[found], -1)
        return rows


def _packed(run_ids: Sequence[str]) -> tuple[NDArray[np.bytes_], NDArray[np.bool_]]:
    """The ids as they stand in the array, and which of them may: it would give back others otherwise, or grow wide."""
    if max(map(len, run_ids), default=0) <= _LONGEST and (whole := "".join(run_ids)).isascii() and "\0" not in whole:
        return np.array(run_ids, "S"), np.ones(len(run_ids), bool)
    raws = [run_id.encode("utf-8", "surrogatepass") for run_id in run_ids]
    fits = np.array([len(raw) <= _LONGEST and b"\0" not in raw for raw in raws], bool)
    return np.array([raw[:_LONGEST] for raw in raws]), fits
