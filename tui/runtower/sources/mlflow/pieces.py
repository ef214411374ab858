"""Rows of whole tables, as Arrow columns, laid out as a piece of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import MISSING
from runtower.sources.mlflow import contract
from runtower.sources.mlflow.digests import digests_of_columns
from runtower.sources.mlflow.fields import RunHead, with_infinities
from runtower.sources.port import Cells, NumberRows, Numbers, TextRows, Texts

COLUMNS: Final = {
    "runs": (
        "rowid, run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id"
    ),
    "tags": "run_uuid, key, value",
    "params": "run_uuid, key, value",
    "latest_metrics": "run_uuid, key, value, is_nan",
}


class Unsuited(Exception):
    """This way of reading doesn't fit the file (a lock, a blob among texts, a text that isn't UTF-8): read by row."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some runs, read whole. `digests` change with any field or tag."""

    rowids: NDArray[np.int64]
    run_ids: list[str]
    digests: NDArray[np.uint32]
    running: NDArray[np.bool_]
    cells: list[Cells]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of the runs of a piece: place int32, key and value."""

    at: NDArray[np.int32]
    keys: pa.StringArray
    values: pa.Array


def piece_of(tables: Mapping[str, pa.Table], rowids: NDArray[np.int64]) -> tuple[Piece, list[str]]:
    """The runs at these rowids, in this order, out of tables with the columns above; and the ids of other runs that
    the tables have rows of. Raises Unsuited."""
    heads = _heads(tables["runs"], rowids)
    run_ids = _text(heads, "run_uuid")
    strangers: set[str] = set()
    tags, params, metrics = (
        _rows_of(tables[name], run_ids, strangers) for name in ("tags", "params", "latest_metrics")
    )
    fields = [heads.column(name).combine_chunks() for name in _FIELDS]
    digests = digests_of_columns(fields, tags.at, tags.keys, tags.values)
    running = pc.fill_null(pc.equal(_text(heads, "status"), contract.RUNNING), False)
    cells = [*_attributes(heads, tags), _texts(Kind.TAG, tags), _texts(Kind.PARAM, params), _numbers(metrics)]
    found = heads.column("rowid").to_numpy()
    return Piece(found, run_ids.to_pylist(), digests, running.to_numpy(zero_copy_only=False), cells), list(strangers)


_FIELDS: Final = ("run_uuid", *COLUMNS["runs"].split(", ")[2:])
assert len(_FIELDS) == len(RunHead._fields)


def _heads(table: pa.Table, rowids: NDArray[np.int64]) -> pa.Table:
    there = table.column("rowid").to_numpy()
    order = np.argsort(there, kind="stable")
    at = np.minimum(np.searchsorted(there, rowids, sorter=order), max(0, len(there) - 1))
    at = order[at] if len(there) else at[:0]
    return table.take(pa.array(at[there[at] == rowids] if len(there) else at))


def _text(table: pa.Table, name: str) -> pa.StringArray:
    """A column of texts. A column without any value has no type of its own."""
    column = table.column(name).combine_chunks()
    if column.type != pa.string():
        if column.null_count < len(column):
            raise Unsuited(f"{name} holds {column.type}")
        column = column.cast(pa.string())
    return column


def _rows_of(table: pa.Table, run_ids: pa.StringArray, strangers: set[str]) -> _Rows:
    owners = _text(table, "run_uuid")
    # The rows of a run are mostly together: one look-up for each stretch of equal ids.
    fresh = np.ones(len(owners), bool)
    if len(owners) > 1:
        fresh[1:] = pc.not_equal(owners.slice(1), owners.slice(0, len(owners) - 1)).to_numpy(zero_copy_only=False)
    firsts = owners.take(pa.array(np.flatnonzero(fresh)))
    places = pc.index_in(firsts, value_set=run_ids)
    strangers.update(firsts.filter(places.is_null()).to_pylist())
    at = pc.fill_null(places, -1).to_numpy()[np.cumsum(fresh) - 1].astype(np.int32) if len(owners) else _NONE
    keys, values = _text(table, "key"), _values(table)
    if len(at) and at.min() < 0:
        ours = np.flatnonzero(at >= 0)
        keys, values, at = keys.take(pa.array(ours)), values.take(pa.array(ours)), at[ours]
    return _Rows(at, keys, values)


_NONE: Final = np.empty(0, np.int32)


def _values(table: pa.Table) -> pa.Array:
    if "is_nan" not in table.column_names:
        return _text(table, "value")
    column, is_nan = table.column("value").combine_chunks(), table.column("is_nan").combine_chunks()
    if not pa.types.is_floating(column.type) and len(column):
        raise Unsuited(f"value holds {column.type}")
    value = column.cast(pa.float64()).to_numpy(zero_copy_only=False).copy()
    value[np.asarray(is_nan.to_numpy(zero_copy_only=False)) != 0] = np.nan
    return pa.array(with_infinities(value))


def _texts(kind: Kind, rows: _Rows) -> TextRows:
    keys = rows.keys.dictionary_encode()
    key, at, values = keys.indices.to_numpy(), rows.at, rows.values
    if values.null_count:
        there = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        key, at, values = key[there], at[there], values.take(pa.array(there))
    return TextRows(kind, keys.dictionary.to_pylist(), key, at, values)


def _numbers(rows: _Rows) -> NumberRows:
    keys = rows.keys.dictionary_encode()
    return NumberRows(
        Kind.METRIC, keys.dictionary.to_pylist(), keys.indices.to_numpy(), rows.at, rows.values.to_numpy()
    )


def _attributes(heads: pa.Table, tags: _Rows) -> list[Cells]:
    """As `runtower.sources.mlflow.fields.attribute_cells`."""
    count = len(heads)

    def tag(key: str) -> pa.StringArray:
        mine = np.flatnonzero(pc.equal(tags.keys, key).to_numpy(zero_copy_only=False))
        row = np.full(count, -1, np.int64)
        row[tags.at[mine]] = mine
        return _set(tags.values.take(pa.array(row, mask=row < 0)))

    def column(name: str) -> pa.StringArray:
        return _text(heads, name)

    def texts(key: ColumnKey, values: pa.StringArray) -> Texts:
        return Texts(key.kind, key.key, None, values)

    def times(key: ColumnKey, name: str) -> Numbers:
        values = heads.column(name).combine_chunks().cast(pa.float64())
        numbers = np.where(values.is_null(), MISSING, values.to_numpy(zero_copy_only=False))
        return Numbers(key.kind, key.key, None, numbers)

    return [
        texts(runs.NAME, pc.coalesce(_set(column("name")), tag(contract.TAG_NAME))),
        texts(runs.STATUS, column("status")),
        texts(runs.EXPERIMENT_ID, heads.column("experiment_id").combine_chunks().cast(pa.string())),
        texts(runs.USER, pc.coalesce(tag(contract.TAG_USER), _set(column("user_id")))),
        texts(runs.LIFECYCLE, column("lifecycle_stage")),
        texts(runs.PARENT, tag(contract.TAG_PARENT)),
        texts(runs.SOURCE_NAME, tag(contract.TAG_SOURCE_NAME)),
        texts(runs.GIT_COMMIT, tag(contract.TAG_GIT_COMMIT)),
        texts(runs.ARTIFACT_URI, _set(column("artifact_uri"))),
        times(runs.START_TIME, "start_time"),
        times(runs.END_TIME, "end_time"),
    ]


def _set(texts: pa.StringArray) -> pa.StringArray:
    """An empty text is no value."""
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
