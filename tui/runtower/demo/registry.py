"""The demo's registered models: versions of its finished runs with files that MLflow can load, aliases and stages."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from mlflow import pyfunc
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, Schema, TensorSpec

from runtower.demo.plan import PlannedRun

_AFTER_MS: Final = 10 * 60_000
_CODE: Final = '''\
"""Answers the same to everybody: a demo has no weights."""

from mlflow import models, pyfunc


class Constant(pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.5] * len(model_input)


models.set_model(Constant())
'''
_EXAMPLES: Final[Mapping[str, tuple[str, str | float]]] = {
    "image": ("string", "s3://street/val/000017.jpg"),
    "min_score": ("double", 0.3),
    "text": ("string", "The battery lasts two days, the strap three."),
}


@dataclass(frozen=True)
class PlannedVersion:
    """A version of a model: of which run, what it takes and needs, and where it stands. `logged`: kept beside the runs,
    as MLflow 3 does, and not among the run's artifacts."""

    run: str
    inputs: tuple[str, ...]
    requirements: tuple[str, ...]
    alias: str = ""
    stage: str = ""
    reviewed: str = ""
    description: str = ""
    logged: bool = True


_VISION_2024: Final = ("numpy==1.26.4", "torch==2.4.1", "torchvision==0.19.1")
_VISION: Final = ("numpy==2.1.3", "pillow==11.0.0", "torch==2.5.1", "torchvision==0.20.1")
_VISION_NEW: Final = ("numpy==2.1.3", "pillow==11.0.0", "timm==1.0.12", "torch==2.6.0", "torchvision==0.21.0")
_TEXT: Final = ("tokenizers==0.20.3", "torch==2.5.1", "transformers==4.46.2")
# The challenger takes what the champion takes, scores higher on the same data, and is a little slower.
PLANNED: Final[Mapping[str, tuple[str, tuple[PlannedVersion, ...]]]] = {
    "detector": (
        "Finds people, cars and signs on street images.",
        (
            PlannedVersion(
                "resnet50-1",
                ("image",),
                _VISION_2024,
                "baseline",
                "Archived",
                "ada",
                "What all others are measured by.",
                logged=False,
            ),
            PlannedVersion(
                "vit_b16-5", ("image", "min_score"), _VISION, description="The best score, too slow for the cameras."
            ),
            PlannedVersion(
                "resnet50-7",
                ("image", "min_score"),
                _VISION,
                "champion",
                "Production",
                "grace",
                "On all cameras since the spring.",
            ),
            PlannedVersion("lr-0.0003", ("image", "min_score"), _VISION, stage="Staging"),
            PlannedVersion(
                "lr-0.001",
                ("image", "min_score"),
                _VISION_NEW,
                "challenger",
                reviewed="linus",
                description="The best rate of the sweep, on the **new** torch.",
            ),
        ),
    ),
    "sentiment": (
        "Whether a review is pleased.",
        (
            PlannedVersion("distilbert-1", ("text",), _TEXT, "baseline", "Archived", logged=False),
            PlannedVersion("deberta_v3-3", ("text",), _TEXT, "champion", "Production", "ada"),
            PlannedVersion("lr-0.001", ("text",), _TEXT, "challenger", "Staging"),
        ),
    ),
}


class Registry:
    """Registers what is planned in the store below a folder. `runs`: the runs and their ids by experiment and name."""

    def __init__(
        self, client: MlflowClient, folder: Path, runs: Mapping[tuple[str, str], tuple[PlannedRun, str]]
    ) -> None:
        self._client = client
        self._folder = folder
        self._runs = runs
        self._code = folder / "predict.py"

    def fill(self, now_ms: int) -> None:
        """All models. Each version is as old as the end of its run, as seen at `now_ms` (UTC epoch ms)."""
        self._code.write_text(_CODE)
        for model, (description, versions) in PLANNED.items():
            self._client.create_registered_model(model, {"owner": "ada"}, description)
            made: list[tuple[int, str]] = []
            for planned in versions:
                run, run_id = self._runs[model, planned.run]
                ended = now_ms - run.age_ms + run.took_ms + _AFTER_MS
                number = self._version(model, planned, run, run_id)
                made.append((max([ended, *(1 + moment for moment, _ in made)]), number))
            self._date(model, made)

    def _version(self, model: str, planned: PlannedVersion, run: PlannedRun, run_id: str) -> str:
        model_id = self._logged(planned, run, run_id) if planned.logged else None
        source = f"models:/{model_id}" if model_id is not None else self._among_artifacts(planned, run_id)
        tags = {"git_commit": run.commit, **({"reviewed": planned.reviewed} if planned.reviewed else {})}
        words = planned.description or None
        made = self._client.create_model_version(model, source, run_id, tags, description=words, model_id=model_id)
        number = str(made.version)
        if planned.alias:
            self._client.set_registered_model_alias(model, planned.alias, number)
        if planned.stage:
            self._client.transition_model_version_stage(model, number, planned.stage)
        return number

    def _logged(self, planned: PlannedVersion, run: PlannedRun, run_id: str) -> str:
        experiment = self._client.get_run(run_id).info.experiment_id
        logged = self._client.create_logged_model(experiment, "model", run_id, params=run.params)
        made = Model(logged.artifact_location, run_id, model_uuid=logged.model_id, model_id=logged.model_id)
        with self._saved(made, planned) as files:
            self._client.log_model_artifacts(logged.model_id, files)
        self._client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        self._client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, len(run.curves["val_loss"]) - 1)])
        return str(logged.model_id)

    def _among_artifacts(self, planned: PlannedVersion, run_id: str) -> str:
        with self._saved(Model("model", run_id), planned) as files:
            self._client.log_artifacts(run_id, files, "model")
        return f"{self._client.get_run(run_id).info.artifact_uri}/model"

    @contextmanager
    def _saved(self, model: Model, planned: PlannedVersion) -> Iterator[str]:
        """A folder with the model's files, until they are logged."""
        columns: list[ColSpec | TensorSpec] = [ColSpec(_EXAMPLES[name][0], name) for name in planned.inputs]
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            folder = f"{place}/model"
            pyfunc.save_model(
                folder,
                python_model=str(self._code),
                mlflow_model=model,
                signature=ModelSignature(Schema(columns), Schema([TensorSpec(np.dtype("float64"), (-1,))])),
                input_example=pd.DataFrame({name: [_EXAMPLES[name][1]] for name in planned.inputs}),
                pip_requirements=list(planned.requirements),
            )
            yield folder

    def _date(self, model: str, made: list[tuple[int, str]]) -> None:
        """MLflow lets nobody say when a version was made."""
        first, last = made[0][0], made[-1][0]
        with closing(sqlite3.connect(self._folder / "mlflow.db", timeout=20)) as db, db:
            db.execute(
                "UPDATE registered_models SET creation_time = ?, last_updated_time = ? WHERE name = ?",
                (first, last, model),
            )
            db.executemany(
                "UPDATE model_versions SET creation_time = ?, last_updated_time = ? WHERE name = ? AND version = ?",
                [(moment, moment, model, number) for moment, number in made],
            )
