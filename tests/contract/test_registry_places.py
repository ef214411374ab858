"""Models that are kept in another place than runs: read and changed there, while the runs stay where they are."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from support.mirror import drained
from support.mlflow_server import Server
from support.registries import RegistryLab, models_by_client

from runtower.domain.errors import NotFound, TowerError
from runtower.domain.model_changes import AddModel, AddVersion, SetAlias
from runtower.domain.models import ModelFiles
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import EditsModels, Known, ReadsModels, Target

every = pytest.mark.parametrize("registry", ["sql", "files", "rest"], indirect=True)


@pytest.fixture
def runs(sqlite_template: Path, tmp_path: Path) -> Path:
    """A store without models."""
    return Path(shutil.copy(sqlite_template, tmp_path / "runs.db"))


def opened(uri: str, **options: str) -> ReadsModels:
    source = SOURCE.open(Target("lab", "mlflow", uri, options=options), Known())
    assert isinstance(source, ReadsModels)
    return source


def changing(uri: str, **options: str) -> EditsModels:
    source = SOURCE.open_for_edits(Target("lab", "mlflow", uri, options=options))
    assert isinstance(source, EditsModels)
    return source


@every
@pytest.mark.parametrize("path", ["sql", "client"])
def test_runs_of_a_file_with_models_elsewhere(registry: RegistryLab, runs: Path, path: str) -> None:
    source = opened(f"sqlite:///{runs}", path=path, registry_uri=registry.uri)
    assert list(source.models()) == models_by_client(registry.client)
    assert source.model("resnet").model.latest == "10"
    assert drained(source).run_of("finished-1")
    with pytest.raises(NotFound, match=f"{registry.made.run_id}.*among no run's artifacts of this store"):
        source.model_files("files", "1")
    changes = changing(f"sqlite:///{runs}", registry_uri=registry.uri)
    changes.change(SetAlias("resnet", "fresh", "9"))
    assert registry.client.get_registered_model("resnet").aliases["fresh"] in ("9", 9)
    assert opened(f"sqlite:///{runs}").models() == []


@pytest.mark.parametrize("registry", ["sql", "files"], indirect=True)
def test_runs_of_a_server_with_models_in_a_store(registry: RegistryLab, served: Server) -> None:
    source = opened(served.url, registry_uri=registry.uri)
    assert list(source.models()) == models_by_client(registry.client)
    run_id = drained(source).run_of("finished-1")
    changes = changing(served.url, registry_uri=registry.uri)
    number = changes.change(AddVersion("resnet", f"runs:/{run_id}/model", run_id))
    assert source.model_files("resnet", number) == ModelFiles(run_id, "model")
    assert list(MlflowClient(served.url, served.url).search_registered_models()) == []


def test_the_variable_is_for_the_source_that_has_no_address_of_its_own(
    registry_template: tuple[Path, object], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{runs}")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", f"sqlite:///{registry_template[0]}")
    assert [one.name for one in opened("").models()].count("resnet") == 1
    for path in ("sql", "client"):
        assert opened(f"sqlite:///{runs}", path=path).models() == []
    changing(f"sqlite:///{runs}").change(AddModel("mine"))
    assert [one.name for one in opened(f"sqlite:///{runs}").models()] == ["mine"]


@pytest.mark.parametrize("uri", ["sqlite:///{}/none.db", "http://127.0.0.1:9", "{}/none"])
def test_a_registry_that_is_not_there_leaves_the_runs(runs: Path, tmp_path: Path, uri: str) -> None:
    source = opened(f"sqlite:///{runs}", registry_uri=uri.format(tmp_path))
    with pytest.raises(TowerError):
        source.models()
    assert drained(source).run_of("finished-1")
    with pytest.raises(TowerError):
        changing(f"sqlite:///{runs}", registry_uri=uri.format(tmp_path)).change(AddModel("mine"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["runs.db"]


def test_a_registry_that_holds_no_experiment_gets_none(runs: Path, tmp_path: Path) -> None:
    place = tmp_path / "registry.db"
    SqlAlchemyStore(f"sqlite:///{place}").create_registered_model("old")
    changing(f"sqlite:///{runs}", registry_uri=f"sqlite:///{place}").change(AddModel("new"))
    source = opened(f"sqlite:///{runs}", registry_uri=f"sqlite:///{place}")
    assert [one.name for one in source.models()] == ["new", "old"]
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("SELECT count(*) FROM experiments").fetchone() == (0,)


def test_a_file_store_that_never_held_a_model_is_left_so(
    files_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    store = Path(shutil.copytree(files_template, tmp_path / "mlruns"))
    shutil.rmtree(store / "models", ignore_errors=True)
    source = opened(str(store))
    assert source.models() == []
    with pytest.raises(NotFound):
        source.model("none")
    assert not (store / "models").exists()
    changing(str(store)).change(AddModel("first"))
    assert [one.name for one in source.models()] == ["first"]
