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
from support.labstore import add_run, changing, id_of


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
    assert rows[-1] == ["param", "lr", "", "0.001", "0.0003"]


def test_goals_come_from_the_settings_and_names_are_told_apart(store: Path) -> None:
    other = add_run(store, "lr=0.0003", metrics=False)
    (store.parent / "runtower.yaml").write_text("metrics: {val_acc: {goal: min}}\n")
    done = run(store.parent, id_of(store, "lr=0.001"), other[:16], "--md")
    assert done.stdout.splitlines()[0] == "|  | lr=0.001 | lr=0.0003 |"
    first = run(store.parent, "lr=0.001", "calm-owl", "--md").stdout.splitlines()
    assert "| val_acc | 0.928 | 0.31 -0.618 best |" in first


def test_one_run_is_not_compared(store: Path) -> None:
    done = run(store.parent, "lr=0.001", "lr=0.001")
    assert done.returncode == 2
    assert "only one run" in done.stderr
    assert run(store.parent, "lr=0.001", "nobody").returncode == 6
