"""Which of the eight colours a run is drawn in: the one it had before, as long as it is told apart from the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.domain.runs import RunKey

COLOURS: Final = 8


class RunColours:
    """Kept for a sitting: a run that is looked at again, beside other ones, has its colour again."""

    def __init__(self) -> None:
        self._had: dict[RunKey, int] = {}

    def of(self, keys: Sequence[RunKey]) -> list[int]:
        """By run a number below 8; no two of the first eight have the same."""
        out: list[int] = []
        for place in range(0, len(keys), COLOURS):
            part = keys[place : place + COLOURS]
            taken = {self._had[key] for key in part if key in self._had}
            free = [colour for colour in range(COLOURS) if colour not in taken]
            used: set[int] = set()
            for key in part:
                colour = self._had.get(key)
                if colour is None or colour in used:
                    colour = free.pop(0) if free else next(one for one in range(COLOURS) if one not in used)
                    self._had.setdefault(key, colour)
                used.add(colour)
                out.append(colour)
        return out
