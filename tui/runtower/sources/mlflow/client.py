"""Any MLflow store, through MlflowClient: servers, databases, folders, and SQLite files of an unknown schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities import Run

from runtower.domain.datasets import Dataset
from runtower.domain.errors import NotFound
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries
from runtower.sources.coarse import curves_of, logged
from runtower.sources.mlflow.address import Address, StoreShape
from runtower.sources.mlflow.artifact_places import MODEL_PARTS, Elsewhere, StoredArtifacts, repository
from runtower.sources.mlflow.artifact_repository import of_run
from runtower.sources.mlflow.client_reader import ClientReader
from runtower.sources.mlflow.client_rows import cells_of
from runtower.sources.mlflow.client_sync import ClientSync
from runtower.sources.mlflow.fields import with_infinities
from runtower.sources.mlflow.gates import gate_of
from runtower.sources.mlflow.guard import check_before_mlflow
from runtower.sources.mlflow.inputs import datasets_of
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.logged_models import WithModels
from runtower.sources.mlflow.registry import Registry
from runtower.sources.mlflow.registry_client import ClientRegistry
from runtower.sources.mlflow.registry_files import Logged, Runs
from runtower.sources.mlflow.scope import source_key, workspace_from_environment
from runtower.sources.mlflow.with_artifacts import WithArtifacts
from runtower.sources.mlflow.with_registry import WithRegistry
from runtower.sources.port import Delta, Identity, Known


class ClientSource(WithArtifacts, WithRegistry):
    """Satisfies ListsRuns, GivesRuns, ReadsHistory, ReadsArtifacts and ReadsModels.

    `registry` is where models are kept, None for the store itself. Raises the TowerErrors of `client_errors`.
    """

    def __init__(self, address: Address, known: Known, registry: Later[Registry] | None = None) -> None:
        check_before_mlflow(address)
        self._address = address
        self._reader = ClientReader(address)
        self._key = self._key_now()
        self._gate = gate_of(address)
        self._artifacts = artifacts = WithModels(
            StoredArtifacts(self._artifact_uri, _home(address), self._elsewhere),
            StoredArtifacts(lambda model_id: self._logged(model_id).location, _home(address), repository, MODEL_PARTS),
            lambda run_id: self._reader.models_of(self._run(run_id)),
        )
        self._registry = registry or Later(lambda: ClientRegistry(address))
        self._runs = Runs(self._artifact_uri, self._logged, artifacts.folder_of)
        self._sync = ClientSync(self._reader, self._gate, self._key, known.run_ids)

    def identity(self) -> Identity:
        how = f"MlflowClient {mlflow.__version__}"
        if self._address.shape is StoreShape.FOLDER:
            how += (
                "; MLflow no longer develops file stores: `mlflow migrate-filestore --source FOLDER --target"
                " sqlite:///mlflow.db` copies this one into a database"
            )
        if self._address.uri.startswith("databricks"):
            how += "; databricks addresses have not been tried with runtower"
        return Identity(self._key, self._address.shown, how)

    def close(self) -> None:
        self._registry.close()
        self._gate.close()

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        return self._sync.changes(cursor, focus)

    def runs(self, run_ids: Sequence[str]) -> Delta:
        found = [run for run_id in run_ids if (run := self._reader.run(run_id)) is not None]
        return Delta([run.info.run_id for run in found], cells_of(found) if found else (), b"")

    def history(self, run_id: str, key: str) -> MetricSeries:
        return logged(self._series(run_id, key), run_id, key)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = COARSE_BUCKETS) -> Sequence[CoarseCurve]:
        return curves_of(run_ids, lambda run_id: self._series(run_id, key), buckets)

    def inputs(self, run_id: str) -> Sequence[Dataset]:
        found = self._run(run_id)
        given = found.inputs.dataset_inputs if found.inputs is not None else ()
        return datasets_of(given)

    def _artifact_uri(self, run_id: str) -> str:
        return self._run(run_id).info.artifact_uri or ""

    def _logged(self, model_id: str) -> Logged:
        return Logged(*self._reader.logged_model(model_id))

    def _run(self, run_id: str) -> Run:
        found = self._reader.run(run_id)
        if found is None:
            raise NotFound(f"There is no run {run_id} in {self._address.shown}.", "Look again after the next refresh.")
        return found

    def _elsewhere(self, uri: str, run_id: str) -> Elsewhere:
        return of_run(self._reader.client, run_id, uri)

    def _series(self, run_id: str, key: str) -> MetricSeries | None:
        points = self._reader.history(run_id, key)
        if not points:
            return None
        steps = np.array([point.step for point in points], dtype=np.int64)
        times = np.array([point.timestamp for point in points], dtype=np.int64)
        values = with_infinities(np.array([point.value for point in points], dtype=np.float64))
        order = np.lexsort((values, times, steps))
        return MetricSeries(run_id, key, steps[order], times[order], values[order])

    def _key_now(self) -> str:
        experiments = self._reader.raw_experiments()
        first = min(experiments, key=lambda found: _id_order(found.experiment_id), default=None)
        identity = (first.experiment_id, first.creation_time) if first is not None else (None, None)
        return source_key(self._address.shown, workspace_from_environment(), identity)


def _home(address: Address) -> Path | None:
    """The folder that a store on this machine lies in."""
    return address.path.parent if address.path is not None else None


def _id_order(experiment_id: str) -> tuple[int, int, str]:
    # Databases count experiments, file stores draw long numbers; other servers may give any text.
    is_number = experiment_id.isascii() and experiment_id.isdecimal()
    return (0, int(experiment_id), "") if is_number else (1, 0, experiment_id)
