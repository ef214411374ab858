"""`runtower watch` on a real store, while another writer ends runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.labstore import add_run, bring_to_now, changing, id_of, put_metric

LATE = 60


@pytest.fixture
def store(lab_template: Path, tmp_path: Path) -> Path:
    path = Path(shutil.copy(lab_template, tmp_path / "mlflow.db"))
    bring_to_now(path)
    return path


@contextmanager
def watching(store: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command once it listens."""
    argv = [sys.executable, "-m", "runtower.cli", "watch", "--tracking-uri", str(store), *words]
    environ = {**os.environ, "RUNTOWER_INTERVAL": "0.2", "USER": "ana", "LOGNAME": "ana"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(argv, cwd=store.parent, env=environ, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            said = process.stderr.readline()
            assert "watching" in said, said + process.stderr.read()
            yield process
        finally:
            process.kill()


def ends(store: Path, name: str, status: str) -> None:
    with changing(store) as connection:
        now = int(time.time() * 1000)
        connection.execute("UPDATE runs SET status = ?, end_time = ? WHERE name = ?", (status, now, name))


def test_until_done_with_a_hook_and_json_lines(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "heard.jsonl"
    hook = f"import sys; open({str(out)!r}, 'a').write(sys.stdin.read() + chr(10)); assert sys.argv[1:] == ['-u', '*']"
    words = ("--json", "--until-done", "--where", "user = 'ana'", "--hook", sys.executable, "-c", hook, "-u", "*")
    add_run(store, "theirs", user="bo")
    add_run(store, "second")
    with watching(store, *words) as process:
        run_id, now = id_of(store, "second"), int(time.time() * 1000)
        with changing(store) as connection:
            put_metric(connection, run_id, "val_loss", 0.1, 5, now)
        ends(store, "theirs", "FAILED")
        ends(store, "lr=0.001", "FINISHED")
        first = json.loads(process.stdout.readline())
        ends(store, "second", "FAILED")
        rest, said = process.communicate(timeout=LATE)
        assert (process.returncode, said) == (1, "")
    second = json.loads(rest)
    assert [(one["name"], one["happening"]["what"]) for one in (first, second)] == [
        ("lr=0.001", "finished"),
        ("second", "failed"),
    ]
    assert second["metrics"]["val_loss"] == 0.1
    assert [json.loads(line) for line in out.read_text().splitlines()] == [first, second]


def test_lines_for_people_and_130_at_ctrl_c(store: Path) -> None:
    with watching(store, "--on", "started,failed") as process:
        add_run(store, "fresh\x1b[31m", user="bo")
        assert process.stdout.readline().rstrip().endswith("Z  fresh␛[31m started")
        ends(store, "lr=0.001", "FAILED")
        assert "  lr=0.001 failed after 1h" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=LATE)
        assert (process.returncode, rest, said) == (130, "", "\n")


def test_nothing_runs_so_it_is_done_at_once(store: Path) -> None:
    with watching(store, "--until-done", "--where", "user = 'bo'") as process:
        assert process.communicate(timeout=LATE) == ("", "")
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--on", "failled"), 2, "--on can't hold 'failled'"),
        (("--where", "user = "), 2, "ends"),
        (("--hook",), 2, "--hook has no program after it"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_waited_for(
    store: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    argv = [sys.executable, "-m", "runtower.cli", "watch", "--tracking-uri", str(store), *words]
    done = subprocess.run(argv, cwd=store.parent, capture_output=True, text=True, timeout=LATE)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
