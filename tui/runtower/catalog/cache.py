"""The cache file: what was known of a source when its process last wrote it down.

    8   magic (with the version of the layout)
    4   length of the head            little-endian uint32
    4   length of head and padding    so that the body begins at a multiple of 64
    4   crc32 of everything before the body but itself
        head    msgpack of `_Head`
        body    segment, experiments (msgpack), cursor

The file's name is a hash of the kind and the address, so that it is found before anything was asked. Nothing in it is
trusted before the checksums held. It is written beside and renamed; of a source the last two are kept, of all sources
1 GiB, the one that wasn't written for longest going first.
"""

from __future__ import annotations

import os
import secrets
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from runtower.catalog.mapped import Contents, contents, let_go
from runtower.domain.runs import Experiment
from runtower.domain.targets import Target
from runtower.folders import private

MAGIC: Final = b"RTCACHE\x01"
SCHEMA: Final = 1
BUDGET: Final = 1 << 30
_KEPT: Final = 2
_FIXED: Final = 20
_STALE_TEMPORARY: Final = 3600.0


class CacheError(ValueError):
    """The bytes are not a cache file of this version, or a torn one."""


class _Head(msgspec.Struct):
    schema: int
    base_id: str
    source_key: str
    address: str
    written_ms: int
    complete: bool
    redact: tuple[str, ...]
    lengths: tuple[int, int, int]
    crc: int


@dataclass(frozen=True, slots=True)
class Cached:
    """What a cache file holds. `segment` is for `catalog.segment.Segment.read`; `written_ms` is UTC epoch ms.

    `complete`: whether the source had told everything; `redact`: the patterns whose parameters were left out.
    """

    base_id: str
    source_key: str
    address: str
    written_ms: int
    complete: bool
    redact: tuple[str, ...]
    experiments: tuple[Experiment, ...]
    cursor: bytes
    segment: bytes | memoryview


@dataclass(frozen=True, slots=True)
class Written:
    """A file on the disk; `length` in bytes."""

    path: Path
    base_id: str
    length: int


def read(folder: Path, target: Target, redact: Sequence[str] = ()) -> Cached | None:
    """The newest readable cache of the target in `folder` (`Folders.catalog`), or None.

    Reads up to some 100 MB: call it off the UI's loop.

    A file that is torn is set aside (`.broken`) and the one before it is read. A cache that was written under other
    `redact` patterns is left alone: it may hold what must not be shown now.
    """
    for path in reversed(files(folder, target.file_key)):
        try:
            cached = parse(contents(path))
        except OSError:
            continue
        except CacheError:
            _set_aside(path)
            continue
        return cached if cached.redact == tuple(sorted(redact)) else None
    return None


def files(folder: Path, key: str) -> list[Path]:
    """The target's cache files, oldest first."""
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder) if _is_of(entry.name, key))
    except OSError:
        return []


def parse(data: Contents) -> Cached:
    """What the bytes of a cache file hold. Raises CacheError where one of them isn't what was written."""
    if data[:8] != MAGIC or len(data) < _FIXED:
        raise CacheError("not a cache file of this version")
    head_length, start, crc = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12, 16))
    if start < _FIXED + head_length or start > len(data) or _head_crc(data[:16], data[_FIXED:start]) != crc:
        raise CacheError("the head is torn")
    try:
        head = msgspec.msgpack.decode(data[_FIXED : _FIXED + head_length], type=_Head)
    except msgspec.MsgspecError as error:
        raise CacheError(f"another version's head: {error}") from error
    body = memoryview(data)[start:]
    if head.schema != SCHEMA or sum(head.lengths) != len(body) or zlib.crc32(body) != head.crc:
        raise CacheError("the body is torn")
    segment, experiments, _ = head.lengths
    cached = Cached(
        head.base_id,
        head.source_key,
        head.address,
        head.written_ms,
        head.complete,
        head.redact,
        unpack_experiments(bytes(body[segment : segment + experiments])),
        bytes(body[segment + experiments :]),
        body[:segment],
    )
    let_go(data)
    return cached


def pack_experiments(experiments: Sequence[Experiment]) -> bytes:
    """Experiments as msgpack: a list of (id, name, deleted)."""
    return msgspec.msgpack.encode([(e.experiment_id, e.name, e.deleted) for e in experiments])


def unpack_experiments(data: bytes) -> tuple[Experiment, ...]:
    """The inverse of `pack_experiments`. Raises msgspec.MsgspecError."""
    return tuple(Experiment(*each) for each in msgspec.msgpack.decode(data, type=list[tuple[str, str, bool]]))


def store(folder: Path, key: str, cached: Cached) -> Written:
    """Write the target's next cache file and let the older ones go. Only for who holds the writer's lock.

    `base_id` and `written_ms` of `cached` are given here. Raises OSError.
    """
    private(folder)
    before = files(folder, key)
    newest = int(before[-1].name.split("-")[1]) if before else 0
    written_ms = max(time.time_ns() // 1_000_000, newest + 1)
    base_id = secrets.token_hex(8)
    named = replace(cached, base_id=base_id, written_ms=written_ms)
    written = write(folder / f"{key}-{written_ms:015d}-{base_id}.cache", named)
    for old in before[: 1 - _KEPT]:
        old.unlink(missing_ok=True)
    prune(folder, key)
    return written


def write(path: Path, cached: Cached) -> Written:
    """Write one file: beside it, flushed to the disk, then renamed. Raises OSError and leaves nothing behind."""
    parts = [cached.segment, pack_experiments(cached.experiments), cached.cursor]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    lengths = (len(parts[0]), len(parts[1]), len(parts[2]))
    head = _Head(
        SCHEMA,
        cached.base_id,
        cached.source_key,
        cached.address,
        cached.written_ms,
        cached.complete,
        tuple(sorted(cached.redact)),
        lengths,
        crc,
    )
    begin = _begin(msgspec.msgpack.encode(head))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            for part in (begin, *parts):
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        beside.rename(path)
        _flush_folder(path.parent)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return Written(path, cached.base_id, len(begin) + sum(lengths))


def prune(folder: Path, key: str, budget: int = BUDGET) -> None:
    """Keep the folder within `budget` bytes: of other sources the longest unwritten goes first, with all its files."""
    sources: dict[str, list[os.DirEntry[str]]] = {}
    for entry in os.scandir(folder):
        if entry.name.endswith((".cache", ".broken")) and "-" in entry.name:
            sources.setdefault(entry.name.partition("-")[0], []).append(entry)
        elif entry.name.startswith(".") and time.time() - _stat(entry).st_mtime > _STALE_TEMPORARY:
            Path(entry.path).unlink(missing_ok=True)
    size = {source: sum(_stat(entry).st_size for entry in entries) for source, entries in sources.items()}
    excess = sum(size.values()) - budget
    for source in sorted(sources, key=lambda each: max(_stat(entry).st_mtime for entry in sources[each])):
        if excess <= 0:
            return
        if source != key:
            excess -= size[source]
            for entry in sources[source]:
                Path(entry.path).unlink(missing_ok=True)


def _begin(head: bytes) -> bytes:
    start = -(-(_FIXED + len(head)) // 64) * 64
    fixed = MAGIC + len(head).to_bytes(4, "little") + start.to_bytes(4, "little")
    rest = head.ljust(start - _FIXED, b"\0")
    return fixed + _head_crc(fixed, rest).to_bytes(4, "little") + rest


def _head_crc(fixed: bytes, rest: bytes) -> int:
    return zlib.crc32(rest, zlib.crc32(fixed))


def _is_of(name: str, key: str) -> bool:
    return name.startswith(f"{key}-") and name.endswith(".cache")


def _stat(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # another runtower removed it just now
        return os.stat_result((0,) * 10)


def _set_aside(path: Path) -> None:
    try:
        path.rename(path.with_suffix(".broken"))
        for old in sorted(path.parent.glob(f"{path.name.partition('-')[0]}-*.broken"))[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return  # a folder that can't be changed: the file is passed over again next time


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
