"""An MLflow store in an SQLite file, read by SQL: a hundred times quicker than through MLflow, and without it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from runtower.domain.datasets import Dataset
from runtower.domain.errors import NotFound
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries
from runtower.sources.mlflow.artifact_places import MODEL_PARTS, StoredArtifacts, repository
from runtower.sources.mlflow.curves import read_coarse, read_history, read_history_since
from runtower.sources.mlflow.database import Database
from runtower.sources.mlflow.inputs import read_inputs
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.logged_models import WithModels, read_logged, read_models
from runtower.sources.mlflow.registry import Registry
from runtower.sources.mlflow.registry_files import Logged, Runs
from runtower.sources.mlflow.registry_sql import SqlRegistry
from runtower.sources.mlflow.sync import Sync
from runtower.sources.mlflow.turns import Turns
from runtower.sources.mlflow.with_artifacts import WithArtifacts
from runtower.sources.mlflow.with_registry import WithRegistry
from runtower.sources.port import Delta, Identity, Known


class SqliteSource(WithArtifacts, WithRegistry):
    """Satisfies ListsRuns, GivesRuns, FollowsHistory, ReadsHistory, ReadsArtifacts and ReadsModels.

    `registry` is where models are kept, None for the file itself. Raises as `Database` does.
    """

    def __init__(self, path: Path, known: Known, registry: Later[Registry] | None = None) -> None:
        self._turns = Turns()
        self._database = Database(path, self._turns)
        # Histories are asked for from another thread, and shall not wait for a sync.
        self._curves: Database | None = None
        self._artifacts = artifacts = WithModels(
            StoredArtifacts(self._artifact_uri, path.parent, repository),
            StoredArtifacts(lambda model_id: self._logged(model_id).location, path.parent, repository, MODEL_PARTS),
            lambda run_id: read_models(self._curve_database(), run_id),
        )
        self._registry = registry or Later(lambda: SqlRegistry(self._curve_database))
        self._runs = Runs(self._artifact_uri, self._logged, artifacts.folder_of)
        self._sync = Sync(self._database, known.run_ids)

    def identity(self) -> Identity:
        how = f"SQL, read-only, by sqlite {sqlite3.sqlite_version}; schema {self._database.revision}"
        if self._database.immutable:
            how += "; without locks, as the folder can't be written: what is still in its -wal file isn't seen"
        return Identity(self._sync.scope.key, f"sqlite:///{self._database.path}", how)

    def close(self) -> None:
        self._registry.close()
        self._database.close()
        if self._curves is not None:
            self._curves.close()

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        return self._sync.changes(cursor, focus)

    def runs(self, run_ids: Sequence[str]) -> Delta:
        return self._sync.runs(run_ids)

    def history(self, run_id: str, key: str) -> MetricSeries:
        return read_history(self._curve_database(), run_id, key)

    def history_since(self, run_id: str, key: str, mark: bytes) -> tuple[MetricSeries, bytes] | None:
        return read_history_since(self._curve_database(), run_id, key, mark)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = COARSE_BUCKETS) -> Sequence[CoarseCurve]:
        return list(read_coarse(self._curve_database(), run_ids, key, buckets))

    def inputs(self, run_id: str) -> Sequence[Dataset]:
        return read_inputs(self._curve_database(), run_id)

    def _artifact_uri(self, run_id: str) -> str:
        with self._curve_database().reading() as connection:
            found = connection.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
        if found is None:
            raise NotFound(f"There is no run {run_id} in {self._database.path}.", "Look again after the next refresh.")
        return found[0] or ""

    def _logged(self, model_id: str) -> Logged:
        return read_logged(self._curve_database(), model_id)

    def _curve_database(self) -> Database:
        if self._curves is None:
            self._curves = Database(self._database.path, self._turns)
        elif not self._curves.reopen_if_replaced():
            self._curves.renew_if_immutable()
        return self._curves
