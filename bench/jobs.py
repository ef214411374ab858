"""What jobs and joins cost: supervisors, a queue whose keepers are killed, 1,000 processes and 10,000 output folders, a
log of 10 GB."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from measures import SMALL, Bench, Figures, Home, at_rest, home
from terminal import cpu, first_frame, pss

from runtower.acts.box import Box
from runtower.acts.joins import Joins
from runtower.acts.tower import Tower
from runtower.catalog.encoding import encode
from runtower.catalog.segment import Segment
from runtower.domain import runs
from runtower.domain.jobs import Job, JobState
from runtower.domain.links import Relation
from runtower.folders import Folders
from runtower.jobs.local import LocalJobs
from runtower.jobs.queueing import Queue, Request
from runtower.settings import JobSettings
from runtower.sources.port import Delta, Texts

_JOBS = 200
_PROCESSES = 1_000
_OUTPUTS = 10_000
_A_DAY = 100
_LOG = 10_000_000_000
_TEXT = 8_000_000  # so much of the log has words in it, the rest is a hole in the file
_PATIENCE = 600.0


def _queue(where: Home) -> Queue:
    return Queue(Folders.of(where.environ).jobs)


def _add(queue: Queue, where: Home, *command: str, at_once: int = 4, now: bool = False) -> str:
    return queue.add(Request(command, where.folder, where.environ, now=now), JobSettings(at_once=at_once))


def _await(look: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
    until = time.perf_counter() + patience
    while not look():
        if time.perf_counter() > until:
            raise TimeoutError(what)
        time.sleep(0.05)


def _jobs(queue: Queue) -> list[Job]:
    return LocalJobs(queue).lap()


def job_supervisor(bench: Bench) -> Figures:
    """Memory of a job's supervisor, and its CPU in a minute."""
    figures: Figures = {"rss_mb": [], "pss_mb": [], "cpu_ms_per_minute": []}
    with home() as where:
        queue = _queue(where)
        for _ in bench.times(4):
            _add(queue, where, "/bin/sleep", "1000", now=True)
        _await(lambda: all(job.pid for job in _jobs(queue)), "not all jobs began")
        commands = [job.pid for job in _jobs(queue)]
        supervisors = [_parent(pid) for pid in commands]
        time.sleep(2.0)
        before = [cpu(pid) for pid in supervisors]
        time.sleep(60.0)
        figures["cpu_ms_per_minute"] = [(cpu(pid) - then) * 1000 for pid, then in zip(supervisors, before, strict=True)]
        figures["rss_mb"] = [_rss(pid) for pid in supervisors]
        figures["pss_mb"] = [pss(pid) for pid in supervisors]
        for pid in commands:
            os.kill(pid, signal.SIGKILL)
        _await(lambda: all(job.state.is_over for job in _jobs(queue)), "not all ended")
    return figures


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def _rss(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1000


def job_kills(bench: Bench) -> Figures:
    """200 queued jobs; runtower, the queue's keepers and, every other time, two supervisors are killed (KILL) at random
    times, until all is over."""
    dice, kills, supervisors = random.Random(7), 0, 0
    with home() as where:
        queue, ran = _queue(where), where.folder / "ran"
        for number in range(_JOBS):
            _add(queue, where, "/bin/sh", "-c", f"echo {number} >> {ran}; sleep 0.5", at_once=6)
        while not all(job.state.is_over for job in _jobs(queue)):
            with where.open(bench.store(SMALL)) as screen:
                screen.await_words("runtower", 30)
                screen.press(b"5")
                screen.listen(0.1 + dice.random())
                some = (
                    dice.sample(found, min(2, len(found))) if kills % 2 and (found := _of(queue, "supervisor")) else []
                )
                for pid in [screen.pid, *_of(queue, "keeper"), *some]:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                kills, supervisors = kills + 1, supervisors + len(some)
        jobs, counts = _jobs(queue), [0] * _JOBS
        for word in ran.read_text().split():
            counts[int(word)] += 1
    neither = [
        job
        for job in jobs
        if job.state is not JobState.LOST and (job.state, counts[int(job.id[1:]) - 1]) != (JobState.OK, 1)
    ]
    return {
        "twice": [sum(count > 1 for count in counts)],
        "neither": [len(neither)],
        "lost": [sum(job.state is JobState.LOST for job in jobs)],
        "kills": [kills],
        "supervisors": [supervisors],
    }


def _of(queue: Queue, program: str) -> list[int]:
    """The processes of this queue that run `keeper.py` or `supervisor.py`."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            with suppress(OSError):
                words = Path(f"/proc/{entry}/cmdline").read_bytes()
                if f"{program}.py".encode() in words and str(queue.folder).encode() in words:
                    found.append(int(entry))
    return found


def joins(bench: Bench) -> Figures:
    """1,000 runs with a process and a Hydra folder each, among 10,000 folders: from the start of the process that looks
    to the links of all runs; then its CPU while it watches, and how soon a new folder is known."""
    figures: Figures = {"found_s": [], "links_ms": [], "watch_percent": [], "new_s": [], "looks_mb": []}
    with home() as where:
        project = where.folder / "project"
        outputs = [project / f"outputs/day-{n // _A_DAY:03d}/{n % _A_DAY:02d}" for n in range(_OUTPUTS)]
        for folder in outputs:
            (folder / ".hydra").mkdir(parents=True)
            (folder / "train.log").touch()
        with _processes(outputs[:: _OUTPUTS // _PROCESSES]) as pids:
            for _ in bench.times(5):
                asyncio.run(_joined(where, project, pids, figures))
    return figures


@contextmanager
def _processes(folders: list[Path]) -> Iterator[list[int]]:
    """One in each folder, told its run's id."""
    found = []
    try:
        for number, folder in enumerate(folders):
            environ = {"MLFLOW_RUN_ID": f"{number:032x}"}
            found.append(os.posix_spawn("/bin/sh", ["sh", "-c", f"cd {folder} && exec /bin/sleep 10000"], environ))
        time.sleep(3.0)
        yield found
    finally:
        for pid in found:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


async def _joined(where: Home, project: Path, pids: list[int], figures: Figures) -> None:
    tower = _tower(len(pids))
    box = Box(Folders.of(where.environ), project, lambda: None)
    found = Joins(tower, box)
    start = time.perf_counter()
    end = box.watch("jobs")
    mine = set(pids)
    while len(mine & box.processes.keys()) < len(pids) or len(box.folders) < _OUTPUTS:
        await asyncio.sleep(0.002)
        if time.perf_counter() - start > 60:
            raise TimeoutError(f"{len(box.processes)} processes and {len(box.folders)} folders were found")
    told = time.perf_counter()
    links = [{link.relation for link in found.of_run(row)} for row in range(len(pids))]
    done = time.perf_counter()
    assert all({Relation.PROCESS, Relation.FOLDER} <= one for one in links)
    figures["found_s"].append(done - start)
    figures["links_ms"].append((done - told) * 1000)
    end()
    await asyncio.sleep(8.0)  # processes are read twice
    assert box.pid is not None
    before = cpu(box.pid)
    await asyncio.sleep(30.0)
    figures["watch_percent"].append((cpu(box.pid) - before) / 0.3)
    figures["looks_mb"].append(pss(box.pid))
    end = box.watch("jobs")
    await asyncio.sleep(2.0)
    new = project / f"outputs/new-{len(figures['new_s'])}"
    (new / ".hydra").mkdir(parents=True)
    start = time.perf_counter()
    while str(new) not in box.folders:  # noqa: ASYNC110  what tells is another process
        await asyncio.sleep(0.01)
    figures["new_s"].append(time.perf_counter() - start)
    end()
    box.close()


def _tower(count: int) -> Tower:
    tower = Tower([], [])
    tower.catalogue.source("lab")
    rows = np.arange(count, dtype=np.int32)
    cells = [
        Texts(*runs.STATUS, rows, ["RUNNING"] * count),
        Texts(*runs.SOURCE_NAME, rows, ["train.py"] * count),
    ]
    delta = Delta([f"{number:032x}" for number in range(count)], cells, b"")
    tower.catalogue.add(0, 1, Segment.read(encode(delta, rows)))
    return tower


def job_log(bench: Bench) -> Figures:
    """The log of a job, 10 GB of it: key to its first screen, and what memory it takes more."""
    figures: Figures = {"first_ms": [], "more_mb": []}
    line = b"epoch %07d  train/loss 0.1234  val/loss 0.2345\n"
    with home() as where:
        queue = _queue(where)
        name = _add(queue, where, "/bin/sleep", "1000")
        _await(lambda: _jobs(queue)[0].pid > 0, "the job never began")
        job = _jobs(queue)[0]
        with open(job.log, "wb") as log:
            log.truncate(_LOG - _TEXT)
            log.seek(0, os.SEEK_END)
            log.write(b"".join(line % number for number in range(_TEXT // len(line % 0))) + b"saving\n")
        last = f"{_TEXT // len(line % 0) - 1:07d}"
        for _ in bench.times(5):
            with where.open(bench.store(SMALL)) as screen:
                screen.await_words("2,000 runs", 60)
                screen.press(b"5")
                screen.await_words(name, 30)
                at_rest(screen)
                before = pss(screen.pid)
                sent = screen.press(b"L")
                screen.await_words(last, 30)
                screen.quiet(0.3, 3)
                shown = first_frame(screen.chunks, lambda lines: any(last in line for line in lines))
                if shown is None or shown < sent:
                    raise TimeoutError("the log was never shown")
                at_rest(screen)
                figures["first_ms"].append((shown - sent) * 1000)
                figures["more_mb"].append(pss(screen.pid) - before)
        os.kill(job.pid, signal.SIGKILL)
        _await(lambda: _jobs(queue)[0].state.is_over, "the job never ended")
    return figures


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    one.__name__: one for one in (job_supervisor, job_kills, joins, job_log)
}
