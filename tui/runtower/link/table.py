"""What a source's process keeps of its table between polls: row ids, the name of the base, and what came since."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pyarrow as pa

from runtower.catalog.cache import pack_experiments
from runtower.catalog.encoding import encode
from runtower.domain.runs import Experiment, Kind
from runtower.link.ledger import Ledger
from runtower.link.spool import Spool
from runtower.link.wire import Rows
from runtower.sources.port import Cells, Delta, NumberRows, Numbers, Texts

_ERRORS = 200
_ERROR_LENGTH = 300


@dataclass(frozen=True, slots=True)
class BaseFile:
    """The base: a file of our own in the spool. `rows` counts its runs; `whole`: they were all that the source had."""

    path: Path
    base_id: str
    length: int
    rows: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a new base is made of; `seq` is the last delta in it."""

    base: BaseFile | None
    overlays: tuple[bytes, ...]
    gone: frozenset[int]
    experiments: tuple[Experiment, ...]
    cursor: bytes
    complete: bool
    seq: int

    @property
    def nbytes(self) -> int:
        return (self.base.length if self.base else 0) + sum(map(len, self.overlays))


class Table:
    """One source's table, fed by the poll loop and read by the compaction."""

    def __init__(self, spool: Spool, redact: Sequence[str], seq: int) -> None:
        self.ledger = Ledger()
        self.cursor = b""
        self.base: BaseFile | None = None
        self.complete = False
        self._spool = spool
        self._redact = [pattern.casefold() for pattern in redact]
        self._seq = seq
        self._overlays: list[bytes] = []
        self._overlay_rows = 0
        self._gone: dict[int, int] = {}
        self._experiments: tuple[Experiment, ...] = ()
        self._unseen: set[int] = set()
        self._lock = threading.Lock()

    def begin(self, base: BaseFile | None, cursor: bytes, complete: bool, experiments: tuple[Experiment, ...]) -> None:
        """Start from a base, or from nothing. Runs that are known and don't come again with all others are gone."""
        self.base, self.cursor, self.complete, self._experiments = base, cursor, complete, experiments
        if not cursor:
            self._unseen = self.ledger.rows()

    def add(self, delta: Delta) -> Rows:
        """Take a delta in and give back the message for the terminal. Raises OSError where the spool is full."""
        rows = self.ledger.give(delta.run_ids)
        gone = set(self.ledger.known(delta.gone))
        self._unseen.difference_update(rows.tolist())
        is_all = delta.complete and not delta.partial
        if is_all and self._unseen:
            gone |= self._unseen
        piece = encode(self._redacted(delta), rows) if len(rows) else None
        message = Rows(
            seq=self._seq + 1,
            table=None if piece is None else self._spool.put(piece),
            gone=self._spool.put(np.array(sorted(gone), np.int32).tobytes()) if gone else None,
            experiments=None if delta.experiments is None else self._spool.put(pack_experiments(delta.experiments)),
            complete=delta.complete,
            known=delta.known,
            total=delta.total,
            errors=tuple((e.run_id[:_ERROR_LENGTH], e.what[:_ERROR_LENGTH]) for e in delta.errors[:_ERRORS]),
        )
        with self._lock:
            self._seq += 1
            if piece is not None:
                self._overlays.append(piece)
                self._overlay_rows += len(rows)
                for row in rows.tolist():
                    self._gone.pop(row, None)
            self._gone.update(dict.fromkeys(gone, self._seq))
            if delta.experiments is not None:
                self._experiments = tuple(delta.experiments)
            self.cursor = delta.cursor
            self.complete = delta.complete
            if is_all:
                self._unseen = set()
                if not self.complete:
                    self.ledger.settle()
        return message

    def standing(self) -> Rows:
        """The message that nothing changed since the base was written."""
        with self._lock:
            self._seq += 1
            known = self.base.rows if self.base else 0
            return Rows(seq=self._seq, complete=self.complete, known=known, total=known)

    @property
    def pieces(self) -> int:
        """How many pieces came since the base."""
        return len(self._overlays) or (1 if self._gone else 0)

    @property
    def share(self) -> float:
        """The rows that came since the base, as a share of its own."""
        return self._overlay_rows / max(1, self.base.rows if self.base else 0)

    def snapshot(self) -> Snapshot:
        with self._lock:
            return Snapshot(
                self.base,
                tuple(self._overlays),
                frozenset(self._gone),
                self._experiments,
                self.cursor,
                self.complete,
                self._seq,
            )

    def rebase(self, snapshot: Snapshot, base: BaseFile) -> None:
        """Put a base made of the snapshot in the place of what it was made of."""
        with self._lock:
            old, self.base = self.base, base
            del self._overlays[: len(snapshot.overlays)]
            if not self._overlays:
                self._overlay_rows = 0
            self._gone = {row: seq for row, seq in self._gone.items() if seq > snapshot.seq}
        if old is not None:
            old.path.unlink(missing_ok=True)

    def _redacted(self, delta: Delta) -> Delta:
        if not self._redact:
            return delta
        return replace(delta, cells=[left for cells in delta.cells if (left := self._without_secrets(cells))])

    def _without_secrets(self, cells: Cells) -> Cells | None:
        if cells.kind is not Kind.PARAM:
            return cells
        if isinstance(cells, Numbers | Texts):
            return None if self._is_secret(cells.key) else cells
        open_keys = np.array([not self._is_secret(key) for key in cells.keys], bool)
        kept = np.flatnonzero(open_keys[cells.key])
        key, at = cells.key[kept], cells.at[kept]
        if isinstance(cells, NumberRows):
            return replace(cells, key=key, at=at, values=cells.values[kept])
        return replace(cells, key=key, at=at, values=pa.array(cells.values, pa.string()).take(pa.array(kept)))

    def _is_secret(self, key: str) -> bool:
        return any(fnmatchcase(key.casefold(), pattern) for pattern in self._redact)
