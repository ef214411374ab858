"""`dvc` as a person and a script use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.dvc_projects import RealProject, WrittenProject, live_files


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stages of which one is stale, and one was never run."""
    made = RealProject(tmp_path_factory.mktemp("dvc") / "project")
    stages = "stages:\n  train:\n    cmd: echo x > model.txt\n    params: [lr]\n    outs: [model.txt]\n"
    made.write({"dvc.yaml": stages, "params.yaml": "lr: 0.1\n"})
    made.dvc("repro", "-q")
    made.write({"params.yaml": "lr: 0.2\n"})
    test = "  test:\n    cmd: cp model.txt out.txt\n    deps: [model.txt]\n    outs: [out.txt]\n"
    made.write({"dvc.yaml": f"{stages}{test}"})
    return made.folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "LANG": "C.UTF-8"}
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_stages_why_and_status(project: Path) -> None:
    told = run(project, "dvc", "stages")
    assert told.returncode == 0, told.stderr
    assert [line.split()[:2] for line in told.stdout.splitlines()] == [
        ["stage", "state"],
        ["train", "changed"],
        ["test", "never"],
    ]
    assert run(project, "dvc", "why", "train").stdout == "train changed\n  params.yaml lr 0.1 -> 0.2\n"
    assert run(project, "dvc", "status").stdout == "2 stages, 1 changed, 1 never run\n"
    found = json.loads(run(project, "dvc", "stages", "--json").stdout)
    assert found[0]["why"] == [{"kind": "param", "what": "params.yaml lr", "old": "0.1", "new": "0.2"}]
    assert json.loads(run(project, "dvc", "status", "--json").stdout)["states"] == {"changed": 1, "never run": 1}


def test_what_is_not_there_is_said(project: Path, tmp_path: Path) -> None:
    done = run(project, "dvc", "why", "nope")
    assert (done.returncode, done.stderr) == (6, "runtower: There is no stage 'nope'. Stages here: train, test.\n")
    done = run(tmp_path, "dvc", "status")
    assert (done.returncode, "There is no DVC project here." in done.stderr) == (6, True)


def test_experiments_are_listed_sorted_and_compared(tmp_path: Path) -> None:
    made = WrittenProject(tmp_path / "project")
    for number, name in enumerate(("low", "high")):
        made.experiment(name, live_files(name, [(0, {"loss": number + 0.5})]), number)
    told = run(made.folder, "dvc", "experiments", "--where", "loss > 0", "--sort", "loss", "--columns", "name,loss")
    assert told.returncode == 0, told.stderr
    assert [line.split() for line in told.stdout.splitlines()] == [["name", "loss"], ["low", "0.5"], ["high", "1.5"]]
    found = json.loads(run(made.folder, "runs", "--where", "loss > 1", "--json").stdout)
    assert [one["run_id"] for one in found] == [f"exp:high@{made.baseline}"]
    diff = run(made.folder, "diff", "exp:low", "exp:high")
    assert diff.stdout.splitlines()[2].split() == ["name", "low", "->", "high"], diff.stderr
