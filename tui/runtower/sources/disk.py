"""The files of a folder on this machine, and nothing outside of it: for sources whose artifacts lie on a disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from runtower.domain.artifacts import MOST_ENTRIES, Artifact, Folder, Piece, artifact_path, in_order
from runtower.domain.errors import Forbidden, Invalid, NotFound, TowerError

PIECE: Final = 1024 * 1024


def listed(root: Path, folder: str) -> Folder:
    """What lies in a folder below the root; the root itself may be missing. Raises as `ReadsArtifacts`."""
    below = artifact_path(folder)
    if not below and not root.exists():
        return Folder()
    place = _inside(root, below)
    if not place.is_dir():
        raise Invalid(f"'{below}' is no folder.", "It is a file.")
    try:
        with os.scandir(place) as found:
            entries = sorted(found, key=lambda one: one.name)
        known = [_entry(one, f"{below}/{one.name}" if below else one.name) for one in entries[:MOST_ENTRIES]]
    except OSError as error:
        raise _unreadable(below, error) from error
    return in_order(known, len(entries) - len(known))


def part(root: Path, path: str, offset: int, most: int) -> Piece:
    """A piece of a file below the root. Raises as `ReadsArtifacts`."""
    with _opened(root, path) as (file, size):
        start = min(max(0, size + offset), size) if offset < 0 else offset
        file.seek(start)
        data = file.read(most)
        return Piece(data, start, max(size, start + len(data)) if data else size)


def pieces(root: Path, path: str) -> Iterator[Piece]:
    """A whole file below the root. Raises as `ReadsArtifacts`."""
    with _opened(root, path) as (file, size):
        offset = 0
        while data := file.read(PIECE):
            yield Piece(data, offset, max(size, offset + len(data)))
            offset += len(data)
        if not offset:
            yield Piece(b"", 0, 0)


def _entry(found: os.DirEntry[str], path: str) -> Artifact:
    try:
        is_dir = found.is_dir()
        return Artifact(path, is_dir, None if is_dir else found.stat().st_size)
    except OSError:
        return Artifact(path, False)  # a link that leads nowhere, or a file that just went


@contextmanager
def _opened(root: Path, path: str) -> Iterator[tuple[BinaryIO, int]]:
    """The file, and its size."""
    below = artifact_path(path)
    place = _inside(root, below)
    try:
        # Opening a pipe with no writer would wait for ever.
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(below, error) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise Invalid(f"'{below}' is a folder.", "Name one of the files in it.")
        raise Invalid(f"'{below}' is no file that could be read.", "It is a pipe, a socket or a device.")
    with os.fdopen(descriptor, "rb") as file:
        try:
            yield file, found.st_size
        except OSError as error:
            raise _unreadable(below, error) from error


def _inside(root: Path, below: str) -> Path:
    """The real place of a path. Raises NotFound, and Forbidden where that isn't below the root."""
    try:
        top = root.resolve(strict=True)
        place = (top / below).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise _unreadable(below, error) from error
    if not place.is_relative_to(top):
        raise Forbidden(
            f"'{below}' is a link to {place}, outside of the run's artifacts.", "Look at it where it lies, if at all."
        )
    return place


def _unreadable(below: str, error: OSError | RuntimeError) -> TowerError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, PermissionError):
        return Forbidden(f"'{below}' can't be read: {why}.", "Ask its owner for permission.")
    return NotFound(f"There is no '{below}' among the run's artifacts: {why}.", "Refresh, and look again.")
