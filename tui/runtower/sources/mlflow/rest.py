"""An MLflow server over its REST API, by httpx and msgspec: a tenth of MlflowClient's work, and without its import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runtower.domain.criteria import Criterion
from runtower.domain.datasets import Dataset
from runtower.domain.errors import NotFound
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries
from runtower.sources.coarse import logged
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.inputs import datasets_of
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.logged_models import WithModels
from runtower.sources.mlflow.registry import Registry
from runtower.sources.mlflow.registry_files import Runs
from runtower.sources.mlflow.registry_rest import RestRegistry, logged_model
from runtower.sources.mlflow.rest_access import Access
from runtower.sources.mlflow.rest_artifacts import RestArtifacts, RestModelArtifacts, models_of
from runtower.sources.mlflow.rest_begin import begun
from runtower.sources.mlflow.rest_curves import Histories
from runtower.sources.mlflow.rest_filter import filter_of
from runtower.sources.mlflow.rest_rows import cells_of
from runtower.sources.mlflow.rest_sync import RestSync
from runtower.sources.mlflow.rest_wire import RawExperiment
from runtower.sources.mlflow.scope import source_key
from runtower.sources.mlflow.with_artifacts import WithArtifacts
from runtower.sources.mlflow.with_registry import WithRegistry
from runtower.sources.port import Delta, Identity, Known


class RestSource(WithArtifacts, WithRegistry):
    """Satisfies ListsRuns, GivesRuns, KeepsPace, TellsRoundTrip, ReadsByExperiment, SeeksFirst, ReadsHistory,
    SamplesHistory, ReadsInputs, ReadsArtifacts and ReadsModels.

    `registry` is where models are kept, None for the server itself. Raises the TowerErrors of `rest_errors`.
    """

    def __init__(
        self, address: Address, options: Mapping[str, str], known: Known, registry: Later[Registry] | None = None
    ) -> None:
        # The store's key needs all experiments, and they tell at once whether anybody answers.
        beginning = begun(address, options)
        self._access, self._connection, self._reader = beginning.access, beginning.connection, beginning.reader
        experiments, self._version = beginning.first()
        self._key = _key_of(self._access, experiments)
        self._histories = Histories(self._connection, self._reader)
        self._artifacts = artifacts = WithModels(
            RestArtifacts(self._connection),
            RestModelArtifacts(self._connection),
            lambda run_id: models_of(self._connection, run_id),
        )
        self._registry = registry or Later(lambda: RestRegistry(self._connection, self._access.shown))
        self._runs = Runs(
            self._artifact_uri,
            lambda model_id: logged_model(self._connection, model_id),
            artifacts.folder_of,
        )
        self._sync = RestSync(
            self._reader, experiments, lambda raw: _key_of(self._access, raw), known.run_ids, self._access.interval
        )

    def identity(self) -> Identity:
        return Identity(self._key, self._access.shown, f"REST, MLflow {self._version or 'of an unknown version'}")

    def close(self) -> None:
        self._registry.close()
        self._connection.close()

    def round_trip(self) -> float | None:
        return self._connection.round_trip()

    def pace(self, interval: float) -> float:
        return self._sync.pace(interval)

    def scope(self, experiment_ids: Sequence[str] | None) -> None:
        self._sync.scope(experiment_ids)

    def seek(self, criteria: Sequence[Criterion]) -> None:
        self._sync.seek(filter_of(criteria))

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        return self._sync.changes(cursor, focus)

    def runs(self, run_ids: Sequence[str]) -> Delta:
        found = [run for run_id in run_ids if (run := self._reader.run(run_id)) is not None]
        return Delta([run.run_id for run in found], cells_of(found) if found else (), b"")

    def history(self, run_id: str, key: str) -> MetricSeries:
        return logged(self._histories.whole(run_id, key), run_id, key)

    def sample(self, run_id: str, key: str, steps: tuple[int, int] | None) -> MetricSeries:
        return logged(self._histories.sample(run_id, key, steps), run_id, key)

    def inputs(self, run_id: str) -> Sequence[Dataset]:
        given = self._connection.get("runs/get", {"run_id": run_id}, rest_wire.one_given).run.inputs.dataset_inputs
        return datasets_of(given)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = COARSE_BUCKETS) -> Sequence[CoarseCurve]:
        return self._histories.coarse(run_ids, key, buckets)

    def _artifact_uri(self, run_id: str) -> str:
        found = self._reader.run(run_id)
        if found is None:
            raise NotFound(f"There is no run {run_id} on {self._access.shown}.", "Look again after the next refresh.")
        return found.info.artifact_uri or ""


def _key_of(access: Access, experiments: Sequence[RawExperiment]) -> str:
    first = (experiments[0].experiment_id, experiments[0].creation_time) if experiments else (None, None)
    return source_key(access.shown, access.workspace, first)
