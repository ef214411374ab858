"""The coarse curves of earlier sittings, and those of this one on their way to the next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from runtower.catalog import curve_cache
from runtower.catalog.curve_cache import KeptCurve, KeptCurves
from runtower.catalog.writer import WriterLock
from runtower.domain.targets import Target

_REST: Final = 2.0


class CurveShelf:
    """By source number what is kept of its curves. Without a folder (no cache) nothing is read or written.

    Of two runtowers on one source the one that writes first goes on writing; the other one only reads.
    """

    def __init__(self, folder: Path | None, targets: Sequence[Target]) -> None:
        self._folder = folder
        self._keys = [target.file_key for target in targets]
        self._kept: list[KeptCurves] = [KeptCurves() for _ in targets]
        self._fresh: list[dict[tuple[str, str], KeptCurve]] = [{} for _ in targets]
        self._locks: dict[int, WriterLock] = {}
        self._writing = threading.Lock()
        self._saving: asyncio.Task[None] | None = None

    def read(self) -> None:
        """Bring in the curves of earlier sittings; call it in a thread."""
        if self._folder is not None:
            self._kept = [curve_cache.read(self._folder, key) for key in self._keys]

    def add(self, target: Target) -> None:
        """One more source; what is kept of it is read by `read_last`."""
        self._keys.append(target.file_key)
        self._kept.append(KeptCurves())
        self._fresh.append({})

    def read_last(self) -> None:
        """Bring in the curves of the source that was added last; call it in a thread."""
        if self._folder is not None:
            last = len(self._keys) - 1
            self._kept[last] = curve_cache.read(self._folder, self._keys[last])

    def find(self, source: int, run_id: str, metric: str) -> KeptCurve | None:
        """What an earlier sitting knew."""
        return self._kept[source].get(run_id, metric) if source < len(self._kept) else None

    def put(self, source: int, curve: KeptCurve) -> None:
        """Keep a curve for the next start. Complete ones are written once some seconds have passed, others with them
        or at the end: the curve of a running run is another in a moment."""
        if self._folder is None:
            return
        self._fresh[source][curve.run_id, curve.metric] = curve
        if curve.complete and (self._saving is None or self._saving.done()):
            self._saving = asyncio.ensure_future(self._save_soon())

    async def _save_soon(self) -> None:
        await asyncio.sleep(_REST)
        await asyncio.to_thread(self.save)

    def save(self) -> None:
        """Write what is new. A cache folder that can't be written costs only the memory of the curves."""
        with self._writing:
            for source, fresh in enumerate(self._fresh):
                if self._folder is not None and fresh:
                    self._fresh[source] = {}
                    try:
                        self._write(self._folder, source, list(fresh.values()))
                    except OSError:
                        continue

    def close(self) -> None:
        """Write what is new and let another runtower be the writer."""
        self.save()
        with self._writing:
            self._folder = None
            for lock in self._locks.values():
                lock.release()

    def _write(self, folder: Path, source: int, fresh: Sequence[KeptCurve]) -> None:
        lock = self._locks.setdefault(source, WriterLock(folder, self._keys[source]))
        if lock.acquire():
            # Read again: before the lock was ours somebody else may have written.
            known = curve_cache.read(folder, self._keys[source])
            curve_cache.write(folder, self._keys[source], known.with_newer(fresh))
