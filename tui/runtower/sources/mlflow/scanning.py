"""A large store read for the first time: by whole tables from their ends, not run by run.

Rows are written run after run, so runs in the order of their rowids have their rows in the same order in every table,
nearly. A piece of runs is read with one window of each table, whose lower end is where the oldest runs of the piece
begin: no index is searched per run, which is half of the time. It need not be exact. A row met in a window whose run
isn't in the piece (a run that logged long, or beside others) sets that run apart, to be read by itself later; every
row is met, because the windows follow on each other down to the first row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtower.sources.mlflow import chunks, tails
from runtower.sources.mlflow.chunks import Heads
from runtower.sources.mlflow.groups import Group, grouped
from runtower.sources.mlflow.ledger import Ledger
from runtower.sources.port import Cells

TABLES: Final = tuple(chunks.VALUE_OF)
_OLDEST: Final = 12
_BATCH: Final = 2_000
_WIDEST: Final = 400_000


class _Places(dict[str, int]):
    """Place by run id; who isn't in it is noted, at place -1."""

    def __init__(self, run_ids: Sequence[str]) -> None:
        super().__init__(zip(run_ids, range(len(run_ids)), strict=True))
        self.strangers: set[str] = set()

    def __missing__(self, run_id: str) -> int:
        self.strangers.add(run_id)
        return -1


def begin_scan(connection: sqlite3.Connection, ledger: Ledger) -> None:
    """From here on `ledger.scan` says, for each table, up to which rowid it is still to be read."""
    ledger.scan = {table: tails.last_rowid(connection, table) for table in TABLES}


def end_scan(ledger: Ledger) -> None:
    """All that isn't fresh is to be read run by run."""
    ledger.scan = {}
    ledger.apart[~ledger.fresh] = True


def next_piece(ledger: Ledger, size: int) -> NDArray[np.int64]:
    """The rowids of the newest runs that the scan still has to give."""
    waiting = ledger.rowids[~(ledger.fresh | ledger.apart)]
    return waiting[::-1][:size]


def read_piece(
    connection: sqlite3.Connection, ledger: Ledger, rowids: NDArray[np.int64], is_last: bool
) -> tuple[Heads, list[Cells]] | None:
    """The piece, and the strangers met set apart in the ledger; None where this store doesn't lie in such an order.

    Runs of the piece that were set apart by an earlier window are no part of it: the caller asked `next_piece`.
    """
    oldest = [run.run_id for run in chunks.read_head_rows(connection, rowids[-_OLDEST:].tolist())[1]]
    lows = {table: 0 if is_last else _begin_of(connection, table, oldest) for table in TABLES}
    if any(min(ledger.scan[table] - low, ledger.scan[table]) > _WIDEST for table, low in lows.items()):
        return None
    with chunks.uncollected():
        found, rows = chunks.read_head_rows(connection, rowids.tolist())
        places = _Places([row.run_id for row in rows])
        read = {table: _window(connection, table, low, ledger.scan[table], places) for table, low in lows.items()}
        for table, low in lows.items():
            ledger.scan[table] = min(low, ledger.scan[table])
        ledger.set_apart(list(places.strangers))
        heads = chunks.heads_of(found, rows, read["tags"])
        return heads, chunks.cells_of(heads, read["params"], read["latest_metrics"])


def runs_below(connection: sqlite3.Connection, ledger: Ledger) -> set[str]:
    """The ids of all runs that have rows which the scan didn't reach."""
    found: set[str] = set()
    for table, upto in ledger.scan.items():
        for low, high in tails.windows(0, upto):
            found.update(
                run_id
                for (run_id,) in connection.execute(
                    f"SELECT DISTINCT run_uuid FROM {table} NOT INDEXED WHERE rowid > ? AND rowid <= ?",  # noqa: S608
                    (low, high),
                )
            )
    return found


def _begin_of(connection: sqlite3.Connection, table: str, run_ids: Sequence[str]) -> int:
    """The rowid before the first row of these runs; where they have none, everything is below."""
    firsts = [
        connection.execute(f"SELECT min(rowid) FROM {table} WHERE run_uuid = ?", (run_id,)).fetchone()[0]  # noqa: S608
        for run_id in run_ids
    ]
    begins = [first for first in firsts if first is not None]
    # The middle one: a single run that logged early or late shall not stretch the window.
    return sorted(begins)[len(begins) // 2] - 1 if begins else 2**62


def _window(connection: sqlite3.Connection, table: str, low: int, high: int, places: _Places) -> list[Group]:
    cursor = connection.execute(
        f"SELECT t.run_uuid, t.key, {chunks.VALUE_OF[table]} FROM {table} t WHERE t.rowid > ? AND t.rowid <= ?",  # noqa: S608
        (low, high),
    )
    at: list[int] = []
    keys: list[str] = []
    values: list[Any] = []
    one_of_each: dict[str, str] = {}
    # In batches: the memory of the rows is used again instead of being asked for anew.
    while batch := cursor.fetchmany(_BATCH):
        run_ids, some_keys, some_values = zip(*batch, strict=True)
        at.extend(map(places.__getitem__, run_ids))
        keys.extend(map(one_of_each.setdefault, some_keys, some_keys))
        values.extend(some_values)
    if -1 in at:
        ours = [place >= 0 for place in at]
        at, keys, values = (list(compress(column, ours)) for column in (at, keys, values))
    return grouped(at, keys, values)
