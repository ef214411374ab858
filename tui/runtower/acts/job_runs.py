"""Which runs a job has made, by what they say of themselves."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from runtower.catalog.catalogue import Catalogue
from runtower.domain import runs
from runtower.domain.jobs import Job, Where
from runtower.domain.runs import ColumnKey, Kind, Status

JOB_TAG: Final = "runtower.job"
SLURM_TAGS: Final = ("slurm_job_id", "SLURM_JOB_ID", "slurm.job_id")
_SKEW_MS: Final = 5_000.0  # Slurm tells whole seconds
# What a run may say whose job was stopped.
LEFT: Final = (Status.RUNNING, Status.SCHEDULED, Status.FAILED)


def runs_of_job(catalogue: Catalogue, job: Job) -> list[int]:
    """The global rows of the runs that name this job in a tag, or that the job was told to use."""
    if job.where is Where.LOCAL:
        found = rows_with(catalogue, ColumnKey(Kind.TAG, JOB_TAG), f"{job.host}:{job.id}")
    else:
        found = [row for tag in SLURM_TAGS for row in rows_with(catalogue, ColumnKey(Kind.TAG, tag), job.id)]
    starts = catalogue.numbers(runs.START_TIME)
    found = [row for row in found if is_in_time(job, starts.number(row))]
    if job.run_id:
        found += rows_with(catalogue, runs.RUN_ID, job.run_id)
    return sorted(set(found))


def is_in_time(job: Job, start_ms: float | None) -> bool:
    """Whether a run that began then (UTC epoch ms) may be this job's: a number is given again where the folder of the
    jobs was deleted, or a cluster was set up anew."""
    if job.started_ms is None or start_ms is None:
        return start_ms is None or not job.state.is_over
    return job.started_ms - _SKEW_MS <= start_ms <= (job.ended_ms or math.inf) + _SKEW_MS


def rows_with(catalogue: Catalogue, key: ColumnKey, text: str) -> list[int]:
    """The global rows of the living runs that have exactly this text there."""
    column = catalogue.texts(key)
    codes = [code for code, word in enumerate(column.words.to_pylist()) if word == text]
    return [int(row) for row in np.flatnonzero(np.isin(column.codes, codes) & catalogue.alive())] if codes else []


def is_left(status: str | None, end_ms: float | None, asked_ms: float) -> bool:
    """Whether a run has still to be marked KILLED whose job was stopped at `asked_ms` (UTC epoch ms): one that failed
    before has its own reason."""
    return status in LEFT and (status != Status.FAILED or end_ms is None or end_ms >= asked_ms)
