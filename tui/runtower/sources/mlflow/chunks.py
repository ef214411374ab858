"""Runs read in bulk, by their rowids, and laid out as cells by key.

The rows of one run lie close together in each table. So per run the first and last rowid come from the index on
run_uuid, and the table between them is scanned: a third quicker than a seek per row. Runs whose rows lie far apart
are read through the index.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from runtower.domain.runs import Kind
from runtower.sources.mlflow import groups
from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.digests import digests_of
from runtower.sources.mlflow.fields import RunHead, attribute_cells
from runtower.sources.mlflow.groups import Group, Triple
from runtower.sources.mlflow.pieces import Piece
from runtower.sources.port import Cells

_NEAR: Final = 2000
_HEADS: Final = (
    "SELECT j.value, r.run_uuid, r.name, r.user_id, r.status, r.start_time, r.end_time, r.lifecycle_stage,"
    " r.artifact_uri, r.experiment_id"
    " FROM json_each(?) j CROSS JOIN runs r ON r.rowid = j.value ORDER BY j.id"
)
_SPANS: Final = (
    "INSERT INTO temp.span SELECT place, run_uuid,"
    " (SELECT min(rowid) FROM {table} WHERE run_uuid = c.run_uuid),"
    " (SELECT max(rowid) FROM {table} WHERE run_uuid = c.run_uuid) FROM temp.chunk c"
)
_NEAR_ROWS: Final = (
    "SELECT s.place, t.key, {value} FROM temp.span s CROSS JOIN {table} t"
    " ON t.rowid BETWEEN s.low AND s.high AND +t.run_uuid = s.run_uuid WHERE s.high - s.low < ?"
)
_FAR_ROWS: Final = (
    "SELECT s.place, t.key, {value} FROM temp.span s CROSS JOIN {table} t INDEXED BY index_{table}_run_uuid"
    " ON t.run_uuid = s.run_uuid WHERE s.high - s.low >= ?"
)
# What stands for a value in each table; NULL for NaN.
VALUE_OF: Final = {
    "tags": "t.value",
    "params": "t.value",
    "latest_metrics": "CASE t.is_nan WHEN 0 THEN t.value END",
}


@dataclass(frozen=True, slots=True)
class Heads:
    """The rows of `runs` with their tags. `digests` change with any of both."""

    rowids: NDArray[np.int64]
    rows: list[RunHead]
    tags: list[Group]
    digests: NDArray[np.uint32]
    running: NDArray[np.bool_]


def read_head_rows(connection: sqlite3.Connection, rowids: Sequence[int]) -> tuple[NDArray[np.int64], list[RunHead]]:
    """The rows at these rowids, in this order, with the rowids of those that are still there."""
    raw = connection.execute(_HEADS, (json_array(rowids),)).fetchall()
    return np.array([row[0] for row in raw], dtype=np.int64), [RunHead(*row[1:]) for row in raw]


def heads_of(rowids: NDArray[np.int64], rows: list[RunHead], tags: list[Group]) -> Heads:
    """Rows and their tags, with what follows from them."""
    running = np.array([row.status == RUNNING for row in rows], dtype=np.bool_)
    return Heads(rowids, rows, tags, digests_of(rows, tags), running)


def read_heads(connection: sqlite3.Connection, rowids: Sequence[int]) -> Heads:
    """The runs at these rowids, in this order; those that are no longer there are left out."""
    with uncollected():
        found, rows = read_head_rows(connection, rowids)
        _remember_chunk(connection, rows)
        return heads_of(found, rows, groups.grouped_rows(_rows_of(connection, "tags")))


def read_piece(connection: sqlite3.Connection, rowids: Sequence[int]) -> Piece:
    """The runs at these rowids, in this order, with all their cells; without those that are no longer there."""
    heads = read_heads(connection, rowids)
    with uncollected():
        params = groups.grouped_rows(_rows_of(connection, "params"))
        metrics = groups.grouped_rows(_rows_of(connection, "latest_metrics"))
        run_ids = [head.run_id for head in heads.rows]
        return Piece(heads.rowids, run_ids, heads.digests, heads.running, _cells_of(heads, params, metrics))


def _cells_of(heads: Heads, params: Sequence[Group], metrics: Sequence[Group]) -> list[Cells]:
    return [
        *attribute_cells(heads.rows, groups.attribute_tags(heads.tags, len(heads.rows))),
        *groups.text_cells(Kind.TAG, heads.tags),
        *groups.text_cells(Kind.PARAM, params),
        *groups.metric_cells(metrics),
    ]


def json_array(items: Sequence[Any]) -> str:
    """A list as SQLite's json_each takes it: one bound value, however long the list is."""
    return msgspec.json.encode(list(items)).decode()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without Python's cycle collector, which walks the hundred thousand new tuples again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _remember_chunk(connection: sqlite3.Connection, heads: Sequence[RunHead]) -> None:
    # Temporary tables live in memory: the file itself is opened read-only.
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS chunk(place INTEGER PRIMARY KEY, run_uuid TEXT)")
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS span(place INTEGER PRIMARY KEY, run_uuid TEXT, low INTEGER, high INTEGER)"
    )
    connection.execute("DELETE FROM temp.chunk")
    connection.executemany(
        "INSERT INTO temp.chunk VALUES (?, ?)", ((place, head.run_id) for place, head in enumerate(heads))
    )


def _rows_of(connection: sqlite3.Connection, table: str) -> list[Triple]:
    connection.execute("DELETE FROM temp.span")
    connection.execute(_SPANS.format(table=table))
    value = VALUE_OF[table]
    near = connection.execute(_NEAR_ROWS.format(table=table, value=value), (_NEAR,)).fetchall()
    far = connection.execute(_FAR_ROWS.format(table=table, value=value), (_NEAR,)).fetchall()
    return near + far if far else near
