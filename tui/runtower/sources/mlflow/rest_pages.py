"""Questions to a server with a clock beside them, in pages so large that it answers in about a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from runtower.sources.mlflow.rest_errors import CutOff, TimedOut
from runtower.sources.mlflow.rest_reader import Reader
from runtower.sources.mlflow.rest_walk import Step, Walk, step
from runtower.sources.mlflow.rest_wire import RawExperiment, Run

T = TypeVar("T")

FIRST_RUNS: Final = 100
MOST_RUNS: Final = 1_000
_QUICK: Final = 0.5
_SLOW: Final = 1.5


class PageSize:
    """Grows while answers are quick, shrinks when they are slow or don't come through."""

    def __init__(self) -> None:
        self.runs = FIRST_RUNS

    def answered(self, runs: int, seconds: float) -> None:
        """A page of so many runs took so long."""
        if seconds > _SLOW:
            self.runs = max(FIRST_RUNS // 2, self.runs // 2) if self.runs > FIRST_RUNS // 2 else self.runs
        elif seconds < _QUICK and runs >= self.runs:
            self.runs = min(MOST_RUNS, self.runs * 2)

    def failed(self) -> bool:
        """A page didn't come through: the next one is half as large. False where it can't be smaller."""
        if self.runs == 1:
            return False
        self.runs = max(1, self.runs // 2)
        return True


class Pages:
    """What the sync asks. `spent`: seconds that it waited for answers, until somebody sets it back."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._size = PageSize()
        self.spent = 0.0

    def experiments(self) -> list[RawExperiment]:
        """As `Reader.experiments`."""
        return self._timed(self._reader.experiments)

    def by_ids(self, experiment_ids: Sequence[str], run_ids: Sequence[str]) -> list[Run]:
        """As `Reader.by_ids`."""
        return self._timed(lambda: self._reader.by_ids(experiment_ids, run_ids))

    def step(self, walk: Walk, most: int) -> Step | None:
        """The next page of a walk, of at most so many runs, or None where it was too much for the way here; then the
        next one is smaller. Raises TowerError."""
        before = self.spent
        try:
            page = self._timed(lambda: step(self._reader, walk, min(most, self._size.runs)))
        except TimedOut:
            self._size.failed()
            raise
        except CutOff:
            if not self._size.failed():
                raise
            return None
        self._size.answered(len(page.runs), self.spent - before)
        return page

    def _timed(self, call: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return call()
        finally:
            self.spent += max(time.monotonic() - began, self._reader.early)
