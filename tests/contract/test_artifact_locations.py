"""Where the artifacts of a store's runs lie: moved, kept by a server, elsewhere, and where nobody should follow."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import FileInfo
from mlflow.store.artifact import artifact_repository_registry as registry
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from support.mlflow_server import Server
from support.mlflow_stores import changing

from runtower.domain.artifacts import Piece
from runtower.domain.errors import Forbidden, Invalid, NotFound, TowerError
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, ReadsArtifacts, Target


def opened(store: Path | str, **options: str) -> ReadsArtifacts:
    uri = store if isinstance(store, str) else f"sqlite:///{store}"
    source = SOURCE.open(Target("lab", "mlflow", uri, options=options), Known())
    assert isinstance(source, ReadsArtifacts)
    return source


def run_with_file(store: Path, location: str) -> str:
    """A run whose artifacts are said to lie at a location, `{}` being its id."""
    client = MlflowClient(f"sqlite:///{store}")
    run_id = client.create_run("1", run_name="placed").info.run_id
    with changing(store) as connection:
        connection.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (location.format(run_id), run_id))
    return str(run_id)


def put(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def test_a_path_that_is_relative_begins_at_the_store(sqlite_store: Path) -> None:
    run_id = run_with_file(sqlite_store, "./mlruns/1/{}/artifacts")
    put(sqlite_store.parent / "mlruns" / "1" / run_id / "artifacts", "a.txt", b"here")
    assert opened(sqlite_store).artifact(run_id, "a.txt", 0, 9).data == b"here"


def test_a_project_that_was_copied_keeps_its_artifacts(sqlite_store: Path) -> None:
    run_id = run_with_file(sqlite_store, "file:///cluster/home/project/mlruns/1/{}/artifacts")
    source = opened(sqlite_store)
    assert source.artifacts(run_id, "").entries == ()
    put(sqlite_store.parent / "mlruns" / "1" / run_id / "artifacts", "a.txt", b"copied")
    assert source.artifact(run_id, "a.txt", 0, 9).data == b"copied"


def test_what_a_server_keeps_is_read_where_it_keeps_it_or_the_server_is_named(sqlite_store: Path) -> None:
    run_id = run_with_file(sqlite_store, "mlflow-artifacts:/1/{}/artifacts")
    source = opened(sqlite_store)
    with pytest.raises(NotFound, match="Open that server"):
        source.artifacts(run_id, "")
    put(sqlite_store.parent / "mlartifacts" / "1" / run_id / "artifacts", "a.txt", b"kept")
    assert source.artifact(run_id, "a.txt", 0, 9).data == b"kept"


def test_no_credentials_go_to_a_host_that_a_store_names(sqlite_store: Path, served: Server) -> None:
    run_id = run_with_file(sqlite_store, f"{served.url}/api/2.0/mlflow-artifacts/artifacts/{{}}")
    with pytest.raises(Forbidden, match="web server"):
        opened(sqlite_store).artifacts(run_id, "")


class LabRepository(LocalArtifactRepository):
    """Another system's storage, as a plugin of MLflow's would reach it; `fetched` counts whole files."""

    root = Path()
    fetched = 0

    def __init__(self, artifact_uri: str, *args: object, **more: object) -> None:
        super().__init__((self.root / artifact_uri.removeprefix("lab://")).as_uri())

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        assert dst_path is not None
        assert os.stat(dst_path).st_mode & 0o077 == 0
        type(self).fetched += 1
        return str(shutil.copy(self.root / "store" / artifact_path, dst_path))

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        if path == "broken":
            raise RuntimeError("no credentials for tok=abc")
        return list(super().list_artifacts(path))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder behind `lab://store`."""
    monkeypatch.setattr(LabRepository, "root", tmp_path)
    monkeypatch.setattr(LabRepository, "fetched", 0)
    monkeypatch.setitem(registry._artifact_repository_registry._registry, "lab", LabRepository)
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def test_other_systems_are_read_through_mlflow(sqlite_store: Path, elsewhere: Path) -> None:
    run_id = run_with_file(sqlite_store, "lab://store")
    put(elsewhere / "logs", "train.log", b"one\ntwo\n")
    source = opened(sqlite_store)
    (folder,) = source.artifacts(run_id, "").entries
    assert (folder.path, folder.is_dir) == ("logs", True)
    assert source.artifacts(run_id, "logs").entries[0].size == 8
    assert source.artifact(run_id, "logs/train.log", 4, 99) == Piece(b"two\n", 4, 8)
    assert source.artifact(run_id, "logs/train.log", -4, 99) == Piece(b"two\n", 4, 8)
    assert LabRepository.fetched == 1, "what didn't change isn't fetched twice"
    put(elsewhere / "logs", "train.log", b"one\ntwo\nthree\n")
    assert source.artifact(run_id, "logs/train.log", 8, 99) == Piece(b"three\n", 8, 14)
    assert b"".join(piece.data for piece in source.artifact_pieces(run_id, "logs/train.log")) == b"one\ntwo\nthree\n"
    with pytest.raises(NotFound):
        source.artifact(run_id, "logs/none", 0, 9)
    with pytest.raises(TowerError, match="can't be read: no credentials"):
        source.artifacts(run_id, "broken")


def test_a_large_file_elsewhere_is_not_fetched_to_be_looked_into(sqlite_store: Path, elsewhere: Path) -> None:
    run_id = run_with_file(sqlite_store, "lab://store")
    with (elsewhere / "large.ckpt").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    source = opened(sqlite_store)
    with pytest.raises(Invalid, match="65 MiB"):
        source.artifact(run_id, "large.ckpt", 0, 9)
    assert LabRepository.fetched == 0
    assert sum(len(piece.data) for piece in source.artifact_pieces(run_id, "large.ckpt")) == 65 * 1024 * 1024


def test_a_scheme_that_mlflow_does_not_know_is_said(sqlite_store: Path) -> None:
    run_id = run_with_file(sqlite_store, "invented://store")
    with pytest.raises(TowerError, match="invented"):
        opened(sqlite_store).artifacts(run_id, "")


def test_a_server_is_read_through_mlflow_where_that_is_wished(served: Server, tmp_path: Path) -> None:
    client = MlflowClient(served.url)
    run_id = client.create_run(client.create_experiment("proxied"), run_name="proxied").info.run_id
    put(tmp_path, "a.log", b"over there\n")
    client.log_artifact(run_id, str(tmp_path / "a.log"), "logs")
    source = opened(served.url, path="client")
    assert [one.path for one in source.artifacts(run_id, "logs").entries] == ["logs/a.log"]
    assert source.artifact(run_id, "logs/a.log", 5, 99) == Piece(b"there\n", 5, 11)
