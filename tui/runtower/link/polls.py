"""The poll loop: opens the source, asks it for what changed, and never gives up."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import msgspec

from runtower.domain.criteria import Criterion
from runtower.domain.errors import Broken, Busy, TowerError
from runtower.link import native
from runtower.link.backoff import Backoff
from runtower.link.channel import Channel
from runtower.link.compaction import Compaction
from runtower.link.opening import open_source
from runtower.link.reports import Reports
from runtower.link.sourcelog import note
from runtower.link.spool import Spool
from runtower.link.table import Table
from runtower.link.wire import Answer, Ask, Hello, NamedRuns, Refused, Started, Subscribe
from runtower.sources.port import GivesRuns, KeepsPace, ListsRuns, ReadsByExperiment, SeeksFirst, Source, TellsRoundTrip

_POLITE = 5.0
_NICE = 10


class Polls:
    """One thread. At most one poll is under way and one is wanted."""

    def __init__(
        self, hello: Hello, channel: Channel, spool: Spool, table: Table, reports: Reports, compaction: Compaction
    ) -> None:
        self._hello = hello
        self._channel = channel
        self._spool = spool
        self._table = table
        self._asked: deque[Ask] = deque()
        self._reports = reports
        self._compaction = compaction
        self._wish = Subscribe(hello.interval, hello.paused, True)
        self._focus: tuple[str, ...] = ()
        self._scope: tuple[str, ...] | None = None
        self._criteria: tuple[Criterion, ...] = ()
        self._change = threading.Condition()
        self._source: Source | None = None
        self._error: TowerError | None = None
        self._is_nice = False
        self._is_told = False  # whether the terminal knows that the list is whole

    def run(self) -> None:
        """Until the process ends."""
        backoff = Backoff(self._hello.retry)
        while True:
            self._wait(self._pace())
            while (error := self._attempt()) is not None:
                pause = backoff.next()
                if isinstance(error, Busy):
                    pause = min(pause, _POLITE) if error.after is None else error.after
                self._reports.failed(error, pause)
                self._fail(error)
                self._wait(pause)
            backoff.reset()
            self._reports.answered()

    def subscribe(self, wish: Subscribe) -> None:
        """Another interval, a pause, its end, or a poll at once."""
        with self._change:
            self._wish = Subscribe(wish.interval, wish.paused, wish.now or self._wish.now)
            self._change.notify_all()

    def focus(self, run_ids: tuple[str, ...]) -> None:
        self._focus = run_ids

    def scope(self, experiment_ids: tuple[str, ...] | None) -> None:
        """Other experiments are looked at; a source that cares is polled at once."""
        with self._change:
            self._scope = experiment_ids
            if isinstance(self._source, ReadsByExperiment):
                self._source.scope(experiment_ids)
                self._wish = Subscribe(self._wish.interval, self._wish.paused, True)
                self._change.notify_all()

    def seek(self, criteria: tuple[Criterion, ...]) -> None:
        """Other runs are wanted first, with the next poll."""
        with self._change:
            self._criteria = criteria
            if isinstance(self._source, SeeksFirst):
                self._source.seek(criteria)

    def ask(self, ask: Ask) -> None:
        """Single runs are wanted; they go into the table between two deltas, also while polls pause."""
        with self._change:
            self._asked.append(ask)
            self._change.notify_all()

    def source(self) -> Source:
        """The open source; waits for it. Raises the TowerError that stands in the way."""
        with self._change:
            while self._source is None:
                if self._error is not None:
                    raise type(self._error)(self._error.tried, self._error.remedy)
                self._change.wait()
            return self._source

    def round_trip(self) -> float | None:
        """How many seconds an answer takes, where the source tells."""
        return self._source.round_trip() if isinstance(self._source, TellsRoundTrip) else None

    def _pace(self) -> float:
        """Seconds to the next poll."""
        if self._source is None:
            return 0.0
        interval = self._wish.interval
        return self._source.pace(interval) if isinstance(self._source, KeepsPace) else interval

    def _wait(self, seconds: float) -> None:
        """Until the time is over, a poll is wanted at once, or, where polls pause, until they don't."""
        until = time.monotonic() + seconds
        while True:
            self._answer_asked()
            with self._change:
                left = until - time.monotonic()
                is_due = left <= 0 and (not self._wish.paused or self._source is None)
                if self._wish.now or is_due:
                    self._wish = Subscribe(self._wish.interval, self._wish.paused, False)
                    return
                if not self._asked or (self._source is None and self._error is None):
                    self._change.wait(None if self._wish.paused and self._source is not None else left)

    def _answer_asked(self) -> None:
        """Give the single runs that were asked for, or say why they can't be given; nothing before it is known whether
        the source opens."""
        while self._asked and (self._source is not None or self._error is not None):
            ask = self._asked.popleft()
            self._channel.send(Started(ask.request))
            try:
                found = self._bring(ask.query) if isinstance(ask.query, NamedRuns) else []
                body = self._spool.put(msgspec.msgpack.encode(found))
            except TowerError as error:
                self._channel.send(Refused(ask.request, ask.generation, error.name, error.tried, error.remedy))
            except Exception as error:  # noqa: BLE001 - as in `_attempt`
                note("single runs could not be read", error)
                said = f"The source failed: {error!r}."[:2000]
                self._channel.send(Refused(ask.request, ask.generation, Broken.name, said))
            else:
                self._channel.send(Answer(ask.request, ask.generation, body))

    def _bring(self, query: NamedRuns) -> list[str]:
        if self._source is None:
            assert self._error is not None
            raise self._error
        known = {one for one in query.run_ids if self._table.ledger.known([one])}
        missing = [one for one in query.run_ids if one not in known]
        if missing and isinstance(self._source, GivesRuns):
            delta = self._source.runs(missing)
            table = self._table
            whole = replace(delta, cursor=table.cursor, complete=table.complete, known=len(table.ledger), partial=True)
            if delta.run_ids:
                self._channel.send(table.add(whole))
            known.update(delta.run_ids)
        return [one for one in query.run_ids if one in known]

    def _attempt(self) -> TowerError | None:
        try:
            if self._source is None:
                self._open()
                if self._wish.paused:
                    return None
            self._poll()
        except TowerError as error:
            return error
        except OSError as error:
            note("a poll failed", error)
            return TowerError(f"New rows could not be handed on: {error}.", "Is there space on the disk?")
        except Exception as error:  # noqa: BLE001 - a library may fail in any way; polls go on
            note("a poll failed", error)
            return Broken(f"The source failed: {error!r}.", "The source's log has the details.")
        return None

    def _open(self) -> None:
        source, opened = open_source(self._hello, self._spool, self._table)
        self._compaction.opened(source.identity(), self._hello.redact)
        self._channel.send(opened)
        if self._table.base is not None:
            self._be_nice()
        native.give_back()
        with self._change:
            self._source, self._error = source, None
            if isinstance(source, ReadsByExperiment):
                source.scope(self._scope)
            if isinstance(source, SeeksFirst):
                source.seek(self._criteria)
            self._change.notify_all()

    def _poll(self) -> None:
        if not isinstance(self._source, ListsRuns):
            return
        for delta in self._source.changes(self._table.cursor, self._focus):
            self._channel.send(self._table.add(delta))
            self._reports.answered()
            self._be_nice()
            self._compaction.consider()
            self._answer_asked()
            self._is_told = self._is_told or delta.complete
            if self._wish.paused:
                return
        if not self._is_told and self._table.complete:
            self._is_told = True
            self._channel.send(self._table.standing())
        self._compaction.consider()

    def _fail(self, error: TowerError) -> None:
        with self._change:
            self._error = error
            self._change.notify_all()

    def _be_nice(self) -> None:
        """The first rows are urgent; what follows must not take the machine from the runs that are being watched."""
        if not self._is_nice:
            self._is_nice = True
            native.nice(_NICE)


def beats(seconds: float, each_second: Callable[[], None], send: Callable[[], None]) -> None:
    """Call `send` every so many seconds and `each_second` in between, for ever."""
    due = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= due:
            send()
            due = now + seconds
        each_second()
        time.sleep(min(1.0, seconds))
