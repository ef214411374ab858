"""Makes the next base out of the last one and what came since, beside polls and queries."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from runtower.catalog import cache
from runtower.catalog.mapped import contents
from runtower.catalog.merging import merge
from runtower.catalog.segment import Segment
from runtower.catalog.writer import WriterLock
from runtower.domain.targets import Identity, Target
from runtower.link import native
from runtower.link.channel import Channel
from runtower.link.reports import Reports
from runtower.link.sourcelog import note
from runtower.link.spool import Spool, second_name
from runtower.link.table import BaseFile, Snapshot, Table
from runtower.link.wire import Base

_PIECES: Final = 24
_TOO_MANY: Final = 64
_SHARE: Final = 0.2
_REST: Final = 30.0
# About 200 ms of merging, measured with 60 columns.
_QUICK: Final = 8_000_000
_TOPIC: Final = "cache"


class _Stopped(Exception):
    """The process ends; nobody needs this base."""


class Compaction:
    """Decides when the base is made anew, makes it in a thread, and keeps it in the cache where it may."""

    def __init__(
        self, table: Table, spool: Spool, channel: Channel, reports: Reports, catalog: Path | None, target: Target
    ) -> None:
        self._table = table
        self._spool = spool
        self._channel = channel
        self._reports = reports
        self._catalog = catalog
        self._key = target.file_key
        self._lock = WriterLock(catalog, self._key) if catalog else None
        self._identity = Identity("", "", "")
        self._redact: tuple[str, ...] = ()
        self._last = -_REST
        self._not_before = 0.0
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._wanted: list[Snapshot] = []

    def opened(self, identity: Identity, redact: tuple[str, ...]) -> None:
        """Whose rows these are. Takes the writer's lock early, so that a second runtower knows at once."""
        self._identity, self._redact = identity, redact
        self._may_write()

    def consider(self) -> None:
        """To be called after each delta: starts the thread where it is time."""
        if self._is_running() or not self._is_due(time.monotonic()):
            return
        self._wanted = [self._table.snapshot()]
        self._thread = threading.Thread(target=self._beside, name="compaction", daemon=True)
        self._thread.start()

    def renew(self) -> None:
        """Keep the right to write alive; to be called every minute or so."""
        if self._lock:
            self._lock.renew()

    def finish(self, patience: float) -> None:
        """The orderly end: write down what is new where that is quick, or see a running one through."""
        if self._thread and self._thread.is_alive():
            self._thread.join(patience)
            self._stopping = True
            return
        snapshot = self._table.snapshot()
        if self._table.pieces and snapshot.nbytes < _QUICK and self._identity.key and self._may_write():
            self._run(snapshot)

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _is_due(self, now: float) -> bool:
        pieces = self._table.pieces
        if pieces == 0 or now < self._not_before:
            return False
        base = self._table.base
        if pieces > _TOO_MANY or (self._table.complete and (base is None or not base.whole)):
            return True
        return self._table.complete and now - self._last >= _REST and (pieces > _PIECES or self._table.share > _SHARE)

    def _beside(self) -> None:
        # Nobody may hold the snapshot when memory is given back: it is most of it.
        self._run(self._wanted.pop())
        pa.default_memory_pool().release_unused()
        native.give_back()

    def _run(self, snapshot: Snapshot) -> None:
        try:
            base = self._make(snapshot)
            self._table.rebase(snapshot, base)
            self._channel.send(Base(snapshot.seq, base.base_id, self._spool.lend(base.path, base.length)))
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 - overlays go on serving; the poll loop must not notice
            note("the base could not be made", error)
            self._not_before = time.monotonic() + _REST
            self._reports.notice(_TOPIC, f"New rows are kept in memory only: {error}.")
        finally:
            self._last = time.monotonic()

    def _make(self, snapshot: Snapshot) -> BaseFile:
        pieces = [Segment.read(piece) for piece in snapshot.overlays]
        if snapshot.base is not None:
            pieces.insert(0, Segment.read(cache.parse(contents(snapshot.base.path)).segment))
        merged = merge(pieces, snapshot.gone, self._pause)
        runs = len(Segment.read(merged).rows)
        cached = cache.Cached(
            secrets.token_hex(8),
            self._identity.key,
            self._identity.address,
            time.time_ns() // 1_000_000,
            snapshot.complete,
            self._redact,
            snapshot.experiments,
            snapshot.cursor,
            merged,
        )
        return self._keep(cached, runs)

    def _keep(self, cached: cache.Cached, runs: int) -> BaseFile:
        """In the cache, and under a second name in the spool that nobody else rotates away; or in the spool alone."""
        if self._catalog and self._may_write():
            try:
                written = cache.store(self._catalog, self._key, cached)
                mine = self._spool.folder / f".base-{written.base_id}"
                second_name(written.path, mine)
                self._reports.notice(_TOPIC, "")
                return BaseFile(mine, written.base_id, written.length, runs, cached.complete)
            except OSError as error:
                self._cannot_write(error)
        written = cache.write(self._spool.folder / f".base-{cached.base_id}", cached)
        return BaseFile(written.path, written.base_id, written.length, runs, cached.complete)

    def _may_write(self) -> bool:
        if self._lock is None or self._catalog is None:
            return False
        try:
            if self._lock.acquire():
                return True
            self._reports.notice(_TOPIC, "Another runtower keeps the cache of this source; this one only reads it.")
        except OSError as error:
            self._cannot_write(error)
        return False

    def _cannot_write(self, error: OSError) -> None:
        why = (error.strerror or str(error)).lower()
        self._reports.notice(_TOPIC, f"The cache can't be written ({why}: {self._catalog}); runtower goes on without.")

    def _pause(self) -> None:
        if self._stopping:
            raise _Stopped
        time.sleep(0)


def adopt(catalog: Path, target: Target, cached: cache.Cached, spool: Spool, runs: int) -> BaseFile:
    """A cache file that was read as a base of our own, which nobody rotates away. Raises OSError."""
    mine = spool.folder / f".base-{cached.base_id}"
    for path in cache.files(catalog, target.file_key):
        if path.name.endswith(f"-{cached.base_id}.cache"):
            try:
                second_name(path, mine)
                return BaseFile(mine, cached.base_id, mine.stat().st_size, runs, cached.complete)
            except FileNotFoundError:
                break
    written = cache.write(mine, replace(cached))
    return BaseFile(written.path, written.base_id, written.length, runs, cached.complete)
