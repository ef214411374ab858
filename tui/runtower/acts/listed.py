"""Rows that are filtered, sorted and marked as those of the runs table are, for tables of some thousand rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from runtower.acts.run_rows import Spot
from runtower.catalog.words_filter import WordsFilter, parse
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, inert, shortened, shortened_end

GUTTER: Final = "gutter"


@dataclass(frozen=True, slots=True)
class Head:
    """A column: `width` cells, or with `grows` what is left. `least`: the screen's width from which it is shown."""

    key: str
    title: str
    width: int
    right: bool = False
    grows: bool = False
    least: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a column, and what it is sorted by where that isn't its text; None sorts last either way. One
    that is too long is cut in its middle; at its end where it `begins` with what matters."""

    text: str
    tone: str = ""
    order: float | str | None = ""
    begins: bool = False


EMPTY: Final = Cell("", "", None)


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A row by its id. `words` is what a filter looks at, besides what is shown."""

    id: Hashable
    cells: Mapping[str, Cell]
    words: str = ""


@dataclass
class Listed:
    """What a table shows of `rows`. `order`: a column and whether it descends, None for the order they came in."""

    glyphs: Glyphs
    order: tuple[str, bool] | None = None
    needle: str = ""
    active: str = ""
    version: int = 0
    laid: int = 0  # how often other rows stood in another order
    marks: set[Hashable] = field(default_factory=set)
    shown: list[ListedRow] = field(default_factory=list)
    _rows: Sequence[ListedRow] = ()
    _last_mark: Hashable | None = None

    def __len__(self) -> int:
        return len(self.shown)

    def line_id(self, index: int) -> Hashable:
        return self.shown[index].id

    def cells(self, index: int, columns: Sequence[Spot], cursor: bool) -> Sequence[Line]:
        row, glyphs = self.shown[index], self.glyphs
        here, mark = glyphs.cursor if cursor else " ", glyphs.marked if row.id in self.marks else " "
        out: list[Line] = []
        for column in columns:
            if column.id == GUTTER:
                out.append(((here, "bright"), (mark, "marked"), (" ", "")))
                continue
            cell = row.cells.get(column.id, EMPTY)
            cut = shortened_end if cell.begins else shortened
            out.append(((cut(inert(cell.text, glyphs), column.width, glyphs), cell.tone),))
        return out

    @property
    def total(self) -> int:
        return len(self._rows)

    # -- what is shown

    def take(self, rows: Sequence[ListedRow]) -> None:
        """Other rows, or the same ones with other cells; marks of those that are gone go."""
        if rows != self._rows:
            self._rows = rows
            self.marks &= {row.id for row in rows}
            self.lay()

    def search(self, text: str) -> None:
        """Only those that a filter finds. Raises Invalid for an expression that can't be read."""
        _ = parse(text)
        self.needle = text
        self.lay()

    def sort(self, key: str) -> None:
        """By a column: ascending, then descending, then as they came."""
        if self.order == (key, False):
            self.order = (key, True)
        else:
            self.order = None if self.order == (key, True) else (key, False)
        self.lay()

    def lay(self) -> None:
        """Filter and sort anew."""
        shown = list(self._rows)
        if self.needle.strip():
            found = hits(parse(self.needle), [_said(row) for row in shown])
            shown = [row for row, hit in zip(shown, found, strict=True) if hit]
        if self.order is not None:
            key, descends = self.order
            known = [row for row in shown if _order(row, key) is not None]
            numbers = all(isinstance(_order(row, key), float | int) for row in known)
            known.sort(key=lambda row: _order(row, key) if numbers else str(_order(row, key)), reverse=descends)  # type: ignore[arg-type,return-value]
            shown = known + [row for row in shown if _order(row, key) is None]
        self.shown = shown
        self.version += 1
        self.laid += 1

    def index_of(self, row_id: Hashable) -> int:
        """Where a row stands; -1 where it isn't shown."""
        return next((place for place, row in enumerate(self.shown) if row.id == row_id), -1)

    # -- marks

    def mark(self, index: int) -> None:
        row_id = self.shown[index].id
        self.marks ^= {row_id}
        self._last_mark = row_id
        self.version += 1

    def mark_range(self, index: int) -> None:
        """From the last mark to here."""
        start = self.index_of(self._last_mark) if self._last_mark is not None else index
        low, high = sorted((start if start >= 0 else index, index))
        self.marks |= {row.id for row in self.shown[low : high + 1]}
        self.version += 1

    def mark_all(self) -> None:
        """All that are shown, or none where they are marked already."""
        shown = {row.id for row in self.shown}
        self.marks = self.marks - shown if shown <= self.marks else self.marks | shown
        self.version += 1

    def invert(self) -> None:
        self.marks ^= {row.id for row in self.shown}
        self.version += 1


def hits(words: WordsFilter, texts: Sequence[str]) -> list[bool]:
    """Which of some texts fulfil a filter, as that of the runs decides it."""
    out = [True] * len(texts)
    column = pa.array(texts, pa.string())
    for term in words.terms:
        find = pc.match_substring_regex if term.regex else pc.match_substring
        found = find(column, term.pattern, ignore_case=True).to_pylist()
        out = [one and hit is not term.inverted for one, hit in zip(out, found, strict=True)]
    return out


def _said(row: ListedRow) -> str:
    return "\n".join([*(cell.text for cell in row.cells.values()), row.words])


def _order(row: ListedRow, key: str) -> float | str | None:
    cell = row.cells.get(key, EMPTY)
    return cell.text.casefold() if cell.order == "" else cell.order


def fitting(heads: Iterable[Head], width: int) -> list[tuple[Head, int]]:
    """The columns that a screen of so many cells shows, with their widths; those that grow share what is left."""
    there = [head for head in heads if width >= head.least]
    growing = [head for head in there if head.grows]
    left = width - 4 - sum(head.width + 1 for head in there)
    more = max(0, left // len(growing)) if growing else 0
    return [(head, head.width + more * head.grows) for head in there]
