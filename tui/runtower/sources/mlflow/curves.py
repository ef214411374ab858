"""Metric histories out of an MLflow SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.domain.errors import NotFound
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.sources.coarse import bucket_count, bucket_edges, coarse_curve_of
from runtower.sources.mlflow import contract
from runtower.sources.mlflow.database import Database
from runtower.sources.mlflow.fields import with_infinities
from runtower.sources.mlflow.pieces import Unsuited

# Rows in one read transaction, so that a writer waits a fraction of a second at most. A history that is longer than the
# first page is read on as Arrow columns, which takes a fifth of the time and a connection of its own.
_PAGE: Final = 250_000
_FIRST: Final = 20_000
_WHOLE: Final = 20_000
_VALUE: Final = "CASE is_nan WHEN 0 THEN value END"
_IS_FINITE: Final = f"is_nan = 0 AND abs(value) < {contract.INFINITY_FROM!r}"

Ints = NDArray[np.int64]
# Of a point: its step, rowid, time (UTC epoch ms) and value.
Row = tuple[int, int, int, float | None]
Columns = tuple[Ints, Ints, Ints, NDArray[np.float64]]

_BY_STEP = (
    f"SELECT step, rowid, timestamp, {_VALUE} FROM metrics INDEXED BY {contract.STEP_INDEX}"  # noqa: S608
    " WHERE run_uuid = ? AND key = ? AND (step, rowid) > (?, ?) ORDER BY step, rowid LIMIT ?"
)
_BY_ROWID = (
    f"SELECT step, rowid, timestamp, {_VALUE} FROM metrics INDEXED BY index_metrics_run_uuid"  # noqa: S608
    " WHERE run_uuid = ? AND key = ? AND rowid > ? ORDER BY rowid LIMIT ?"
)
_LAST = (
    f"SELECT step, rowid, timestamp, {_VALUE} FROM metrics INDEXED BY index_metrics_run_uuid"  # noqa: S608
    " WHERE run_uuid = ? AND key = ? ORDER BY rowid DESC LIMIT 1"
)
_AT_ROWID = f"SELECT step, timestamp, {_VALUE} FROM metrics WHERE rowid = ? AND run_uuid = ? AND key = ?"  # noqa: S608
_EXTENT = (
    f"SELECT min(step), max(step), count(*) FROM metrics INDEXED BY {contract.STEP_INDEX}"  # noqa: S608
    " WHERE run_uuid = ? AND key = ?"
)
_BUCKET = (
    f"SELECT min(CASE WHEN {_IS_FINITE} THEN value END), max(CASE WHEN {_IS_FINITE} THEN value END),"  # noqa: S608
    f" total(NOT ({_IS_FINITE})) FROM metrics INDEXED BY {contract.STEP_INDEX}"
    " WHERE run_uuid = ? AND key = ? AND step BETWEEN ? AND ?"
)


def read_history(database: Database, run_id: str, key: str) -> MetricSeries:
    """The whole history, by step, then time, then value. Raises NotFound where the run or its key isn't known."""
    series = _series_of(database, run_id, key)
    if not len(series.steps):
        with database.reading() as connection:
            found = connection.execute("SELECT 1 FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
        what = f"The run {run_id} has no metric {key!r}." if found else f"There is no run {run_id} in this store."
        raise NotFound(what, "Look again after the next refresh.")
    return series


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    """The file, and the series' point of the greatest rowid: whether rowids still mean what they meant."""

    place: tuple[int, int]
    rowid: int
    point: tuple[int, int, float | None]


def read_history_since(database: Database, run_id: str, key: str, mark: bytes) -> tuple[MetricSeries, bytes] | None:
    """The port's `history_since`: what has a greater rowid than the last point seen."""
    if not mark:
        series, last = _whole_with_last(database, run_id, key)
        return series, _packed(database, last)
    known = msgspec.msgpack.decode(mark, type=_Mark)
    with database.reading() as connection:
        there = connection.execute(_AT_ROWID, (known.rowid, run_id, key)).fetchone()
        if known.place != database.place or there != known.point:
            return None
        rows = connection.execute(_BY_ROWID, (run_id, key, known.rowid, _PAGE)).fetchall()
    if len(rows) == _PAGE:
        return None
    series = _sorted(run_id, key, [_columns(rows)])
    return series, _packed(database, rows[-1]) if rows else mark


def _whole_with_last(database: Database, run_id: str, key: str) -> tuple[MetricSeries, Row]:
    """The history up to the greatest rowid that it has now, and that point; what comes while it is read comes later."""
    with database.reading() as connection:
        last = connection.execute(_LAST, (run_id, key)).fetchone()
    if last is None:
        read_history(database, run_id, key)  # says what is missing
        raise NotFound(f"The run {run_id} has no metric {key!r} yet.", "Look again after the next refresh.")
    pages = (tuple(column[page[1] <= last[1]] for column in page) for page in _pages(database, run_id, key))
    return _sorted(run_id, key, pages), last


def _packed(database: Database, last: Row) -> bytes:
    step, rowid, time, value = last
    return msgspec.msgpack.encode(_Mark(database.place, rowid, (step, time, value)))


def read_coarse(database: Database, run_ids: Sequence[str], key: str, buckets: int) -> Iterator[CoarseCurve]:
    """Coarse curves of those of `run_ids` that have this metric."""
    for run_id in run_ids:
        curve = _long_curve(database, run_id, key, buckets) if database.has_step_index else None
        if curve is None:
            curve = coarse_curve_of(_series_of(database, run_id, key), buckets)
        if curve is not None:
            yield curve


def _series_of(database: Database, run_id: str, key: str) -> MetricSeries:
    return _sorted(run_id, key, _pages(database, run_id, key))


def _sorted(run_id: str, key: str, pages: Iterable[Columns]) -> MetricSeries:
    columns = list(zip(*pages, strict=True)) or [(column,) for column in _columns([])]
    step, _, time, value = (np.concatenate(column) for column in columns)
    value = with_infinities(value)
    if len(step) > 1 and not (step[1:] > step[:-1]).all():
        order = np.lexsort((value, time, step))
        step, time, value = step[order], time[order], value[order]
    return MetricSeries(run_id, key, step, time, value)


def _pages(database: Database, run_id: str, key: str) -> Iterator[Columns]:
    step, rowid, limit = -(2**63), 0, _FIRST
    while True:
        query, values = (_BY_STEP, [step, rowid]) if database.has_step_index else (_BY_ROWID, [rowid])
        page = _page(database, query, [run_id, key, *values, limit])
        steps, rowids = page[:2]
        if len(steps):
            step, rowid = int(steps[-1]), int(rowids[-1])
            yield page
        if len(steps) < limit:
            return
        limit = _PAGE


def _page(database: Database, query: str, values: Sequence[str | int]) -> Columns:
    if values[-1] == _PAGE:
        try:
            with database.bulk() as bulk:
                table = bulk.numbers(query, values, (pa.int64(), pa.int64(), pa.int64(), pa.float64()))
            step, rowid, time, value = (column.to_numpy() for column in table.columns)
            return step, rowid, time, value
        except Unsuited:
            pass  # a file that only Python's own SQLite reads
    with database.reading() as connection:
        return _columns(connection.execute(query, values).fetchall())


def _columns(rows: Sequence[Row]) -> Columns:
    """Rows as columns; NULL stands for NaN in the query, None for NaN in numpy."""
    steps, rowids, times, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    step, rowid, time = (np.array(column, dtype=np.int64) for column in (steps, rowids, times))
    return step, rowid, time, np.array(values, dtype=np.float64)


def _long_curve(database: Database, run_id: str, key: str, buckets: int) -> CoarseCurve | None:
    """The curve of a long history by SQLite's own min and max, a read a bucket; None where it isn't long."""
    with database.reading() as connection:
        first, last, points = connection.execute(_EXTENT, (run_id, key)).fetchone()
    if points <= _WHOLE:
        return None
    count = bucket_count(first, last, buckets)
    edges = [*bucket_edges(first, last, count), last + 1]
    rows = [_bucket(database, run_id, key, edges[place], edges[place + 1] - 1) for place in range(count)]
    low, high, odd = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return CoarseCurve(run_id, low.astype(np.float32), high.astype(np.float32), first, last, points, int(odd.sum()))


def _bucket(
    database: Database, run_id: str, key: str, first: int, last: int
) -> tuple[float | None, float | None, float]:
    with database.reading() as connection:
        row: tuple[float | None, float | None, float] = _one(connection, (run_id, key, first, last))
    return row


def _one(connection: sqlite3.Connection, values: tuple[str, str, int, int]) -> tuple[float | None, float | None, float]:
    low, high, odd = connection.execute(_BUCKET, values).fetchone()
    return low, high, odd
