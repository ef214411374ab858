"""`python -m support.write_registry FOLDER`: the lab's registry, with MLflow itself but for the times of versions and
the states that no client can bring about."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import pyfunc, set_tracking_uri
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
)
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
from support.labregistry import (
    COMMITS,
    DATA,
    DETECTOR,
    EMPTY,
    EXPERIMENT,
    FAILED_WORDS,
    IMPORTED,
    INPUTS,
    LONG,
    LONG_WORDS,
    RANKER,
    REQUIREMENTS,
    RUNS,
    STEPS,
    VERSIONS,
    Registry,
    at,
)
from support.labstore import MINUTE, changing

_CODE = """\
from mlflow import models, pyfunc


class Detector(pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [0.5] * len(model_input)


models.set_model(Detector())
"""


class Writer:
    """Writes into an empty folder."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        # Where a version is made of a LoggedModel, MLflow asks the store of the whole process for it.
        set_tracking_uri(registry.uri)
        self.client = registry.client
        self.experiment = self.client.create_experiment(EXPERIMENT, registry.artifacts.as_uri())
        self.ids: dict[str, str] = {}
        self.code = registry.folder / "detect.py"
        self.code.write_text(_CODE)

    def runs(self) -> None:
        """All runs, and what they were judged on."""
        for number, (name, hours, user, model, lr, seed, acc, loss, latency, digest) in enumerate(RUNS):
            tags = {
                "mlflow.user": user,
                "mlflow.source.name": "train.py",
                "mlflow.source.git.commit": COMMITS[number > 3],
            }
            run_id = self.client.create_run(self.experiment, at(hours), tags, name).info.run_id
            self.ids[name] = run_id
            params = {"model": model, "lr": lr, "seed": seed, "optimizer": "adamw"}
            metrics = []
            for step in range(STEPS):
                when, left = at(hours) + step * MINUTE, (STEPS - 1 - step) / STEPS
                metrics += [
                    Metric("val_acc", acc - 0.2 * left, when, step),
                    Metric("loss", loss + left, when, step),
                    Metric("latency_ms", latency + left, when, step),
                ]
            self.client.log_batch(run_id, metrics, [Param(*pair) for pair in params.items()])
            source = {"uri": f"s3://lab/street/val-{digest}.parquet"}
            schema = {"mlflow_colspec": [{"type": "string", "name": "image", "required": True}]}
            data = Dataset(DATA, digest, "s3", json.dumps(source), json.dumps(schema), json.dumps({"num_rows": 5000}))
            self.client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "eval")])])
            self.client.set_terminated(run_id, "FINISHED", at(hours) + STEPS * MINUTE)

    def log_model(self, run: str, inputs: tuple[str, ...], requirements: tuple[str, ...]) -> str:
        """As MLflow 3 keeps models: beside the runs, with an id of their own, which it gives back."""
        run_id = self.ids[run]
        logged = self.client.create_logged_model(self.experiment, "model", run_id, model_type="detector")
        folder = self.registry.folder / "saved" / logged.model_id
        model = Model(logged.artifact_location, run_id, model_uuid=logged.model_id, model_id=logged.model_id)
        self._save(folder, model, inputs, requirements)
        self.client.log_model_artifacts(logged.model_id, str(folder))
        self.client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
        return str(logged.model_id)

    def _save(self, folder: Path, model: Model, inputs: tuple[str, ...], requirements: tuple[str, ...]) -> None:
        columns = [ColSpec("string" if name == "image" else "double", name) for name in inputs]
        example = pd.DataFrame({name: ["a.jpg" if name == "image" else 1.0] for name in inputs})
        pyfunc.save_model(
            str(folder),
            python_model=str(self.code),
            mlflow_model=model,
            signature=ModelSignature(Schema(columns), Schema([TensorSpec(np.dtype("float64"), (-1,))])),
            input_example=example,
            pip_requirements=list(requirements),
        )

    def detector(self) -> None:
        """Versions with LoggedModels, aliases and stages."""
        self.client.create_registered_model(
            DETECTOR, {"owner": "ana", "task": "detection"}, "Finds what is on a street."
        )
        for planned in VERSIONS:
            model_id = self.log_model(planned.run, planned.inputs, planned.requirements)
            version = self.client.create_model_version(
                DETECTOR,
                f"models:/{model_id}",
                self.ids[planned.run],
                dict(planned.tags),
                description=planned.description or None,
                model_id=model_id,
            ).version
            if planned.alias:
                self.client.set_registered_model_alias(DETECTOR, planned.alias, version)
            if planned.stage != "None":
                self.client.transition_model_version_stage(DETECTOR, version, planned.stage)

    def others(self) -> None:
        """A version among its run's artifacts, as MLflow 2 kept them; one without a run; and odd models."""
        run_id = self.ids["vit-s2"]
        saved = self.registry.folder / "saved" / "ranker"
        self._save(saved, Model("model", run_id), INPUTS, REQUIREMENTS)
        self.client.log_artifacts(run_id, str(saved), "model")
        self.client.create_registered_model(RANKER, {"owner": "bo"})
        source = f"{self.client.get_run(run_id).info.artifact_uri}/model"
        self.client.create_model_version(RANKER, source, run_id, description="Ranks what the detector found.")
        self.client.create_registered_model(IMPORTED, description="From another team's store.")
        elsewhere = self.registry.artifacts / "elsewhere"
        self._save(elsewhere, Model("model"), INPUTS, REQUIREMENTS)
        self.client.create_model_version(IMPORTED, elsewhere.as_uri())
        self.client.create_registered_model(EMPTY)
        self.client.create_registered_model(LONG, {"unicode": "été 🚀", "long": "x" * 500}, LONG_WORDS)

    def settle(self) -> None:
        """The times of versions, and the states that a store reaches only while it works."""
        self.client._tracking_client.store.engine.dispose()
        with changing(self.registry.store) as connection:
            connection.execute(
                "UPDATE registered_models SET creation_time = ?, last_updated_time = ?", (at(235), at(30))
            )
            connection.execute("UPDATE model_versions SET creation_time = ?, last_updated_time = ?", (at(30), at(30)))
            connection.execute(
                "UPDATE logged_models SET creation_timestamp_ms = ?, last_updated_timestamp_ms = ?", (at(30), at(30))
            )
            for number, planned in enumerate(VERSIONS, 1):
                message = FAILED_WORDS if planned.status.startswith("FAILED") else None
                connection.execute(
                    "UPDATE model_versions SET creation_time = ?, last_updated_time = ?, status = ?, status_message = ?"
                    " WHERE name = ? AND version = ?",
                    (at(planned.hours), at(planned.hours), planned.status, message, DETECTOR, number),
                )
            connection.execute(
                "UPDATE registered_models SET last_updated_time = ? WHERE name = ?", (at(VERSIONS[-1].hours), DETECTOR)
            )


def main() -> None:
    writer = Writer(Registry(Path(sys.argv[1])))
    writer.runs()
    writer.detector()
    writer.others()
    writer.settle()


if __name__ == "__main__":
    main()
