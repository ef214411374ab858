"""Where version folders are below a root, and a fingerprint of their files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.sources.csvlogger.contract import HPARAMS_FILE, METRICS_FILE, QUIET_AFTER_S, VERSION_FOLDER

DEEPEST: Final = 8
_SKIPPED: Final = frozenset({"node_modules", "__pycache__", "checkpoints", "artifacts"})


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file at one moment; two equal stamps mean the same content."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class VersionFolder:
    """One run: its path relative to the root, with '/' between the parts ('.' where the root itself is one)."""

    run_id: str
    path: Path
    metrics: FileStamp
    hparams: FileStamp | None

    def is_written_at(self, now_s: float) -> bool:
        """Whether metrics.csv changed in the minute before `now_s` (epoch seconds)."""
        return now_s - self.metrics.mtime_ns / 1e9 < QUIET_AFTER_S


def version_folders(root: Path) -> Iterator[VersionFolder]:
    """All version folders at most eight levels below the root. Hidden folders and environments are left out; a folder
    reached twice through links is read once."""
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Path, int]] = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            stat = folder.stat()
            if (stat.st_dev, stat.st_ino) in seen:
                continue
            seen.add((stat.st_dev, stat.st_ino))
            with os.scandir(folder) as entries:
                below = sorted((entry.name for entry in entries if _is_walked(entry)), reverse=True)
        except OSError:
            # Removed, or not ours to read: there are no runs for us in it.
            continue
        if (found := _version_folder(root, folder)) is not None:
            yield found
        if depth < DEEPEST:
            waiting.extend((folder / name, depth + 1) for name in below)


def _is_walked(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name in _SKIPPED or not entry.is_dir():
        return False
    # A virtual environment under any name.
    return not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def _version_folder(root: Path, folder: Path) -> VersionFolder | None:
    if VERSION_FOLDER.match(folder.name) is None:
        return None
    metrics = _stamp(folder / METRICS_FILE)
    if metrics is None:
        return None
    return VersionFolder(folder.relative_to(root).as_posix(), folder, metrics, _stamp(folder / HPARAMS_FILE))


def _stamp(path: Path) -> FileStamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return FileStamp(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
