"""What was appended to a table since the last look.

MLflow's tables have plain rowids: a new row gets the largest plus one. After `mlflow gc` the uppermost rowids are used
again, and VACUUM numbers all rows anew. So beside the last rowid seen there are marks further back, each with a crc32
of its row; the tail begins at the newest mark that still holds what it held, which in both cases is before anything
that moved or is new.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final
from zlib import crc32

from runtower.sources.mlflow.chunks import json_array
from runtower.sources.mlflow.ledger import Mark, Marks

_BACK: Final = (0, 100, 2_000, 40_000, 800_000)
_WINDOW: Final = 200_000

# Columns that tell one row from another and never change; a tag's value may.
_IDENTITY: Final = {
    "runs": "run_uuid",
    "params": "run_uuid || key",
    "tags": "run_uuid || key",
    "metrics": "run_uuid || key || timestamp || ',' || step",
}
TABLES: Final = tuple(_IDENTITY)


def marks_now(connection: sqlite3.Connection, table: str) -> Marks:
    """The last row and rows further back, newest first."""
    return marks_at(connection, table, last_rowid(connection, table))


def marks_at(connection: sqlite3.Connection, table: str, upto: int) -> Marks:
    """As `marks_now`, with `upto` taken for the last rowid."""
    marks: dict[int, Mark] = {}
    for back in _BACK:
        row = connection.execute(
            f"SELECT rowid, {_IDENTITY[table]} FROM {table} WHERE rowid <= ? ORDER BY rowid DESC LIMIT 1",  # noqa: S608
            (upto - back,),
        ).fetchone()
        if row is None:
            break
        marks[row[0]] = Mark(row[0], _crc(row[1]))
    return tuple(marks.values())


def last_rowid(connection: sqlite3.Connection, table: str) -> int:
    """The largest rowid, 0 for an empty table."""
    return int(connection.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()[0])  # noqa: S608


def first_unsure(connection: sqlite3.Connection, table: str, marks: Marks) -> int:
    """The rowid after which rows may be new: the newest mark that still holds, or 0."""
    for mark in marks:
        row = connection.execute(
            f"SELECT {_IDENTITY[table]} FROM {table} WHERE rowid = ?",  # noqa: S608
            (mark.rowid,),
        ).fetchone()
        if row is not None and _crc(row[0]) == mark.crc:
            return mark.rowid
    return 0


def is_unmoved(connection: sqlite3.Connection, table: str, marks: Marks) -> bool:
    """Whether the last row seen is still where it was (true of a table that was empty)."""
    return not marks or first_unsure(connection, table, marks) == marks[0].rowid


def runs_after(connection: sqlite3.Connection, table: str, after: int) -> list[int]:
    """The rowids (in `runs`) of the runs that have rows after this one."""
    # NOT INDEXED: for DISTINCT SQLite would rather walk the whole index on run_uuid than the few new rows.
    return [
        rowid
        for (rowid,) in connection.execute(
            f"SELECT r.rowid FROM (SELECT DISTINCT run_uuid FROM {table} NOT INDEXED WHERE rowid > ?) t"  # noqa: S608
            " CROSS JOIN runs r ON r.run_uuid = t.run_uuid",
            (after,),
        )
    ]


def windows(after: int, last: int) -> Iterator[tuple[int, int]]:
    """(after, upto] in pieces that one short read transaction can bear."""
    while after < last:
        upto = min(after + _WINDOW, last)
        yield after, upto
        after = upto


def metric_keys_between(connection: sqlite3.Connection, after: int, upto: int) -> list[tuple[str, str]]:
    """The (run id, key) pairs that were logged in a window, by run."""
    return connection.execute(
        "SELECT DISTINCT run_uuid, key FROM metrics NOT INDEXED WHERE rowid > ? AND rowid <= ? ORDER BY run_uuid",
        (after, upto),
    ).fetchall()


def latest_of(connection: sqlite3.Connection, pairs: list[tuple[str, str]]) -> list[tuple[str, str, float | None]]:
    """(run id, key, latest value or None for NaN) of such pairs, in their order."""
    return connection.execute(
        "SELECT m.run_uuid, m.key, CASE m.is_nan WHEN 0 THEN m.value END FROM json_each(?) j"
        " CROSS JOIN latest_metrics m"
        " ON m.key = json_extract(j.value, '$[1]') AND m.run_uuid = json_extract(j.value, '$[0]') ORDER BY j.id",
        (json_array(pairs),),
    ).fetchall()


def _crc(identity: str | None) -> int:
    return crc32((identity or "").encode())
