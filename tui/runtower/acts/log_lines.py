"""A log wrapped into the lines of a pane, with its errors and what is searched for marked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import overload

from rich.cells import cell_len, chop_cells

from runtower.present.console import is_error
from runtower.present.spans import Line, Span


class LogLines(Sequence[Line]):
    """Never changed: another log, width or search makes another one. Lines are worked out when they are asked for.

    `needle`: what is searched for, '' for nothing; small letters stand for capitals too. `here`: the line of the log
    that was found last, -1 for none. `before`: those drawn until now, whose breaks are taken over where they hold.
    """

    def __init__(
        self, lines: Sequence[str], width: int, needle: str = "", here: int = -1, before: LogLines | None = None
    ) -> None:
        self.lines = lines
        self._width = max(2, width)
        self._needle = needle
        self._here = here
        same = before is not None and before.lines is lines and before._width == self._width
        self._ends: list[int] = before._ends if before and same else list(accumulate(map(self._height, lines)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        number = self.line_at(index)
        piece = self._pieces(self.lines[number])[index - self.row_of(number)]
        tone = "worse" if is_error(self.lines[number]) else ""
        return tuple(self._marked(piece, f"{tone} active".strip() if number == self._here else tone))

    def line_at(self, row: int) -> int:
        """Which line of the log stands in a row of the pane."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        return bisect_right(self._ends, row)

    def row_of(self, number: int) -> int:
        """The first row of a line."""
        return self._ends[number - 1] if number else 0

    def _height(self, line: str) -> int:
        if line.isascii():
            return max(1, -(-len(line) // self._width))
        return max(1, len(chop_cells(line, self._width))) if cell_len(line) > self._width else 1

    def _pieces(self, line: str) -> Sequence[str]:
        width = self._width
        if line.isascii():
            return [line[start : start + width] for start in range(0, len(line), width)] or [""]
        return chop_cells(line, width) if cell_len(line) > width else [line]

    def _marked(self, piece: str, tone: str) -> list[Span]:
        """What is searched for stands out; where a hit is broken into two rows, it doesn't."""
        spans: list[Span] = []
        text, needle = folded(piece, self._needle), self._needle
        start = 0
        while needle and (found := text.find(needle, start)) >= 0:
            spans += [(piece[start:found], tone), (piece[found : found + len(needle)], f"{tone} marked".strip())]
            start = found + len(needle)
        return [*spans, (piece[start:], tone)]


def folded(text: str, needle: str) -> str:
    """The text as it is compared with what is searched for: capitals count where that has any."""
    if needle != needle.lower():
        return text
    small = text.lower()
    return small if len(small) == len(text) else text


def hits(lines: Sequence[str], needle: str) -> list[int]:
    """The lines that hold it; none for ''."""
    return [number for number, line in enumerate(lines) if needle in folded(line, needle)] if needle else []


def errors(lines: Sequence[str]) -> list[int]:
    """The lines that tell of an error."""
    return [number for number, line in enumerate(lines) if is_error(line)]
