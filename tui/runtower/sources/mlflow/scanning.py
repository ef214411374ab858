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
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from runtower.sources.mlflow import chunks, tails
from runtower.sources.mlflow.ledger import Ledger
from runtower.sources.mlflow.pieces import COLUMNS, Piece, piece_of

if TYPE_CHECKING:
    from runtower.sources.mlflow.bulk import Bulk

TABLES: Final = tuple(chunks.VALUE_OF)
_OLDEST: Final = 12
_ROWS: Final = 600_000
_FEWEST: Final = 500
_WIDEST: Final = 2_000_000


def begin_scan(connection: sqlite3.Connection, ledger: Ledger) -> None:
    """From here on `ledger.scan` says, for each table, up to which rowid it is still to be read."""
    ledger.scan = {table: tails.last_rowid(connection, table) for table in TABLES}


def end_scan(ledger: Ledger) -> None:
    """All that isn't fresh is to be read run by run."""
    ledger.scan = {}
    ledger.apart[~ledger.fresh] = True


def piece_size(ledger: Ledger, most: int) -> int:
    """How many runs make a piece that is read in a fraction of a second."""
    rows = sum(ledger.scan.values()) / max(1, len(ledger))
    return int(min(most, max(_FEWEST, _ROWS / max(1.0, rows))))


def next_piece(ledger: Ledger, size: int) -> NDArray[np.int64]:
    """The rowids of the newest runs that the scan still has to give."""
    waiting = ledger.rowids[~(ledger.fresh | ledger.apart)]
    return waiting[::-1][:size]


def bounds_of(
    connection: sqlite3.Connection, ledger: Ledger, rowids: NDArray[np.int64], is_last: bool
) -> dict[str, int] | None:
    """Where the piece begins in each table; None where this store doesn't lie in such an order."""
    oldest = [run.run_id for run in chunks.read_head_rows(connection, rowids[-_OLDEST:].tolist())[1]]
    lows = {table: 0 if is_last else _begin_of(connection, table, oldest) for table in TABLES}
    if any(min(ledger.scan[table] - low, ledger.scan[table]) > _WIDEST for table, low in lows.items()):
        return None
    return lows


def read_piece(bulk: Bulk, ledger: Ledger, rowids: NDArray[np.int64], lows: dict[str, int]) -> Piece:
    """The piece; the strangers met are set apart in the ledger. Raises Unsuited.

    Runs of the piece that were set apart by an earlier window are no part of it: the caller asked `next_piece`.
    """
    windows = {"runs": (int(rowids.min()) - 1, int(rowids.max()))}
    windows |= {table: (low, ledger.scan[table]) for table, low in lows.items()}
    tables = bulk.tables(
        {
            table: f"SELECT {COLUMNS[table]} FROM {table} WHERE rowid > {low} AND rowid <= {high} ORDER BY rowid"  # noqa: S608
            for table, (low, high) in windows.items()
        }
    )
    piece, strangers = piece_of(tables, rowids)
    for table, low in lows.items():
        ledger.scan[table] = min(low, ledger.scan[table])
    ledger.set_apart(strangers)
    return piece


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
