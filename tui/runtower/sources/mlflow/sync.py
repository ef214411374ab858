"""What changed in an MLflow SQLite file since a cursor.

A poll asks for the file's stamp, and mostly ends there. Where it moved:

1. find (finding.py): appended rows tell which runs are new, got params or tags, or were logged to; RUNNING runs, those
   on the screen and a slice of all the others are compared by digest. A run that isn't as it was given becomes stale.
2. give: runs that were only logged to get their new metrics; stale runs are given whole, newest first.

A first sync gives a screenful of runs that began last, and then all others; where there are many, by a scan of the
tables (scanning.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.domain.errors import Busy
from runtower.domain.runs import Experiment
from runtower.sources.mlflow import chunks, groups, scanning, tails
from runtower.sources.mlflow.database import Database, Stamp, UndecodableText
from runtower.sources.mlflow.fields import logged_cell
from runtower.sources.mlflow.finding import Finding
from runtower.sources.mlflow.ledger import Ledger, same_cursor, unpack
from runtower.sources.mlflow.logged import last_logged
from runtower.sources.mlflow.pieces import Piece, Unsuited
from runtower.sources.mlflow.scope import Scope
from runtower.sources.port import Cells, Delta

FIRST_RUNS: Final = 200
CHUNK_RUNS: Final = 20_000
_FEW: Final = 500
_MANY: Final = 3_000


class Sync:
    """The state of one stream of changes; used by one thread at a time."""

    def __init__(self, database: Database, known: Sequence[str]) -> None:
        self._database = database
        self.scope = self._scope()
        self._remembered: Sequence[str] = known
        self._cursor = b""
        self._ledger: Ledger | None = None
        self._seen: Stamp | None = None
        self._finding: Finding | None = None
        self._gone: list[str] = []
        self._total = 0
        self._has_looked = False
        self._experiments: tuple[int, Sequence[Experiment]] | None = None

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        """The port's `changes`."""
        try:
            yield from self._changes(cursor, focus)
        except UndecodableText:
            self._database.read_leniently()
            yield from self._changes(self._cursor, focus)

    def runs(self, run_ids: Sequence[str]) -> Delta:
        """The port's `runs`."""
        wanted = "SELECT r.rowid FROM json_each(?) j CROSS JOIN runs r ON r.run_uuid = j.value"
        with self._database.reading() as connection:
            found = connection.execute(wanted, (chunks.json_array(run_ids),)).fetchall()
            piece = chunks.read_piece(connection, [rowid for (rowid,) in found])
        return Delta(piece.run_ids, piece.cells, b"")

    def _changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        stamp = self._stamp_of_now()
        ledger, finding = self._resume(cursor)
        if stamp == self._seen and finding.is_done and ledger.is_listed and ledger.fresh.all():
            return
        if stamp != self._seen:
            with self._database.reading() as connection:
                self._database.check_schema(connection)
                self._experiments = self.scope.experiments_unless(connection, ledger.experiments)
                self._gone += finding.look(connection, focus)
                self._gone += self._forgotten(connection)
            self._seen = stamp
        elif not finding.is_done:
            with self._database.reading() as connection:
                self._gone += finding.look_on(connection)
        yield from self._metrics_logged(ledger, finding)
        yield from self._first_runs(ledger)
        yield from self._stale_runs(ledger)
        yield from self._scanned_runs(ledger)
        yield from self._stale_runs(ledger)
        if self._gone or self._experiments:
            yield self._delta(ledger, (), ())
        if not self._has_looked:  # a first look reads far more pages of the file than later ones need
            self._has_looked = True
            self._database.shrink()

    def _stamp_of_now(self) -> Stamp:
        if self._database.reopen_if_replaced():
            self._start_over()
        stamp = self._database.stamp()
        if self._database.immutable and stamp != self._seen:
            self._database.renew_if_immutable()
            self._start_over()
        return stamp

    def _start_over(self) -> None:
        # Another file: nothing that was known is trusted, but what was given and isn't there has to be taken away.
        if self._ledger is not None:
            self._remembered = self._ledger.run_ids()
        self._ledger, self._cursor, self._seen = None, b"", None
        self._gone, self._experiments = [], None
        self.scope = self._scope()

    def _scope(self) -> Scope:
        with self._database.reading() as connection:
            return Scope.of(connection, self._database)

    def _resume(self, cursor: bytes) -> tuple[Ledger, Finding]:
        """The ledger that belongs to a cursor: the one in memory, or the cursor's, or an empty one."""
        if self._ledger is not None and self._finding is not None and cursor and same_cursor(cursor, self._cursor):
            return self._ledger, self._finding
        ledger = unpack(cursor, self.scope.key) if cursor else None
        self._ledger = ledger or Ledger(self.scope.key)
        self._finding = Finding(self._ledger, self.scope)
        self._cursor, self._seen, self._gone = cursor, None, []
        return self._ledger, self._finding

    def _forgotten(self, connection: sqlite3.Connection) -> list[str]:
        """Runs that were known to the caller before this cold sync, and are no longer there."""
        if not self._remembered:
            return []
        before, self._remembered = self._remembered, ()
        there = {run_id.decode() for run_id in self.scope.runs_after(connection, 0)[1].tolist()}
        return [run_id for run_id in before if run_id not in there]

    def _metrics_logged(self, ledger: Ledger, finding: Finding) -> Iterator[Delta]:
        """New latest values of runs that are known and otherwise as they were."""
        for after, upto in tails.windows(*finding.metrics_tail):
            with self._database.reading() as connection:
                pairs = tails.metric_keys_between(connection, after, upto)
                places = ledger.places_of_ids([run_id for run_id, _ in pairs])
                is_known = (places >= 0) & ledger.fresh[places] if len(ledger) else places >= 0
                wanted = list(compress(pairs, is_known.tolist()))
                latest = tails.latest_of(connection, wanted)
                place_of = {run_id: place for place, run_id in enumerate(dict.fromkeys(row[0] for row in latest))}
                when = self._last_logged(connection, list(place_of), ledger)
                ledger.tails["metrics"] = tails.marks_at(connection, "metrics", upto)
            finding.metrics_tail = (upto, finding.metrics_tail[1])
            if latest:
                rows = [(place_of[run_id], key, value) for run_id, key, value in latest]
                cells = [*when, *groups.metric_cells(groups.grouped_rows(rows))]
                yield self._delta(ledger, list(place_of), cells, whole=False)

    def _last_logged(self, connection: sqlite3.Connection, run_ids: Sequence[str], ledger: Ledger) -> list[Cells]:
        """When the running ones of these runs, which were given before, last logged; nothing where none is running."""
        running = ledger.running[ledger.places_of_ids(run_ids)].tolist() if run_ids else []
        if not any(running):
            return []
        times = last_logged(connection, list(compress(run_ids, running)))
        return [logged_cell([times.get(run_id) for run_id in run_ids])]

    def _first_runs(self, ledger: Ledger) -> Iterator[Delta]:
        """In a first sync, the runs that began last, before anything else is even counted; then places for all."""
        if ledger.is_listed:
            return
        if not len(ledger):
            with self._database.reading() as connection:
                rowids, ids = self.scope.newest(connection, FIRST_RUNS)
                self._total = self.scope.count(connection)
                ledger.add(rowids, ids)
                ledger.is_listed = len(rowids) == self._total
            yield from self._whole_runs(ledger, rowids)
            if ledger.is_listed:
                return
        with self._database.reading() as connection:
            ledger.add(*self.scope.runs_after(connection, 0), apart=False)
            if np.count_nonzero(~ledger.fresh) > _MANY:
                scanning.begin_scan(connection, ledger)
        ledger.is_listed = True

    def _scanned_runs(self, ledger: Ledger) -> Iterator[Delta]:
        """The runs of a first sync, newest rowid first."""
        if not ledger.scan:
            return
        size = scanning.piece_size(ledger, CHUNK_RUNS)
        try:
            with self._database.bulk() as bulk:
                while ledger.scan:
                    rowids = scanning.next_piece(ledger, size)
                    is_last = len(rowids) < size
                    with self._database.reading() as connection:
                        lows = scanning.bounds_of(connection, ledger, rowids, is_last) if len(rowids) else None
                        if lows is None:
                            ledger.set_apart(list(scanning.runs_below(connection, ledger)))
                    piece = scanning.read_piece(bulk, ledger, rowids, lows) if lows else None
                    with self._database.reading() as connection:
                        self._check_unmoved(connection, ledger)
                    if lows is None or is_last:
                        scanning.end_scan(ledger)
                    if piece is not None:
                        yield self._given(ledger, rowids, piece)
                    del piece
        except Unsuited:
            with self._database.reading() as connection:
                ledger.set_apart(list(scanning.runs_below(connection, ledger)))
            scanning.end_scan(ledger)

    def _check_unmoved(self, connection: sqlite3.Connection, ledger: Ledger) -> None:
        if all(tails.is_unmoved(connection, table, ledger.tails[table]) for table in ("runs", "params")):
            return
        self._start_over()
        raise Busy(f"{self._database.path} was rewritten while it was read.", "It is read anew at the next look.")

    def _stale_runs(self, ledger: Ledger) -> Iterator[Delta]:
        """Runs that are to be read by themselves, newest first: a few for the screen, then in large pieces."""
        stale = ledger.rowids[~ledger.fresh & ledger.apart if ledger.scan else ~ledger.fresh]
        if not len(stale):
            return
        with self._database.reading() as connection:
            ordered = newest_first(connection, stale)
        yield from self._whole_runs(ledger, ordered[:FIRST_RUNS])
        for begin in range(FIRST_RUNS, len(ordered), CHUNK_RUNS):
            yield from self._whole_runs(ledger, ordered[begin : begin + CHUNK_RUNS])

    def _whole_runs(self, ledger: Ledger, rowids: NDArray[np.int64]) -> Iterator[Delta]:
        if not len(rowids):
            return
        with self._database.reading() as connection:
            piece = chunks.read_piece(connection, rowids.tolist())
        yield self._given(ledger, rowids, piece)

    def _given(self, ledger: Ledger, rowids: NDArray[np.int64], piece: Piece) -> Delta:
        ledger.give(piece.rowids, piece.digests, piece.running)
        if len(piece.rowids) < len(rowids):
            # Deleted for good since they were found.
            self._gone += ledger.drop(np.setdiff1d(rowids, piece.rowids))
        with self._database.reading() as connection:
            when = self._last_logged(connection, piece.run_ids, ledger)
        return self._delta(ledger, piece.run_ids, [*piece.cells, *when])

    def _delta(self, ledger: Ledger, run_ids: Sequence[str], cells: Sequence[Cells], whole: bool = True) -> Delta:
        gone, self._gone = self._gone, []
        experiments = None
        if self._experiments is not None:
            ledger.experiments, experiments = self._experiments
            self._experiments = None
        self._cursor = ledger.pack()
        return Delta(
            run_ids,
            cells,
            self._cursor,
            whole=whole,
            gone=gone,
            experiments=experiments,
            complete=ledger.is_listed and bool(ledger.fresh.all()),
            known=ledger.known(),
            total=len(ledger) if ledger.is_listed else self._total,
        )


def newest_first(connection: sqlite3.Connection, rowids: NDArray[np.int64]) -> NDArray[np.int64]:
    """These rowids by start time, latest first; runs without one come last."""
    if len(rowids) <= _FEW:
        rows = connection.execute(
            "SELECT r.rowid FROM json_each(?) j CROSS JOIN runs r ON r.rowid = j.value"
            " ORDER BY r.start_time DESC, r.rowid DESC",
            (chunks.json_array(rowids.tolist()),),
        ).fetchall()
    else:
        rows = connection.execute("SELECT rowid FROM runs ORDER BY start_time DESC, rowid DESC").fetchall()
    ordered = np.array([rowid for (rowid,) in rows], dtype=np.int64)
    kept: NDArray[np.int64] = ordered[np.isin(ordered, rowids)]
    return kept
