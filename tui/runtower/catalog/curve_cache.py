"""The coarse curves that were looked at, kept for the next start: one file a source.

    8   magic (with the version of the layout)
    4   crc32 of everything behind it   little-endian uint32
    4   length of the head              little-endian uint32
        head     msgpack of `_Head`
        numbers  int64, six a curve: stamp, first step, last step, points, odd ones, buckets*4 + sampled*2 + complete
        values   float32, two times 32 a curve: the least of each bucket, the greatest of each
        names    msgpack: run ids, metrics; one of each a curve

The least recently looked at stand first; where the budget is reached they go. Nothing is trusted before the checksum
held. A file is written beside and renamed, but not forced to the disk: what a power cut tears costs one question to the
source.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from runtower.catalog.cache import CacheError
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve
from runtower.folders import private

MAGIC: Final = b"RTCURVE\x02"
BUDGET: Final = 16 << 20
_FIXED: Final = 16
_NUMBERS: Final = 6
_STALE_TEMPORARY: Final = 3600.0


class _Head(msgspec.Struct, array_like=True):
    count: int
    buckets: int


@dataclass(frozen=True, slots=True)
class KeptCurve:
    """A curve as it was when its run had the `stamp` (an int64 that is another for another state of the run).

    `curve` is None for a run without that metric. `complete`: nothing more comes while the stamp is the same.
    """

    run_id: str
    metric: str
    stamp: int
    complete: bool
    curve: CoarseCurve | None


class KeptCurves:
    """Curves in columns, so that thousands are read without making an object of each. Never changes."""

    def __init__(
        self,
        run_ids: Sequence[str] = (),
        metrics: Sequence[str] = (),
        numbers: NDArray[np.int64] | None = None,
        values: NDArray[np.float32] | None = None,
    ) -> None:
        self.run_ids = run_ids
        self.metrics = metrics
        self.numbers = np.empty((0, _NUMBERS), np.int64) if numbers is None else numbers
        self.values = np.empty((0, 2, COARSE_BUCKETS), np.float32) if values is None else values
        self._places = {spot: at for at, spot in enumerate(zip(run_ids, metrics, strict=True))}

    def __len__(self) -> int:
        return len(self.run_ids)

    def get(self, run_id: str, metric: str) -> KeptCurve | None:
        """The curve of a metric of a run, None where none is kept."""
        at = self._places.get((run_id, metric))
        if at is None:
            return None
        stamp, first, last, points, odd, rest = self.numbers[at].tolist()
        count, curve = rest >> 2, None
        if points:
            low, high = self.values[at, :, :count]
            curve = CoarseCurve(run_id, low, high, first, last, points, odd, bool(rest & 2))
        return KeptCurve(run_id, metric, stamp, bool(rest & 1), curve)

    def with_newer(self, newer: Sequence[KeptCurve], budget: int = BUDGET) -> KeptCurves:
        """These and newer ones, in at most about `budget` bytes on the disk: the newest stay."""
        newer = [one for one in newer if one.curve is None or len(one.curve.low) <= COARSE_BUCKETS]
        replaced = {(one.run_id, one.metric) for one in newer}
        spots = list(zip(self.run_ids, self.metrics, strict=True))
        stay = [at for at, spot in enumerate(spots) if spot not in replaced]
        sizes = [_size(*spots[at]) for at in stay] + [_size(one.run_id, one.metric) for one in newer]
        first = int(np.searchsorted(-np.cumsum(sizes[::-1])[::-1], -budget)) if sizes else 0
        stay, newer = stay[first:], newer[max(0, first - len(stay)) :]
        numbers = np.empty((len(newer), _NUMBERS), np.int64)
        values = np.full((len(newer), 2, COARSE_BUCKETS), np.nan, np.float32)
        for at, one in enumerate(newer):
            curve = one.curve
            if curve is None:
                numbers[at] = (one.stamp, 0, 0, 0, 0, one.complete)
                continue
            count = len(curve.low)
            rest = count * 4 + curve.sampled * 2 + one.complete
            numbers[at] = (one.stamp, curve.first_step, curve.last_step, curve.points, curve.odd, rest)
            values[at, 0, :count], values[at, 1, :count] = curve.low, curve.high
        return KeptCurves(
            [*(spots[at][0] for at in stay), *(one.run_id for one in newer)],
            [*(spots[at][1] for at in stay), *(one.metric for one in newer)],
            np.concatenate([self.numbers[stay], numbers]),
            np.concatenate([self.values[stay], values]),
        )


def read(folder: Path, key: str) -> KeptCurves:
    """What is kept of the source with this file key (`Target.file_key`); nothing where the file is torn or not there.

    A torn one is set aside (`.broken`). Reads up to 16 MiB: call it off the UI's loop.
    """
    path = _path(folder, key)
    try:
        return parse(path.read_bytes())
    except OSError:
        return KeptCurves()
    except CacheError:
        try:
            path.replace(path.with_suffix(".broken"))
        except OSError:
            pass  # a folder that can't be changed: it is passed over again next time
        return KeptCurves()


def parse(data: bytes) -> KeptCurves:
    """What the bytes of a file hold. Raises CacheError where one of them isn't what was written."""
    if data[:8] != MAGIC or len(data) < _FIXED:
        raise CacheError("not a file of curves of this version")
    crc, length = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12))
    if zlib.crc32(memoryview(data)[12:]) != crc:
        raise CacheError("the file is torn")
    try:
        head = msgspec.msgpack.decode(data[_FIXED : _FIXED + length], type=_Head)
        begin = _FIXED + length
        middle = begin + head.count * _NUMBERS * 8
        end = middle + head.count * 2 * head.buckets * 4
        run_ids, metrics = msgspec.msgpack.decode(data[end:], type=tuple[list[str], list[str]])
    except msgspec.MsgspecError as error:
        raise CacheError(f"another version's file: {error}") from error
    if head.buckets != COARSE_BUCKETS or not len(run_ids) == len(metrics) == head.count:
        raise CacheError("another version's file")
    numbers = np.frombuffer(data[begin:middle], "<i8").reshape(-1, _NUMBERS)
    return KeptCurves(run_ids, metrics, numbers, np.frombuffer(data[middle:end], "<f4").reshape(-1, 2, COARSE_BUCKETS))


def write(folder: Path, key: str, curves: KeptCurves) -> None:
    """Put the file of a source in the place of its old one. Only for who holds the writer's lock. Raises OSError."""
    path = _path(private(folder), key)
    head = msgspec.msgpack.encode(_Head(len(curves), COARSE_BUCKETS))
    parts = [
        len(head).to_bytes(4, "little"),
        head,
        curves.numbers.astype("<i8").tobytes(),
        curves.values.astype("<f4").tobytes(),
        msgspec.msgpack.encode((curves.run_ids, curves.metrics)),
    ]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            for part in (MAGIC, crc.to_bytes(4, "little"), *parts):
                out.write(part)
        beside.rename(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _prune(folder, path)


def _size(run_id: str, metric: str) -> int:
    """Bytes that a curve takes on the disk, or nearly."""
    return _NUMBERS * 8 + COARSE_BUCKETS * 8 + len(run_id) + len(metric) + 6


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.curves"


def _prune(folder: Path, ours: Path) -> None:
    """Keep the folder within the budget: of other sources the longest unwritten goes first."""
    known: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # another runtower removed it just now
        if path.name.startswith("."):
            if time.time() - stat.st_mtime > _STALE_TEMPORARY:
                path.unlink(missing_ok=True)
        elif path.suffix in (".curves", ".broken"):
            known.append((stat.st_mtime, stat.st_size, path))
    excess = sum(size for _, size, _ in known) - BUDGET
    for _, size, path in sorted(known):
        if excess <= 0:
            return
        if path != ours:
            excess -= size
            path.unlink(missing_ok=True)
