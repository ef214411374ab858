"""Coarse curves of the runs on the screen: those of last time at once, else fetched; again when they moved."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from runtower.acts.curve_shelf import CurveShelf
from runtower.acts.tower import News, Tower
from runtower.catalog.curve_cache import KeptCurve
from runtower.domain import runs
from runtower.domain.errors import TowerError
from runtower.domain.runs import ColumnKey, Kind, Status
from runtower.domain.series import CoarseCurve
from runtower.link.wire import Coarse

_KEPT: Final = 20_000
_AT_ONCE: Final = 100
_ENDED: Final = frozenset({Status.FINISHED, Status.FAILED, Status.KILLED})
_STATES: Final = frozenset({runs.STATUS, runs.END_TIME})
Spot = tuple[int, str]


class Curves:
    """Curves by (global row, metric), the last 20,000 looked at. `None` is a run without that metric.

    One question a source at a time; what scrolled away before its turn is not asked for. Curves of a metric that was
    chosen for the table are put on the shelf, with a stamp of their run's state. Where the stamp is the same at the
    next start they are shown at once, and asked for again only if the run had not ended or there is news of it.
    """

    def __init__(self, tower: Tower, shelf: CurveShelf, arrived: Callable[[], None]) -> None:
        self._tower = tower
        self._shelf = shelf
        self._arrived = arrived
        self._chosen: set[str] = set()
        self._told = np.zeros(0, bool)  # by global row whether news of its metrics came in this sitting
        self._known: OrderedDict[Spot, CoarseCurve | None] = OrderedDict()
        self._stale: set[Spot] = set()
        self._wanted: dict[int, dict[str, list[int]]] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}

    def choose(self, metric: ColumnKey | None) -> None:
        """The table's curves are of this metric from now on."""
        if metric is not None:
            self._chosen.add(metric.key)

    def get(self, row: int, metric: ColumnKey) -> CoarseCurve | None:
        spot = row, metric.key
        if spot not in self._known and metric.key in self._chosen:
            self._take_down(spot)
        return self._known.get(spot)

    def has(self, row: int, metric: ColumnKey) -> bool:
        """Whether it is known, if only that the run has no such curve."""
        return (row, metric.key) in self._known

    def heard(self, news: News) -> None:
        """The cells of some runs changed: their curves may have moved."""
        if not len(news.rows):
            return
        self._told = np.append(self._told, np.zeros(self._tower.catalogue.size - len(self._told), bool))
        self._told[news.rows] = True
        if not self._known:
            return
        changed = np.zeros(self._tower.catalogue.size, bool)
        changed[news.rows] = True
        shown = {spot for spot in self._known if changed[spot[0]]}
        ended = any(key in news.keys for key in _STATES)
        metrics = {key for key in {spot[1] for spot in shown} if ColumnKey(Kind.METRIC, key) in news.keys}
        self._stale |= {spot for spot in shown if ended or spot[1] in metrics}

    def want(self, wishes: Sequence[tuple[ColumnKey, Sequence[int]]]) -> None:
        """These metrics of these rows are on the screen now; what is missing or moved is fetched."""
        wanted: dict[int, dict[str, list[int]]] = {}
        for metric, rows in wishes:
            for row in rows:
                spot = (row, metric.key)
                if spot in self._known and spot not in self._stale:
                    continue
                source = int(self._tower.catalogue.source_numbers()[row])
                asked = wanted.setdefault(source, {}).setdefault(metric.key, [])
                if row not in asked:
                    asked.append(row)
        for source, by_metric in wanted.items():
            self._wanted[source] = by_metric
            if source not in self._asking or self._asking[source].done():
                self._asking[source] = asyncio.ensure_future(self._ask(source))

    async def _ask(self, source: int) -> None:
        while self._wanted.get(source):
            by_metric = self._wanted[source]
            metric, rows = next(iter(by_metric.items()))
            batch, rest = rows[:_AT_ONCE], rows[_AT_ONCE:]
            if rest:
                by_metric[metric] = rest
            else:
                del by_metric[metric]
            await self._fetch(source, metric, batch)

    async def _fetch(self, source: int, metric: str, rows: Sequence[int]) -> None:
        catalogue = self._tower.catalogue
        ids = {catalogue.run_key(row).run_id: row for row in rows}
        stamps = {row: self._stamp((row, metric)) for row in rows} if metric in self._chosen else {}
        try:
            curves = await self._tower.links[source].ask(Coarse(run_ids=tuple(ids), key=metric))
        except TowerError:
            return  # the source's health says why; the next look asks again
        found = {curve.run_id: curve for curve in curves}
        for run_id, row in ids.items():
            spot, curve = (row, metric), found.get(run_id)
            self._known[spot] = curve
            self._known.move_to_end(spot)
            self._stale.discard(spot)
            if row in stamps:
                complete = self._has_ended(row) and stamps[row] == self._stamp(spot)
                self._shelf.put(source, KeptCurve(run_id, metric, stamps[row], complete, curve))
        self._forget()
        self._arrived()

    def _take_down(self, spot: Spot) -> None:
        """The curve of an earlier sitting, where its run is as it was then."""
        row, metric = spot
        source = int(self._tower.catalogue.source_numbers()[row])
        kept = self._shelf.find(source, self._tower.catalogue.run_key(row).run_id, metric)
        if kept is None or kept.stamp != self._stamp(spot):
            return
        self._known[spot] = kept.curve
        if not kept.complete or (row < len(self._told) and self._told[row]):
            self._stale.add(spot)
        self._forget()

    def _forget(self) -> None:
        while len(self._known) > _KEPT:
            spot, _ = self._known.popitem(last=False)
            self._stale.discard(spot)

    def _has_ended(self, row: int) -> bool:
        return self._tower.catalogue.texts(runs.STATUS).text(row) in _ENDED

    def _stamp(self, spot: Spot) -> int:
        """Another int64 once the run ended, was reopened, or its metric's last value is another."""
        row, metric = spot
        catalogue = self._tower.catalogue
        status = catalogue.texts(runs.STATUS).text(row) or ""
        end = catalogue.numbers(runs.END_TIME).values[row]
        last = catalogue.numbers(ColumnKey(Kind.METRIC, metric)).values[row]
        state = struct.pack("<dd", end, last) + status.encode()
        return int.from_bytes(hashlib.blake2b(state, digest_size=8).digest(), "little", signed=True)
