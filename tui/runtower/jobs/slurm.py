"""The user's jobs in Slurm: those it knows, and those of ours that it has forgotten."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from runtower.domain.errors import TowerError
from runtower.domain.jobs import Job, JobState, Where
from runtower.jobs import slurm_programs, submitit
from runtower.jobs.slurm_words import milliseconds, reason_of, state_of
from runtower.jobs.tails import Tails

COMMENT: Final = "runtower:"
_SEPARATOR: Final = "\x1f"
# Id, array, member, state, reason, name, partition, submitted, starts, ends, generic resources, folder, comment, user,
# nodes, command.
_FIELDS: Final = ("%i", "%F", "%K", "%T", "%r", "%j", "%P", "%V", "%S", "%e", "%b", "%Z", "%k", "%u", "%N", "%o")
_DETAILS_A_LAP: Final = 40
_GPUS: Final = re.compile(r"gpu(?::[^:,()]+)?:(\d+)")
_FORGOTTEN: Final = "Slurm has forgotten it, and it left no word of its end"


class SlurmJobs:
    """Remembers between laps where logs are and how jobs ended, so that each is asked for once."""

    def __init__(self, records: Path) -> None:
        """`records`: the folder of what was submitted from here."""
        self._records = records
        self._details: dict[tuple[str, bool], dict[str, str]] = {}
        self._verdicts: dict[str, JobState] = {}
        self._kept: dict[str, Job] = {}
        self._tails = Tails()

    def lap(self) -> list[Job]:
        """All that Slurm knows of this user's, and what was submitted from here before, the newest first.

        Raises TowerError as slurm_programs.run does.
        """
        words = ("-r", "--me", "-h", "-t", "all", "-o", _SEPARATOR.join(_FIELDS))
        rows = [line.split(_SEPARATOR) for line in slurm_programs.run("squeue", *words).splitlines()]
        left = _DETAILS_A_LAP
        found: list[Job] = []
        commented: dict[str, str] = {}
        for row in rows:
            if len(row) != len(_FIELDS):
                continue
            over = state_of(row[3]).is_over
            if (row[0], over) not in self._details and left and (over or state_of(row[3]) is JobState.RUN):
                left -= 1
                self._details[row[0], over] = _details(row[0])
            if row[12].startswith(COMMENT):
                commented[row[12].removeprefix(COMMENT)] = row[0]
            found.append(self._job(row, self._details.get((row[0], over), {})))
        known = {job.id: place for place, job in enumerate(found)}
        for record, spec in self._submitted():
            slurm_id = commented.get(record.name) or _submitted_as(record)
            if slurm_id in known:
                found[known[slurm_id]] = _with_record(found[known[slurm_id]], record, spec)
            else:
                found.append(self._forgotten(record, spec, slurm_id))
        found = [replace(job, last_line=self._tails.line(job.log)) for job in found]
        return sorted(found, key=lambda job: job.queued_ms or 0.0, reverse=True)

    def _job(self, row: list[str], details: dict[str, str]) -> Job:
        slurm_id, array, member, word, reason, name, partition, queued, starts, ends, gres, folder, _, user = row[:14]
        state = state_of(word)
        log = details.get("StdOut", "")
        said = reason_of(word, reason, details.get("ExitCode", ""))
        if state is JobState.OK and log and slurm_id not in self._verdicts:
            self._verdicts[slurm_id] = submitit.verdict(log, slurm_id) or JobState.OK
        if state is JobState.OK and self._verdicts.get(slurm_id) is JobState.FAIL:
            state, said = JobState.FAIL, "its function raised, though Slurm calls it COMPLETED"
        code, _, _ = details.get("ExitCode", "").partition(":")
        gpus = _GPUS.search(gres)
        return Job(
            id=slurm_id,
            where=Where.SLURM,
            state=state,
            name=name,
            command=tuple(_split(row[15])) if row[15] not in ("", "(null)") else (),
            folder=folder,
            reason=said,
            source_state=word,
            queued_ms=milliseconds(queued),
            started_ms=milliseconds(starts) if state is not JobState.WAIT else None,
            ended_ms=milliseconds(ends) if state.is_over else None,
            exit_code=int(code) if state.is_over and code.isdecimal() else None,
            wants_gpus=int(gpus.group(1)) if gpus else 0,
            log=log,
            host=row[14],
            partition=partition,
            array=array if member not in ("", "N/A") else "",
            user=user,
        )

    def _submitted(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        try:
            records = sorted(self._records.iterdir(), reverse=True)
        except OSError:
            return
        for record in records:
            if record.name.startswith("."):
                continue
            try:
                yield record, msgspec.json.decode((record / "spec.json").read_bytes(), type=dict[str, Any])
            except (OSError, msgspec.MsgspecError):
                continue

    def _forgotten(self, record: Path, spec: dict[str, Any], slurm_id: str) -> Job:
        """A job of ours that squeue doesn't list."""
        if record.name in self._kept:
            return self._kept[record.name]
        job = Job(
            id=slurm_id or record.name,
            where=Where.SLURM,
            state=JobState.LOST,
            name=str(spec.get("name", "")),
            queued_ms=spec.get("queued_ms"),
            reason=_FORGOTTEN if slurm_id else "whether Slurm took it isn't known",
        )
        refused = _read(record / "refused")
        end = _read(record / "end").split()
        if refused:
            job = replace(job, state=JobState.FAIL, reason=refused)
        elif len(end) == 2 and end[0].isdecimal():
            code = int(end[0])
            state, reason = (JobState.OK, "") if code == 0 else (JobState.FAIL, f"exit code {code}")
            job = replace(job, state=state, reason=reason, exit_code=code, ended_ms=float(end[1]) * 1000)
        job = _with_record(job, record, spec)
        if job.state is not JobState.LOST:
            self._kept[record.name] = job
        return job


def _with_record(job: Job, record: Path, spec: dict[str, Any]) -> Job:
    """What only the one who submitted it knows."""
    start = _read(record / "start").split()
    return replace(
        job,
        name=str(spec.get("name", job.name)),
        command=tuple(spec.get("argv", ())),
        folder=str(spec.get("folder", job.folder)),
        log=job.log or str(record / "log"),
        started_ms=job.started_ms or (float(start[0]) * 1000 if start and start[0].isdecimal() else None),
        host=job.host or (start[1] if len(start) > 1 else ""),
        wants_gpus=int(spec.get("gpus") or job.wants_gpus),
        run_id=str(spec.get("run_id", "")),
        partition=job.partition or str(spec.get("partition", "")),
    )


def _details(slurm_id: str) -> dict[str, str]:
    """What `scontrol show job` says of one, by its own keys."""
    try:
        said = slurm_programs.run("scontrol", "-o", "show", "job", slurm_id)
    except TowerError:
        return {}
    return {key: value for key, equals, value in (word.partition("=") for word in said.split()) if equals}


def _submitted_as(record: Path) -> str:
    return _read(record / "submitted")


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return [command]
