"""What a table is made of: its columns, where its rows come from, and how a cell fills its width."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len, set_cell_size

from runtower_widgets.tones import Span


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column on the screen. `width` in cells; a `frozen` one stays at the left when the others are scrolled."""

    id: str
    title: str
    width: int
    right: bool = False
    frozen: bool = False
    tone: str = ""


class TableRows(Protocol):
    """What a table shows. `version` changes with anything that rows show; an order that only moves them needs none."""

    @property
    def version(self) -> int: ...

    def __len__(self) -> int: ...

    def line_id(self, index: int) -> Hashable:
        """What stands there: lines of one id look alike, wherever they stand, as long as `version` is the same."""
        ...

    def cells(self, index: int, columns: Sequence[TableColumn], cursor: bool) -> Sequence[Sequence[Span]]:
        """One sequence of (text, tone) spans for each column; the table cuts and pads. `cursor`: it stands here."""
        ...


class NoRows:
    """A table before there is anything to show."""

    version = 0

    def __len__(self) -> int:
        return 0

    def line_id(self, index: int) -> Hashable:
        return index

    def cells(self, index: int, columns: Sequence[TableColumn], cursor: bool) -> Sequence[Sequence[Span]]:
        raise IndexError(index)


def cell_spans(spans: Sequence[Span], width: int, right: bool) -> list[Span]:
    """The spans of a cell in exactly `width` cells."""
    if len(spans) == 1:
        text, tone = spans[0]
        return [(fitted(text, width, right), tone)]
    out: list[Span] = []
    used = 0
    for text, tone in spans:
        length = cell_len(text)
        if used + length > width:
            out.append((set_cell_size(text, width - used), tone))
            return out
        out.append((text, tone))
        used += length
    gap = (" " * (width - used), "")
    return [gap, *out] if right else [*out, gap]


def fitted(text: str, width: int, right: bool) -> str:
    """A text in exactly `width` cells."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)
