"""What is known of one source: an immutable base and the segments that came after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.catalog.columns import NumberColumn, TextColumn, joined
from runtower.catalog.directory import Entry
from runtower.catalog.segment import Ints, RunCell, Segment
from runtower.domain.runs import ColumnKey, Experiment
from runtower.domain.values import MISSING


class SourceTable:
    """Segments of one source, oldest first; a later one counts. Rows are the source's dense int32 row ids.

    `name` is the source's name in settings and on the screen.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.experiments: dict[str, Experiment] = {}
        self._segments: list[tuple[int, Segment]] = []
        self._gone: set[int] = set()
        self._former: dict[int, str] = {}  # native ids of rows that are gone and that no segment names any more
        self._holder = np.empty(0, np.int32)  # row -> place of the newest segment that names it; -1 none
        self._place = np.empty(0, np.int32)  # row -> place in that segment

    @property
    def size(self) -> int:
        """One more than the greatest row id."""
        return len(self._holder)

    def frozen(self) -> SourceTable:
        """The same pieces, for making columns in a thread while others are added here."""
        still = SourceTable(self.name)
        still._segments, still._holder = list(self._segments), self._holder
        return still

    @property
    def segments(self) -> list[Segment]:
        return [segment for _, segment in self._segments]

    def alive(self) -> NDArray[np.bool_]:
        """By row whether the source still has it."""
        alive = self._holder >= 0
        if self._gone:
            alive[np.fromiter(self._gone, np.int64)] = False
        return alive

    def add(self, seq: int, segment: Segment | None, gone: Iterable[int] = ()) -> None:
        """A piece that is newer than all before it."""
        self._gone.update(gone)
        if segment is not None and len(segment.rows):
            self._gone.difference_update(segment.rows.tolist() if self._gone else ())
            self._segments.append((seq, segment))
            self._index(len(self._segments) - 1)

    def rebase(self, upto: int, base: Segment) -> None:
        """`base` stands for all pieces up to and including `upto`; what came later stays on top."""
        self._former.update((row, self.run_id(row)) for row in self._gone if row < self.size)
        self._segments = [(upto, base), *((seq, segment) for seq, segment in self._segments if seq > upto)]
        self._holder[:] = -1
        for number in range(len(self._segments)):
            self._index(number)

    def reset(self, base: Segment | None) -> None:
        """Another store answers under this name: forget what was known."""
        self._segments, self._gone, self._former = [], set(), {}
        self._holder, self._place = np.empty(0, np.int32), np.empty(0, np.int32)
        if base is not None:
            self.add(0, base)

    def _index(self, number: int) -> None:
        rows = self._segments[number][1].rows
        if not len(rows):
            return
        missing = int(rows[-1]) + 1 - self.size
        if missing > 0:
            self._holder = np.concatenate([self._holder, np.full(missing, -1, np.int32)])
            self._place = np.concatenate([self._place, np.zeros(missing, np.int32)])
        self._holder[rows] = number
        self._place[rows] = np.arange(len(rows), dtype=np.int32)

    def run_id(self, row: int) -> str:
        """Its native id, also of one that is gone: a table may still show it."""
        if self._holder[row] < 0:
            return self._former.get(row, "")
        return str(self._segments[self._holder[row]][1].run_ids[int(self._place[row])].as_py())

    def run_ids(self) -> list[str]:
        """Native ids by row; '' for a row id that nothing names."""
        out = [""] * self.size
        for _, segment in self._segments:
            for row, run_id in zip(segment.rows.tolist(), segment.run_ids.to_pylist(), strict=True):
                out[row] = run_id
        return out

    def rows_of(self, run_ids: Sequence[str]) -> Ints:
        """The rows of native ids, -1 for one that isn't known."""
        found = np.full(len(run_ids), -1, np.int32)
        wanted = pa.array(run_ids, pa.string())
        for _, segment in self._segments:
            hits = pa.compute.index_in(wanted, value_set=segment.run_ids)
            known = hits.is_valid().to_numpy(zero_copy_only=False)
            found[known] = segment.rows[hits.drop_null().to_numpy()]
        return found

    def keys(self) -> dict[ColumnKey, bool]:
        """Every key that any piece has, and whether it is text."""
        return {key: text for _, segment in self._segments for key, text in segment.entries.texts_of_keys()}

    def coverage(self) -> dict[ColumnKey, int]:
        """About how many runs have each key (a run in two pieces may count twice)."""
        counts: dict[ColumnKey, int] = {}
        for _, segment in self._segments:
            for key, cells in segment.entries.cell_counts():
                counts[key] = counts.get(key, 0) + cells
        return counts

    def numbers(self, key: ColumnKey) -> NumberColumn:
        """The key's numbers by row; texts that spell numbers are not looked at here."""
        values = np.full(self.size, MISSING)
        for _, segment in self._segments:
            put_numbers(values, segment, key, segment.rows)
        return NumberColumn(values)

    def texts(self, key: ColumnKey) -> TextColumn:
        """The key's texts by row."""
        column = TextColumn.empty(self.size)
        for _, segment in self._segments:
            column = with_texts(column, segment, key, segment.rows, None)
        return column

    def numbers_at(self, key: ColumnKey, rows: Ints) -> NDArray[np.float64]:
        """The key's numbers of some rows, without a column for all of them; MISSING where there is none."""
        out = np.full(len(rows), MISSING)
        for segment, entry, at, hit in self._looks(key, rows):
            if segment.whole:
                out[_named(segment, rows)] = MISSING
            if entry is not None and not entry.is_text:
                out[hit] = segment.numbers(key).values[at[hit]]
        return out

    def texts_at(self, key: ColumnKey, rows: Ints) -> list[str | None]:
        """The key's texts of some rows, without a column for all of them."""
        out = np.full(len(rows), None, object)
        for segment, entry, at, hit in self._looks(key, rows):
            if segment.whole:
                out[_named(segment, rows)] = None
            if entry is not None and entry.is_text:
                cells = segment.stored_texts(key)
                codes = cells.codes[at[hit]]
                words = cells.texts.take(pa.array(codes, mask=codes < 0))
                out[hit] = words.to_pylist()
        return list(out)

    def _looks(
        self, key: ColumnKey, rows: Ints
    ) -> Iterator[tuple[Segment, Entry | None, NDArray[np.intp], NDArray[np.bool_]]]:
        """By piece: the key's entry, where among its cells that of each row would be, and whether it is there."""
        for _, segment in self._segments:
            entry = segment.entries.get(key)
            there = segment.rows if entry is None else segment.rows_with(key)
            at = np.minimum(np.searchsorted(there, rows), max(0, len(there) - 1))
            hit = there[at] == rows if len(there) else np.zeros(len(rows), bool)
            yield segment, entry, at, hit

    def cells(self, row: int) -> list[RunCell]:
        """Everything that is known of one run, in no order."""
        known: dict[ColumnKey, RunCell] = {}
        for _, segment in self._segments:
            found = segment.of_run(row)
            if found and segment.whole:
                known.clear()
            known.update((cell.key, cell) for cell in found)
        return list(known.values())


def put_numbers(values: NDArray[np.float64], segment: Segment, key: ColumnKey, rows: Ints) -> None:
    """Write what a segment says of a key into `values`; `rows` are the places of the segment's runs there."""
    if segment.whole:
        values[rows] = MISSING
    entry = segment.entries.get(key)
    if entry and not entry.is_text:
        cells = segment.numbers(key)
        values[_places(segment, cells.rows, rows)] = cells.values


def with_texts(column: TextColumn, segment: Segment, key: ColumnKey, rows: Ints, codes: Ints | None) -> TextColumn:
    """The column with what a segment says of a key; `codes` is written in place where given, else the column's own."""
    codes = column.codes if codes is None else codes
    if segment.whole:
        codes[rows] = -1
    entry = segment.entries.get(key)
    column = TextColumn(codes, column.words, column.types, column.known_numbers, column.sorted)
    if not entry or not entry.is_text:
        return column
    cells = segment.stored_texts(key)
    codes[_places(segment, cells.rows, rows)] = np.where(cells.codes < 0, -1, cells.codes + len(column.words))
    ordered = segment.is_ordered(key)
    return joined(column, TextColumn(codes, cells.texts, cells.types, cells.numbers if ordered else None, ordered))


def _named(segment: Segment, rows: Ints) -> NDArray[np.bool_]:
    """Which rows a segment has."""
    at = np.minimum(np.searchsorted(segment.rows, rows), len(segment.rows) - 1)
    named: NDArray[np.bool_] = segment.rows[at] == rows
    return named


def _places(segment: Segment, cell_rows: Ints, rows: Ints) -> Ints:
    if rows is segment.rows or len(cell_rows) == len(segment.rows):
        return rows if len(cell_rows) == len(segment.rows) else cell_rows
    return rows[np.searchsorted(segment.rows, cell_rows)]
