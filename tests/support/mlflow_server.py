"""A real `mlflow server` on this machine, over an SQLite file that can be set back to a template."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_READY = "Uvicorn running on"  # after the application's startup the port is still to be opened


@dataclass(frozen=True)
class Server:
    """`db` is the file behind `url`."""

    url: str
    db: Path

    def set_back(self, template: Path) -> None:
        """Fill the store with that of another file, under the eyes of the server."""
        with closing(sqlite3.connect(template)) as source, closing(sqlite3.connect(self.db, timeout=20)) as target:
            source.backup(target)


@contextmanager
def serving(db: Path, *arguments: str, backend: str = "") -> Iterator[Server]:
    """A server while the block runs; it takes some seconds to start. `backend`: the database behind it, '' for `db`."""
    port = free_port()
    store = backend or f"sqlite:///{db}"
    argv = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--workers", "1"]
    environ = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(
        [*argv, "--host", "127.0.0.1", "--port", str(port), *arguments],
        cwd=db.parent,
        env=environ,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    log = db.parent / "server.log"
    try:
        with log.open("w") as out:
            for line in process.stderr:
                out.write(line)
                if _READY in line:
                    break
            else:
                raise AssertionError(f"the server didn't start: {log.read_text()}")
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        try:
            yield Server(f"http://127.0.0.1:{port}", db)
        finally:
            drain.kill()
            drain.wait()
    finally:
        os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
