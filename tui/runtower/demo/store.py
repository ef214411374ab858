"""Writes planned runs into a real store with mlflow itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient, set_tracking_uri

from runtower.demo import files
from runtower.demo.plan import PlannedRun, is_judged, judged_on, latency_ms

_BATCH = 900  # mlflow takes 1,000 metrics at once


class Store:
    """One sqlite store below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        # Where a version is made of a LoggedModel, MLflow asks the store of the whole process for it.
        set_tracking_uri(uri)
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
            self.end(run_id, run, start_ms + run.took_ms)
        return run_id

    def end(self, run_id: str, run: PlannedRun, end_ms: int) -> None:
        """It ends, well or badly; what ended well is judged on the validation data."""
        if is_judged(run):
            last = Metric("latency_ms", latency_ms(run), end_ms, len(run.curves["val_loss"]) - 1)
            self.client.log_batch(run_id, metrics=[last])
            self.client.log_inputs(run_id, [_data(run)])
        self.client.set_terminated(run_id, run.status, end_ms)

    def point(self, run_id: str, run: PlannedRun, step: int, now_ms: int) -> None:
        """One step of a live run."""
        metrics = [Metric(key, values[step], now_ms, step) for key, values in run.curves.items()]
        self.client.log_batch(run_id, metrics=metrics)
        files.add_to_log(self._places[run_id], run, step, now_ms)

    def tag(self, run_id: str, key: str, value: str) -> None:
        self.client.log_batch(run_id, tags=[RunTag(key, value)])

    def _experiment(self, name: str) -> str:
        if name not in self._experiments:
            place = (self.folder / "artifacts" / name).as_uri()
            self._experiments[name] = str(self.client.create_experiment(name, artifact_location=place))
        return self._experiments[name]


def _data(run: PlannedRun) -> DatasetInput:
    name, digest = judged_on(run)
    source = json.dumps({"uri": f"s3://{run.experiment}/{name}-{digest}.parquet"})
    return DatasetInput(Dataset(name, digest, "s3", source), [InputTag("mlflow.data.context", "eval")])


def _batches(run: PlannedRun, start_ms: int) -> Iterator[list[Metric]]:
    points = [
        Metric(key, value, start_ms + run.took_ms * step // max(1, len(values)), step)
        for key, values in run.curves.items()
        for step, value in enumerate(values)
    ]
    for start in range(0, len(points), _BATCH):
        yield points[start : start + _BATCH]
