"""Which runs are no longer as they were given.

Nothing in a run's row says when it last changed: a rename, an edited or removed tag, a delete, a restore or a reopened
run moves no timestamp. So besides the appended rows the runs themselves are compared by digest: each time those that
are RUNNING or on the screen, and a slice of all, until one whole lap after the last change is through.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.sources.mlflow import chunks, tails
from runtower.sources.mlflow.ledger import Ledger
from runtower.sources.mlflow.scope import Scope

SLICE_RUNS: Final = 2_500
# A store full of runs that were killed and are RUNNING for ever: the newest are looked at each time, the lap sees all.
_MOST_RUNNING: Final = 2_000


class Finding:
    """Marks runs stale in the ledger; keeps where the lap is and which metrics weren't looked at yet."""

    def __init__(self, ledger: Ledger, scope: Scope) -> None:
        self._ledger = ledger
        self._scope = scope
        self._lap_at = 0
        self._lap_left = 0
        self.metrics_tail = (0, 0)

    @property
    def is_done(self) -> bool:
        """Whether a look would find nothing unless the store changes."""
        return self._lap_left <= 0 and self.metrics_tail[0] >= self.metrics_tail[1]

    def look(self, connection: sqlite3.Connection, focus: Sequence[str]) -> list[str]:
        """After a change: appended rows, RUNNING and focused runs, a slice of the lap. Gives the ids that are gone."""
        ledger = self._ledger
        if not ledger.tails:
            for table in tails.TABLES:
                ledger.tails[table] = tails.marks_now(connection, table)
            return []
        gone = self._new_runs(connection)
        touched = self._appended(connection)
        running = ledger.rowids[ledger.running][-_MOST_RUNNING:]
        places = ledger.places_of_ids(focus)
        focused = ledger.rowids[places[places >= 0]]
        self._lap_left = len(ledger)
        gone += self._compare(connection, np.unique(np.concatenate([touched, running, focused])))
        return gone + self.look_on(connection)

    def look_on(self, connection: sqlite3.Connection) -> list[str]:
        """The next slice of the lap. Gives the ids that are gone."""
        if self._lap_left <= 0:
            return []
        rowids = self._ledger.rowids
        at = self._lap_at if self._lap_at < len(rowids) else 0
        piece = rowids[at : at + SLICE_RUNS]
        self._lap_at = at + len(piece)
        self._lap_left = self._lap_left - len(piece) if len(piece) else 0
        return self._compare(connection, piece)

    def _new_runs(self, connection: sqlite3.Connection) -> list[str]:
        ledger = self._ledger
        marks = ledger.tails.get("runs", ())
        gone: list[str] = []
        if tails.is_unmoved(connection, "runs", marks):
            ledger.add(*self._scope.runs_after(connection, marks[0].rowid if marks else 0))
        else:
            # Rowids don't mean what they meant: the newest runs are gone for good, or the file was vacuumed.
            gone = ledger.renumber(*self._scope.runs_after(connection, 0))
        ledger.tails["runs"] = tails.marks_now(connection, "runs")
        return gone

    def _appended(self, connection: sqlite3.Connection) -> NDArray[np.int64]:
        """Takes in the tails: runs with new params become stale; gives the rowids of those with new tags."""
        ledger = self._ledger
        found: dict[str, NDArray[np.int64]] = {}
        for table in ("params", "tags"):
            after = tails.first_unsure(connection, table, ledger.tails.get(table, ()))
            rowids = np.array(tails.runs_after(connection, table, after), dtype=np.int64)
            found[table] = ledger.known_among(rowids)
            ledger.tails[table] = tails.marks_now(connection, table)
        ledger.make_stale(ledger.places_of(found["params"]))
        after = tails.first_unsure(connection, "metrics", ledger.tails.get("metrics", ()))
        self.metrics_tail = (after, tails.last_rowid(connection, "metrics"))
        return found["tags"]

    def _compare(self, connection: sqlite3.Connection, rowids: NDArray[np.int64]) -> list[str]:
        """Runs whose digest moved become stale; those that are gone leave the ledger, and their ids are given."""
        ledger = self._ledger
        rowids = rowids[ledger.fresh[ledger.places_of(rowids)]]
        gone: list[str] = []
        for begin in range(0, len(rowids), SLICE_RUNS):
            piece = rowids[begin : begin + SLICE_RUNS]
            heads = chunks.read_heads(connection, piece.tolist())
            places = ledger.places_of(heads.rowids)
            ledger.make_stale(places[ledger.digests[places] != heads.digests])
            if len(heads.rowids) < len(piece):
                gone += ledger.drop(np.setdiff1d(piece, heads.rowids))
        return gone
