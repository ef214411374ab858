"""Opening a source where an earlier process, or an earlier day, left off."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runtower.catalog import cache
from runtower.catalog.segment import Segment
from runtower.domain.errors import Forbidden
from runtower.link.compaction import adopt
from runtower.link.kinds import find
from runtower.link.spool import Spool
from runtower.link.table import BaseFile, Table
from runtower.link.wire import VERSION, Hello, Opened
from runtower.sources.port import Known, OpensForEdits, Source, Target, TellsRoundTrip


def target_of(hello: Hello) -> Target:
    return Target(hello.name, hello.kind, hello.uri, hello.read_only, hello.options, hello.held)


def refuse_held(target: Target) -> None:
    """Raises Forbidden for a source that may not be opened yet: nothing of it is imported, nobody is asked."""
    if target.held:
        raise Forbidden(target.held, "`runtower trust` shows what it would get, and asks.")


def open_source(hello: Hello, spool: Spool, table: Table) -> tuple[Source, Opened]:
    """The open source, with the table set to go on where the cache ends. Raises TowerError, OSError."""
    target = target_of(hello)
    refuse_held(target)
    kind = find(hello.kind)
    cached = cache.read(Path(hello.catalog), target, hello.redact) if hello.catalog else None
    rows = _seed(table, cached)
    source = kind.open(target, Known(table.ledger.run_ids()))
    identity = source.identity()
    if cached is not None and cached.source_key != identity.key:
        # A store made anew under the old address: nothing that is known holds for it.
        source.close()
        cached, rows = None, _seed(table, None)
        source = kind.open(target, Known())
    agreed = _take_over_known(hello, spool, table, cached, identity.key)
    base: BaseFile | None = None
    if cached is not None:
        base = adopt(Path(hello.catalog or ""), target, cached, spool, rows)
        table.begin(base, cached.cursor, cached.complete, cached.experiments)
    else:
        table.begin(None, b"", False, ())
    edits = isinstance(kind, OpensForEdits)
    opened = Opened(VERSION, identity.key, identity.address, identity.how, agreed=agreed, edits=edits)
    if isinstance(source, TellsRoundTrip):
        opened.round_trip = source.round_trip()
    if base is not None:
        opened.base_id = base.base_id
        opened.base = None if agreed else spool.lend(base.path, base.length)
    return source, opened


def _seed(table: Table, cached: cache.Cached | None) -> int:
    """Give the runs of the cache their old row ids; how many they are."""
    if cached is None:
        table.ledger.seed((), ())
        return 0
    segment = Segment.read(cached.segment)
    table.ledger.seed(segment.run_ids.to_pylist(), segment.rows.tolist())
    return len(segment.rows)


def _take_over_known(hello: Hello, spool: Spool, table: Table, cached: cache.Cached | None, key: str) -> bool:
    """Whether row ids go on where the terminal's end: same store, and the cache gave none of them otherwise."""
    if hello.known is None:
        return False
    known = msgspec.msgpack.decode(spool.take(hello.known), type=list[str])
    same_base = cached is not None and cached.base_id == hello.base_id
    same_store = hello.source_key == key if hello.source_key else same_base
    if not (same_store and table.ledger.agrees(known)):
        return False
    table.ledger.seed(known, range(len(known)))
    return True
