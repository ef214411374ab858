"""The log of a source's process: all that its libraries print, bounded to two files of a megabyte or so."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Final

LIMIT: Final = 1_000_000


class SourceLog:
    """Standard output and error of this process, as a file that is begun anew when it is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take_over(self) -> None:
        """Nothing to read on 0; 1 and 2 go into the file."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        self._open(nothing)
        os.close(nothing)

    def bound(self) -> None:
        """Begin a new file where this one is full. Cheap; to be called about once a second."""
        try:
            mine = os.fstat(2)
            if mine.st_size < LIMIT:
                return
            if os.path.samestat(mine, self._path.stat()):
                self._path.rename(self._path.with_suffix(".log.1"))
            self._open(2)
        except OSError:
            os.ftruncate(2, 0)  # the folder is gone or can't be changed: rather less of a log than a full disk

    def _open(self, otherwise: int) -> None:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError:
            descriptor = os.dup(otherwise)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)


def note(what: str, error: BaseException) -> None:
    """Write an error with its traceback to the log."""
    os.write(2, f"{what}\n{''.join(traceback.format_exception(error))}".encode(errors="replace"))
