"""A file's bytes without a copy of them in memory, where that is safe.

A file that is truncated under a mapping ends the process (SIGBUS). So only files that are never written again, only
replaced, are mapped, and only on a local filesystem; anywhere else they are read.
"""

from __future__ import annotations

import mmap
import os
from functools import lru_cache
from pathlib import Path
from typing import Final

_LOCAL: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "tmpfs"})
_MOUNTS: Final = Path("/proc/self/mountinfo")

Contents = bytes | mmap.mmap


def contents(path: Path) -> Contents:
    """The bytes of a file, mapped or read. Raises OSError."""
    if not _is_local(str(path.parent)):
        return path.read_bytes()
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def let_go(data: Contents) -> None:
    """Pages that were only looked at once (for a checksum) needn't count as ours."""
    if isinstance(data, mmap.mmap):
        data.madvise(mmap.MADV_DONTNEED)


@lru_cache(maxsize=64)
def _is_local(folder: str) -> bool:
    """By the kind of the filesystem that the folder is on; where that can't be told (macOS), no."""
    try:
        mounts = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return False
    real = os.path.realpath(folder)
    best, kind = "", ""
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        point = fields.split(" ")[4].encode().decode("unicode_escape")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, rest.split(" ")[0]
    return kind in _LOCAL
