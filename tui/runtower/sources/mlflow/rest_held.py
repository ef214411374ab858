"""Runs that were read of a server and not yet given on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.rest_ledger import Ledger
from runtower.sources.mlflow.rest_rows import digest_of
from runtower.sources.mlflow.rest_wire import Run

# A delta costs its readers much the same for 20 runs as for 500: beyond the first thousand, pages are given together.
_AT_ONCE: Final = 1_000
_TOGETHER: Final = 500


class Held:
    """Each run once, as it was read last."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def take(self, ledger: Ledger, runs: Iterable[Run]) -> bool:
        """Hold those that aren't as the ledger has them, and write them down there; whether there were any."""
        is_news = False
        for run in runs:
            digest = digest_of(run)
            if ledger.is_news(run.run_id, digest):
                ledger.give(run.run_id, digest, run.info.start_time or 0, run.info.experiment_id or "")
                self._runs[run.run_id] = run
                is_news = True
            (ledger.running.add if run.info.status == RUNNING else ledger.running.discard)(run.run_id)
            ledger.last_start = max(ledger.last_start, run.info.start_time or 0)
            ledger.last_end = max(ledger.last_end, run.info.end_time or 0)
        return is_news

    def are_enough(self, known: int) -> bool:
        """Whether a first sync that knows so many runs should give them on."""
        return known <= _AT_ONCE or len(self._runs) >= _TOGETHER

    def drop(self, run_id: str) -> None:
        """A run is no more."""
        self._runs.pop(run_id, None)

    def hand_over(self) -> list[Run]:
        """All of them; none are held any more."""
        runs, self._runs = list(self._runs.values()), {}
        return runs
