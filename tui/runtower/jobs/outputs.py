"""Folders that runs leave behind in a project: Hydra's (with `.hydra` in them), submitit's, W&B's.

The first lap walks the project; later ones look again only at folders whose time has moved, which it does when
something is added to or taken out of them. What lies below a run's own folder is never looked at.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runtower.domain.box import OutputFolder

_SKIPPED: Final = frozenset(
    (
        ".git",
        ".venv",
        "venv",
        "node_modules",
        "mlruns",
        "mlartifacts",
        ".dvc",
        "__pycache__",
        ".mypy_cache",
        "site-packages",
    )
)
_DEEPEST: Final = 8
_MOST: Final = 50_000
_LAP_SECONDS: Final = 5.0
_WANDB_RUN: Final = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(\w+)")
_SUBMITIT_JOB: Final = re.compile(r"\d+(?:_\d+)?")


class OutputReader:
    """The output folders below one project."""

    def __init__(self, project: Path) -> None:
        self._project = str(project)
        self._folders: dict[str, tuple[int, list[str], list[OutputFolder]]] = {}
        self.is_partial = False

    def lap(self) -> dict[str, OutputFolder]:
        """All of them by path. `is_partial` says that the project holds more than is looked at."""
        end = time.monotonic() + _LAP_SECONDS
        seen: set[str] = set()
        found: dict[str, OutputFolder] = {}
        self.is_partial = False
        todo = [(self._project, 0)]
        while todo:
            path, depth = todo.pop()
            if len(found) >= _MOST or time.monotonic() > end:
                self.is_partial = True
                break
            seen.add(path)
            below, here = self._look(path)
            found.update((one.path, one) for one in here)
            if depth < _DEEPEST:
                todo.extend((one, depth + 1) for one in below)
        if not self.is_partial:
            for path in self._folders.keys() - seen:
                del self._folders[path]
        return found

    def _look(self, path: str) -> tuple[list[str], list[OutputFolder]]:
        """What lies in a folder: folders to look at, and runs' own folders. Read again where its time has moved."""
        try:
            moved = os.stat(path).st_mtime_ns
        except OSError:
            self._folders.pop(path, None)
            return [], []
        known = self._folders.get(path)
        # A folder that was changed within this clock's tick may be changed again without its time moving.
        if known is not None and known[0] == moved and time.time_ns() - moved > 2_000_000_000:
            return known[1], known[2]
        below: list[str] = []
        here: list[OutputFolder] = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False) or entry.name in _SKIPPED:
                        continue
                    found = list(_output(entry))
                    here += found
                    if not found and not entry.name.startswith("."):
                        below.append(entry.path)
        except OSError:
            pass
        self._folders[path] = (moved, below, here)
        return below, here


def _output(entry: os.DirEntry[str]) -> Iterator[OutputFolder]:
    """The runs that a folder is or holds; none for a folder among others."""
    if entry.name == ".submitit":
        yield from _submitit(entry.path)
    elif (wandb := _WANDB_RUN.fullmatch(entry.name)) is not None:
        log = os.path.join(entry.path, "files", "output.log")
        yield OutputFolder(entry.path, "wandb", _made(entry), wandb.group(1), log if os.path.exists(log) else "")
    else:
        try:
            made = os.stat(os.path.join(entry.path, ".hydra")).st_mtime * 1000
        except OSError:
            return
        yield OutputFolder(entry.path, "hydra", made, "", _log_in(entry.path))


def _submitit(path: str) -> Iterator[OutputFolder]:
    """A folder a job: `.submitit/4711_3/4711_3_0_log.out`."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir() and _SUBMITIT_JOB.fullmatch(entry.name):
                    log = os.path.join(entry.path, f"{entry.name}_0_log.out")
                    yield OutputFolder(
                        entry.path, "submitit", _made(entry), entry.name, log if os.path.exists(log) else ""
                    )
    except OSError:
        return


def _log_in(path: str) -> str:
    """The log that Hydra's logger writes there: the only `*.log`."""
    try:
        logs = [name for name in os.listdir(path) if name.endswith(".log")]
    except OSError:
        return ""
    return os.path.join(path, logs[0]) if len(logs) == 1 else ""


def _made(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime * 1000
    except OSError:
        return 0.0
