"""Sends a job's process group a signal, once it is sure that it is the job's."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

from runtower.domain.errors import Conflict, Forbidden
from runtower.jobs import proofs

SIGNALS: Final = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL}


def stop_job(folder: Path, name: str, who: str) -> None:
    """Send `name` (INT, TERM or KILL) to the process group of the job in a folder.

    That it was asked for is written down before, so that the job counts as stopped and not as failed. Raises Conflict
    where it doesn't run any more or can't be seen from here, Forbidden where the system refuses.
    """
    words = _claim(folder)
    if len(words) < 5 or words[0] != "start":
        raise Conflict(f"{folder.name} doesn't run.", "runtower jobs says what became of it.")
    alive = proofs.is_alive(*words[1:5])
    if alive is None:
        raise Conflict(f"{folder.name} runs in another container.", "Stop it from where it was started.")
    if not alive:
        raise Conflict(f"{folder.name} has ended meanwhile.", "runtower jobs says how.")
    _note(folder, name, who)
    send(int(words[3]), words[4], name)


def send(pid: int, start: str, name: str) -> None:
    """Send a signal to the process group that a process leads or belongs to. `start`: its start in clock ticks, so that
    no other process of that number is met. Raises Conflict where it is gone, Forbidden where the system refuses."""
    try:
        held = os.pidfd_open(pid)  # while it is held, the number isn't given to another process
    except OSError:
        raise Conflict(f"Process {pid} has ended meanwhile.") from None
    try:
        group = os.getpgid(pid)
        if not proofs.is_start(pid, start):
            raise Conflict(f"Process {pid} has ended meanwhile.")
        if group == os.getpgrp():
            raise Forbidden(f"Process {pid} is in runtower's own process group.", "Stop it by hand.")
        os.killpg(group, SIGNALS[name])
    except ProcessLookupError:
        raise Conflict(f"Process {pid} has ended meanwhile.") from None
    except PermissionError:
        raise Forbidden(f"Process {pid} is somebody else's.", "Ask its owner.") from None
    finally:
        os.close(held)


def _claim(folder: Path) -> list[str]:
    try:
        return (folder / "claim").read_text().split()
    except OSError:
        return []


def _note(folder: Path, name: str, who: str) -> None:
    try:
        handle = os.open(folder / "stops", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return  # a full disk is no reason to let it run on
    try:
        os.write(handle, f"{time.time_ns() // 1_000_000} {name} {who}\n".encode())
    except OSError:
        return
    finally:
        os.close(handle)
