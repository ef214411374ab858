"""Running runs that fell silent, told once a silence, and only beside their own usual interval."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from runtower.acts.silences import Silences
from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.errors import TowerError
from runtower.domain.runs import ColumnKey, RunKey
from runtower.domain.series import CoarseCurve
from runtower.domain.silence import LEAST_MS, Silence
from runtower.link.wire import Coarse

_AT_ONCE: Final = 100
# A clock that goes behind ours makes a run look quiet that isn't: it has to be quiet under our eyes too.
_UNDER_OUR_EYES: Final = 2


class Rhythms:
    """Asks for the coarse curves of runs that have been quiet for long, and of no others.

    It doesn't disturb the questions of the screen, which ask for what is seen.
    """

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._silences = Silences(tower, self)
        self._curves: dict[tuple[int, str], tuple[float, CoarseCurve | None]] = {}  # with what it logged last then
        self._first: dict[int, tuple[float, float]] = {}  # by row: what it logged last, and when we first saw that
        self._told: dict[RunKey, float] = {}  # what it had logged last when its silence was told

    def get(self, row: int, metric: ColumnKey) -> CoarseCurve | None:
        """The curve that `ask` brought."""
        known = self._curves.get((row, metric.key))
        return known[1] if known is not None and known[0] == self._last(row) else None

    async def silent(self, metrics: Mapping[int, ColumnKey]) -> list[tuple[int, Silence]]:
        """Those of these running runs that are silent by now and weren't told yet; `metrics` by global row what tells
        a run's rhythm."""
        quiet = {row: metric for row, metric in metrics.items() if self._is_quiet(row)}
        await self._ask(quiet)
        found = []
        for row in quiet:
            last, heard = self._last(row), self._heard(row)
            if last is None or not heard or self._first[row][0] != last:
                continue  # it was heard of, or its source was replaced, while we asked
            doubt = self._silences.of(row, metrics[row])
            if not isinstance(doubt, Silence) or doubt.usual_ms is None:
                continue
            if heard - self._first[row][1] >= _UNDER_OUR_EYES * doubt.usual_ms:
                self._told[self._tower.catalogue.run_key(row)] = last
                found.append((row, doubt))
        return found

    def forget(self, going: Collection[int]) -> None:
        """Keep nothing of runs but of these."""
        self._first = {row: seen for row, seen in self._first.items() if row in going}
        self._curves = {spot: curve for spot, curve in self._curves.items() if spot[0] in going}

    def _is_quiet(self, row: int) -> bool:
        """Whether it logged nothing for longer than anybody is told of, and hasn't been told."""
        last, heard = self._last(row), self._heard(row)
        if last is None or not heard:
            return False
        if self._first.get(row, (None, 0.0))[0] != last:
            self._first[row] = last, heard
        self._silences.of(row, None)  # it notes when the run was last seen to log
        return heard - last >= LEAST_MS and self._told.get(self._tower.catalogue.run_key(row)) != last

    async def _ask(self, quiet: Mapping[int, ColumnKey]) -> None:
        wanted: dict[tuple[int, str], list[int]] = {}
        for row, metric in quiet.items():
            if self._curves.get((row, metric.key), (None,))[0] != self._last(row):
                source = int(self._tower.catalogue.source_numbers()[row])
                wanted.setdefault((source, metric.key), []).append(row)
        for (source, metric_key), rows in wanted.items():
            await self._fetch(source, metric_key, rows[:_AT_ONCE])

    async def _fetch(self, source: int, metric: str, rows: Sequence[int]) -> None:
        catalogue = self._tower.catalogue
        ids = {catalogue.run_key(row).run_id: (row, self._last(row)) for row in rows}
        try:
            curves = await self._tower.links[source].ask(Coarse(run_ids=tuple(ids), key=metric))
        except TowerError:
            return  # the source's health says why; the next look asks again
        found = {curve.run_id: curve for curve in curves}
        for run_id, (row, last) in ids.items():
            if last is not None:
                self._curves[row, metric] = last, found.get(run_id)

    def _last(self, row: int) -> float | None:
        return self._tower.catalogue.numbers(runs.LAST_LOGGED).number(row)

    def _heard(self, row: int) -> float:
        """When its source last answered (UTC epoch ms); 0 for never, and for a row that died."""
        number = int(self._tower.catalogue.source_numbers()[row])
        return 0.0 if number >= len(self._tower.links) else self._tower.health(number).heard_ms or 0.0
