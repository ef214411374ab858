"""What can be done with a run of DVC's, and which `dvc` does it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runtower.acts.dvc_acts import Act, acts_on, dirty_files, git_remotes, wrong_text
from runtower.acts.repro import WAYS, check_free, command_of, last_of, program
from runtower.domain.errors import Conflict, NotFound
from runtower.domain.jobs import Job, JobState, Where


def commands(run_id: str, status: str = "FINISHED", remotes: tuple[str, ...] = ()) -> list[str]:
    return [" ".join(act.words) for act in acts_on(run_id, "one", status, list(remotes))]


def test_what_is_offered_depends_on_what_the_run_is() -> None:
    assert commands("exp:one@abc", remotes=("origin",)) == [
        "exp apply one", "exp branch one", "exp rename one", "exp push origin one", "exp remove one",
    ]  # fmt: skip
    assert commands("queued:abc", "SCHEDULED") == ["queue start", "queue remove one"]
    assert commands("queued:abc", "RUNNING") == ["queue kill one", "queue kill --force one"]
    assert commands("queued:abc", "FAILED") == ["queue remove one"]
    assert commands("workspace")[0] == "exp run"
    assert commands("commit:abc") == []


@pytest.mark.parametrize(
    ("asks", "text", "is_wrong"),
    [
        ("its new name", "one-2.b", False),
        ("its new name", "--force", True),
        ("its new name", "a b", True),
        ("its new name", "", True),
        ("as train.lr=0.01", "lr=1", False),
        ("as train.lr=0.01", "lr", True),
        ("as train.lr=0.01", "--queue=1", True),
    ],
)
def test_what_is_typed_is_never_an_option(asks: str, text: str, is_wrong: bool) -> None:
    assert bool(wrong_text(Act("x", "x", (), asks), text)) is is_wrong


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_projects_own_dvc_goes_before_that_of_the_path(tmp_path: Path) -> None:
    on_path, own = executable(tmp_path / "bin/dvc"), executable(tmp_path / "project/.venv/bin/dvc")
    active = executable(tmp_path / "active/bin/dvc")
    environ = {"PATH": str(on_path.parent)}
    assert program(tmp_path / "project", environ | {"VIRTUAL_ENV": str(tmp_path / "active")}) == str(active)
    assert program(tmp_path / "project", environ) == str(own)
    assert program(tmp_path, environ) == str(on_path)


def test_without_any_dvc_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(NotFound, match="No dvc was found"):
        program(tmp_path, {"PATH": ""})


def test_each_way_is_a_command(tmp_path: Path) -> None:
    environ = {"PATH": str(executable(tmp_path / "bin/dvc").parent)}
    told = {way.id: command_of(way, "a@b", tmp_path, environ)[1:] for way in WAYS}
    assert told["one"] == ["repro", "a@b"]
    assert told["force"] == ["repro", "--single-item", "--force", "a@b"]
    assert told["all"] == ["repro"]


def job(name: str, state: JobState, folder: str, *command: str, at: float = 0.0) -> Job:
    return Job(name, Where.LOCAL, state, "x", command=command, folder=folder, queued_ms=at)


def test_one_dvc_of_ours_at_a_time_in_a_project() -> None:
    jobs = [
        job("j1", JobState.OK, "/p", "/bin/dvc", "repro", at=1),
        job("j2", JobState.RUN, "/q", "/bin/dvc", "push", at=2),
        job("j3", JobState.RUN, "/p", "python", "dvc", at=3),
    ]
    check_free(jobs, Path("/p"))
    assert last_of(jobs, Path("/p")) == jobs[0]
    assert last_of(jobs, Path("/r")) is None
    with pytest.raises(Conflict, match=r"j2 \(push\) is at work"):
        check_free(jobs, Path("/q"))


def test_what_git_says_of_a_folder(tmp_path: Path) -> None:
    assert (dirty_files(tmp_path), git_remotes(tmp_path)) == ([], [])
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.txt").write_text("1")
    words = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*words, "add", "a.txt"], check=True)
    subprocess.run([*words, "commit", "-q", "-m", "one"], check=True, env=os.environ)
    subprocess.run([*words, "remote", "add", "up", "http://127.0.0.1:9/x"], check=True)
    assert (dirty_files(tmp_path), git_remotes(tmp_path)) == ([], ["up"])
    (tmp_path / "a.txt").write_text("2")
    (tmp_path / "new.txt").write_text("2")
    assert dirty_files(tmp_path) == ["a.txt"]
