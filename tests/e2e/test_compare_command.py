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
from support.labstore import COMMIT, add_run, changing, id_of, put_metric
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
    nothing = {"at": None, "at_step": None, "delta": None, "direction": None, "leads": False}
    assert loss["values"][0] == {"last": 0.2207, "best": 0.125, **nothing}
    assert loss["values"][1] == {"last": None, "best": None, **nothing}
    assert (found["step"], found["groups"]) == (None, [[0], [1], [2]])
    assert loss["groups"][2]["delta"] == pytest.approx(-0.0093)
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


@pytest.fixture
def seeds(store: Path) -> Path:
    """Three runs of one config and two of another one, each with a seed of its own, logged to step 3."""
    runs = {"v1": ("0.1", 0.5), "v2": ("0.1", 0.6), "v3": ("1e-1", 0.7), "w1": ("0.2", 0.61), "w2": ("0.2", 0.63)}
    for number, (name, (lr, loss)) in enumerate(runs.items()):
        run_id = add_run(store, name, metrics=False)
        with changing(store) as connection:
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [("lr", lr, run_id), ("seed", str(number), run_id)],
            )
            for step in range(4):
                put_metric(connection, run_id, "val_loss", loss + (3 - step), step, 1_000 + step)
    return store


def test_seeds_are_taken_together(seeds: Path) -> None:
    done = run(seeds.parent, "v1", "w1", "v2", "w2", "v3", "pure-gnat", "--seeds")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[:4] == [
        "                v1 and 2 more    w1 and 1 more                     pure-gnat",
        "val_loss        0.60 ± 0.10 n 3  0.620 ± 0.014 n 2                 0.2391 n 1, no spread best",
        "val_loss delta                   +0.020 ± 0.059 within the spread  -0.3609, no spread",
        "val_loss min    0.60 ± 0.10      0.620 ± 0.014                     0.2391",
    ]
    at = lines.index("A delta that isn't larger is within the spread.")
    assert lines[at - 1 : at + 1] == [
        "± is the sample standard deviation over the n runs of a column, of a delta sqrt(s1²/n1 + s2²/n2).",
        "A delta that isn't larger is within the spread.",
    ]
    alone = run(seeds.parent, "v1", "v2", "w1")
    assert "\nSome of the runs differ only in what is ignored: --seeds" in alone.stdout
    md = run(seeds.parent, "v1", "v2", "w1", "w2", "--seeds", "--md").stdout.splitlines()
    assert md[0] == "|  | v1 and 1 more | w1 and 1 more |"
    assert "| val_loss delta |  | +0.070 ± 0.051 worse |" in md


def test_machines_get_the_groups(seeds: Path) -> None:
    found = json.loads(run(seeds.parent, "v1", "w1", "v2", "w2", "v3", "--json").stdout)
    assert found["groups"] == [[0, 2, 4], [1, 3]]
    first, other = found["metrics"][0]["groups"]
    assert (first["count"], first["mean"], first["std"]) == (3, pytest.approx(0.6), pytest.approx(0.1))
    assert (first["delta"], first["error"], first["beyond"]) == (None, None, None)
    assert other["error"] == pytest.approx((0.1**2 / 3 + 0.0002 / 2) ** 0.5)
    assert (other["beyond"], other["direction"]) == (False, "worse")
    rows = list(csv.reader(run(seeds.parent, "v1", "w1", "v2", "--seeds", "--csv").stdout.splitlines()))
    assert rows[0] == ["kind", "key", "figure", "v1 and 1 more", "w1"]
    figures = {row[2]: row[3:] for row in rows if row[:2] == ["metric", "val_loss"]}
    assert (figures["count"], figures["error"], figures["beyond"]) == (["2", "1"], ["", ""], ["", ""])
    assert float(figures["mean"][0]) == pytest.approx(0.55)
    assert ["param", "lr", "", "0.1", "0.2"] in rows


def test_metrics_at_a_step_or_the_nearest_before_it(seeds: Path) -> None:
    late = add_run(seeds, "late", metrics=False)
    with changing(seeds) as connection:
        put_metric(connection, late, "val_loss", 9.0, 8, 1_000)
    lines = run(seeds.parent, "v1", "w1", "late", "calm-owl", "--step", "1").stdout.splitlines()
    assert lines[1].split("  ")[0] == "val_loss at 1"
    assert [cell.strip() for cell in lines[1].split("  ") if cell.strip()][1:] == [
        "2.5 best",
        "2.61 +0.11 worse",
        "not yet logged",
        "3.436363 +0.9364 worse",
    ]
    found = json.loads(run(seeds.parent, "v1", "late", "w1", "--step", "5", "--json").stdout)
    assert found["step"] == 5
    values = found["metrics"][0]["values"]
    assert [(one["at"], one["at_step"]) for one in values] == [(0.5, 3), (None, None), (0.61, 3)]
    assert values[2]["delta"] == pytest.approx(0.11)
    assert "0.5 at 3" in run(seeds.parent, "v1", "w1", "--step", "5").stdout
