"""What a job is: a command that was given to this machine or to a cluster, and what is known of its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class JobState(StrEnum):
    """`LOST` needs proof: what ran it is gone and left no word of its end, or nobody knows whether it ever began."""

    WAIT = "wait"
    RUN = "run"
    OK = "ok"
    FAIL = "fail"
    KILL = "kill"
    LOST = "lost"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (JobState.WAIT, JobState.RUN)


class Where(StrEnum):
    """Who runs it."""

    LOCAL = "local"
    SLURM = "slurm"


@dataclass(frozen=True, slots=True)
class Job:
    """One job, or one member of an array. Times are UTC epoch ms, None where they aren't known.

    `id` is ours for a local job, the scheduler's (`4711`, or `4711_3` of an array) for one of Slurm; `array` is the id
    that its members share, '' for a job of its own. `state` is what it is here, `source_state` the scheduler's own
    word. `reason` says in words why it waits or how it ended. `command` is its argv, empty where that isn't known; its
    `folder` is the one it runs in; `log` an absolute path, '' for none. It wants `wants_gpus`, and `gpus` are the
    indices that it was given. `pid` is that of the command itself (its process group has the same number), 0 where
    there is none. `last_line` is its log's last line as it stands there. `run_id` is the MLflow run that it was told to
    use; `ours` whether this user may stop it.
    """

    id: str
    where: Where
    state: JobState
    name: str
    command: tuple[str, ...] = ()
    folder: str = ""
    reason: str = ""
    source_state: str = ""
    queued_ms: float | None = None
    started_ms: float | None = None
    ended_ms: float | None = None
    exit_code: int | None = None
    signal: int = 0
    wants_gpus: int = 0
    gpus: tuple[int, ...] = ()
    log: str = ""
    last_line: str = ""
    pid: int = 0
    host: str = ""
    partition: str = ""
    array: str = ""
    user: str = ""
    run_id: str = ""
    ours: bool = True

    @property
    def is_array(self) -> bool:
        """Whether it stands for all members of an array, and is none of them."""
        return bool(self.array) and self.id == self.array


_WORST = (JobState.RUN, JobState.WAIT, JobState.FAIL, JobState.LOST, JobState.KILL, JobState.OK)


def as_one(members: Sequence[Job]) -> Job:
    """An array as one job: its state is `run` or `wait` while a member's is, else the worst of them."""
    first = members[0]
    states = {one.state for one in members}
    return replace(
        first,
        id=first.array,
        state=next(state for state in _WORST if state in states),
        reason=f"{len(members)} members, from {min(members, key=_member).id} to {max(members, key=_member).id}",
        source_state="",
        exit_code=None,
        signal=0,
        started_ms=min((one.started_ms for one in members if one.started_ms is not None), default=None),
        ended_ms=max((one.ended_ms for one in members if one.ended_ms is not None), default=None),
        log="",
        last_line="",
        pid=0,
        run_id="",
        ours=all(one.ours for one in members),
    )


def _member(job: Job) -> tuple[int, str]:
    return len(job.id), job.id
