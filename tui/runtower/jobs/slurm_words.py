"""Slurm's words for states and reasons, in ours (squeue(1), JOB STATE CODES and JOB REASON CODES)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from runtower.domain.jobs import JobState

_WAIT: Final = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"}
_RUN: Final = {"RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
_KILL: Final = {"CANCELLED", "PREEMPTED", "REVOKED"}
_REASONS: Final = {
    "Resources": "what it asks for is in use",
    "Priority": "others come first",
    "Dependency": "waits for another job",
    "DependencyNeverSatisfied": "waits for a job that failed",
    "JobArrayTaskLimit": "so many of its array run already",
    "JobHeldUser": "held by its user",
    "JobHeldAdmin": "held by an administrator",
    "BeginTime": "its time has not come",
    "Licenses": "waits for a licence",
    "Reservation": "waits for its reservation",
    "PartitionDown": "its partition is down",
    "PartitionNodeLimit": "asks for more nodes than its partition has",
    "PartitionTimeLimit": "asks for more time than its partition gives",
    "ReqNodeNotAvail": "a node that it asks for isn't available",
    "BadConstraints": "asks for what no node has",
    "TimeLimit": "its time was up",
    "OutOfMemory": "it used more memory than it asked for",
    "NodeDown": "its node went down",
    "JobLaunchFailure": "it could not be launched",
    "NonZeroExitCode": "",
    "None": "",
}
_ENDS: Final = {
    "TIMEOUT": "its time was up",
    "OUT_OF_MEMORY": "it used more memory than it asked for",
    "NODE_FAIL": "its node failed",
    "BOOT_FAIL": "its node did not boot",
    "DEADLINE": "its deadline passed",
    "PREEMPTED": "preempted by another job",
    "CANCELLED": "cancelled",
}


def state_of(word: str) -> JobState:
    """`CANCELLED by 1000` is CANCELLED; a word of a newer Slurm that nobody knows here counts as running."""
    first = word.split()[0] if word.split() else ""
    if first in _WAIT:
        return JobState.WAIT
    if first in _RUN:
        return JobState.RUN
    if first == "COMPLETED":
        return JobState.OK
    if first in _KILL:
        return JobState.KILL
    return JobState.FAIL if first else JobState.RUN


def reason_of(word: str, reason: str, exit_code: str) -> str:
    """Why a job waits or how it ended: in words, with Slurm's own where it has one. `exit_code` as `3:0`."""
    first = word.split()[0] if word.split() else ""
    plain = reason.strip("()").split(",")[0]
    said = _REASONS.get(plain, plain) if plain else ""
    if state_of(word) is JobState.WAIT:
        return f"{said} ({plain})" if said and said != plain else said
    if not state_of(word).is_over:
        return "" if first == "RUNNING" else first.lower()
    code, _, signal = exit_code.partition(":")
    parts = [_ENDS.get(first, "") or said]
    was_ended = first in ("CANCELLED", "PREEMPTED")
    if code not in ("", "0") and not was_ended:
        parts.append(f"exit code {code}")
    if signal not in ("", "0") and not was_ended:
        parts.append(f"signal {signal}")
    return ", ".join(dict.fromkeys(part for part in parts if part))


def milliseconds(text: str) -> float | None:
    """A time of Slurm's, printed in UTC, as epoch ms; None for `N/A` and `Unknown`."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000
    except ValueError:
        return None
