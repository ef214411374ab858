"""`jobs` and `gpus`: what runs on this machine and in Slurm, without a screen."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgspec

from runtower.commands.listing import write
from runtower.commands.tables import json_array, plain_lines
from runtower.domain.box import Gpu, Gpus
from runtower.domain.errors import NotFound
from runtower.domain.jobs import Job, as_one
from runtower.folders import Folders
from runtower.jobs import slurm_programs
from runtower.jobs.local import LocalJobs
from runtower.jobs.lookup import all_jobs
from runtower.jobs.queueing import Queue, number_of
from runtower.present.job_cells import on_text, reason_text, since_text, state_text
from runtower.present.sizes import size_text
from runtower.present.spans import shortened

_HEAD: Final = ("job", "state", "since", "took", "on", "name", "reason")
_RIGHT: Final = (False, False, False, True, False, False, False)
_GPU_HEAD: Final = ("gpu", "name", "use", "memory", "temperature", "power", "processes")


def list_jobs(limit: int, as_json: bool) -> None:
    """Print the jobs, what waits and runs first, and the newest of the others up to `limit`. Raises TowerError where
    Slurm is here and doesn't answer, once the others are printed."""
    found, error = all_jobs(LocalJobs(Queue(Folders.of().jobs)), Folders.of().jobs)
    live = [job for job in found if not job.state.is_over]
    over = [job for job in found if job.state.is_over]
    if len(over) > limit:
        sys.stderr.write(f"{limit} of {len(over)} jobs that are over; --limit shows more\n")
    shown = [*live, *over[:limit]]
    if as_json:
        write(json_array(record(job) for job in shown))
    elif shown:
        now = time.time() * 1000
        write(plain_lines(_HEAD, [_row(job, now) for job in shown], _RIGHT, None))
    elif error is None:
        sys.stdout.write("no jobs; runtower launch -- COMMAND starts one\n")
    if error is not None:
        sys.stdout.flush()
        raise error


def print_gpus(as_json: bool) -> None:
    """Print this machine's GPUs and who is on them."""
    found = _gpus()
    if as_json:
        told = asdict(found)
        for gpu in told["gpus"]:
            for process in gpu["processes"]:
                process["user"], process["command"] = _who(process["pid"])
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return
    if found.said:
        sys.stdout.write(f"{found.said}\n")
        return
    write(plain_lines(_GPU_HEAD, [_gpu_row(gpu) for gpu in found.gpus], [True, False, *([True] * 4), False], None))


def record(job: Job) -> dict[str, Any]:
    """A job for machines."""
    return asdict(job)


def job_named(text: str) -> Job:
    """The job of that id, or the array as one. Raises NotFound."""
    local = LocalJobs(Queue(Folders.of().jobs))
    found, error = (local.lap(), None) if number_of(text) >= 0 else all_jobs(local, Folders.of().jobs)
    for job in found:
        if job.id == text:
            return job
    if members := [job for job in found if job.array == text]:
        return as_one(members)
    if error is not None:
        raise error
    raise NotFound(f"There is no job '{text}'.", "runtower jobs lists them.")


def members_of(job: Job) -> list[Job]:
    """The job itself, or all of an array. Raises TowerError."""
    if not job.is_array:
        return [job]
    found, error = all_jobs(LocalJobs(Queue(Folders.of().jobs)), Folders.of().jobs)
    if error is not None:
        raise error
    return [one for one in found if one.array == job.array]


def is_job(text: str) -> bool:
    """Whether a word can only be a job's id: `j12`, or `4711` and `4711_3` where Slurm is."""
    if number_of(text) >= 0:
        return True
    whole, _, member = text.partition("_")
    return whole.isdecimal() and len(whole) < 12 and (not member or member.isdecimal()) and not slurm_programs.why_not()


def _gpus() -> Gpus:
    """NVML writes what it likes to stderr, and a driver that hangs hangs whoever asked: this process only asks."""
    from runtower.jobs.gpus import GpuReader  # noqa: PLC0415  the driver's library is loaded where it is wanted

    return GpuReader().lap()


def _row(job: Job, now: float) -> list[str]:
    since, took = since_text(job, now)
    return [job.id, state_text(job), since, took, on_text(job), shortened(job.name, 40), reason_text(job)]


def _gpu_row(gpu: Gpu) -> list[str]:
    if gpu.error:
        return [str(gpu.index), gpu.name or "?", "", "", "", "", gpu.error]
    memory = (
        f"{size_text(gpu.memory_used)} of {size_text(gpu.memory_total)}"
        if gpu.memory_used is not None and gpu.memory_total is not None
        else ""
    )
    limit = f" of {gpu.power_limit:.0f}" if gpu.power_limit else ""
    return [
        str(gpu.index),
        gpu.name,
        f"{gpu.use:.0f} %" if gpu.use is not None else "",
        memory,
        f"{gpu.temperature:.0f} C" if gpu.temperature is not None else "",
        f"{gpu.power:.0f}{limit} W" if gpu.power is not None else "",
        ", ".join(_processes(gpu)),
    ]


def _processes(gpu: Gpu) -> Iterator[str]:
    for process in gpu.processes:
        user, command = _who(process.pid)
        memory = f" {size_text(process.memory)}" if process.memory is not None else ""
        yield f"{process.pid} {user} {Path(command[0]).name if command else '?'}{memory}"


def _who(pid: int) -> tuple[str, list[str]]:
    """The owner and argv of a process; empty where it is gone, or nobody may see it."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        user = _user(os.stat(f"/proc/{pid}").st_uid)
    except OSError:
        return "", []
    return user, [word.decode("utf-8", "replace") for word in words if word]


def _user(number: int) -> str:
    import pwd  # noqa: PLC0415  not on every system

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
