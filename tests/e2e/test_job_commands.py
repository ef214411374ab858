"""`launch`, `jobs`, `logs`, `stop` and `gpus` as a person and a script use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import slurm
from support.jobs import a_gpu, gpu_box, until

from runtower.jobs.queueing import Queue
from runtower.jobs.stopping import stop_job

_TRAIN = """
import signal, sys
from mlflow import MlflowClient, set_tracking_uri, start_run, log_metric
set_tracking_uri("sqlite:///mlflow.db")
with start_run(run_name="train"):
    log_metric("loss", 0.5)
    print("logged", flush=True)
    signal.pause()
"""


class Project:
    """A folder, and runtower in it."""

    def __init__(self, folder: Path, more: dict[str, str]) -> None:
        self.folder = folder
        self.state = folder.parent / "state"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder.parent / "home"),
            "XDG_STATE_HOME": str(self.state),
            "LANG": "C.UTF-8",
        } | more

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "runtower.cli", *words]
        return subprocess.run(
            argv, cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def jobs(self) -> dict[str, dict[str, Any]]:
        return {job["id"]: job for job in self.json("jobs")}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, {})
    yield made
    queue = Queue(made.state / "runtower" / "jobs")
    for job in queue.folder.iterdir() if queue.folder.exists() else ():
        try:
            stop_job(job, "KILL", "test")
        except Exception:
            continue


def test_a_training_is_launched_followed_and_stopped_and_its_run_is_killed(project: Project) -> None:
    (project.folder / "train.py").write_text(_TRAIN)
    launched = project.run("launch", "--name", "the first", "--", sys.executable, "train.py")
    assert (launched.returncode, launched.stdout) == (0, "j1 run\n")
    waits = project.run("launch", "--", "true")
    assert waits.stdout == "j2 wait: 1 of 1 at a time are running\n"
    until(lambda: project.jobs()["j1"]["last_line"] == "logged")
    job = project.jobs()["j1"]
    assert (job["state"], job["name"], job["where"]) == ("run", "the first", "local")
    assert project.run("logs", "j1", "-n", "1").stdout == "logged\n"
    refused = project.run("stop", "j1")
    assert (refused.returncode, "Add --yes" in refused.stderr) == (2, True)
    stopped = project.run("stop", "j1", "--yes")
    assert stopped.stdout.splitlines()[0].startswith("j1 kill: ")
    assert stopped.stdout.splitlines()[1:] == ["marked train KILLED"]
    (run,) = project.json("runs")
    assert (run["status"], run["tags"]["runtower.job"].endswith(":j1")) == ("KILLED", True)
    until(lambda: project.jobs()["j2"]["state"] == "ok")
    again = project.run("stop", "j1", "--yes")
    assert (again.returncode, "j1 is over: kill." in again.stderr) == (7, True)


def test_one_that_fails_at_once_says_it_with_the_logs_last_lines(project: Project) -> None:
    done = project.run("launch", "--", sys.executable, "-S", "-c", "import torchh")
    assert done.returncode == 1
    assert done.stdout == "j1 fail\n"
    assert "j1 failed: exit code 1" in done.stderr
    assert "ModuleNotFoundError: No module named 'torchh'" in done.stderr
    listed = project.run("jobs").stdout
    assert "ModuleNotFoundError: No module named 'torchh' (exit code 1)" in listed
    gone = project.run("launch", "--", "no-such-program")
    assert (gone.returncode, "There is no program no-such-program" in gone.stderr) == (1, True)


def test_what_cannot_be_is_refused(project: Project) -> None:
    assert project.run("launch").returncode == 2
    assert project.run("--read-only", "launch", "--", "true").returncode == 5
    assert project.run("stop", "j9", "--yes").returncode == 6
    assert project.run("jobs").stdout == "no jobs; runtower launch -- COMMAND starts one\n"
    assert project.run("jobs", "--json").stdout == "[]\n"


def test_a_log_is_followed_until_its_job_is_over(project: Project) -> None:
    fifo = project.folder / "go"
    os.mkfifo(fifo)
    project.run("launch", "--now", "--name", "f", "--", "sh", "-c", "echo one; cat go; echo two")
    argv = [sys.executable, "-u", "-m", "runtower.cli", "logs", "j1", "-f"]
    with subprocess.Popen(argv, cwd=project.folder, env=project.environ, stdout=subprocess.PIPE, text=True) as follows:
        assert follows.stdout is not None
        assert follows.stdout.readline() == "one\n"
        fifo.write_text("between\n")
        assert follows.stdout.read() == "between\ntwo\n"
        assert follows.wait(30) == 0


def test_gpus_with_who_is_on_them_and_a_machine_without(project: Project, tmp_path: Path) -> None:
    box = gpu_box(tmp_path / "box.json", a_gpu(0, 40, 97, [(os.getpid(), 30 << 30)]), a_gpu(1))
    project.environ |= box
    found = project.json("gpus")
    assert [gpu["memory_used"] for gpu in found["gpus"]] == [40 << 30, 0]
    (process,) = found["gpus"][0]["processes"]
    assert process["command"]
    lines = project.run("gpus").stdout.splitlines()
    assert "97 %" in lines[1]
    assert str(os.getpid()) in lines[1]


@pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "-")
def test_the_same_on_slurm(project: Project, tmp_path: Path) -> None:
    with slurm.running(tmp_path / "slurm") as environ:
        project.environ |= environ
        (project.folder / "train.py").write_text(_TRAIN)
        words = ("--on", "slurm", "--time", "5", "--name", "far", "--", sys.executable, "train.py")
        done = project.run("launch", *words)
        assert done.returncode == 0, done.stderr
        name = done.stdout.split()[0]
        until(lambda: project.jobs()[name]["last_line"] == "logged", seconds=90)
        assert project.run("logs", name).stdout.endswith("logged\n")
        stopped = project.run("stop", name, "--yes", "--signal", "TERM")
        assert stopped.returncode == 0, stopped.stderr
        assert project.jobs()[name]["state"] == "kill"
