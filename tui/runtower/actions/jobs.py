"""What is done with jobs, processes and GPUs."""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.places import BOX, RUNNING

JOBS: Final = (
    Action(
        "jobs.open",
        "Jobs: what runs, waits and ended, here and in Slurm",
        ("5",),
        "Jobs",
        ("runs", "gpus"),
        "jobs",
        tooltip="whoever launched them",
    ),
    Action(
        "gpus.open",
        "GPUs: use, memory, and who is on them",
        ("6",),
        "Jobs",
        ("runs", "jobs"),
        "gpu",
        tooltip="which run each process is",
    ),
    Action("job.open", "Open the job's run, else its log; fold an array", ("enter",), "Jobs", ("jobs",), "open"),
    Action("job.fold", "Fold or unfold the members of an array", ("z a",), "Jobs", ("jobs",)),
    Action("gpu.open", "Open the run of the process", ("enter",), "Jobs", ("gpus",), "its run"),
    Action(
        "links.open",
        "What belongs to it: job, process, GPU, run, folder, log",
        ("J",),
        "Jobs",
        RUNNING,
        "belongs to it",
        tooltip="each with how it is known; enter goes there",
    ),
    Action(
        "job.interrupt",
        "Stop it: INT, as ctrl+c",
        ("I",),
        "Jobs",
        RUNNING,
        "stop",
        tooltip="the whole process group; afterwards its run is marked KILLED",
        starts=True,
    ),
    Action("job.terminate", "Stop it: TERM", ("T",), "Jobs", RUNNING, starts=True),
    Action("job.kill", "Stop it: KILL, at once", ("K",), "Jobs", RUNNING, starts=True),
    Action(
        "job.again",
        "Run the same command again; requeue what Slurm still has",
        ("R",),
        "Jobs",
        ("jobs",),
        "run again",
        starts=True,
    ),
    Action(
        "job.new",
        "New job: a command, here or in Slurm",
        ("ctrl+n",),
        "Jobs",
        BOX[:1],
        "new job",
        starts=True,
    ),
)
