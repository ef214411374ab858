"""The models that MLflow 3 keeps beside its runs are among the run's artifacts, as on MLflow's own page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.mlflow_stores import log_model

from runtower.domain.artifacts import Artifact
from runtower.domain.errors import Invalid, NotFound
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, ReadsArtifacts, Target

HOWS = ["sql", "client", "files", "rest"]
every = pytest.mark.parametrize("lab", HOWS, indirect=True)


def whole(source: ReadsArtifacts, run_id: str, path: str) -> bytes:
    return b"".join(piece.data for piece in source.artifact_pieces(run_id, path))


@every
def test_a_model_is_a_folder_of_its_name(lab, tmp_path: Path) -> None:
    run_id = lab.add_files("with model", {"train.log": b"one", "code/a.py": b"x"})
    log_model(
        lab.client, run_id, "best model", tmp_path / "m", {"requirements.txt": "numpy==1", "data/w.txt": "weights"}
    )
    for source in (lab.open(), lab.open()):
        top = source.artifacts(run_id, "").entries
        assert [(one.path, one.is_dir) for one in top] == [("best model", True), ("code", True), ("train.log", False)]
        below = source.artifacts(run_id, "best model").entries
        assert below == (Artifact("best model/data", True), Artifact("best model/requirements.txt", False, 8))
        assert source.artifacts(run_id, "best model/data").entries[0].path == "best model/data/w.txt"
        assert source.artifact(run_id, "best model/requirements.txt", 0, 5).data == b"numpy"
        assert whole(source, run_id, "best model/data/w.txt") == b"weights"
        assert whole(source, run_id, "train.log") == b"one"
    unlisted = lab.open()
    assert whole(unlisted, run_id, "best model/data/w.txt") == b"weights"
    assert unlisted.artifact(run_id, "best model/requirements.txt", -1, 5).data == b"1"


@every
def test_what_is_wrong_about_a_model_is_told(lab, tmp_path: Path) -> None:
    run_id = lab.add_files("with model", {"a.txt": b"a"})
    log_model(lab.client, run_id, "net", tmp_path / "m", {"a.txt": "1"})
    source = lab.open()
    with pytest.raises(NotFound):
        source.artifact(run_id, "net/none.txt", 0, 5)
    with pytest.raises(Invalid):
        source.artifact(run_id, "net", 0, 5)
    with pytest.raises(Invalid):
        source.artifacts(run_id, "net/a.txt")
    with pytest.raises(Invalid):
        source.artifact(run_id, "net/../../secret", 0, 5)
    with pytest.raises(NotFound):
        source.artifacts(run_id, "other")
    assert [one.path for one in source.artifacts(lab.add_files("none", {}), "").entries] == []


@every
def test_of_one_name_the_newest_counts_and_what_the_run_logged_before_all(lab, tmp_path: Path) -> None:
    run_id = lab.add_files("two", {"net/a.txt": b"own"})
    client = lab.client
    log_model(client, run_id, "step", tmp_path / "m", {"a.txt": "old"})
    log_model(client, run_id, "step", tmp_path / "m", {"a.txt": "new"})
    gone = log_model(client, run_id, "gone", tmp_path / "m", {"a.txt": "gone"})
    client.delete_logged_model(gone)
    log_model(client, run_id, "net", tmp_path / "m", {"a.txt": "model", "b.txt": "b"})
    source = lab.open()
    assert [one.path for one in source.artifacts(run_id, "").entries] == ["net", "step"]
    assert whole(source, run_id, "step/a.txt") == b"new"
    assert whole(source, run_id, "net/a.txt") == b"own"


def test_a_project_that_was_copied_keeps_its_models(sqlite_store: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(sqlite_store, project / "mlflow.db")
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.create_experiment("here", (project / "mlruns" / "9").as_uri())
    run_id = client.create_run(experiment).info.run_id
    log_model(client, run_id, "net", tmp_path / "m", {"a.txt": "1"})
    client._tracking_client.store.engine.dispose()
    moved = tmp_path / "copied"
    project.rename(moved)
    source = SOURCE.open(Target("lab", "mlflow", f"sqlite:///{moved}/mlflow.db"), Known())
    assert isinstance(source, ReadsArtifacts)
    assert [one.path for one in source.artifacts(run_id, "net").entries] == ["net/a.txt"]
    assert whole(source, run_id, "net/a.txt") == b"1"
