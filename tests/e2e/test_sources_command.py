"""`runtower sources` as people and scripts run it: real processes, a real little server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fault_server import FaultServer, a_run, faulty
from support.mlflow_server import free_port
from support.pty_program import Program


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(number) for number in range(3)]) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    version = tmp_path / "project" / "lightning_logs" / "version_0"
    version.mkdir(parents=True)
    (version / "metrics.csv").write_text("step,val_loss\n0,2.0\n")
    (tmp_path / "project" / ".git").mkdir()
    return tmp_path / "project"


def run(folder: Path, *words: str, typed: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **environ}
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(argv, cwd=folder, env=known, capture_output=True, text=True, timeout=90, input=typed)


def listed(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    return {one["source"]: one for one in json.loads(done.stdout)}


def test_every_source_is_told_with_where_it_is_named(project: Path, server: FaultServer, home: Path) -> None:
    own = home / ".config" / "runtower"
    own.mkdir(parents=True)
    (own / "settings.yaml").write_text(
        f"sources: {{team: {{uri: 'http://me:hush@{server.url[7:]}', read_only: true}}}}\n"
    )
    (project / "runtower.yaml").write_text("sources: {logs: {uri: lightning_logs}}\n")
    done = run(project, "sources", "--json", XDG_CONFIG_HOME=str(home / ".config"))
    assert (done.returncode, done.stderr) == (0, "")
    known = listed(done)
    assert {name: (one["kind"], one["runs"], one["experiments"]) for name, one in known.items()} == {
        "team": ("mlflow", 3, 1),
        "logs": ("csvlogger", 1, 1),
    }
    team = known["team"]
    assert (team["address"], team["read_only"], team["answers"], team["trusted"]) == (server.url, True, True, True)
    assert (team["how"], team["defined"]) == ("REST, MLflow 9.9.9", str(own / "settings.yaml"))
    assert 0 < team["round_trip_ms"] < 10_000  # type: ignore[operator]
    assert known["logs"]["defined"] == str(project / "runtower.yaml")
    assert known["logs"]["round_trip_ms"] is None
    plain = run(project, "sources", XDG_CONFIG_HOME=str(home / ".config")).stdout.splitlines()
    assert plain[1].split()[:5] == ["team", "(read-only)", "mlflow", "yes", "3"]
    assert "hush" not in done.stdout + "".join(plain)


def test_the_first_that_doesnt_answer_decides_the_exit_code(project: Path) -> None:
    port = free_port()
    done = run(project, "sources", "--json", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{port}")
    assert done.returncode == 4
    dead, logs = listed(done)["mlflow"], listed(done)["csv"]
    assert (dead["answers"], dead["runs"], dead["defined"]) == (False, None, "MLFLOW_TRACKING_URI")
    assert (logs["answers"], logs["defined"]) == (True, "found in the folder")
    said = json.loads(done.stderr)
    assert said["error"] == "unreachable"
    assert said["tried"].startswith("mlflow: ")
    only = run(project, "sources", "--source", "csv", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{port}")
    assert only.returncode == 0


def test_the_screen_opens_only_the_source_that_was_asked_for(project: Path, tmp_path: Path) -> None:
    for name, loss in (("old", "3.5"), ("new", "4.5")):
        version = project / name / "version_0"
        version.mkdir(parents=True)
        (version / "metrics.csv").write_text(f"step,val_loss\n0,{loss}\n")
    (project / "runtower.yaml").write_text("sources: {a: {uri: old}, b: {uri: new}}\n")
    done = run(project, "--source", "c")
    assert (done.returncode, done.stderr) == (6, "runtower: There is no source 'c'. Sources here: a, b.\n")
    assert run(project, "--source").returncode == 2
    with Program(project, "--source", "b") as program:
        program.paints("● b")
        program.press("q")
        program.ends()


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "sources")
    assert (done.returncode, done.stdout) == (6, "")
    assert "runtower sources add NAME URI" in done.stderr
