"""The processes that may belong to a run: this user's programs with a run, a job or Python in them, and all that are on
a GPU. Read from /proc (proc(5)); what one process says of itself is read when it comes, and once more soon after."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runtower.domain.box import Process

# What names a run, a job or an experiment in an environment. Nothing else of one is ever kept.
NAMING: Final = (
    "MLFLOW_RUN_ID",
    "RUNTOWER_JOB",
    "SLURM_JOB_ID",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "DVC_EXP_NAME",
    "WANDB_RUN_ID",
)
_PROC: Final = Path("/proc")
_SETTLES: Final = 6.0
_LONGEST: Final = 4000


class ProcessReader:
    """Remembers between laps what doesn't change: a process costs one small file a lap."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, float, Process | None]] = {}
        self._user = os.geteuid()
        self._names: dict[int, str] = {}
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._boot_ms = _boot_ms()

    def lap(self, wanted: Iterable[int] = ()) -> dict[int, Process]:
        """The processes by pid; `wanted` are pids to tell whoever owns them. Empty on a system without /proc."""
        asked, now, found = set(wanted), time.monotonic(), {}
        alive: set[int] = set()
        try:
            names = os.listdir(_PROC)
        except OSError:
            return {}
        for name in names:
            if not name.isdecimal():
                continue
            pid = int(name)
            stat = _stat(pid)
            if stat is None:
                continue
            alive.add(pid)
            start = stat[19]
            known = self._known.get(pid)
            is_new = known is None or known[0] != start
            seen = now if is_new or known is None else known[1]
            if is_new or now - seen < _SETTLES or (pid in asked and known is not None and known[2] is None):
                known = self._known[pid] = (start, seen, self._read(pid, stat, pid in asked))
            assert known is not None
            if known[2] is not None:
                found[pid] = known[2]
        for pid in self._known.keys() - alive:
            del self._known[pid]
        return found

    def _read(self, pid: int, stat: list[str], wanted: bool) -> Process | None:
        folder = f"/proc/{pid}"
        try:
            owner = os.stat(folder).st_uid
            ours = owner == self._user
            if not ours and not wanted:
                return None
            with open(f"{folder}/cmdline", "rb") as file:
                command = [word.decode("utf-8", "replace") for word in file.read(_LONGEST).split(b"\0") if word]
        except OSError:
            return None
        if not command and not wanted:
            return None  # a thread of the kernel's, or one that is just ending
        environ = _environ(folder) if ours else {}
        if not (wanted or environ or _is_python(command)):
            return None
        return Process(
            pid=pid,
            start_ticks=int(stat[19]),
            user=self._name(owner),
            command=tuple(command),
            started_ms=self._boot_ms + int(stat[19]) * 1000 / self._ticks,
            parent=int(stat[1]),
            group=int(stat[2]),
            folder=_link(f"{folder}/cwd") if ours else "",
            is_ours=ours,
            environ=environ,
        )

    def _name(self, number: int) -> str:
        if number not in self._names:
            try:
                self._names[number] = pwd.getpwuid(number).pw_name
            except KeyError:
                self._names[number] = str(number)
        return self._names[number]


def _stat(pid: int) -> list[str] | None:
    """The fields from the state on, None where it is gone or a zombie: [1] parent, [2] group, [19] start."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rsplit(b")", 1)[1].decode("ascii", "replace").split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in "ZX" else fields


def _environ(folder: str) -> dict[str, str]:
    try:
        with open(f"{folder}/environ", "rb") as file:
            data = file.read()
    except OSError:
        return {}
    found = {}
    for entry in data.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and (plain := name.decode("ascii", "replace")) in NAMING:
            found[plain] = value.decode("utf-8", "replace")[:200]
    return found


def _is_python(command: list[str]) -> bool:
    program = os.path.basename(command[0])
    return program.startswith(("python", "torchrun", "accelerate", "deepspeed")) or any(
        word.endswith(".py") for word in command[1:4]
    )


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _boot_ms() -> float:
    """When the machine booted, UTC epoch ms (proc_stat(5), btime)."""
    try:
        for line in Path("/proc/stat").read_text().splitlines():
            if line.startswith("btime "):
                return float(line.split()[1]) * 1000
    except OSError:
        pass
    return 0.0
