"""All jobs that can be seen from here, in one list."""

from __future__ import annotations

from pathlib import Path

from runtower.domain.errors import TowerError
from runtower.domain.jobs import Job
from runtower.jobs import slurm_programs
from runtower.jobs.local import LocalJobs
from runtower.jobs.slurm import SlurmJobs

SLURM_RECORDS = "slurm"


def all_jobs(local: LocalJobs, jobs: Path, slurm: SlurmJobs | None = None) -> tuple[list[Job], TowerError | None]:
    """The newest first; and why those of Slurm are missing, None where they aren't or there is no cluster here.

    `jobs` is the folder of all jobs.
    """
    try:
        found = local.lap()
    except OSError as error:
        return [], TowerError(f"{jobs} can't be read: {error.strerror}.", "Look at the folder's permissions.")
    if slurm_programs.why_not():
        return found, None
    try:
        found = [*found, *(slurm or SlurmJobs(jobs / SLURM_RECORDS)).lap()]
    except slurm_programs.NotSetUp:
        return found, None
    except TowerError as error:
        return found, error
    return sorted(found, key=lambda job: job.queued_ms or 0.0, reverse=True), None
