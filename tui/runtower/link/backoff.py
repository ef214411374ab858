"""How long to wait before the next try."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 60.0


class Backoff:
    """Seconds that double from `first` up to a minute, and begin anew after a success."""

    def __init__(self, first: float = 1.0) -> None:
        self._first = first
        self.tries = 0

    def next(self) -> float:
        """The wait after one more failure, in seconds."""
        self.tries += 1
        return min(LONGEST, self._first * 2.0 ** min(self.tries - 1, 16))

    def reset(self) -> None:
        self.tries = 0
