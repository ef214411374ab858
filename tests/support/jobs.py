"""Waiting for other processes, and jobs to wait for."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from runtower.domain.jobs import Job, JobState
from runtower.jobs.local import LocalJobs
from runtower.jobs.queueing import Queue, Request
from runtower.settings import JobSettings

T = TypeVar("T")
NVML = Path(__file__).parent / "nvml"


def until(look: Callable[[], T], what: str = "", seconds: float = 60.0) -> T:
    """What `look` gives once it is true. Another process is at work; there is nothing else to wait on."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, what or f"never: {look}"
        time.sleep(0.02)
    return found


class Bench:
    """A queue of a test's own, with what is told of it."""

    def __init__(self, folder: Path, at_once: int = 4, per_gpu: int = 1) -> None:
        self.folder = folder
        self.queue = Queue(folder / "jobs")
        self.limits = JobSettings(at_once=at_once, per_gpu=per_gpu)

    def add(self, *command: str, gpus: int = 0, now: bool = False, **environ: str) -> str:
        request = Request(
            command, self.folder, dict(os.environ) | environ, gpus=gpus, now=now, redact=("*password*", "*token*")
        )
        return self.queue.add(request, self.limits)

    def python(self, code: str, *words: str, gpus: int = 0) -> str:
        """A job that runs some Python."""
        return self.add(sys.executable, "-S", "-c", code, *words, gpus=gpus)

    def jobs(self) -> dict[str, Job]:
        return {job.id: job for job in LocalJobs(self.queue).lap()}

    def job(self, name: str) -> Job:
        return self.jobs()[name]

    def place(self, name: str) -> Path:
        return self.queue.place(name)

    def over(self, *names: str) -> list[Job]:
        """The jobs once all of them are over."""
        until(lambda: all(self.job(name).state.is_over for name in names), f"{names} never ended")
        return [self.job(name) for name in names]

    def running(self, name: str) -> Job:
        until(lambda: self.job(name).state is JobState.RUN and self.job(name).pid, f"{name} never ran")
        return self.job(name)

    def up(self, name: str) -> Job:
        """The job once it has printed something."""
        job = self.running(name)
        until(lambda: Path(job.log).read_text(), f"{name} never printed")
        return job


def gpu_box(file: Path, *gpus: dict[str, object], **more: object) -> dict[str, str]:
    """Write what the double of NVML shows; gives the variables that put it in front of the real one."""
    import json

    new = file.with_suffix(".new")
    new.write_text(json.dumps({"gpus": list(gpus), **more}))
    new.rename(file)
    return {"PYTHONPATH": str(NVML), "NVML_DOUBLE": str(file)}


def a_gpu(number: int, used: int = 0, use: int = 0, processes: Sequence[tuple[int, int]] = ()) -> dict[str, object]:
    """One of 80 GB; `used` in GB."""
    return {
        "uuid": f"GPU-{number:08d}",
        "name": "NVIDIA A100-SXM4-80GB",
        "total": 80 << 30,
        "used": used << 30,
        "use": use,
        "temperature": 40 + number,
        "power": 61_000,
        "limit": 400_000,
        "processes": [list(one) for one in processes],
    }
