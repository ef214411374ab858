"""One writer of a source's cache at a time, whoever else reads it.

A lock by flock ends with its process. Where the filesystem has no such locks a lease stands in: a file that names
host, process and boot, is touched while it is held, and is void once its process or its boot is over, or, from another
host, after ten minutes of silence.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import Final

import msgspec

from runtower.folders import private

_SILENCE: Final = 600.0


class _Lease(msgspec.Struct):
    host: str
    pid: int
    boot: str


class WriterLock:
    """The right to write the cache files of one source."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / f"{key}.lock"
        self._lease = folder / f"{key}.lease"
        self._descriptor = -1
        self._leased = False

    @property
    def held(self) -> bool:
        return self._descriptor >= 0 or self._leased

    def acquire(self) -> bool:
        """Whether the right is ours now. Raises OSError where nothing can be written at all."""
        if self.held:
            self.renew()
            return self.held
        descriptor = os.open(private(self._path.parent) / self._path.name, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            return self._take_lease()
        self._descriptor = descriptor
        return True

    def renew(self) -> None:
        """Say that a lease is still in use; to be called every minute or so."""
        if self._leased:
            try:
                os.utime(self._lease)
            except OSError:
                self._leased = False

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._leased:
            self._leased = False
            self._lease.unlink(missing_ok=True)

    def _take_lease(self) -> bool:
        mine = msgspec.json.encode(_Lease(socket.gethostname(), os.getpid(), boot_id()))
        for _ in range(2):
            try:
                descriptor = os.open(self._lease, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                if not self._is_void():
                    return False
                self._lease.unlink(missing_ok=True)
                continue
            with open(descriptor, "wb") as out:
                out.write(mine)
            self._leased = True
            return True
        return False

    def _is_void(self) -> bool:
        try:
            silent = time.time() - self._lease.stat().st_mtime
            lease = msgspec.json.decode(self._lease.read_bytes(), type=_Lease)
        except FileNotFoundError:
            return True
        except msgspec.MsgspecError:
            return silent > _SILENCE  # somebody is writing it, or died doing so
        if lease.host != socket.gethostname():
            return silent > _SILENCE
        return lease.boot != boot_id() or not _lives(lease.pid)


def boot_id() -> str:
    """What tells this boot of the machine from the last one ('' where the system doesn't say)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
