"""Which part of an MLflow SQLite file a source shows (one workspace), and what identifies it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from runtower.domain.runs import Experiment
from runtower.sources.mlflow import contract
from runtower.sources.mlflow.database import Database
from runtower.sources.mlflow.ledger import encoded

_BATCH = 5_000


def source_key(address: str, workspace: str, first_experiment: tuple[object, object]) -> str:
    """The stable key of a store: address without credentials, workspace, first experiment's id and creation time."""
    experiment_id, created = first_experiment
    return f"mlflow {address} {workspace} {experiment_id}@{created if created is not None else '?'}"


def workspace_from_environment() -> str:
    """The workspace that MLflow's own environment variable names."""
    return os.environ.get(contract.WORKSPACE_VARIABLE, "").strip() or contract.DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class Scope:
    """`workspace` is None where the schema has no such column."""

    key: str
    workspace: str | None

    @classmethod
    def of(cls, connection: sqlite3.Connection, database: Database) -> Scope:
        """The scope of a store as it is now."""
        workspace = workspace_from_environment()
        scope = cls("", workspace if database.has_workspaces else None)
        where, values = scope._experiments_where()
        first = connection.execute(
            f"SELECT experiment_id, creation_time FROM experiments{where} ORDER BY experiment_id LIMIT 1",  # noqa: S608
            values,
        ).fetchone()
        return cls(source_key(f"sqlite:///{database.path}", workspace, first or (None, None)), scope.workspace)

    def experiments_unless(self, connection: sqlite3.Connection, crc: int) -> tuple[int, Sequence[Experiment]] | None:
        """(crc32, all experiments), or None where their crc32 is the given one."""
        where, values = self._experiments_where()
        rows = connection.execute(
            f"SELECT experiment_id, name, lifecycle_stage FROM experiments{where} ORDER BY experiment_id",  # noqa: S608
            values,
        ).fetchall()
        # Never 0, which stands for 'none given yet'.
        now = crc32(msgspec.msgpack.encode(rows)) | 1 << 32
        if now == crc:
            return None
        return now, [Experiment(str(number), name, stage == "deleted") for number, name, stage in rows]

    def runs_after(self, connection: sqlite3.Connection, rowid: int) -> tuple[NDArray[np.int64], NDArray[np.bytes_]]:
        """Rowids and run ids (UTF-8) of the runs above a rowid, in the order of rowids."""
        return _numbered(
            connection.execute(
                f"SELECT rowid, run_uuid FROM runs WHERE rowid > ?{self._runs_and()} ORDER BY rowid",  # noqa: S608
                (rowid, *self._values()),
            )
        )

    def newest(self, connection: sqlite3.Connection, count: int) -> tuple[NDArray[np.int64], NDArray[np.bytes_]]:
        """As `runs_after`, of the runs that began last; latest first."""
        return _numbered(
            connection.execute(
                f"SELECT rowid, run_uuid FROM runs WHERE 1{self._runs_and()}"  # noqa: S608
                " ORDER BY start_time DESC, rowid DESC LIMIT ?",
                (*self._values(), count),
            )
        )

    def count(self, connection: sqlite3.Connection) -> int:
        """How many runs there are."""
        row = connection.execute(f"SELECT count(*) FROM runs WHERE 1{self._runs_and()}", self._values())  # noqa: S608
        return int(row.fetchone()[0])

    def _runs_and(self) -> str:
        where = self._experiments_where()[0]
        return f" AND experiment_id IN (SELECT experiment_id FROM experiments{where})" if where else ""  # noqa: S608

    def _values(self) -> tuple[str, ...]:
        return self._experiments_where()[1]

    def _experiments_where(self) -> tuple[str, tuple[str, ...]]:
        return ("", ()) if self.workspace is None else (" WHERE workspace = ?", (self.workspace,))


def _numbered(rows: sqlite3.Cursor) -> tuple[NDArray[np.int64], NDArray[np.bytes_]]:
    # In batches: a hundred thousand ids as Python's texts are 10 MB, as an array 3.
    rowids, ids = [np.empty(0, dtype=np.int64)], [encoded(())]
    while batch := rows.fetchmany(_BATCH):
        some_rowids, some_ids = zip(*batch, strict=True)
        rowids.append(np.array(some_rowids, dtype=np.int64))
        ids.append(encoded(some_ids))
    return np.concatenate(rowids), np.concatenate(ids)
