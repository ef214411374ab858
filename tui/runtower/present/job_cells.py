"""Jobs in words: their state, since when, where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from runtower.domain.jobs import Job, JobState, Where
from runtower.domain.runs import Status
from runtower.present.console import console_lines
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Span
from runtower.present.states import state as of_run
from runtower.present.times import ago, duration

_STATUS: Final = {
    JobState.WAIT: Status.SCHEDULED,
    JobState.RUN: Status.RUNNING,
    JobState.OK: Status.FINISHED,
    JobState.FAIL: Status.FAILED,
    JobState.KILL: Status.KILLED,
}


def state_text(job: Job) -> str:
    """Its state as one word."""
    return str(job.state)


def job_state(state: JobState, glyphs: Glyphs) -> Span:
    """Glyph and word, in the colours of runs: `▶ run`, `? lost`."""
    return of_run(_STATUS[state], None, glyphs) if state in _STATUS else (f"{glyphs.unknown} lost", "state-killed")


def job_states(states: Sequence[JobState], glyphs: Glyphs) -> Span:
    """How many of an array are in which state: `1▶ 2✓ 1✗`; its tone that of the worst."""
    counts = Counter(states)
    text = " ".join(f"{counts[one]}{job_state(one, glyphs)[0].split()[0]}" for one in JobState if counts[one])
    worst = next(
        (one for one in (JobState.FAIL, JobState.LOST, JobState.KILL, JobState.RUN) if counts[one]), JobState.OK
    )
    return text, job_state(worst, glyphs)[1]


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
    return f"{last[0]} ({job.reason})" if last and last[0] and job.reason else job.reason


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
