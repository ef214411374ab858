"""Gives jobs to this machine's queue, and takes them back while they wait.

A job is a folder `<state>/jobs/<host>/j<number>`; what its files mean is in docs/jobs.md. Homes are shared between
hosts and pids are not, hence a queue for each host; that a machine was restarted shows in the job's claim.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from runtower.domain.errors import Conflict, Invalid, NotFound, TowerError
from runtower.domain.ulids import new_id
from runtower.folders import private
from runtower.settings import JobSettings

CANCELLED: Final = "cancelled"
_KEEPER: Final = Path(__file__).with_name("keeper.py")
_PROBE: Final = ("-P", "-m", "runtower.jobs.probe")
_TICKET_ROOM: Final = 512
_END_ROOM: Final = 4096


@dataclass(frozen=True)
class Request:
    """What to run: `command` is its argv, `folder` an absolute path, `gpus` how many it wants. `now`: at once, whatever
    the limit says. `run_id`: the MLflow run that it shall use, '' for one of its own."""

    command: Sequence[str]
    folder: Path
    environ: Mapping[str, str]
    name: str = ""
    gpus: int = 0
    now: bool = False
    run_id: str = ""
    redact: Sequence[str] = field(default=())

    @property
    def called(self) -> str:
        """Its name, else its command without the folder of its program."""
        return self.name or " ".join([os.path.basename(self.command[0]), *self.command[1:]])[:200]

    def checked(self) -> Request:
        """The same. Raises Invalid for what can't be run, before anything is written."""
        if not self.command or not self.command[0]:
            raise Invalid("There is no command.", "Give one after --, such as: runtower launch -- python train.py")
        if any("\0" in word for word in self.command):
            raise Invalid("A word of the command has a NUL in it.", "No program can be given one.")
        if self.gpus < 0:
            raise Invalid(f"{self.gpus} GPUs can't be had.", "Give 0 or more.")
        if not self.folder.is_dir():
            raise Invalid(f"The folder {self.folder} isn't there.", "A job needs one to run in.")
        return self


class Queue:
    """The queue of one host."""

    def __init__(self, jobs: Path, host: str = "") -> None:
        """`jobs`: the folder of all jobs; `host`: this one for ''."""
        self.host = host or socket.gethostname()
        self.folder = jobs / self.host.replace("/", "_")

    def add(self, request: Request, limits: JobSettings) -> str:
        """Put a job at the end of the queue and see that somebody keeps it; gives its id.

        Raises Invalid for a request that makes no sense, TowerError where the disk takes nothing more.
        """
        request.checked()
        new = self.folder / f".new.{new_id()}"
        try:
            private(new)
            self._fill(new, request)
            number = max((number_of(one.name) for one in os.scandir(self.folder)), default=0)
            while True:
                number = max(number, 0) + 1
                try:
                    new.rename(self.folder / f"j{number}")
                    break
                except OSError:
                    if not (self.folder / f"j{number}").exists():
                        raise
            self._write("queue.json", json.dumps(_limits(limits)))
            self._write("waiting", "")
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            raise TowerError(
                f"The job can't be written to {self.folder}: {error.strerror}.",
                "Is the disk full? Nothing was started.",
            ) from error
        self.keep()
        return f"j{number}"

    def keep(self) -> None:
        """See that somebody keeps the queue while something waits. Costs two system calls where nothing does."""
        if not (self.folder / "waiting").exists() or self._is_kept():
            return
        with suppress(OSError):  # whoever looks next tries again
            subprocess.Popen(
                [sys.executable, "-I", "-S", str(_KEEPER), str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def cancel(self, job: str) -> None:
        """Take back a job that waits. Raises NotFound, Conflict where it was begun."""
        folder = self.place(job)
        taken = folder / f".taken.{new_id()}"
        try:
            (folder / "ticket").rename(taken)
        except FileNotFoundError:
            raise Conflict(f"{job} was begun already.", f"runtower stop {job} stops it.") from None
        text = f"{CANCELLED} {time.time_ns() // 1_000_000}"
        with taken.open("r+b") as file:  # its length stays, as the disk may be full
            file.write(text.encode().ljust(taken.stat().st_size - 1) + b"\n")
        taken.rename(folder / "claim")

    def place(self, job: str) -> Path:
        """The folder of a job. Raises NotFound."""
        folder = self.folder / job
        if number_of(job) < 0 or not folder.is_dir():
            raise NotFound(f"There is no job '{job}' on {self.host}.", "runtower jobs lists them.")
        return folder

    def _is_kept(self) -> bool:
        try:
            with (self.folder / "keeper.lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def _fill(self, folder: Path, request: Request) -> None:
        """All files of a job; the ticket comes last, and none is there under its name before all are."""
        umask = os.umask(0o077)
        os.umask(umask)
        environ = dict(request.environ)
        if request.run_id:
            environ["MLFLOW_RUN_ID"] = request.run_id
        visible = environ.get("CUDA_VISIBLE_DEVICES")
        spec = {
            "name": request.called,
            "argv": list(request.command),
            "folder": str(request.folder),
            "host": self.host,
            "queued_ms": time.time_ns() // 1_000_000,
            "gpus": request.gpus,
            "now": request.now,
            "run_id": request.run_id,
            "umask": umask,
            "visible": visible.split(",") if visible and request.gpus else None,
        }
        files = {
            "spec.json": json.dumps(spec),
            "environ.json": json.dumps(environ),
            "secret.json": json.dumps(list(_secret(environ, request.redact))),
            "log": "",
            ".end": " " * (_END_ROOM - 1) + "\n",
            "ticket": " " * (_TICKET_ROOM - 1) + "\n",
        }
        for name, text in files.items():
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())

    def _write(self, name: str, text: str) -> None:
        new = self.folder / f"{name}.{new_id()}"
        new.write_text(text)
        new.rename(self.folder / name)


def number_of(job: str) -> int:
    """The number in a job's id, -1 for another word."""
    return int(job[1:]) if job[:1] == "j" and job[1:].isdecimal() else -1


def _limits(limits: JobSettings) -> dict[str, object]:
    return {
        "at_once": limits.at_once,
        "per_gpu": limits.per_gpu,
        "gpu_free": limits.gpu_free,
        "gpu_use": limits.gpu_use,
        "probe": [sys.executable, *_PROBE],
    }


def _secret(environ: Mapping[str, str], redact: Sequence[str]) -> Iterator[str]:
    """The variables that are not kept once the job was begun: by their names, and addresses with a password in them."""
    for name, value in environ.items():
        named = any(fnmatchcase(name.casefold(), pattern.casefold()) for pattern in redact)
        if named or ("://" in value and _has_password(value)):
            yield name


def _has_password(address: str) -> bool:
    try:
        return urlsplit(address).password is not None
    except ValueError:
        return True
