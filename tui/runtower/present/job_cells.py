"""Jobs in words: their state, since when, where."""

from __future__ import annotations

from runtower.domain.jobs import Job, JobState, Where
from runtower.present.console import console_lines
from runtower.present.times import ago, duration


def state_text(job: Job) -> str:
    """Its state as one word."""
    return str(job.state)


def since_text(job: Job, now_ms: float) -> tuple[str, str]:
    """How long ago what it is in began, and how long it took or has taken."""
    moment = {JobState.WAIT: job.queued_ms, JobState.RUN: job.started_ms}.get(job.state, job.ended_ms or job.started_ms)
    since = ago(moment, now_ms) if moment is not None else ""
    if job.started_ms is None:
        return since, ""
    end = job.ended_ms if job.state.is_over else now_ms
    return since, duration(end - job.started_ms) if end is not None else ""


def reason_text(job: Job) -> str:
    """Why it waits or how it ended; of what failed with its log's last line, which mostly says it."""
    last = console_lines(job.last_line[-400:])[-1:] if job.state is JobState.FAIL and job.exit_code else []
    return ": ".join(part for part in (job.reason, *last) if part)


def on_text(job: Job) -> str:
    """Where it runs: `gpu 2,3`, `slurm debug node7`, `wants 2 gpus`."""
    parts = []
    if job.where is Where.SLURM:
        parts.append(" ".join(part for part in ("slurm", job.partition, job.host) if part))
    if job.gpus:
        parts.append("gpu " + ",".join(map(str, job.gpus)))
    elif job.wants_gpus:
        wanted = f"{job.wants_gpus} gpu{'s' if job.wants_gpus > 1 else ''}"
        parts.append(f"wants {wanted}" if job.state is JobState.WAIT else wanted)
    return ", ".join(parts) or ("here" if job.where is Where.LOCAL else "")
