"""The sources that are open and the catalogue they fill: one handler applies whatever the links tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Container, Iterable, Sequence

import numpy as np

from runtower.acts.artifact_memory import ArtifactMemory
from runtower.catalog.catalogue import Catalogue, Made
from runtower.catalog.query.criteria import criteria_of
from runtower.catalog.query.tree import Where
from runtower.catalog.segment import Ints
from runtower.domain.runs import ColumnKey, RunKey
from runtower.link.client import Link
from runtower.link.events import Base, Event, Health, Opened, Rows, State
from runtower.link.native import give_back
from runtower.link.offloop import off_loop
from runtower.link.wire import NamedRuns
from runtower.sources.port import Identity

# Bringing a dozen columns up to so many new rows takes longer than a key may wait.
_MANY = 2000
_MOST_NAMED = 200
_APPLIED = 10.0

Change = Callable[["News"], None]


class News:
    """What one event changed: `rows` global rows with new cells, `keys` of those cells, `health` of the source only;
    `reset` where the rows that were known of the source are dead, `renamed` where its experiments are others. `opened`:
    it was opened, and what it may have brought with it is of last time; `listed`: with this all its runs are told."""

    __slots__ = ("health_only", "keys", "listed", "opened", "renamed", "reset", "rows", "source")

    def __init__(
        self,
        source: int,
        rows: Ints,
        keys: Container[ColumnKey],
        health_only: bool = False,
        reset: bool = False,
        renamed: bool = False,
        opened: bool = False,
        listed: bool = False,
    ) -> None:
        self.source = source
        self.rows = rows
        self.keys = keys
        self.health_only = health_only
        self.reset = reset
        self.renamed = renamed
        self.opened = opened
        self.listed = listed


class Tower:
    """Links by source number, and what they told. Lives on one event loop; only it changes the catalogue.

    `errors`: by run what could not be read of it, as one or more sentences. `artifacts`: what was read of those of runs
    that have ended.
    """

    def __init__(self, links: Sequence[Link], names: Sequence[str]) -> None:
        self.links = list(links)
        self.catalogue = Catalogue()
        self.identities: dict[int, Identity] = {}
        self.editable: set[int] = set()
        self.errors: dict[RunKey, str] = {}
        self.artifacts = ArtifactMemory()
        self._heard: list[Change] = []
        self._at_rest: set[int] = set()
        self._tasks: list[asyncio.Task[None]] = []
        for link, name in zip(self.links, names, strict=True):
            self._introduce(link, self.catalogue.source(name))

    def _introduce(self, link: Link, number: int) -> None:
        """A process that takes over from one that crashed goes on with the same row ids: marks and cursor stay."""
        link.remember(self.catalogue.sources[number].run_ids)

    def on_change(self, change: Change) -> None:
        """Call `change` after each event was applied."""
        self._heard.append(change)

    def start(self) -> None:
        """Begin to listen; the links' processes run already."""
        self._tasks = [asyncio.ensure_future(self._listen(number)) for number in range(len(self.links))]

    def add(self, link: Link, name: str) -> int:
        """One more source, under a name that none has; it is listened to at once. Gives its number."""
        number = self.catalogue.source(name)
        assert number == len(self.links), "the name is new"
        self.links.append(link)
        self._introduce(link, number)
        self._tasks.append(asyncio.ensure_future(self._listen(number)))
        return number

    def replace(self, number: int, link: Link) -> None:
        """Another link to the same source: what is known of it stays until it says otherwise."""
        self._tasks[number].cancel()
        old, self.links[number] = self.links[number], link
        if old.base_id is not None:
            link.have(old.base_id)
        old.close()
        self._introduce(link, number)
        self._tasks[number] = asyncio.ensure_future(self._listen(number))

    def stop(self) -> None:
        """Stop listening and let the processes go; returns at once."""
        for task in self._tasks:
            task.cancel()
        for link in self.links:
            link.close()

    async def _listen(self, number: int) -> None:
        async for event in self.links[number].events():
            made = None
            if isinstance(event, Rows) and event.segment is not None and len(event.segment.rows) >= _MANY:
                made = await off_loop(self.catalogue.preparing(number, event.segment))
            news = self._apply(number, event, made)
            for change in self._heard:
                change(news)
            if isinstance(event, Base):
                self.catalogue.renew(await off_loop(self.catalogue.renewal()))
                await off_loop(give_back)  # the pieces that the base stands for are gone
            elif isinstance(event, Health) and event.complete and number not in self._at_rest:
                self._at_rest.add(number)
                await off_loop(give_back)  # so is what reading the table in took

    def _apply(self, number: int, event: Event, made: Made | None) -> News:
        nothing = np.empty(0, np.int32)
        match event:
            case Opened():
                self.identities[number] = event.identity
                (self.editable.add if event.edits else self.editable.discard)(number)
                known = self.catalogue.sources[number].size
                if event.reset or event.base is not None:
                    self._forget_errors(number)
                    self.catalogue.reset(number, event.base, event.experiments or ())
                    return News(number, nothing, frozenset(), reset=known > 0, opened=True)
                return News(number, nothing, frozenset(), opened=True)
            case Rows():
                gone = event.gone.tolist()
                self._note(number, event)
                self.catalogue.add(number, event.seq, event.segment, gone, event.experiments, made)
                renamed = event.experiments is not None
                if event.segment is None:
                    return News(number, nothing, frozenset(), renamed=renamed, listed=event.complete)
                rows = self.catalogue.global_rows(number)[event.segment.rows]
                return News(number, rows, event.segment.entries, renamed=renamed, listed=event.complete)
            case Base():
                self.catalogue.rebase(number, event.upto_seq, event.segment)
                return News(number, nothing, frozenset(), health_only=True)
            case Health():
                return News(number, nothing, frozenset(), health_only=True)

    def _note(self, number: int, event: Rows) -> None:
        """What is said of a run's errors takes the place of what was said when it last came."""
        table, segment = self.catalogue.sources[number], event.segment
        if self.errors:
            self._forget_errors(number, (table.run_id(row) for row in event.gone.tolist() if row < table.size))
            if segment is not None and segment.whole:
                self._forget_errors(number, segment.run_ids.to_pylist())
        said: dict[str, list[str]] = {}
        for error in event.errors:
            said.setdefault(error.run_id, []).append(error.what)
        self.errors.update({RunKey(table.name, run_id): " ".join(whats) for run_id, whats in said.items()})

    def _forget_errors(self, number: int, run_ids: Iterable[str] | None = None) -> None:
        """Of these runs of a source; of all where none are named."""
        name = self.catalogue.sources[number].name
        if run_ids is None:
            run_ids = [key.run_id for key in self.errors if key.source == name]
        for run_id in run_ids:
            self.errors.pop(RunKey(name, run_id), None)

    # -- what it tells

    def health(self, number: int) -> Health:
        return self.links[number].health

    def is_syncing(self, number: int) -> bool:
        """Whether a source has not yet listed all it has, and is at it."""
        health = self.links[number].health
        return not health.complete and health.state is not State.CLOSED

    def has_listed(self, number: int) -> bool:
        """Whether a source has told all it has, and all of it is in the catalogue."""
        health = self.links[number].health
        return health.complete and self.catalogue.sources[number].size >= health.known

    def troubles(self) -> list[tuple[int, Health]]:
        """The sources that have an error now."""
        return [(number, link.health) for number, link in enumerate(self.links) if link.health.error is not None]

    def focus(self, rows: Sequence[int]) -> None:
        """Tell the sources which runs are on the screen."""
        wanted: dict[int, list[str]] = {number: [] for number in range(len(self.links))}
        for row in rows[:200]:
            key = self.catalogue.run_key(row)
            wanted[self.catalogue.source(key.source)].append(key.run_id)
        for number, run_ids in wanted.items():
            self.links[number].focus(run_ids)

    def scope(self, chosen: Collection[tuple[int, str]] | None, shown: Collection[int] | None = None) -> None:
        """Tell the sources which experiments are looked at: (source number, experiment id), None for all; of a source
        that isn't `shown` none is."""
        for number, link in enumerate(self.links):
            if shown is not None and number not in shown:
                link.scope(())
            else:
                link.scope(None if chosen is None else sorted(one for source, one in chosen if source == number))

    def seek(self, where: Where | None) -> None:
        """Tell the sources what is sought, so that those which aren't known whole give it first."""
        criteria = () if where is None else criteria_of(where.condition, time.time() * 1000)
        for link in self.links:
            link.seek(criteria)

    async def bring(self, number: int, run_ids: Sequence[str]) -> dict[str, int]:
        """Global rows by run id of those of these runs that there are: what isn't in the catalogue yet is asked for.

        Raises TowerError.
        """
        name = self.catalogue.sources[number].name
        rows = self._rows_by_id(name, run_ids)
        missing = [one for one in dict.fromkeys(run_ids) if one and one not in rows]
        if not missing:
            return rows
        news = asyncio.Event()

        def told(_: News) -> None:
            news.set()

        self._heard.append(told)
        try:
            there: set[str] = set()
            for begin in range(0, len(missing), _MOST_NAMED):
                there.update(await self.links[number].ask(NamedRuns(tuple(missing[begin : begin + _MOST_NAMED]))))
            # Their rows were told before the answer, and may still be on their way through the decoder.
            while there - (rows := self._rows_by_id(name, run_ids)).keys():
                news.clear()
                await asyncio.wait_for(news.wait(), _APPLIED)
        except TimeoutError:
            pass
        finally:
            self._heard.remove(told)
        return rows

    def _rows_by_id(self, name: str, run_ids: Sequence[str]) -> dict[str, int]:
        wanted = list(dict.fromkeys(run_ids))
        rows = self.catalogue.rows_of([RunKey(name, run_id) for run_id in wanted]).tolist()
        return {run_id: row for run_id, row in zip(wanted, rows, strict=True) if row >= 0}

    def refresh(self) -> None:
        for link in self.links:
            link.refresh()

    def pause(self, paused: bool) -> None:
        for link in self.links:
            if paused:
                link.pause()
            else:
                link.resume()
