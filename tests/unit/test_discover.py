"""What is found in a folder, and what a path or URI stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtower.acts.discover import MOST_ENTRIES, discover, kind_of, target_of
from runtower.domain.errors import Invalid, NotFound

DATABASE = b"SQLite format 3\0" + b"\0" * 84


def store(folder: Path) -> Path:
    (folder / "mlruns" / "0").mkdir(parents=True)
    (folder / "mlruns" / "0" / "meta.yaml").write_text("name: Default\n")
    return folder / "mlruns"


def logs(folder: Path, *versions: int) -> Path:
    for version in versions:
        (folder / f"version_{version}").mkdir(parents=True)
        (folder / f"version_{version}" / "metrics.csv").write_text("step,loss\n0,1\n")
    return folder


def found(folder: Path, **environ: str) -> list[tuple[str, str, str]]:
    return [(t.name, t.kind, t.uri) for t in discover(folder, environ).targets]


def test_nothing_is_found_and_the_search_is_told(tmp_path: Path) -> None:
    result = discover(tmp_path, {})
    assert result.targets == ()
    assert result.root == tmp_path
    assert any("mlflow.db" in line for line in result.looked)
    assert any("metrics.csv" in line for line in result.looked)


def test_a_folder_of_experiments_comes_before_the_database(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(DATABASE)
    assert found(tmp_path) == [("mlflow", "mlflow", f"sqlite:///{tmp_path}/mlflow.db")]
    store(tmp_path)
    assert found(tmp_path) == [("mlflow", "mlflow", str(tmp_path / "mlruns"))]


def test_mlruns_with_artifacts_alone_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "mlruns" / "0" / "artifacts").mkdir(parents=True)
    assert found(tmp_path) == []


def test_the_search_goes_up_to_the_root_of_the_project_and_not_beyond(tmp_path: Path) -> None:
    project = tmp_path / "project"
    inner = project / "src" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "mlflow.db").write_bytes(DATABASE)
    assert found(inner) == []
    (project / ".git").mkdir()
    assert found(inner) == []
    (project / "mlflow.db").write_bytes(DATABASE)
    assert found(inner) == [("mlflow", "mlflow", f"sqlite:///{project}/mlflow.db")]


def test_the_environment_replaces_only_the_default_mlflow_source(tmp_path: Path) -> None:
    store(tmp_path)
    logs(tmp_path / "lightning_logs", 0)
    assert found(tmp_path, MLFLOW_TRACKING_URI="http://tracking:5000") == [
        ("mlflow", "mlflow", "http://tracking:5000"),
        ("csv", "csvlogger", str(tmp_path / "lightning_logs")),
    ]
    assert found(tmp_path, MLFLOW_TRACKING_URI="sqlite:///other.db")[0][2] == f"sqlite:///{tmp_path}/other.db"


def test_the_registry_of_the_environment_goes_with_the_mlflow_source(tmp_path: Path) -> None:
    store(tmp_path)
    logs(tmp_path / "lightning_logs", 0)
    for uri, whole in (("http://models:5000", "http://models:5000"), ("sqlite:///m.db", f"sqlite:///{tmp_path}/m.db")):
        targets = discover(tmp_path, {"MLFLOW_REGISTRY_URI": uri}).targets
        assert [dict(one.options) for one in targets] == [{"registry_uri": whole}, {}]


def test_csv_folders_have_names_of_their_own(tmp_path: Path) -> None:
    logs(tmp_path / "lightning_logs", 0, 1)
    logs(tmp_path / "work" / "out", 0)
    logs(tmp_path / ".venv" / "lib", 0)
    logs(tmp_path / "a" / "b" / "c" / "d", 0)
    assert found(tmp_path) == [
        ("csv", "csvlogger", str(tmp_path / "lightning_logs")),
        ("csv-out", "csvlogger", str(tmp_path / "work" / "out")),
    ]


def test_names_of_one_save_dir_are_one_source(tmp_path: Path) -> None:
    logs(tmp_path / "logs" / "resnet", 0)
    logs(tmp_path / "logs" / "vit", 0)
    assert found(tmp_path) == [("csv", "csvlogger", str(tmp_path / "logs"))]


def test_a_huge_folder_is_not_read_to_its_end(tmp_path: Path) -> None:
    for number in range(MOST_ENTRIES + 50):
        (tmp_path / f"file{number}").touch()
    discover(tmp_path, {})


@pytest.mark.parametrize("text", ["store.db", "sqlite:///store.db", "./store.db"])
def test_a_database_by_path_or_uri(tmp_path: Path, text: str) -> None:
    (tmp_path / "store.db").write_bytes(DATABASE)
    assert [t.uri for t in target_of(text, tmp_path).targets] == [f"sqlite:///{tmp_path}/store.db"]


def test_folders_of_each_kind(tmp_path: Path) -> None:
    store(tmp_path)
    lightning = logs(tmp_path / "run" / "lightning_logs", 0)
    assert target_of("mlruns", tmp_path).targets[0].kind == "mlflow"
    assert target_of((tmp_path / "mlruns").as_uri(), tmp_path).targets[0].uri == str(tmp_path / "mlruns")
    for text in (lightning, lightning / "version_0", lightning / "version_0" / "metrics.csv"):
        assert [t.uri for t in target_of(str(text), tmp_path).targets] == [str(lightning)]
    assert {t.kind for t in target_of(".", tmp_path).targets} == {"mlflow", "csvlogger"}


@pytest.mark.parametrize("uri", ["http://host:5000", "postgresql+psycopg2://u:p@h/db", "databricks", "mysql://h/db"])
def test_servers_are_mlflows(tmp_path: Path, uri: str) -> None:
    assert [(t.kind, t.uri) for t in target_of(uri, tmp_path).targets] == [("mlflow", uri)]


def test_what_is_not_there_or_makes_no_sense(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    for text in ("missing", "missing.db", "sqlite:///missing.db", "empty"):
        with pytest.raises(NotFound) as caught:
            target_of(text, tmp_path)
        assert caught.value.remedy
    for text in ("", "  ", "notes.txt", "gopher://x", "a\x1bb"):
        with pytest.raises(Invalid):
            target_of(text, tmp_path)
    with pytest.raises(Invalid, match="http://localhost:5000"):
        target_of("localhost:5000", tmp_path)
    with pytest.raises(Invalid) as wrong:
        target_of("oracle://me:hunter2@host", tmp_path)
    assert "hunter2" not in str(wrong.value)


def test_a_dvc_project_is_found_beside_a_store_and_from_below(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "mlflow.db").write_bytes(DATABASE)
    (tmp_path / "src").mkdir()
    both = [("mlflow", "mlflow", f"sqlite:///{tmp_path}/mlflow.db"), ("dvc", "dvc", str(tmp_path))]
    assert found(tmp_path) == both
    assert found(tmp_path / "src") == both


def test_a_dvc_project_inside_another_is_its_own(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "inner/.dvc").mkdir(parents=True)
    assert found(tmp_path / "inner") == [("dvc", "dvc", str(tmp_path / "inner"))]


def test_the_kind_of_a_folder_with_dvc_in_it(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    assert kind_of(str(tmp_path)) == "dvc"
    store(tmp_path)
    assert kind_of(str(tmp_path / "mlruns")) == "mlflow"
