"""Gives a single command to Slurm, and tells it what becomes of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.domain.errors import Invalid, NotFound, TowerError
from runtower.domain.ulids import new_id
from runtower.folders import private
from runtower.jobs import slurm_programs
from runtower.jobs.queueing import Request
from runtower.jobs.slurm import COMMENT

# The command comes as arguments, so that nothing of it is ever read by a shell. The script leaves the time and the host
# of its start, then the exit code and the time of its end: Slurm forgets jobs after some minutes.
_SCRIPT: Final = """#!/bin/sh
folder=$1
shift
printf '%s %s\\n' "$(date +%s)" "$(hostname)" > "$folder/start"
trap : INT TERM
"$@"
code=$?
printf '%s %s\\n' "$code" "$(date +%s)" > "$folder/.end" && mv "$folder/.end" "$folder/end"
exit "$code"
"""
_STOPS: Final = {
    "INT": ("--signal=INT", "--full"),
    "TERM": (),  # Slurm's own way: TERM, and KILL after its KillWait
    "KILL": ("--signal=KILL", "--full"),
}


@dataclass(frozen=True)
class Resources:
    """What a job asks of Slurm; '' and 0 leave it to the cluster. `memory` as `16G`, `time` as `2:00:00` or minutes."""

    partition: str = ""
    gpus: int = 0
    memory: str = ""
    time: str = ""
    cpus: int = 0

    def words(self) -> list[str]:
        """As options of sbatch."""
        named = {
            "--partition": self.partition,
            "--gres": f"gpu:{self.gpus}" if self.gpus else "",
            "--mem": self.memory,
            "--time": self.time,
            "--cpus-per-task": str(self.cpus) if self.cpus else "",
        }
        return [f"{option}={value}" for option, value in named.items() if value]


@dataclass(frozen=True)
class Partition:
    """A partition as sinfo tells it: its time limit, its nodes' generic resources, and whether it is the default."""

    name: str
    limit: str
    gres: str
    is_default: bool


def submit(request: Request, resources: Resources, records: Path) -> str:
    """Submit it; gives Slurm's id. What was asked for is kept in a folder of its own below `records`.

    Raises Invalid with Slurm's words where it refuses, Unreachable, TowerError.
    """
    request.checked()
    if reason := slurm_programs.why_not():
        raise Invalid(reason, "Launch it here, or load the cluster's module.")
    record = records / new_id()
    spec = {
        "name": request.called,
        "argv": list(request.command),
        "folder": str(request.folder),
        "queued_ms": time.time_ns() // 1_000_000,
        "gpus": resources.gpus,
        "partition": resources.partition,
        "run_id": request.run_id,
    }
    try:
        private(record)
        (record / "spec.json").write_text(json.dumps(spec))
        (record / "job.sh").write_text(_SCRIPT)
        (record / "job.sh").chmod(0o700)
    except OSError as error:
        shutil.rmtree(record, ignore_errors=True)
        raise TowerError(f"{record} can't be written: {error.strerror}.", "Nothing was submitted.") from error
    named = request.name or Path(request.command[0]).name
    words = [
        *("--parsable", f"--comment={COMMENT}{record.name}", f"--job-name={named[:60]}", f"--chdir={request.folder}"),
        *(f"--output={_literal(record / 'log')}", *resources.words()),
        *(str(record / "job.sh"), str(record), *request.command),
    ]
    environ = dict(request.environ) | ({"MLFLOW_RUN_ID": request.run_id} if request.run_id else {})
    try:
        said = slurm_programs.run("sbatch", "--export=ALL", *words, environ=environ)
    except Invalid:
        shutil.rmtree(record, ignore_errors=True)  # it was never taken
        raise
    slurm_id = said.strip().partition(";")[0]
    (record / "submitted").write_text(slurm_id)
    return slurm_id


def by_hand(request: Request, resources: Resources) -> list[str]:
    """The command that submits the same without a record."""
    return ["sbatch", *resources.words(), f"--chdir={request.folder}", "--wrap", shlex.join(request.command)]


def stop(slurm_id: str, name: str, waits: bool = False, is_array: bool = False) -> None:
    """Stop a job: INT, TERM or KILL; one that waits is cancelled, and of an array the members that wait first.

    Raises NotFound, Forbidden, Unreachable, Invalid.
    """
    if is_array and not waits:
        slurm_programs.run("scancel", "--state=PENDING", _checked(slurm_id))
    slurm_programs.run("scancel", *(() if waits else _STOPS[name]), _checked(slurm_id))


def requeue(slurm_id: str) -> None:
    """Let Slurm run it again under the same id. Raises as `stop` does."""
    slurm_programs.run("scontrol", "requeue", _checked(slurm_id))


def partitions() -> list[Partition]:
    """The partitions that may be asked for. Raises as `stop` does."""
    found: dict[str, Partition] = {}
    for line in slurm_programs.run("sinfo", "-h", "-o", "%P\x1f%l\x1f%G").splitlines():
        name, limit, gres = line.split("\x1f")
        plain = name.removesuffix("*")
        found.setdefault(plain, Partition(plain, limit, "" if gres == "(null)" else gres, name.endswith("*")))
    return list(found.values())


def _literal(path: Path) -> str:
    """A path as sbatch's --output takes it without replacing anything (sbatch(1), filename pattern)."""
    return os.fspath(path).replace("%", "%%")


def _checked(slurm_id: str) -> str:
    if not slurm_id or not all(one.isdecimal() or one in "_+" for one in slurm_id):
        raise NotFound(f"'{slurm_id}' is no job of Slurm's.", "runtower jobs lists them.")
    return slurm_id
