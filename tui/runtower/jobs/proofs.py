"""Whether the program behind a run is gone, by what the run says of it in a tag.

`runtower.process` holds four words: the boot id of its machine, its pid namespace (a container has its own), its pid,
and its start in clock ticks since that boot, so that a pid given anew to another program proves nothing. Linux only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runtower.domain.silence import Evidence, Lost

PROCESS_TAG: Final = "runtower.process"

_PROC: Final = Path("/proc")


def process_tag(pid: int | str = "self") -> str:
    """What a process writes into the tag. Raises OSError where it is gone, or there is no /proc."""
    real = os.getpid() if pid == "self" else pid
    return f"{_here()} {real} {_start_of(str(pid))}"


def lost(tags: Mapping[str, str]) -> Lost | None:
    """With these tags: proof that the process is gone. None where it lives, or nobody can tell from here."""
    words = tags.get(PROCESS_TAG, "").split()
    if len(words) != 4 or not words[2].isdecimal():
        return None
    boot, namespace, pid, start = words
    try:
        if f"{boot} {namespace}" != _here():
            return None
        if _start_of(pid) == start:
            return None
    except (FileNotFoundError, ProcessLookupError):
        # Of this boot's /proc only the process's own files can be missing.
        pass
    except OSError:
        return None
    return Lost(Evidence.PROCESS, f"process {pid} is gone")


def is_alive(boot: str, namespace: str, pid: str, start: str) -> bool | None:
    """Whether the process lives that these four words name. None where nobody can tell from here: another pid
    namespace, or a system without /proc."""
    try:
        here_boot, here_namespace = _here().split()
        if boot != here_boot:
            return False
        if namespace != here_namespace:
            return None
        return _start_of(pid) == start
    except (FileNotFoundError, ProcessLookupError):
        return False if (_PROC / "self/stat").exists() else None
    except OSError:
        return None


def is_start(pid: int, start: str) -> bool:
    """Whether the process of that number is the one that was started at that tick, and lives."""
    try:
        return _start_of(str(pid)) == start
    except OSError:
        return False


def is_older_boot(boot: str) -> bool:
    """Whether a boot id is another than this one's."""
    try:
        return boot != _here().split()[0]
    except OSError:
        return False


def _here() -> str:
    """This boot of this machine, and the pids that are seen in it."""
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.stat(_PROC / 'self/ns/pid').st_ino}"


def _start_of(pid: str) -> str:
    """Clock ticks from the boot to the start of a process; '' for one that has ended and whose parent hasn't asked."""
    fields = (_PROC / pid / "stat").read_text().rsplit(")", 1)[1].split()  # proc_pid_stat(5): state is the third field
    return "" if fields[0] in "ZX" else fields[19]
