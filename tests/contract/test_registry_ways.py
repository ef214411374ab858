"""What only one way to a registry of models can meet: old schemas, workspaces, many pages, servers without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
from support.fault_server import a_run, faulty
from support.mlflow_server import serving
from support.mlflow_stores import changing
from support.registries import RegistryLab, model_by_client, models_by_client

from runtower.domain.errors import NotFound
from runtower.domain.models import Model, ModelNow, ModelVersion
from runtower.sources.mlflow import SOURCE, contract, registry_client, registry_wire
from runtower.sources.port import Known, ReadsModels, Target


def opened(uri: str, **options: str) -> ReadsModels:
    source = SOURCE.open(Target("lab", "mlflow", uri, options=options), Known())
    assert isinstance(source, ReadsModels)
    return source


# -- schemas


@pytest.fixture(scope="session")
def oldest_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as the oldest MLflow whose schema is read made it, with one model."""
    path = tmp_path_factory.mktemp("oldest") / "mlflow.db"
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    config = _get_alembic_config(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, contract.TRIED_REVISIONS[0])
    engine.dispose()
    with changing(path) as connection:
        connection.executescript("""
            INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (0, 'Default', 'active');
            INSERT INTO registered_models (name, creation_time, last_updated_time) VALUES ('old', 1, 5);
            INSERT INTO registered_model_tags (name, key, value) VALUES ('old', 'team', 'vision');
            INSERT INTO registered_model_aliases (name, alias, version) VALUES ('old', 'champion', 2);
            INSERT INTO model_versions (name, version, creation_time, current_stage, source, status) VALUES
                ('old', 1, 2, 'Archived', '/a', 'READY'), ('old', 2, 3, 'Production', '/b', 'PENDING_REGISTRATION'),
                ('old', 3, 4, 'Deleted_Internal', '/c', 'READY');
            INSERT INTO model_version_tags (name, version, key, value) VALUES ('old', 2, 'seed', '1');
        """)
    return path


def test_the_oldest_schema(oldest_schema: Path) -> None:
    source = opened(f"sqlite:///{oldest_schema}")
    stages = {"Production": "2", "Archived": "1"}
    model = Model("old", "", {"team": "vision"}, {"champion": "2"}, stages, "2", 1, 5)
    first = ModelVersion("old", "1", source="/a", stage="Archived", created=2)
    second = ModelVersion(
        "old",
        "2",
        source="/b",
        status="PENDING_REGISTRATION",
        stage="Production",
        tags={"seed": "1"},
        aliases=("champion",),
        created=3,
    )
    assert list(source.models()) == [model]
    assert source.model("old") == ModelNow(model, (second, first))
    with pytest.raises(NotFound, match="/b, among no run's"):
        source.model_files("old", "2")


def test_a_store_whose_registry_is_gone(sqlite_store: Path) -> None:
    with changing(sqlite_store) as connection:
        connection.execute("DROP TABLE registered_models")
    with pytest.raises(NotFound, match="no registry of models"):
        opened(f"sqlite:///{sqlite_store}", path="sql").models()


@pytest.mark.parametrize("registry", ["sql"], indirect=True)
def test_each_workspace_has_its_models(registry: RegistryLab, monkeypatch: pytest.MonkeyPatch) -> None:
    with changing(Path(registry.uri.removeprefix("sqlite:///"))) as connection:
        connection.execute("INSERT INTO registered_models (workspace, name) VALUES ('team', 'resnet')")
        connection.execute(
            "INSERT INTO model_versions (workspace, name, version, current_stage)"
            " VALUES ('team', 'resnet', 1, 'Staging')"
        )
    assert registry.open().model("resnet").model.latest == "10"
    assert len(registry.open().models()) > 1
    monkeypatch.setenv("MLFLOW_WORKSPACE", "team")
    (only,) = registry.open().models()
    assert (only.name, only.latest, only.aliases, only.stages) == ("resnet", "1", {}, {"Staging": "1"})
    assert [one.version for one in registry.open().model("resnet").versions] == ["1"]


# -- servers and MlflowClient


@pytest.mark.parametrize("registry", ["rest", "client"], indirect=True)
def test_many_pages(registry: RegistryLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_wire, "MODELS_A_PAGE", 3)
    monkeypatch.setattr(registry_wire, "VERSIONS_A_PAGE", 2)
    monkeypatch.setattr(registry_client, "_MODELS_A_PAGE", 3)
    monkeypatch.setattr(registry_client, "_VERSIONS_A_PAGE", 2)
    source = registry.open()
    assert list(source.models()) == models_by_client(registry.client)
    assert source.model("resnet") == model_by_client(registry.client, "resnet")


def test_a_server_that_never_heard_of_models() -> None:
    with faulty([a_run(1)]) as server:
        source = opened(server.url)
        with pytest.raises(NotFound, match="There is no registry of models at http"):
            source.models()
        with pytest.raises(NotFound, match="There is no registry of models at http"):
            source.model("resnet")


def test_a_server_that_was_started_without_a_registry(sqlite_store: Path) -> None:
    with serving(sqlite_store, "--registry-store-uri", "nowhere://at/all") as server:
        with pytest.raises(NotFound, match="started without one"):
            opened(server.url).models()
        with pytest.raises(NotFound, match="started without one"):
            opened(server.url).model("resnet")


@pytest.mark.parametrize("registry", ["sql", "rest"], indirect=True)
def test_models_are_read_without_mlflow(registry: RegistryLab) -> None:
    code = (
        "import sys\n"
        "from runtower.sources.mlflow import SOURCE\n"
        "from runtower.sources.port import Known, Target\n"
        f"source = SOURCE.open(Target('t', 'mlflow', {registry.uri!r}), Known())\n"
        "print(source.model('resnet').model.latest, len(source.models()), source.model_files('files', '4').folder)\n"
        "print(sorted(sys.modules.keys() & {'mlflow', 'sqlalchemy', 'pandas', 'requests'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["10 11 net", "[]"]
