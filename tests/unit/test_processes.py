"""The processes of this machine that may belong to a run, and what is kept of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.jobs import until

from runtower.jobs.processes import ProcessReader

WAITS = "import sys; print('up', flush=True); sys.stdin.read()"


@contextmanager
def running(*command: str, folder: Path, **environ: str) -> Iterator[int]:
    """A process that waits until this is over."""
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.read(1)
        yield process.pid
    finally:
        process.communicate()


def test_a_process_with_what_names_its_run_and_nothing_else_of_its_environment(tmp_path: Path) -> None:
    words = (sys.executable, "-S", "-c", WAITS, "a b")
    with running(*words, folder=tmp_path, MLFLOW_RUN_ID="abc", SECRET_TOKEN="s3cret") as pid:
        one = ProcessReader().lap()[pid]
        assert (one.command, one.folder, one.group, one.parent) == (words, str(tmp_path), pid, os.getpid())
        assert one.environ == {"MLFLOW_RUN_ID": "abc"}
        assert one.is_ours
        assert abs(one.started_ms - time.time() * 1000) < 60_000
        assert one.start_ticks == int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])


def test_only_what_may_belong_to_a_run_is_told_and_what_is_asked_for(tmp_path: Path) -> None:
    with (
        running("sh", "-c", "echo up; read x", folder=tmp_path) as plain,
        running("sh", "-c", "echo up; read x", folder=tmp_path, WANDB_RUN_ID="w1") as named,
    ):
        reader = ProcessReader()
        found = reader.lap()
        assert plain not in found
        assert found[named].environ == {"WANDB_RUN_ID": "w1"}
        assert reader.lap([plain])[plain].command == ("sh", "-c", "echo up; read x")
    assert named not in reader.lap()


def test_a_process_that_becomes_another_program_is_read_again(tmp_path: Path) -> None:
    code = f"import os, sys; print('up', flush=True); sys.stdin.readline(); os.execv({sys.executable!r}, sys.argv[1:])"
    words = (sys.executable, "-S", "-c", WAITS, "train.py")
    process = subprocess.Popen(
        (sys.executable, "-S", "-c", code, *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.read(1)
        reader = ProcessReader()
        assert reader.lap()[process.pid].command[-1] == "train.py"
        process.stdin.write(b"\n")
        process.stdin.flush()
        until(lambda: reader.lap()[process.pid].command == words, "the new program was never seen", 10)
    finally:
        process.communicate()
