"""The session's folder for what is too large for a frame.

The sender writes a file under a temporary name and renames it; the receiver checks length and crc32, reads it and
removes it. The terminal makes the folder and holds a lock on it, so that what a killed session left can be told apart
and swept by the next source process.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
import time
import zlib
from pathlib import Path

from runtower.catalog.mapped import Contents, contents
from runtower.folders import Folders, private
from runtower.link.wire import INLINE, Parcel

_LEFT_BEHIND = 60.0


class SpoolError(Exception):
    """A parcel whose file is missing, torn, or not in the session's folder."""


class Spool:
    """One session's folder, seen from either side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes | memoryview) -> Parcel:
        """The bytes as a parcel. Raises OSError where a file was needed and could not be written."""
        if len(data) <= INLINE:
            return Parcel(inline=bytes(data))
        name = secrets.token_hex(8)
        unfinished = self.folder / f".{name}"
        try:
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(data)
            unfinished.rename(self.folder / name)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return Parcel(file=name, length=len(data), crc=zlib.crc32(data))

    def lend(self, path: Path, length: int) -> Parcel:
        """A parcel of a file that stays where it is and carries its own checksums. Raises OSError."""
        name = secrets.token_hex(8)
        second_name(path, self.folder / name)
        return Parcel(file=name, length=length)

    def take(self, parcel: Parcel) -> bytes:
        """The bytes of a parcel; its file is gone afterwards. Raises SpoolError."""
        if parcel.inline is not None:
            return parcel.inline
        path = self._path(parcel)
        try:
            data = path.read_bytes()
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SpoolError(f"{path.name} can't be read: {error.strerror}") from error
        if len(data) != parcel.length or (parcel.crc is not None and zlib.crc32(data) != parcel.crc):
            raise SpoolError(f"{path.name} is not what was sent")
        return data

    def take_file(self, parcel: Parcel) -> Contents:
        """As `take`, for a file that carries checksums of its own: it needn't be copied into memory."""
        if parcel.inline is not None:
            return parcel.inline
        path = self._path(parcel)
        try:
            data = contents(path)
            path.unlink(missing_ok=True)
        except OSError as error:
            raise SpoolError(f"{path.name} can't be read: {error.strerror}") from error
        if len(data) != parcel.length:
            raise SpoolError(f"{path.name} is not what was sent")
        return data

    def drop(self, parcel: Parcel | None) -> None:
        """Forget a parcel that nobody wants."""
        if parcel is not None and parcel.inline is None:
            self._path(parcel).unlink(missing_ok=True)

    def _path(self, parcel: Parcel) -> Path:
        # The other side isn't trusted with paths: a parcel can only name a file of this folder.
        if not parcel.file.isalnum():
            raise SpoolError("a parcel names no file of the spool")
        return self.folder / parcel.file


def second_name(path: Path, name: Path) -> None:
    """Let `name` be the same file, or a copy where the filesystems differ or know no links. Raises OSError."""
    try:
        os.link(path, name)
    except OSError:
        unfinished = name.with_name(f".{name.name}.part")
        try:
            shutil.copyfile(path, unfinished)
            unfinished.rename(name)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


class OwnedSpool(Spool):
    """The terminal's side: makes the folder, holds its lock, removes it."""

    def __init__(self, folders: Folders) -> None:
        try:
            super().__init__(Path(tempfile.mkdtemp(prefix="s-", dir=private(folders.spool))))
        except OSError:
            # No home to write to, or no space in it: the system's temporary folder is as private.
            super().__init__(Path(tempfile.mkdtemp(prefix="runtower-")))
        self._lock = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # a filesystem without locks: the sweep leaves such folders alone

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep(spools: Path, now: float | None = None) -> None:
    """Remove the folders of sessions that are over: older than a minute, and nobody holds their lock."""
    try:
        found = [entry for entry in os.scandir(spools) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for entry in found:
        try:
            if (now or time.time()) - entry.stat().st_mtime < _LEFT_BEHIND:
                continue
            descriptor = os.open(entry.path, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        shutil.rmtree(entry.path, ignore_errors=True)
