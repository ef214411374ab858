"""The series that charts are drawn from: fetched for what is on the screen, and again when they moved."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from runtower.acts.curves import Curves
from runtower.acts.tower import News, Tower
from runtower.domain import runs
from runtower.domain.errors import Cancelled, NotFound, TowerError
from runtower.domain.pyramid import Pyramid, pyramid_of
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.series import CoarseCurve
from runtower.link.wire import Curve

# They are files that are mapped: only what is drawn from takes memory.
_KEPT_BYTES: Final = 1024 * 1024 * 1024
_TOPIC: Final = "chart"
# Seconds within which most series are here; coarse curves would only cost their source.
_COARSE_AFTER: Final = 0.1
_STATES: Final = frozenset({runs.STATUS, runs.END_TIME})
_NOTHING: Final = pyramid_of(np.empty(0), np.empty(0), np.empty(0, np.int64))


class Asked(NamedTuple):
    """A metric of a run (a global row) over an x, smoothed, from one step to another; as `link.wire.Curve` has them."""

    row: int
    key: str
    x: str = "step"
    smooth: float = 0.0
    steps: tuple[int, int] | None = None


class SeriesBook:
    """Pyramids by what was asked for. `arrived` is called on the loop after each one, and after an error.

    A source is asked one thing at a time, so that what left the screen is never asked for. One that moved stays as it
    was until the new one is here. Once all take more than 1 GB, what wasn't looked at for longest goes, of what isn't
    on the screen.
    """

    def __init__(self, tower: Tower, curves: Curves, arrived: Callable[[], None]) -> None:
        """`curves` are coarse ones, which are here first."""
        self._tower = tower
        self._curves = curves
        self._arrived = arrived
        self._known: OrderedDict[Asked, Pyramid] = OrderedDict()
        self._stale: set[Asked] = set()
        self._wanted: dict[int, list[Asked]] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}
        self._shown: frozenset[Asked] = frozenset()
        self._late: asyncio.TimerHandle | None = None
        self.errors: dict[int, str] = {}  # by source, why the last question had no answer

    def get(self, asked: Asked) -> Pyramid | None:
        """What is known of it; an empty one where the run hasn't logged it."""
        found = self._known.get(asked)
        if found is not None:
            self._known.move_to_end(asked)
        return found

    def coarse(self, row: int, key: str) -> CoarseCurve | None:
        """The coarse curve, to be drawn until the series is here."""
        return self._curves.get(row, ColumnKey(Kind.METRIC, key))

    def want(self, wishes: Sequence[Asked]) -> None:
        """All that the screen shows now, the most important first; what isn't in it is no longer fetched."""
        wanted: dict[int, list[Asked]] = {}
        numbers = self._tower.catalogue.source_numbers()
        for asked in wishes:
            if numbers[asked.row] < len(self._tower.links) and (asked not in self._known or asked in self._stale):
                wanted.setdefault(int(numbers[asked.row]), []).append(asked)
        self._wanted, self._shown = wanted, frozenset(wishes)
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if any(asked not in self._known for asked in wishes):
            self._late = asyncio.get_running_loop().call_later(_COARSE_AFTER, self._want_coarse, wishes)
        for source in wanted:
            if source not in self._asking or self._asking[source].done():
                self._asking[source] = asyncio.ensure_future(self._ask(source))

    def _want_coarse(self, wishes: Sequence[Asked]) -> None:
        """What takes long is drawn from its coarse curve first."""
        self._late = None
        first: dict[ColumnKey, list[int]] = {}
        for asked in wishes:
            if asked not in self._known and asked.steps is None:
                first.setdefault(ColumnKey(Kind.METRIC, asked.key), []).append(asked.row)
        if first:
            self._curves.want(list(first.items()))

    def heard(self, news: News) -> None:
        """Cells of some runs changed: their series may have grown."""
        if news.reset:
            self.forget()
            return
        if not len(news.rows) or not self._known:
            return
        rows = set(news.rows.tolist())
        ended = any(key in news.keys for key in _STATES)
        self._stale |= {
            asked
            for asked in self._known
            if asked.row in rows and (ended or ColumnKey(Kind.METRIC, asked.key) in news.keys)
        }

    def forget(self) -> None:
        """Rows are others now."""
        self._known.clear()
        self._stale.clear()
        self._wanted.clear()

    async def _ask(self, source: int) -> None:
        while wanted := self._wanted.get(source):
            asked = wanted.pop(0)
            run_id = self._tower.catalogue.run_key(asked.row).run_id
            self._stale.discard(asked)
            try:
                query = Curve(run_id, asked.key, asked.x, asked.smooth, asked.steps)
                pyramid = await self._tower.links[source].ask(query, topic=_TOPIC)
            except NotFound:
                pyramid = _NOTHING
            except Cancelled:
                continue
            except TowerError as error:
                self.errors[source] = str(error)
                self._wanted.pop(source, None)
                self._arrived()
                return
            self.errors.pop(source, None)
            self._known[asked] = pyramid
            self._known.move_to_end(asked)
            self._make_room()
            self._arrived()

    def _make_room(self) -> None:
        size = sum(_size(pyramid) for pyramid in self._known.values())
        if size <= _KEPT_BYTES:
            return
        for asked in [one for one in self._known if one not in self._shown]:
            size -= _size(self._known.pop(asked))
            self._stale.discard(asked)
            if size <= _KEPT_BYTES:
                return


def _size(pyramid: Pyramid) -> int:
    return pyramid.x.nbytes * 4
