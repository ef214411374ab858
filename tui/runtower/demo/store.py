"""Writes planned runs into a real store with mlflow itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from runtower.demo import files
from runtower.demo.plan import PlannedRun

_BATCH = 900  # mlflow takes 1,000 metrics at once


class Store:
    """One sqlite store below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        self.client = MlflowClient(uri, registry_uri=uri)
        self._experiments: dict[str, str] = {}
        self._parents: dict[tuple[str, str], str] = {}
        self._places: dict[str, Path] = {}

    def begin(self, run: PlannedRun, start_ms: int) -> str:
        """Create a run with its params and tags; gives its id."""
        tags = {
            "mlflow.user": run.user,
            "mlflow.source.name": f"train_{run.experiment}.py",
            "mlflow.source.git.commit": run.commit,
            **run.tags,
        }
        if run.parent:
            tags["mlflow.parentRunId"] = self._parents[run.experiment, run.parent]
        created = self.client.create_run(self._experiment(run.experiment), start_ms, tags, run.name)
        run_id = str(created.info.run_id)
        self._parents[run.experiment, run.name] = run_id
        place = self._places[run_id] = Path(unquote(urlsplit(created.info.artifact_uri).path))
        files.begin_files(place, run, start_ms)
        self.client.log_batch(run_id, params=[Param(key, value) for key, value in run.params.items()])
        return run_id

    def write(self, run: PlannedRun, start_ms: int, is_running: bool = False) -> str:
        """A run that is over, or one that stands still as if it went on."""
        run_id = self.begin(run, start_ms)
        for batch in _batches(run, start_ms):
            self.client.log_batch(run_id, metrics=batch)
        files.put_log(self._places[run_id], run, start_ms, is_running)
        files.put_results(self._places[run_id], run)
        if not is_running:
            self.client.set_terminated(run_id, run.status, start_ms + run.took_ms)
        return run_id

    def point(self, run_id: str, run: PlannedRun, step: int, now_ms: int) -> None:
        """One step of a live run."""
        metrics = [Metric(key, values[step], now_ms, step) for key, values in run.curves.items()]
        self.client.log_batch(run_id, metrics=metrics)
        files.add_to_log(self._places[run_id], run, step, now_ms)

    def register(self, best: Sequence[tuple[str, str]]) -> None:
        """Two models with versions, aliases and a stage. `best`: (experiment, run id)."""
        for experiment in ("detector", "sentiment"):
            self.client.create_registered_model(experiment, tags={"owner": "ada"})
            for place, run_id in enumerate([run_id for name, run_id in best if name == experiment][:3]):
                source = f"{self.client.get_run(run_id).info.artifact_uri}/model"
                version = self.client.create_model_version(experiment, source, run_id).version
                alias = ("archived-baseline", "champion", "challenger")[place]
                self.client.set_registered_model_alias(experiment, alias, version)
                if place == 1:
                    self.client.transition_model_version_stage(experiment, version, "Production")

    def tag(self, run_id: str, key: str, value: str) -> None:
        self.client.log_batch(run_id, tags=[RunTag(key, value)])

    def _experiment(self, name: str) -> str:
        if name not in self._experiments:
            place = (self._folder / "artifacts" / name).as_uri()
            self._experiments[name] = str(self.client.create_experiment(name, artifact_location=place))
        return self._experiments[name]


def _batches(run: PlannedRun, start_ms: int) -> Iterator[list[Metric]]:
    points = [
        Metric(key, value, start_ms + run.took_ms * step // max(1, len(values)), step)
        for key, values in run.curves.items()
        for step, value in enumerate(values)
    ]
    for start in range(0, len(points), _BATCH):
        yield points[start : start + _BATCH]
