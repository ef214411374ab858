"""Running stages: the project's own `dvc` as a job, one at a time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.domain.errors import Conflict, NotFound
from runtower.domain.jobs import Job

_ENVIRONMENTS: Final = (".venv", "venv", "env")


@dataclass(frozen=True)
class Way:
    """One way to run a stage: `options` of `dvc repro`; `whole`: of the whole pipeline, whatever the stage."""

    id: str
    text: str
    options: tuple[str, ...] = ()
    whole: bool = False


WAYS: Final = (
    Way("one", "it, and what it needs"),
    Way("single", "it alone", ("--single-item",)),
    Way("downstream", "it, and all that builds on it", ("--downstream",)),
    Way("force", "it alone, even if fresh", ("--single-item", "--force")),
    Way("all", "all stages", (), whole=True),
    Way("dry", "say what would be run", ("--dry",)),
)


def command_of(way: Way, stage: str, folder: Path, environ: Mapping[str, str]) -> list[str]:
    """The command, word by word. Raises NotFound where the project has no dvc."""
    return [program(folder, environ), "repro", *way.options, *(() if way.whole else (stage,))]


def program(folder: Path, environ: Mapping[str, str]) -> str:
    """The project's own `dvc`: of the active environment, of one in the project's folder, of the PATH, else the one
    that runtower came with. Raises NotFound."""
    places = [Path(environ["VIRTUAL_ENV"])] if environ.get("VIRTUAL_ENV") else []
    places += [folder / name for name in _ENVIRONMENTS]
    for place in places:
        if os.access(place / "bin/dvc", os.X_OK):
            return str(place / "bin/dvc")
    found = shutil.which("dvc", path=environ.get("PATH"))
    if found is None:
        import sys  # noqa: PLC0415

        beside = Path(sys.executable).with_name("dvc")
        found = str(beside) if os.access(beside, os.X_OK) else None
    if found is None:
        raise NotFound("No dvc was found: neither in the project's environment nor in the PATH.", "pip install dvc")
    return found


def check_free(jobs: Iterable[Job], folder: Path) -> None:
    """Raises Conflict where a dvc of ours runs in this project already: two of them wait for each other's lock."""
    for job in jobs:
        is_dvc = bool(job.command) and os.path.basename(job.command[0]) == "dvc"
        if is_dvc and not job.state.is_over and Path(job.folder) == folder:
            raise Conflict(
                f"{job.id} ({' '.join(job.command[1:3])}) is at work in this project.", "Wait, or stop it (5)."
            )


def last_of(jobs: Iterable[Job], folder: Path) -> Job | None:
    """The newest job of dvc in a project."""
    found = [
        job for job in jobs if job.command and os.path.basename(job.command[0]) == "dvc" and Path(job.folder) == folder
    ]
    return max(found, key=lambda job: job.queued_ms or 0.0, default=None)
