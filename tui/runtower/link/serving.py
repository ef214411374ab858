"""What a source's process does once everything is imported: polls and answers, or changes.

The main thread does nothing but read what the terminal says, so that the end of the stream is always seen and the
process ends with it.
"""

from __future__ import annotations

import gc
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from runtower.link import native
from runtower.link.acting import Opener
from runtower.link.channel import Channel
from runtower.link.compaction import Compaction
from runtower.link.lanes import Lanes
from runtower.link.opening import target_of
from runtower.link.polls import Polls, beats
from runtower.link.reports import Reports
from runtower.link.sourcelog import SourceLog
from runtower.link.spool import Spool, sweep
from runtower.link.table import Table
from runtower.link.wire import (
    Ask,
    Beat,
    Cancel,
    Focus,
    Hello,
    NamedRuns,
    Operate,
    Scope,
    Seek,
    Subscribe,
    ToHost,
    WireError,
)

_PATIENCE = 3.0
_LAST_MOMENT = 8.0
_LAST_WRITE = 240.0


def serve(hello: Hello, channel: Channel, messages: Iterator[ToHost], log: SourceLog) -> None:
    """List and answer until the terminal leaves."""
    gc.freeze()  # what was imported stays; each full collection would go through all of it
    pa.set_memory_pool(pa.system_memory_pool())
    native.few_arenas()
    spool = Spool(Path(hello.spool))
    for left in spool.folder.glob(".*"):  # by a process that died
        left.unlink(missing_ok=True)
    catalog = Path(hello.catalog) if hello.catalog else None
    reports = Reports(channel)
    table = Table(spool, hello.redact, hello.seq)
    compaction = Compaction(table, spool, channel, reports, catalog, target_of(hello))
    polls = Polls(hello, channel, spool, table, reports, compaction)
    lanes = Lanes(channel, spool, polls.source)

    def each_second() -> None:
        log.bound()
        compaction.renew()

    def beat() -> None:
        channel.send(Beat(reports.heard(), polls.round_trip()))

    threading.Thread(target=beats, args=(hello.beat, each_second, beat), name="heartbeat", daemon=True).start()
    threading.Thread(target=polls.run, name="polls", daemon=True).start()
    threading.Thread(target=sweep, args=(spool.folder.parent,), name="sweep", daemon=True).start()
    for message in messages:
        match message:
            case Subscribe():
                polls.subscribe(message)
            case Focus():
                polls.focus(message.run_ids)
            case Scope():
                polls.scope(message.experiment_ids)
            case Seek():
                polls.seek(message.criteria)
            case Ask(query=NamedRuns()):
                polls.ask(message)
            case Ask():
                lanes.ask(message)
            case Operate():
                lanes.operate(message)
            case Cancel():
                lanes.cancel(message.request)
            case Hello():
                raise WireError("a second hello")
    native.outlive_parent()
    last = threading.Timer(_LAST_MOMENT, os._exit, (0,))
    last.daemon = True
    last.start()
    lanes.cancel_all()
    lanes.finish(_PATIENCE)  # a download takes away what it has written so far
    compaction.finish(_PATIENCE)
    shutil.rmtree(spool.folder, ignore_errors=True)


def serve_writes(hello: Hello, channel: Channel, messages: Iterator[ToHost], log: SourceLog) -> None:
    """Changes runs, and polls nothing. What was begun when the terminal leaves is finished first."""
    spool, opener = Spool(Path(hello.spool)), Opener(hello)
    lanes = Lanes(channel, spool, opener.source)
    channel.send(opener.opened())
    threading.Thread(
        target=beats, args=(hello.beat, log.bound, lambda: channel.send(Beat(0.0))), name="heartbeat", daemon=True
    ).start()
    threading.Thread(target=opener.begin, name="opening", daemon=True).start()
    for message in messages:
        match message:
            case Operate():
                lanes.operate(message)
            case Cancel():
                lanes.cancel(message.request)
            case Hello():
                raise WireError("a second hello")
            case _:
                pass  # it lists nothing, so there is nothing to subscribe to
    opener.alone.set()
    lanes.finish(_LAST_WRITE)
    shutil.rmtree(spool.folder, ignore_errors=True)
