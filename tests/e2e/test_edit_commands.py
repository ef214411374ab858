"""Runs changed by commands, as people and scripts run them: real processes on a store that MLflow wrote."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.faultlink import install

WRITE = """
import sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
for name, user in (("first", "ana"), ("second", "ana"), ("third", "bo")):
    run = client.create_run("0", run_name=name, tags={"mlflow.user": user, "team": "vision"}).info.run_id
    if name != "third":
        client.set_terminated(run)
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("edits") / "mlflow.db"
    subprocess.run([sys.executable, "-c", WRITE, f"sqlite:///{path}"], check=True, capture_output=True)
    return path


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(template.read_bytes())
    return folder


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    known = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent / "home"),
        "LANG": "C.UTF-8",
        "USER": "ana",
        **environ,
    }
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(
        argv, cwd=folder, env=known, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


def column(folder: Path, query: str) -> list[str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return [value for (value,) in connection.execute(query)]


NAMES = "SELECT name FROM runs ORDER BY start_time, name"
TEAMS = "SELECT value FROM tags WHERE key = 'team' ORDER BY value"
DELETED = "SELECT name FROM runs WHERE lifecycle_stage = 'deleted' ORDER BY name"


def test_rename_and_the_log_whose_command_takes_it_back(project: Path) -> None:
    done = run(project, "rename", "first", "best one", "--yes")
    assert (done.returncode, done.stdout) == (0, "renamed first to best one\n")
    assert "best one" in column(project, NAMES)
    assert run(project, "rename", "best one", "first", "--yes").returncode == 0
    (first, second) = json.loads(run(project, "log", "--json").stdout)
    assert (first["outcome"], first["what"], first["before"]) == ("done", "rename first to best one", "first")
    assert second["what"] == "rename best one to first"
    words = shlex.split(first["command"])
    assert words[0] == "runtower"
    assert run(project, *words[1:]).returncode == 0, "the command of the log does the same"
    assert "best one" in column(project, NAMES)
    assert "done" in run(project, "log").stdout


def test_dry_run_and_no_answer_change_nothing(project: Path) -> None:
    dry = run(project, "tag", "first", "team=speech", "--dry-run", "--json")
    (said,) = json.loads(dry.stdout)
    assert (dry.returncode, said["outcome"], said["before"], said["after"]) == (0, "planned", "vision", "speech")
    asked = run(project, "delete", "first", "--json")
    assert (asked.returncode, asked.stdout, json.loads(asked.stderr)["error"]) == (2, "", "invalid")
    assert column(project, TEAMS) == ["vision"] * 3
    assert column(project, DELETED) == []
    assert run(project, "log", "--json").stdout == "[]\n"


@pytest.mark.long
def test_tags_are_set_and_taken_away(project: Path) -> None:
    assert run(project, "tag", "first", "team=a=b", "--yes").returncode == 0
    assert run(project, "tag", "second", "team", "--delete", "--yes").returncode == 0
    assert column(project, TEAMS) == ["a=b", "vision"]
    assert run(project, "tag", "first", "team=a=b", "--yes").returncode == 0, "already so"
    assert run(project, "tag", "first", "team", "--yes").returncode == 2
    assert run(project, "tag", "first", "team=x", "--delete", "--yes").returncode == 2


@pytest.mark.long
def test_exit_codes(project: Path) -> None:
    for words, code in (
        (("rename", "first", "x", "--read-only", "--yes"), 5),
        (("--read-only", "rename", "first", "x", "--yes"), 5),
        (("rename", "nobody", "x", "--yes"), 6),
        (("rename", "0" * 32, "x", "--yes"), 6),
        (("rename", "first", "x", "--if", "other", "--yes"), 7),
        (("tag", "first", "team=x", "--if-none", "--yes"), 7),
        (("mark-killed", "first", "--yes"), 7),
    ):
        done = run(project, *words, "--json")
        assert done.returncode == code, (words, done.stderr)
        assert json.loads(done.stderr)["exit_code"] == code
    assert run(project, "rename", "first", "x", "--yes", RUNTOWER_READ_ONLY="true").returncode == 5
    assert sorted(column(project, NAMES)) == ["first", "second", "third"]


@pytest.mark.long
def test_several_are_deleted_and_restored_and_some_may_be_refused(project: Path) -> None:
    both = run(project, "delete", "first", "second", "--yes", "--json")
    assert (both.returncode, [one["outcome"] for one in json.loads(both.stdout)]) == (0, ["done", "done"])
    assert column(project, DELETED) == ["first", "second"]
    assert run(project, "restore", "first", "--yes").returncode == 0
    assert column(project, DELETED) == ["second"]
    with closing(sqlite3.connect(project / "mlflow.db")) as connection, connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE UPDATE ON runs WHEN old.name = 'third' BEGIN SELECT RAISE(ABORT, 'not this'); END"
        )
    some = run(project, "delete", "first", "third", "--yes", "--json")
    assert [one["outcome"] for one in json.loads(some.stdout)] == ["done", "refused"]
    assert (some.returncode, json.loads(some.stderr)["error"]) == (9, "partly_done")
    assert column(project, DELETED) == ["first", "second"]


def test_a_lost_run_is_marked_killed(project: Path) -> None:
    done = run(project, "mark-killed", "third", "--yes")
    assert (done.returncode, done.stdout) == (0, "marked third KILLED\n")
    assert column(project, "SELECT status FROM runs WHERE name = 'third'") == ["KILLED"]
    assert run(project, "mark-killed", "third", "--yes").returncode == 0, "already so"


def test_folders_of_csvlogger_arent_changed(project: Path) -> None:
    version = project / "lightning_logs" / "version_0"
    version.mkdir(parents=True)
    (version / "metrics.csv").write_text("step,loss\n0,1\n")
    done = run(project, "rename", "version_0", "x", "--yes", "--tracking-uri", "lightning_logs")
    assert (done.returncode, done.stdout) == (5, "")
    assert "csvlogger" in done.stderr


def test_an_outcome_that_isnt_known_has_a_code_of_its_own(project: Path) -> None:
    control = project / "control"
    control.mkdir()
    (control / "name").write_text("run-0")
    source = f"{{kind: fault, uri: 'rows:1', options: {{control: {control}}}}}"
    (project / "runtower.yaml").write_text(f"sources: {{fault: {source}}}\n")
    path = install(project.parent / "site")
    assert run(project, "trust", "--yes").returncode == 0, "a kind that another package brings"
    done = run(project, "rename", "id0", "silence", "--yes", "--json", PYTHONPATH=path)
    assert (done.returncode, json.loads(done.stderr)["error"]) == (8, "unknown")
    assert [one["outcome"] for one in json.loads(run(project, "log", "--json").stdout)] == ["unknown"]
