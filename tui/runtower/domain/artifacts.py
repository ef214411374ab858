"""The files of a run: what a folder of them holds, and a piece of one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from runtower.domain.errors import Invalid

MOST_ENTRIES: Final = 5_000
MOST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or a folder. `path` is relative to the run's artifacts, with '/' between its parts; `size` in bytes, None
    for a folder and where it isn't known."""

    path: str
    is_dir: bool
    size: int | None = None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in a folder, folders first, each by name; `left_out`: how many more there are than are listed."""

    entries: tuple[Artifact, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file from `offset` on; `total` is its size now, None where that isn't told."""

    data: bytes
    offset: int
    total: int | None


def artifact_path(text: str) -> str:
    """A relative path in its plain form, '' for the run's own folder.

    Raises Invalid for one that leads out: absolute, or with '..' in it; and for one that no file can have.
    """
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\0" in text:
        raise Invalid(f"'{text}' is no path of an artifact.", "It is relative to the run's artifacts, without '..'.")
    return "" if path == PurePosixPath() else str(path)


def in_order(entries: list[Artifact], left_out: int = 0) -> Folder:
    """A folder of these: folders first, by name; no more than are ever listed."""
    ordered = sorted(entries, key=lambda one: (not one.is_dir, one.name))
    return Folder(tuple(ordered[:MOST_ENTRIES]), left_out + max(0, len(ordered) - MOST_ENTRIES))
