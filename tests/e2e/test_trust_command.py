"""A project's file that names a server: a real one that records what it is sent, before and after it is trusted.

`0.0.0.0` reaches this machine and isn't its own name, as a host elsewhere.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fault_server import FaultServer, a_run, faulty

SECRET = "hush"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(number) for number in range(3)]) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, server: FaultServer) -> Path:
    folder = tmp_path / "cloned"
    (folder / ".git").mkdir(parents=True)
    (folder / "runtower.yaml").write_text(f"sources: {{team: {{uri: '{elsewhere(server)}'}}}}\n")
    return folder


def elsewhere(server: FaultServer) -> str:
    return server.url.replace("127.0.0.1", "0.0.0.0")


def run(folder: Path, *words: str, token: str = SECRET) -> subprocess.CompletedProcess[str]:
    known = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    known |= {"MLFLOW_TRACKING_TOKEN": token} if token else {}
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(
        argv, cwd=folder, env=known, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL
    )


def sent(server: FaultServer) -> set[str | None]:
    """Every credential that came."""
    return {headers.get("Authorization") for headers in server.headers}


def test_nothing_is_sent_before_and_all_that_was_named_after(project: Path, server: FaultServer) -> None:
    for words in (("sources",), ("runs", "--json"), ("doctor",), ("tag", "a" * 32, "team=x", "--yes")):
        for token in (SECRET, ""):
            done = run(project, *words, token=token)
            assert done.returncode == (1 if words == ("doctor",) else 5), done
            said = done.stdout + done.stderr
            assert "isn't trusted yet" in said
            assert "runtower trust" in said
    assert server.headers == []
    listed = json.loads(run(project, "sources", "--json").stdout)[0]
    assert (listed["trusted"], listed["answers"], listed["error"]["error"]) == (False, False, "forbidden")

    asked = run(project, "trust")
    assert asked.returncode == 2, "nobody is there to answer"
    assert f"    uri: {elsewhere(server)}" in asked.stdout.splitlines()
    assert "    would be sent: MLFLOW_TRACKING_TOKEN of the environment" in asked.stdout.splitlines()
    assert SECRET not in asked.stdout + asked.stderr
    assert server.headers == []

    assert run(project, "trust", "--yes").returncode == 0
    assert server.headers == [], "trusting asks nobody either"
    done = run(project, "runs", "--json")
    assert (done.returncode, len(json.loads(done.stdout))) == (0, 3)
    assert sent(server) == {f"Bearer {SECRET}"}
    assert json.loads(run(project, "trust", "--list", "--json").stdout)[0]["folder"] == str(project)


@pytest.mark.long
def test_another_server_in_the_file_is_asked_about_again(project: Path, server: FaultServer) -> None:
    assert run(project, "trust", "--yes").returncode == 0
    with faulty([a_run(7)]) as other:
        file = project / "runtower.yaml"
        before = file.stat()
        file.write_text(file.read_text().replace(elsewhere(server), elsewhere(other)))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        assert run(project, "runs").returncode == 5
        assert other.headers == []
        assert run(project, "trust", "--yes").returncode == 0
        assert run(project, "runs").returncode == 0
        assert sent(other) == {f"Bearer {SECRET}"}
        assert run(project, "trust", "--revoke").returncode == 0
        heard = len(other.headers)
        assert run(project, "runs").returncode == 5
        assert len(other.headers) == heard
    assert server.headers == []


def test_this_machine_is_asked_where_it_gets_no_credentials(project: Path, server: FaultServer) -> None:
    (project / "runtower.yaml").write_text(f"sources: {{team: {{uri: '{server.url}'}}}}\n")
    assert run(project, "runs", token=SECRET).returncode == 5
    assert server.headers == []
    assert run(project, "runs", token="").returncode == 0
    assert sent(server) == {None}


def test_a_server_of_the_users_own_is_never_questioned(project: Path, server: FaultServer, home: Path) -> None:
    own = home / ".config" / "runtower"
    own.mkdir(parents=True)
    (project / "runtower.yaml").unlink()
    (own / "settings.yaml").write_text(f"sources: {{team: {{uri: '{elsewhere(server)}'}}}}\n")
    assert run(project, "runs").returncode == 0
    assert run(project, "runs", "--tracking-uri", elsewhere(server)).returncode == 0
    assert sent(server) == {f"Bearer {SECRET}"}
    done = run(project, "trust")
    assert (done.returncode, "nothing needs trust" in done.stdout) == (0, True)


def test_a_source_that_one_adds_oneself_needs_no_further_trust(project: Path, server: FaultServer) -> None:
    (project / "runtower.yaml").unlink()
    assert run(project, "sources", "add", "team", elsewhere(server)).returncode == 0
    assert run(project, "runs", "--source", "team").returncode == 0
    assert run(project, "sources", "add", "team", elsewhere(server)).returncode == 2
    assert run(project, "sources", "remove", "team").returncode == 0
    assert run(project, "sources").returncode == 6


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130), ("", 130)])
def test_somebody_is_asked_and_the_safe_answer_is_no(project: Path, answer: str, code: int) -> None:
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "runtower.cli", "trust"]
    with subprocess.Popen(argv, cwd=project, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as asking:
        os.write(ours, f"{answer}\n".encode())
        assert asking.wait(60) == code
    os.close(ours)
    os.close(theirs)
    assert run(project, "trust").returncode == (0 if answer == "y" else 2)
