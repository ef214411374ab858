"""Stores for the contract of sources. MLflow's are written once and copied: making a schema takes ten seconds."""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import chdir, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest
from mlflow import MlflowClient
from support import labtower
from support.dvc_projects import WrittenProject, live_files
from support.mlflow_server import Server, serving
from support.mlflow_stores import gc_run, log, write_store
from support.postgres import Postgres, missing, running
from support.registries import Made, RegistryLab, default_store, write_registry

from runtower.sources.csvlogger import SOURCE as CSVLOGGER
from runtower.sources.dvc import SOURCE as DVC
from runtower.sources.mlflow import SOURCE as MLFLOW
from runtower.sources.port import Known, ListsRuns, ReadsArtifacts, ReadsHistory, Source, Target


class AnySource(ListsRuns, ReadsArtifacts, ReadsHistory, Source, Protocol):
    """What all of these sources offer."""


class Lab(Protocol):
    """A store that the tests write, and the source that reads it."""

    def open(self, known: Known = Known()) -> AnySource: ...  # noqa: B008 - frozen

    def add_run(self, name: str, metrics: Mapping[str, float]) -> str: ...

    def log(self, run_id: str, metrics: Mapping[str, float], step: int) -> None: ...

    def remove(self, run_id: str) -> None: ...

    def add_files(self, name: str, files: Mapping[str, bytes]) -> str: ...


@dataclass
class MlflowLab:
    """An MLflow store; `how` is 'sql', 'client', 'files', 'rest' or 'postgres'. What the tests do to a server's goes
    through it; `url` is where it is, or the database. Artifacts lie below `work`, those of a server with it."""

    how: str
    path: Path
    work: Path
    url: str = ""
    postgres: Postgres | None = None
    opened: list[AnySource] = field(default_factory=list)

    @property
    def uri(self) -> str:
        if self.url:
            return self.url
        return self.path.as_uri() if self.how == "files" else f"sqlite:///{self.path}"

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.uri)

    def open(self, known: Known = Known()) -> AnySource:  # noqa: B008 - frozen
        options = {} if self.how in ("files", "postgres") else {"path": self.how}
        source = MLFLOW.open(Target("lab", "mlflow", self.uri, options=options), known)
        self.opened.append(source)
        return source

    def add_run(self, name: str, metrics: Mapping[str, float]) -> str:
        client = self.client
        experiment = client.get_experiment_by_name("alpha")
        run_id = client.create_run(experiment.experiment_id, run_name=name).info.run_id
        log(client, run_id, dict(metrics))
        return run_id

    def log(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        log(self.client, run_id, dict(metrics), step)

    def add_files(self, name: str, files: Mapping[str, bytes]) -> str:
        """A run of an experiment of its own, with these artifacts: where a server is, it keeps them."""
        place = None if self.how == "rest" else (self.work / name).as_uri()
        experiment = self.client.create_experiment(name, artifact_location=place)
        run_id = self.client.create_run(experiment, run_name=name).info.run_id
        for path, data in files.items():
            local = self.work / "logged" / path
            local.parent.mkdir(parents=True, exist_ok=True)
            local.write_bytes(data)
            self.client.log_artifact(run_id, str(local), path.rpartition("/")[0] or None)
        return run_id

    def remove(self, run_id: str) -> None:
        if self.how == "files":
            (folder,) = self.path.glob(f"*/{run_id}")
            shutil.rmtree(folder)
        elif self.postgres is not None:
            self.postgres.gc_run(self.url, run_id)
        else:
            gc_run(self.path, run_id)


@dataclass
class CsvLab:
    """A folder of Lightning's CSVLogger."""

    root: Path
    made: int = 0
    opened: list[AnySource] = field(default_factory=list)

    def open(self, known: Known = Known()) -> AnySource:  # noqa: B008 - frozen
        source = CSVLOGGER.open(Target("lab", "csvlogger", str(self.root)), known)
        self.opened.append(source)
        return source

    def add_run(self, name: str, metrics: Mapping[str, float]) -> str:
        number, self.made = self.made, self.made + 1
        folder = self.root / "lightning_logs" / f"version_{number}"
        folder.mkdir(parents=True)
        (folder / "hparams.yaml").write_text(f"name: {name}\n")
        self._write(folder, [{"step": 0, **metrics}])
        return f"lightning_logs/version_{number}"

    def log(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        with (self.root / run_id / "metrics.csv").open() as file:
            rows: list[Mapping[str, object]] = list(csv.DictReader(file))
        self._write(self.root / run_id, [*rows, {"step": step, **metrics}])

    def add_files(self, name: str, files: Mapping[str, bytes]) -> str:
        run_id = self.add_run(name, {"loss": 0.5})
        for path, data in files.items():
            place = self.root / run_id / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return run_id

    def remove(self, run_id: str) -> None:
        shutil.rmtree(self.root / run_id)

    def _write(self, folder: Path, rows: list[Mapping[str, object]]) -> None:
        header = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / "metrics.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, header)
            writer.writeheader()
            writer.writerows(rows)


@dataclass
class DvcLab:
    """A DVC project with experiments as DVCLive leaves them."""

    project: WrittenProject
    points: dict[str, list[tuple[int, Mapping[str, float]]]] = field(default_factory=dict)
    opened: list[Source] = field(default_factory=list)

    def open(self, known: Known = Known()) -> Source:  # noqa: B008 - frozen
        source = DVC.open(Target("lab", "dvc", str(self.project.folder)), known)
        self.opened.append(source)
        return source

    def add_run(self, name: str, metrics: Mapping[str, float]) -> str:
        points = [(0, metrics)]
        run_id = self.project.experiment(name.replace(" ", "-"), live_files(name, points))
        self.points[run_id] = points
        return run_id

    def log(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        self.points[run_id].append((step, metrics))
        name = run_id.removeprefix("exp:").partition("@")[0]
        self.project.experiment(name, live_files(name, self.points[run_id]), step + 1)

    def remove(self, run_id: str) -> None:
        self.project.remove(run_id)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    write_store(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def files_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "mlruns"
    before = os.environ.get("MLFLOW_ALLOW_FILE_STORE")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    write_store(path.as_uri())
    if before is None:
        del os.environ["MLFLOW_ALLOW_FILE_STORE"]
    return path


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Path:
    """A store of the test's own."""
    return Path(shutil.copy(sqlite_template, tmp_path / "mlflow.db"))


@pytest.fixture(scope="session")
def mlflow_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    db = tmp_path_factory.mktemp("server") / "mlflow.db"
    shutil.copy(sqlite_template, db)
    with serving(db) as server:
        yield server


@pytest.fixture
def served(mlflow_server: Server, sqlite_template: Path) -> Server:
    """The server, its store as it was written."""
    mlflow_server.set_back(sqlite_template)
    return mlflow_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if reason := missing():
        pytest.skip(reason)
    with running() as cluster:
        cluster.make_schema()
        yield cluster


@pytest.fixture
def own_lab(lab_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> labtower.Lab:
    """A store and its artifacts in a folder of the test's own, which is the current one."""
    made = labtower.Lab(lab_template, tmp_path / "lab")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Indirect: 'sql', 'client', 'files', 'rest', 'postgres', 'csvlogger' or 'dvc'."""
    made: MlflowLab | CsvLab | DvcLab
    if request.param == "csvlogger":
        made = CsvLab(tmp_path / "logs")
        made.root.mkdir()
        made.add_run("first", {"loss": 0.5})
        made.add_run("second", {"loss": 0.25, "acc": 0.75})
    elif request.param == "dvc":
        made = DvcLab(WrittenProject(tmp_path / "project"))
        made.add_run("first", {"loss": 0.5})
        made.add_run("second", {"loss": 0.25, "acc": 0.75})
    elif request.param == "files":
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        made = MlflowLab("files", tmp_path / "mlruns", tmp_path)
        shutil.copytree(request.getfixturevalue("files_template"), made.path)
        _move_experiments(made.path, request.getfixturevalue("files_template"))
    elif request.param == "rest":
        served: Server = request.getfixturevalue("served")
        made = MlflowLab("rest", served.db, tmp_path, served.url)
    elif request.param == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        template: Path = request.getfixturevalue("sqlite_template")
        made = MlflowLab("postgres", template, tmp_path, cluster.copy_of(template), cluster)
    else:
        made = MlflowLab(request.param, request.getfixturevalue("sqlite_store"), tmp_path)
    yield made
    for source in made.opened:
        with closing(source):
            pass


@pytest.fixture(scope="session")
def registry_template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Made]:
    """A store with a registry, and the files of its models beside it."""
    path = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("registry") / "mlflow.db"))
    with chdir(path.parent), default_store(f"sqlite:///{path}") as client:
        return path, write_registry(client, path.parent)


@pytest.fixture(scope="session")
def postgres_server(
    postgres: Postgres, registry_template: tuple[Path, Made], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on PostgreSQL that holds the same."""
    db = tmp_path_factory.mktemp("postgres-server") / "unused.db"
    with serving(db, backend=postgres.copy_of(registry_template[0])) as server:
        yield server


@pytest.fixture
def registry(
    request: pytest.FixtureRequest,
    registry_template: tuple[Path, Made],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RegistryLab]:
    """Indirect: 'sql', 'client', 'files', 'database', 'rest' or 'postgres', a server that others write to as well."""
    template, made = registry_template
    monkeypatch.chdir(tmp_path)  # a client that wasn't told otherwise makes its store where it stands
    if request.param == "rest":
        served: Server = request.getfixturevalue("mlflow_server")
        served.set_back(template)
        lab = RegistryLab(served.url, made)
    elif request.param == "postgres":
        url = request.getfixturevalue("postgres_server").url
        lab = RegistryLab(url, made)
    elif request.param == "database":
        lab = RegistryLab(request.getfixturevalue("postgres").copy_of(template), made)
    elif request.param == "files":
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        with default_store((tmp_path / "mlruns").as_uri()) as client:
            lab = RegistryLab((tmp_path / "mlruns").as_uri(), write_registry(client, tmp_path))
    else:
        lab = RegistryLab(f"sqlite:///{shutil.copy(template, tmp_path / 'mlflow.db')}", made, {"path": request.param})
    yield lab
    for source in lab.opened:
        source.close()
    if request.param == "postgres":
        _forget_others(url, template)


def _forget_others(url: str, template: Path) -> None:
    # The next test finds the models of the template, and none that this one registered.
    with closing(sqlite3.connect(template)) as store:
        own = {name for (name,) in store.execute("SELECT name FROM registered_models")}
    client = MlflowClient(url, url)
    for model in client.search_registered_models(max_results=1000):
        if model.name not in own:
            client.delete_registered_model(model.name)


def _move_experiments(path: Path, template: Path) -> None:
    # A file store holds its own place in its files.
    for meta in [*path.rglob("meta.yaml")]:
        meta.write_text(meta.read_text().replace(str(template), str(path)))
