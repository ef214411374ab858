"""Row ids: dense int32, given once to a run and never again to another one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class Ledger:
    """Which run has which row id."""

    def __init__(self) -> None:
        self._row_of: dict[str, int] = {}
        self._next = 0

    def seed(self, run_ids: Iterable[str], rows: Iterable[int]) -> None:
        """Take over ids that were given before."""
        self._row_of = dict(zip(run_ids, rows, strict=True))
        self._next = 1 + max(self._row_of.values(), default=-1)

    def give(self, run_ids: Sequence[str]) -> NDArray[np.int32]:
        """The row ids of the runs, in their order; a new run gets the next one."""
        row_of = self._row_of
        rows = np.empty(len(run_ids), np.int32)
        for place, run_id in enumerate(run_ids):
            row = row_of.get(run_id)
            if row is None:
                row = row_of[run_id] = self._next
                self._next += 1
            rows[place] = row
        return rows

    def known(self, run_ids: Iterable[str]) -> list[int]:
        """The row ids of those runs that have one."""
        return [self._row_of[run_id] for run_id in run_ids if run_id in self._row_of]

    def run_ids(self) -> list[str]:
        """All runs, in the order of their row ids."""
        return sorted(self._row_of, key=self._row_of.__getitem__)

    def rows(self) -> set[int]:
        return set(self._row_of.values())

    def agrees(self, run_ids: Sequence[str]) -> bool:
        """Whether every id given here is the same in `run_ids`, a list by row id."""
        return all(row < len(run_ids) and run_ids[row] == run_id for run_id, row in self._row_of.items())
