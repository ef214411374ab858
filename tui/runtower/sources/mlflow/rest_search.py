"""What the user looks for, asked of the server while a first sync is under way: some pages of matches, in the place of
as many of the sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.domain.errors import Busy, Invalid, TowerError
from runtower.sources.mlflow.rest_pages import MOST_RUNS, Pages
from runtower.sources.mlflow.rest_walk import Walk
from runtower.sources.mlflow.rest_wire import Run

MOST_PAGES: Final = 5


class Search:
    """The latest wish counts; `want` may be called from another thread than `step`."""

    def __init__(self) -> None:
        self._wanted = ""
        self._condition = ""
        self._walk: Walk | None = None
        self._left = 0

    def want(self, condition: str) -> None:
        """A filter in MLflow's words, '' for none."""
        self._wanted = condition

    def step(self, pages: Pages, experiment_ids: Sequence[str]) -> Sequence[Run] | None:
        """The next page of matches in these experiments; None where there is no more to ask for, and then nothing was
        asked. Raises TowerError, and then gives up, unless the server only wants patience."""
        if self._wanted != self._condition:
            self._condition = self._wanted
            self._walk, self._left = Walk(tuple(experiment_ids), self._condition), MOST_PAGES
        walk = self._walk
        if walk is None or not self._condition or not self._left:
            return None
        self._left -= 1
        try:
            page = pages.step(walk, MOST_RUNS)
        except Busy:
            self._left += 1
            raise
        except Invalid:
            # Another server than MLflow's, or an older one, may not know all of the language: the sync finds them too.
            self._left = 0
            return ()
        except TowerError:
            self._left = 0
            raise
        if page is None:
            return ()
        if page.ended:
            self._left = 0
        return page.runs
