"""Coarse curves of the runs on the screen: fetched when they are seen, again when their metric moved."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from runtower.acts.tower import News, Tower
from runtower.domain.errors import TowerError
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.series import CoarseCurve
from runtower.link.wire import Coarse

_KEPT: Final = 20_000
_AT_ONCE: Final = 100


class Curves:
    """Curves by (global row, metric), the last 20,000 looked at. `None` is a run without that metric.

    One question a source at a time; what scrolled away before its turn is not asked for.
    """

    def __init__(self, tower: Tower, arrived: Callable[[], None]) -> None:
        self._tower = tower
        self._arrived = arrived
        self._known: OrderedDict[tuple[int, str], CoarseCurve | None] = OrderedDict()
        self._stale: set[tuple[int, str]] = set()
        self._wanted: dict[int, dict[str, list[int]]] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}

    def get(self, row: int, metric: ColumnKey) -> CoarseCurve | None:
        return self._known.get((row, metric.key))

    def has(self, row: int, metric: ColumnKey) -> bool:
        """Whether it is known, if only that the run has no such curve."""
        return (row, metric.key) in self._known

    def heard(self, news: News) -> None:
        """The cells of some runs changed: their curves may have moved."""
        if not len(news.rows) or not self._known:
            return
        changed = np.zeros(self._tower.catalogue.size, bool)
        changed[news.rows] = True
        shown = {spot for spot in self._known if changed[spot[0]]}
        metrics = {key for key in {spot[1] for spot in shown} if ColumnKey(Kind.METRIC, key) in news.keys}
        self._stale |= {spot for spot in shown if spot[1] in metrics}

    def want(self, wishes: Iterable[tuple[ColumnKey, Sequence[int]]]) -> None:
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
        try:
            curves = await self._tower.links[source].ask(Coarse(run_ids=tuple(ids), key=metric))
        except TowerError:
            return  # the source's health says why; the next look asks again
        found = {curve.run_id: curve for curve in curves}
        for run_id, row in ids.items():
            self._known[row, metric] = found.get(run_id)
            self._known.move_to_end((row, metric))
            self._stale.discard((row, metric))
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        self._arrived()
