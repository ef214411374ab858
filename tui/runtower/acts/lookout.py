"""What happened to runs, out of what their sources tell: ends, beginnings, and a metric's first NaN.

Only a change that was seen is news. What a source tells while it lists its runs for the first time is how things are;
of runs that went on last time it is said, once the list is whole, what became of them meanwhile. A source whose
process or store is replaced tells its runs again, and nothing of that is told twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.acts.tower import News, Tower
from runtower.catalog.segment import Ints
from runtower.domain import runs
from runtower.domain.happenings import Happening, What
from runtower.domain.runs import ColumnKey, RunKey, Status
from runtower.domain.values import MISSING_BITS
from runtower.present.times import duration

# How a run is, as this page tells it apart: nothing is known (0), it goes on, or one of the ends.
_GOING: Final = 1
_STATES: Final[dict[str, int]] = {
    Status.RUNNING: _GOING,
    Status.SCHEDULED: _GOING,
    Status.FINISHED: 2,
    Status.FAILED: 3,
    Status.KILLED: 4,
}
_END_OF: Final = {2: What.FINISHED, 3: What.FAILED, 4: What.KILLED}


@dataclass
class _Known:
    """What is known of one source. `listed_ms`: when all its runs were known for the first time (UTC epoch ms);
    `remembered` are runs that went on when it was last looked at, `carried` those that went on when its rows died."""

    listed: bool = False
    listed_ms: float | None = None
    remembered: set[RunKey] = field(default_factory=set)
    carried: set[RunKey] = field(default_factory=set)


class Lookout:
    """Lives on the tower's loop. `metrics` are those whose NaN is told; `metrics_are` changes them."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self.metrics: frozenset[ColumnKey] = frozenset()
        self._states = np.zeros(0, np.int8)  # by global row
        self._going: dict[int, RunKey] = {}  # by global row
        self._known: dict[int, _Known] = {}
        self._ended: set[RunKey] = set()  # told, so that no replay tells it again
        self._begun: set[RunKey] = set()  # in this sitting
        self._odd: set[tuple[RunKey, ColumnKey]] = set()
        self._gone_nan: set[RunKey] = set()  # told

    @property
    def going(self) -> dict[int, RunKey]:
        """The runs that go on now, by global row."""
        return self._going

    @property
    def waited_for(self) -> set[RunKey]:
        """Those of which the end would be news: they go on, or did when we last knew."""
        return set(self._going.values()).union(*(known.remembered | known.carried for known in self._known.values()))

    @property
    def ended(self) -> frozenset[RunKey]:
        """The runs whose end was told."""
        return frozenset(self._ended)

    # -- what is known from last time

    def remember(self, number: int, going: Collection[RunKey] = (), told: Collection[RunKey] = ()) -> None:
        """The rows that the catalogue has of a source, if any, are those of last time, from its cache, which may be
        older than that; `going` are the runs that went on then, `told` those whose end was told by then."""
        catalogue = self._tower.catalogue
        rows = catalogue.global_rows(number)
        self._grow()
        states = self._now(rows)
        self._states[rows] = states
        keys = {row: catalogue.run_key(row) for row in rows[states == _GOING].tolist()}
        self._going.update(keys)
        self._of(number).remembered = {*keys.values(), *going} - set(told)
        self._ended.update(told)

    def metrics_are(self, metrics: Iterable[ColumnKey]) -> list[Happening]:
        """These metrics are looked at from now on. NaN before that is news only of a run that began since."""
        fresh = frozenset(metrics) - self.metrics
        self.metrics = frozenset(metrics)
        if not fresh or not self._going:
            return []
        rows = np.fromiter(self._going, np.int32, len(self._going))
        return list(self._nans(fresh, rows, lambda key: key in self._begun and self._is_listed(key)))

    # -- news

    def heard(self, news: News) -> list[Happening]:
        """What a piece of news says that happened."""
        known = self._of(news.source)
        if news.reset:
            self._carry(news.source, known)
        if news.opened:
            self._take_base(news.source, known)
        found = list(self._changes(news, known)) if len(news.rows) else []
        if news.listed and not known.listed:
            found += self._settle(news.source, known)
        return found

    def _changes(self, news: News, known: _Known) -> Iterator[Happening]:
        self._grow()
        rows = self._alive(news.rows)
        looked = [metric for metric in self.metrics if metric in news.keys]
        before = set(self._going) if looked else set()
        if runs.STATUS in news.keys:
            was, now = self._states[rows], self._now(rows)
            self._states[rows] = now
            telling = (now == _GOING) | (was == _GOING) | ((was == 0) & self._are_of_now(rows, known))
            for place in np.flatnonzero((was != now) & telling).tolist():
                yield from self._turned(int(rows[place]), int(was[place]), int(now[place]), known)
            if not known.listed:  # what the source itself says is running isn't only remembered any more
                known.remembered -= {self._going[row] for row in rows[now == _GOING].tolist() if row in self._going}
        if looked:
            here = [row for row in rows.tolist() if row in self._going or row in before]
            told = self._nans(looked, np.array(here, np.int32), lambda key: known.listed and key not in known.carried)
            yield from told

    def _turned(self, row: int, was: int, now: int, known: _Known) -> Iterator[Happening]:
        """One run is in another state than when it was last looked at."""
        key = self._tower.catalogue.run_key(row)
        self._going.pop(row, None)
        if now == _GOING:
            self._going[row] = key
            if was:
                self._ended.discard(key)  # reopened: its next end is news
            elif known.listed and key not in known.carried and key not in self._ended:
                self._begun.add(key)
                yield self._happening(row, key, What.STARTED)
        elif now in _END_OF and key not in known.remembered and key not in known.carried:
            yield from self._end(row, key, now)

    def _end(self, row: int, key: RunKey, state: int, away: bool = False) -> Iterator[Happening]:
        if key not in self._ended:
            self._ended.add(key)
            yield self._happening(row, key, _END_OF[state], away)

    def _settle(self, number: int, known: _Known) -> Iterator[Happening]:
        """All runs of a source are known: what became of those that went on when we last knew of them."""
        known.listed = True
        first = known.listed_ms is None
        known.listed_ms = time.time() * 1000 if known.listed_ms is None else known.listed_ms
        keys = list(known.remembered | known.carried)
        remembered, known.remembered, known.carried = known.remembered, set(), set()
        catalogue = self._tower.catalogue
        found = catalogue.rows_of(keys) if keys else np.empty(0, np.int32)
        self._grow()
        places = catalogue.global_rows(number)
        states = self._now(places)
        self._states[places] = states
        for row in places[states == _GOING].tolist():
            self._going.setdefault(row, catalogue.run_key(row))
        for row, key in zip(found.tolist(), keys, strict=True):
            if row >= 0 and self._is_alive(row) and int(self._states[row]) in _END_OF:
                self._going.pop(row, None)
                yield from self._end(row, key, int(self._states[row]), first and key in remembered)
        here = np.array([row for row, key in self._going.items() if key.source == catalogue.sources[number].name])
        yield from self._nans(self.metrics, here.astype(np.int32), lambda _: False)

    def _take_base(self, number: int, known: _Known) -> None:
        """Rows that came with the opening of a source are its cache's: older than what it will say."""
        self._grow()
        rows = self._tower.catalogue.global_rows(number)
        rows = rows[self._states[rows] == 0]
        states = self._now(rows)
        self._states[rows] = states
        going = {row: self._tower.catalogue.run_key(row) for row in rows[states == _GOING].tolist()}
        if known.listed_ms is None:
            known.remembered |= set(going.values()) - self._ended
        else:  # of a run that isn't known to have gone on till now it knows less than we did
            doubtful = [row for row, key in going.items() if key not in known.carried]
            self._states[doubtful] = 0
            going = {row: key for row, key in going.items() if key in known.carried}
        self._going.update(going)

    def _carry(self, number: int, known: _Known) -> None:
        """The rows of a source died; what was going on there is looked up once its runs are known again."""
        name = self._tower.catalogue.sources[number].name
        dead = [row for row, key in self._going.items() if key.source == name]
        carried = {self._going.pop(row) for row in dead}
        known.carried |= carried - known.remembered
        known.listed = False

    # -- NaN

    def _nans(self, metrics: Iterable[ColumnKey], rows: Ints, is_news: Callable[[RunKey], bool]) -> Iterator[Happening]:
        """Runs of which one of these metrics is NaN or infinite now and wasn't before."""
        for metric in sorted(metrics):
            values = self._tower.catalogue.numbers_at(metric, rows)
            odd = np.flatnonzero(~np.isfinite(values) & (values.view(np.int64) != MISSING_BITS))
            for row, value in zip(rows[odd].tolist(), values[odd].tolist(), strict=True):
                key = self._going.get(row) or self._tower.catalogue.run_key(row)
                if (key, metric) in self._odd:
                    continue
                self._odd.add((key, metric))
                if is_news(key) and key not in self._gone_nan:
                    self._gone_nan.add(key)
                    yield self._happening(row, key, What.NAN, said=f"{metric.key} is {_word(value)}")

    # -- rows

    def _of(self, number: int) -> _Known:
        return self._known.setdefault(number, _Known())

    def _is_listed(self, key: RunKey) -> bool:
        return self._of(self._tower.catalogue.source(key.source)).listed

    def _grow(self) -> None:
        missing = self._tower.catalogue.size - len(self._states)
        if missing > 0:
            self._states = np.append(self._states, np.zeros(missing, np.int8))

    def _now(self, rows: Ints) -> NDArray[np.int8]:
        """The states of these rows as the catalogue has them."""
        column = self._tower.catalogue.texts(runs.STATUS)
        by_word = np.array([*(_STATES.get(word, 0) for word in column.words.to_pylist()), 0], np.int8)
        return np.asarray(by_word[column.codes[rows]])

    def _alive(self, rows: Ints) -> Ints:
        """Those that aren't deleted: nobody waits for a run that was thrown away."""
        lifecycle = self._tower.catalogue.texts(runs.LIFECYCLE)
        deleted = np.array([*(word == "deleted" for word in lifecycle.words.to_pylist()), False])
        return np.asarray(rows[~deleted[lifecycle.codes[rows]]])

    def _is_alive(self, row: int) -> bool:
        return bool(len(self._alive(np.array([row], np.int32))))

    def _are_of_now(self, rows: Ints, known: _Known) -> NDArray[np.bool_]:
        """Which runs began after their source was listed: one that comes as ended then is news, and not an old one that
        is only read now."""
        if not known.listed or known.listed_ms is None:
            return np.zeros(len(rows), bool)
        return np.asarray(self._tower.catalogue.numbers(runs.START_TIME).values[rows] > known.listed_ms)

    def _happening(self, row: int, key: RunKey, what: What, away: bool = False, said: str = "") -> Happening:
        catalogue = self._tower.catalogue
        name = catalogue.texts(runs.NAME).text(row) or key.run_id[:8]
        start, end = (catalogue.numbers(one).number(row) for one in (runs.START_TIME, runs.END_TIME))
        took = f" after {duration(end - start)}" if what in _END_OF.values() and start and end and end >= start else ""
        words = "was killed" if what is What.KILLED else str(what)
        return Happening(key, name, what, int(time.time() * 1000), said or words + took, away)


def _word(value: float) -> str:
    return "NaN" if value != value else "infinite"
