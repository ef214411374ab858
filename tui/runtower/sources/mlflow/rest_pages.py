"""How large the pages are that a server is asked for: such that it answers in about a second."""

from __future__ import annotations

from typing import Final

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
