"""A laptop that sleeps while runtower watches a server: terminal and source stand still, the server doesn't."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from support.fault_proxy import proxied
from support.mlflow_server import Server
from support.pty_program import Program, processes_about

# Longer than a connection is kept, than a silence is called one, and than a process may hang.
ASLEEP = 17.0


@contextmanager
def asleep(pids: list[int]) -> Iterator[None]:
    """These processes stand still for the length of the block, and for as long as it takes to matter."""
    until = time.monotonic() + ASLEEP
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
        time.sleep(max(0.0, until - time.monotonic()))  # the time that passes is what is tried
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_rows_are_there_at_once_and_new_ones_come_by_themselves(served: Server, tmp_path: Path) -> None:
    client = MlflowClient(served.url)
    experiment = client.create_experiment("night")
    running = client.create_run(experiment, run_name="training").info.run_id
    with proxied(served.url) as proxy, Program(tmp_path, proxy.url) as program:
        program.paints("training")
        source = [pid for pid in processes_about("runtower.link.host") if _parent(pid) == program.pid]
        assert len(source) == 1
        with asleep([program.pid, *source]):
            proxy.cut()
            client.set_terminated(running, "FAILED")
            client.create_run(experiment, run_name="morning")
        program.paints("fail")
        program.press("r")
        program.paints("morning")
        assert [pid for pid in processes_about("runtower.link.host") if _parent(pid) == program.pid] == source
        program.press("q")
        program.ends()
        assert program.exit_code == 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
