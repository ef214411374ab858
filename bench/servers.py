"""What a tracking server and its clients pay: `mlflow server` over a store of ours, and runtower as its guest."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from measures import (
    MINIMAL,
    PAIR,
    Bench,
    Figures,
    Lines,
    answers,
    compacted,
    cursor_run,
    has_rows,
    home,
    seconds_to,
    until_complete,
)
from stores import Shape
from terminal import Terminal, cpu, family, family_cpu

SHARED = Shape(runs=10_000)
WATCHED = Shape(runs=1_000, running=10)
_STARTS = 60.0
_WINDOW = 300.0
_USERS = 10


@dataclass(frozen=True)
class Served:
    url: str
    port: int
    pid: int

    def newest(self) -> float:
        """Seconds that one request by hand for the newest 100 runs takes."""
        question = {"experiment_ids": ["1"], "max_results": 100, "order_by": ["attributes.start_time DESC"]}
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        began = time.perf_counter()
        connection.request(
            "POST", "/api/2.0/mlflow/runs/search", json.dumps(question), {"Content-Type": "application/json"}
        )
        found = json.loads(connection.getresponse().read())["runs"]
        took = time.perf_counter() - began
        connection.close()
        assert len(found) == 100
        return took


@contextmanager
def served(store: Path) -> Iterator[Served]:
    """A default server with one worker over a store of at least 100 runs, warm."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{store}", "--workers", "1"]
    environ = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(
        [*argv, "--host", "127.0.0.1", "--port", str(port)],
        env=environ,
        cwd=store.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    here = Served(f"http://127.0.0.1:{port}", port, process.pid)
    try:
        _await(port)
        for _ in range(3):
            here.newest()
        yield here
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(port: int) -> None:
    until = time.perf_counter() + _STARTS
    while time.perf_counter() < until:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("mlflow server didn't start")


def rest_first_rows(bench: Bench) -> Figures:
    """From the start to the first rows of a warm server with 10,000 runs, beside one request by hand."""
    figures: Figures = {"first_s": [], "request_s": [], "more_s": [], "server_s": []}
    with served(bench.store(SHARED)) as server:
        for _ in bench.times(7):
            request = min(server.newest() for _ in range(3))
            before = family_cpu(server.pid)
            with home() as where, where.open(server.url) as screen:
                screen.await_words("run-", 60)
                figures["server_s"].append(family_cpu(server.pid) - before)
                screen.quiet(0.3, 3)
                first = seconds_to(screen, has_rows)
            figures["first_s"].append(first)
            figures["request_s"].append(request)
            figures["more_s"].append(first - 1.2 * request)
    return figures


def rest_sync(bench: Bench) -> Figures:
    """A server's 10,000 runs, read whole: CPU of the source's process (its start too), the terminal and the server."""
    figures: Figures = {"source_per_1000_s": [], "terminal_per_1000_s": [], "server_per_1000_s": [], "all_s": []}
    thousands = SHARED.runs / 1000
    with served(bench.store(SHARED)) as server:
        for _ in bench.times(2):
            with home() as where, where.open(server.url) as screen:
                before = family_cpu(server.pid)
                until_complete(screen, SHARED.runs, patience=900)
                figures["all_s"].append(time.perf_counter() - screen.started)
                figures["source_per_1000_s"].append(sum(cpu(pid) for pid in family(screen.pid)[1:]) / thousands)
                figures["terminal_per_1000_s"].append(cpu(screen.pid) / thousands)
                figures["server_per_1000_s"].append((family_cpu(server.pid) - before) / thousands)
    return figures


def rest_sync_pair(bench: Bench) -> Figures:
    """MlflowClient paging 3,000 runs of the same server, 1,000 a page: its CPU per 1,000, without its import."""
    samples = []
    with served(bench.store(SHARED)) as server, home() as where:
        for _ in bench.times(3):
            argv = [*PAIR, "cpu", server.url, "3"]
            said = subprocess.run(argv, check=True, capture_output=True, text=True, env=where.environ).stdout
            samples.append(float(said.split()[-1]) / 3)
    return {"per_1000_s": samples}


def rest_keys(bench: Bench) -> Figures:
    """Key to paint while a server's 10,000 runs are read; the minimal app repaints one line."""
    figures: Figures = {"cursor_ms": [], "minimal_ms": []}
    keys = ([b"j"] * 12 + [b"k"] * 12) * 8

    def reads(lines: Lines) -> bool:
        return "reading" in lines[0]

    with served(bench.store(SHARED)) as server:
        for _ in bench.times(2):
            with home() as where, where.open(server.url) as screen:
                screen.await_words("reading", 60)
                screen.listen(0.6)
                figures["cursor_ms"] += answers(screen, keys, cursor_run, 0.15, 0.1, reads)
        with home() as where, Terminal(MINIMAL, where.environ) as screen:
            screen.await_words("run 0", 30)
            screen.listen(0.5)
            figures["minimal_ms"] = answers(screen, keys, cursor_run, 0.15, 0.1)
    return figures


def rest_watch(bench: Bench) -> Figures:
    """An hour of watching 10 running runs: the server's CPU beyond what it uses alone, and ours."""
    figures: Figures = {"server_percent": [], "ours_percent": []}
    with served(bench.store(WATCHED)) as server:
        time.sleep(5)
        alone = _percent(lambda: family_cpu(server.pid), lambda: time.sleep(20))
        with home() as where, where.open(server.url) as screen:
            until_complete(screen, WATCHED.runs)
            compacted(screen, where)
            for _ in bench.times(12):
                before = family_cpu(screen.pid)
                busy = _percent(lambda: family_cpu(server.pid), lambda: bool(screen.listen(_WINDOW)))
                figures["server_percent"].append(busy - alone)
                figures["ours_percent"].append((family_cpu(screen.pid) - before) / _WINDOW * 100)
    return figures


def rest_users(bench: Bench) -> Figures:
    """Ten people open the same server of 1,000 runs at once, then watch it: the server's CPU for both."""
    figures: Figures = {"start_s": [], "all_s": [], "server_percent": []}
    with served(bench.store(WATCHED)) as server, ExitStack() as opened:
        time.sleep(5)
        alone = _percent(lambda: family_cpu(server.pid), lambda: time.sleep(20))
        began, before = time.perf_counter(), family_cpu(server.pid)
        screens = [opened.enter_context(opened.enter_context(home()).open(server.url)) for _ in range(_USERS)]
        for screen in screens:
            until_complete(screen, WATCHED.runs, patience=900)
        figures["all_s"].append(time.perf_counter() - began)
        figures["start_s"].append(family_cpu(server.pid) - before)
        for _ in bench.times(5):
            busy = _percent(lambda: family_cpu(server.pid), lambda: _listen_to_all(screens, 60))
            figures["server_percent"].append(busy - alone)
    return figures


def _listen_to_all(screens: Sequence[Terminal], seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for screen in screens:
            screen.listen(0.02)


def _percent(used: Callable[[], float], meanwhile: Callable[[], object]) -> float:
    """Share of one core, in percent, that was used meanwhile."""
    before, began = used(), time.perf_counter()
    meanwhile()
    return (used() - before) / (time.perf_counter() - began) * 100


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    measure.__name__: measure
    for measure in (rest_first_rows, rest_sync, rest_sync_pair, rest_keys, rest_watch, rest_users)
}
