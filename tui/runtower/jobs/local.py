"""The jobs of this host's queue, read from their folders. What is over is read once."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from runtower.domain.jobs import Job, JobState, Where
from runtower.jobs import proofs
from runtower.jobs.queueing import CANCELLED, Queue, number_of
from runtower.jobs.tails import Tails

# Signals by which people end a program; what died of one of these was killed, not broken.
_STOPS: Final = {2: "INT", 15: "TERM", 9: "KILL"}
_NAMES: Final = {**_STOPS, 1: "HUP", 6: "ABRT", 7: "BUS", 8: "FPE", 11: "SEGV", 13: "PIPE"}
_SETTLE: Final = 5.0


class LocalJobs:
    """Remembers between laps what can't change any more."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._over: dict[str, Job] = {}
        self._tails = Tails()

    def lap(self) -> list[Job]:
        """All jobs as they are now, the newest first. Raises OSError where the folder can't be read."""
        try:
            names = [name for name in os.listdir(self._queue.folder) if number_of(name) >= 0]
        except FileNotFoundError:
            return []
        found = []
        for name in sorted(names, key=number_of, reverse=True):
            job = self._over.get(name) or read(self._queue.folder / name)
            if job is None:
                continue
            if name not in self._over and job.state is not JobState.WAIT:
                job = replace(job, last_line=self._tails.line(job.log))
            if job.state.is_over:
                self._over[name] = job
            found.append(job)
        return found


def read(folder: Path) -> Job | None:
    """The job in a folder; None where there is none."""
    spec = _json(folder / "spec.json")
    if spec is None:
        return None
    # In this order: what is written later is read later, so that no state is ever one that never was.
    waits = (folder / "ticket").exists()
    end = _json(folder / "end.json")
    claim = _words(folder / "claim")
    told: dict[str, Any] = {
        "id": folder.name,
        "where": Where.LOCAL,
        "name": str(spec.get("name", "")),
        "command": tuple(spec.get("argv", ())),
        "folder": str(spec.get("folder", "")),
        "queued_ms": spec.get("queued_ms"),
        "log": str(folder / "log"),
        "host": str(spec.get("host", "")),
        "run_id": str(spec.get("run_id", "")),
        "wants_gpus": int(spec.get("gpus") or 0),
    }
    if claim and claim[0] == CANCELLED:
        return Job(state=JobState.KILL, ended_ms=_number(claim, 1), reason="taken back before it began", **told)
    if claim and claim[0] == "start":
        told |= {
            "pid": int(_number(claim, 3) or 0),
            "started_ms": _number(claim, 7),
            "gpus": tuple(int(one) for one in (claim[8] if len(claim) > 8 else "").split(",") if one),
        }
        return _ended(folder, end, told) if end is not None else _begun(folder, claim, told)
    if waits:
        return Job(state=JobState.WAIT, reason=_text(folder / "wait") or "is about to be started", **told)
    return _between(folder, told)


def _ended(folder: Path, end: Mapping[str, Any], told: Mapping[str, Any]) -> Job:
    code, signal, error = end.get("exit_code"), int(end.get("signal") or 0), str(end.get("error") or "")
    stopped = (folder / "stops").exists()
    if error:
        state, reason = JobState.FAIL, error
    elif code == 0:
        state, reason = JobState.OK, ""
    elif signal:
        state = JobState.KILL if signal in _STOPS else JobState.FAIL
        reason = f"ended by signal {_NAMES.get(signal, signal)}"
    else:
        state = JobState.KILL if stopped else JobState.FAIL
        reason = f"exit code {code}" + (", after it was asked to stop" if stopped else "")
    return Job(state=state, reason=reason, ended_ms=end.get("ended_ms"), exit_code=code, signal=signal, **told)


def _begun(folder: Path, claim: list[str], told: Mapping[str, Any]) -> Job:
    """It was started, and no end is written down."""
    boot, namespace, pid, start = (*claim[1:5], "", "", "", "")[:4]
    alive = proofs.is_alive(boot, namespace, pid, start)
    kept = proofs.is_alive(boot, namespace, *(*claim[5:7], "", "")[:2])
    if alive is None:
        return Job(state=JobState.RUN, reason="runs in another container; its process can't be seen from here", **told)
    if alive:
        reason = "" if kept else "its supervisor was ended; how it ends won't be known"
        return Job(state=JobState.RUN, reason=reason, **told)
    if kept:
        return Job(state=JobState.RUN, reason="is ending", **told)
    end = _json(folder / "end.json")  # the supervisor may have written it between the looks, and left
    if end is not None:
        return _ended(folder, end, told)
    why = (
        "the machine was restarted while it ran"
        if proofs.is_older_boot(boot)
        else "it is gone, and so is its supervisor"
    )
    return Job(state=JobState.LOST, reason=f"{why}: how it ended isn't known", **told)


def _between(folder: Path, told: Mapping[str, Any]) -> Job | None:
    """Neither ticket nor claim: somebody is taking it right now, or died while doing so."""
    try:
        newest = max(
            (one.stat().st_mtime for one in os.scandir(folder) if one.name.startswith(".taken.")), default=None
        )
    except OSError:
        return None
    if newest is None and (folder / "claim").exists():
        return read(folder)  # it came between the looks
    if newest is not None and time.time() - newest < _SETTLE:
        return Job(state=JobState.WAIT, reason="is being started", **told)
    return Job(state=JobState.LOST, reason="whatever was to start it died; whether it began isn't known", **told)


def _json(file: Path) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except (OSError, UnicodeDecodeError):
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(words: list[str], place: int) -> float | None:
    try:
        return float(words[place])
    except (IndexError, ValueError):
        return None
