"""Which of the running runs aren't heard of any more, or are proven to be gone."""

from __future__ import annotations

from typing import Final, Protocol

from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind, Status
from runtower.domain.series import CoarseCurve
from runtower.domain.silence import Lost, Silence, silence, usual_interval
from runtower.jobs import proofs

_KEPT: Final = 5_000
_PROCESS: Final = ColumnKey(Kind.TAG, proofs.PROCESS_TAG)


class KnowsCurves(Protocol):
    """Who has the coarse curves that were asked for."""

    def get(self, row: int, metric: ColumnKey) -> CoarseCurve | None: ...


class Silences:
    """Tells of a run whether it is lost, by the process that it named, or silent, from when it last logged and the
    coarse curve of the chosen metric.

    The clock of the machine that logs isn't ours: a time that moved while we looked counts from when we heard of it.
    And a source that doesn't answer says nothing of its runs: they are as silent as they were when it last did.
    """

    def __init__(self, tower: Tower, curves: KnowsCurves) -> None:
        self._tower = tower
        self._curves = curves
        self._seen: dict[int, tuple[float, float]] = {}  # by row: what it said, and when we saw that move

    def of(self, row: int, metric: ColumnKey | None) -> Silence | Lost | None:
        """Of a global row; None for one that logs as usual, one that isn't RUNNING, and where nothing can be said."""
        catalogue = self._tower.catalogue
        if catalogue.texts(runs.STATUS).text(row) != Status.RUNNING:
            return None
        process = catalogue.texts(_PROCESS).text(row)
        if process is not None and (proof := proofs.lost({proofs.PROCESS_TAG: process})) is not None:
            return proof
        last = catalogue.numbers(runs.LAST_LOGGED).number(row)
        health = self._tower.health(int(catalogue.source_numbers()[row]))
        if last is None or not health.complete or health.heard_ms is None:
            return None
        since = max(last, self._heard(row, last, health.heard_ms))
        start = catalogue.numbers(runs.START_TIME).number(row)
        curve = self._curves.get(row, metric) if metric is not None else None
        usual = usual_interval(start, last, curve.points) if curve is not None else None
        return silence(health.heard_ms - since, usual, ever=start is None or last > start)

    def _heard(self, row: int, last: float, now_ms: float) -> float:
        """When, in this sitting, we saw it log (UTC epoch ms); 0 where that hasn't been."""
        known = self._seen.get(row)
        if known is None or known[0] != last:
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[row] = last, (0.0 if known is None else now_ms)
        return self._seen[row][1]
