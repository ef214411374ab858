"""`runtower compare` on runs of a real store."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.entities import Dataset, DatasetInput
from support.labstore import COMMIT, add_run, changing, id_of
from support.labtower import Lab


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), "LANG": "C.UTF-8"}
    argv = [sys.executable, "-m", "runtower.cli", "compare", *words]
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=90, check=False)


@pytest.fixture
def store(lab_template: Path, tmp_path: Path) -> Path:
    """The last val_loss of `lr=0.001` is not the best one that it had."""
    folder = tmp_path / "lab"
    folder.mkdir()
    path = Path(shutil.copy(lab_template, folder / "mlflow.db"))
    with changing(path) as connection:
        connection.execute(
            "UPDATE metrics SET value = 0.125 WHERE key = 'val_loss' AND step = 10 AND run_uuid = ?",
            (id_of(path, "lr=0.001"),),
        )
    return path


def test_runs_beside_each_other(store: Path) -> None:
    done = run(store.parent, "lr=0.0003", "lr=0.001", "calm-owl", "lr=0.01")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines == [
        "              lr=0.0003    lr=0.001              calm-owl            lr=0.01",
        "val_loss      0.2114 best  0.2207 +0.0093 worse  1.7311 +1.52 worse  NaN",
        "val_loss min  0.2114       0.125                 1.7311",
        "val_acc       0.931 best   0.928 -0.003 worse    0.31 -0.621 worse   0.102 -0.829 worse",
        "val_acc max   0.931        0.928                 0.31                0.102",
        "depth         12           12                    8                   12",
        "lr            0.0003       0.001                 0.01                0.01",
        "model         vit          vit                   cnn                 vit",
        "3 params vary, 2 equal",
        "",
        "system  lr=0.0003  lr=0.001  calm-owl  lr=0.01",
        "user    ana        ana       bo        ana",
        "system: 1 differs",
        "",
        "code: 2 the same",
    ]


def test_machines_get_all_of_it(store: Path) -> None:
    found = json.loads(run(store.parent, "lr=0.001", "vit sweep", "lr=0.0003", "--json").stdout)
    assert [one["name"] for one in found["runs"]] == ["lr=0.001", "vit sweep", "lr=0.0003"]
    loss = found["metrics"][0]
    assert (loss["key"], loss["goal"]) == ("val_loss", "min")
    assert loss["values"][0] == {"last": 0.2207, "best": 0.125, "delta": None, "direction": None, "leads": False}
    assert loss["values"][1] == {"last": None, "best": None, "delta": None, "direction": None, "leads": False}
    assert (loss["values"][2]["direction"], loss["values"][2]["leads"]) == ("better", True)
    assert loss["values"][2]["delta"] == pytest.approx(-0.0093)
    assert {"path": "lr", "values": [{"value": 0.001}, {}, {"value": 0.0003}]} in found["params"]
    rows = list(csv.reader(run(store.parent, "lr=0.001", "lr=0.0003", "--csv").stdout.splitlines()))
    assert rows[0] == ["kind", "key", "figure", "lr=0.001", "lr=0.0003"]
    assert ["metric", "val_loss", "best", "0.125", "0.2114"] in rows
    assert rows[-4] == ["param", "lr", "", "0.001", "0.0003"]


def test_goals_come_from_the_settings_and_names_are_told_apart(store: Path) -> None:
    other = add_run(store, "lr=0.0003", metrics=False)
    (store.parent / "runtower.yaml").write_text("metrics: {val_acc: {goal: min}}\n")
    done = run(store.parent, id_of(store, "lr=0.001"), other[:16], "--md")
    assert done.stdout.splitlines()[0] == "|  | lr=0.001 | lr=0.0003 |"
    first = run(store.parent, "lr=0.001", "calm-owl", "--md").stdout.splitlines()
    assert "| val_acc | 0.928 | 0.31 -0.618 best |" in first


@pytest.fixture
def project(lab_template: Path, tmp_path: Path) -> tuple[Lab, str, str]:
    """A repository with two commits, a run of each of them with files of its own, and one without any."""
    lab = Lab(lab_template, tmp_path / "lab")
    commits = []
    (lab.folder / ".gitignore").write_text("*.db\nartifacts\n")
    for lr in ("1", "2"):
        (lab.folder / "train.py").write_text(f"lr = {lr}\n")
        identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
        for words in (("init", "-b", "main"), ("add", "-A"), ("commit", "-m", lr)):
            subprocess.run(["git", *identity, *words], cwd=lab.folder, check=True, capture_output=True)
        said = subprocess.run(["git", "rev-parse", "HEAD"], cwd=lab.folder, check=True, capture_output=True, text=True)
        commits.append(said.stdout.strip())
        client, run_id = lab.new_run(f"run {lr}", **{"mlflow.source.git.commit": commits[-1], "mlflow.user": "ana"})
        client.log_dict(run_id, {"lr": int(lr)}, "conf/config.yaml")
        client.log_text(run_id, f"numpy=={lr}.0\nsix==1.16\n", "requirements.txt")
        client.log_text(run_id, "the same", "note.txt")
        client.log_inputs(run_id, [DatasetInput(Dataset("coco", f"digest{lr}", "s3", "s3://b/coco"))])
        client.set_terminated(run_id)
    return lab, commits[0], commits[1]


def test_where_runs_come_from(project: tuple[Lab, str, str]) -> None:
    lab, one, two = project
    lines = run(lab.folder, "run 1", "run 2").stdout.splitlines()
    assert lines[2:8] == [
        "1 params vary, 0 equal",
        "config: conf/config.yaml",
        "",
        "system: 1 the same",
        "",
        "packages  run 1  run 2",
    ]
    assert "packages: 1 differs, 1 the same; requirements.txt" in lines
    assert "coco    digest1  digest2" in lines
    assert lines[-3:] == [
        f"git diff --stat {one[:12]} {two[:12]}",
        " train.py | 2 +-",
        " 1 file changed, 1 insertion(+), 1 deletion(-)",
    ]
    markdown = run(lab.folder, "run 1", "run 2", "calm-owl", "--md").stdout.splitlines()
    assert "| numpy | 1.0 | 2.0 | none |" in markdown
    assert "     train.py | 2 +-" in markdown
    assert f"from {one[:12]} to {COMMIT[:12]}: commit {COMMIT[:8]} isn't in the repository of {lab.folder}" in markdown
    assert "config: conf/config.yaml (run 1, run 2); the params (calm-owl)" in markdown


def test_machines_get_where_runs_come_from(project: tuple[Lab, str, str]) -> None:
    lab, one, two = project
    found = json.loads(run(lab.folder, "run 1", "run 2", "--json").stdout)
    assert [one["config"].split(" (")[0] for one in found["runs"]] == [
        "conf/config.yaml of run 1",
        "conf/config.yaml of run 2",
    ]
    system, packages = found["environment"]
    assert system == {"title": "system", "rows": [{"name": "user", "same": True, "values": ["ana"] * 2}], "note": ""}
    assert packages["rows"][0] == {"name": "numpy", "same": False, "values": ["1.0", "2.0"]}
    assert (packages["title"], packages["note"]) == ("packages", "requirements.txt")
    assert found["code"][0]["rows"] == [{"name": "commit", "same": False, "values": [one, two]}]
    inputs, artifacts = found["data"]
    assert inputs["rows"][0] == {"name": "coco", "same": False, "values": ["digest1", "digest2"]}
    same = {row["name"]: row["same"] for row in artifacts["rows"]}
    assert same == {"conf/config.yaml": False, "note.txt": True, "requirements.txt": False}
    (change,) = found["changes"]
    assert (change["before"], change["after"], change["why"], change["diff_cut"]) == (one, two, None, False)
    assert "-lr = 1\n+lr = 2\n" in change["diff"]
    rows = list(csv.reader(run(lab.folder, "run 1", "run 2", "--csv").stdout.splitlines()))
    assert {len(row) for row in rows} == {5}
    assert ["environment", "numpy", "packages", "1.0", "2.0"] in rows
    assert ["code", "commit", "", one, two] in rows
    assert ["data", "coco", "inputs", "digest1", "digest2"] in rows


def test_diff_says_where_configs_are_from(project: tuple[Lab, str, str]) -> None:
    lab, _, _ = project
    argv = [sys.executable, "-m", "runtower.cli", "diff", "run 1", "calm-owl"]
    done = subprocess.run(argv, cwd=lab.folder, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 10, done.stderr
    assert done.stdout.splitlines()[0].startswith("A  conf/config.yaml of run 1 (")
    assert done.stdout.splitlines()[1].startswith("B  the params of calm-owl (")


def test_one_run_is_not_compared(store: Path) -> None:
    done = run(store.parent, "lr=0.001", "lr=0.001")
    assert done.returncode == 2
    assert "only one run" in done.stderr
    assert run(store.parent, "lr=0.001", "nobody").returncode == 6
