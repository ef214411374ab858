"""The demo's registry: what MLflow reads of it, and what there is to decide by."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from runtower.folders import Folders
from runtower.settings_quick import given

NOW_MS = 1_780_000_000_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: it takes ten seconds."""
    folder = tmp_path_factory.mktemp("demo")
    environ = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    argv = [sys.executable, "-P", "-m", "runtower.demo.make", str(folder), "--frozen", str(NOW_MS)]
    subprocess.run(argv, check=True, capture_output=True, env=environ)
    return folder


@pytest.fixture
def client(project: Path) -> MlflowClient:
    uri = f"sqlite:///{project / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def holder(client: MlflowClient, alias: str) -> tuple[ModelVersion, Run]:
    version = client.get_model_version_by_alias("detector", alias)
    return version, client.get_run(version.run_id)


def model_of(client: MlflowClient, version: ModelVersion) -> dict[str, object]:
    """What MLmodel says."""
    place = client.get_model_version_download_uri("detector", version.version).removeprefix("file://")
    read: dict[str, object] = yaml.safe_load((Path(place) / "MLmodel").read_text())
    return read


def test_the_challenger_is_better_on_the_same_data_and_a_little_slower(client: MlflowClient) -> None:
    (champion, then), (challenger, now) = holder(client, "champion"), holder(client, "challenger")
    assert now.data.metrics["val_mAP"] - then.data.metrics["val_mAP"] > 0.002
    assert then.data.metrics["latency_ms"] < now.data.metrics["latency_ms"] < 40
    assert [one.inputs.dataset_inputs[0].dataset.digest for one in (then, now)] == ["b7e40a36"] * 2
    assert champion.tags["reviewed"] == "grace"
    assert challenger.tags["reviewed"] == "linus"
    assert champion.current_stage == "Production"
    assert champion.creation_timestamp < challenger.creation_timestamp < NOW_MS
    assert model_of(client, champion)["signature"] == model_of(client, challenger)["signature"]


def test_the_baseline_takes_less_and_was_judged_on_other_data(client: MlflowClient) -> None:
    (baseline, first), (champion, then) = holder(client, "baseline"), holder(client, "champion")
    assert model_of(client, baseline)["signature"] != model_of(client, champion)["signature"]
    digests = {one.inputs.dataset_inputs[0].dataset.digest for one in (first, then)}
    assert len(digests) == 2


def test_the_project_has_settings_of_its_own(project: Path) -> None:
    metrics = given(project, {}, Folders.of()).settings.metrics
    assert (metrics["val_mAP"].goal, metrics["latency_ms"].goal) == ("max", "min")
    left = {"artifacts", "lightning_logs", "mlflow.db", "predict.py", "runtower.yaml"}
    assert {path.name for path in project.iterdir()} == left, "what was only on its way is gone"
