"""One immutable piece of a source's table, read.

A segment holds some runs (`rows`, the source's dense int32 row ids, and their native ids) and cells by key. Nothing in
it costs rows x keys: a key's cells are (row, value) pairs sorted by row, or, where every run of the segment has one,
the values alone. Texts are codes into the key's own dictionary. In a merged segment that is sorted as the column sorts
(numbers, then natural order), so that a code is a rank; in a fresh one, where most keys are never looked at before the
next merge, it is sorted when it is read. `packing` has the layout, `encoding` makes one of a delta, `merging` one of
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.catalog.directory import Directory
from runtower.catalog.packing import MAGIC, PARTS, Head
from runtower.catalog.packing import Floats as Floats
from runtower.catalog.packing import Ints as Ints
from runtower.catalog.words import sorted_words
from runtower.domain.runs import ColumnKey
from runtower.domain.values import MISSING, number_of


class NumberCells(NamedTuple):
    """Cells of a number key: `rows` int32 ascending (row ids of the source), `values` float64."""

    rows: Ints
    values: Floats


class TextCells(NamedTuple):
    """Cells of a text key: `codes` int32 into the three dictionary columns, -1 where a value was taken away."""

    rows: Ints
    codes: Ints
    texts: pa.StringArray
    types: NDArray[np.uint8]
    numbers: Floats


class RunCell(NamedTuple):
    """One value of one run."""

    key: ColumnKey
    text: str | None
    number: float
    value_type: int


class SegmentError(ValueError):
    """The bytes are not a segment of this version, or a torn one."""


@dataclass(frozen=True)
class Segment:
    """A readable segment over one buffer; reading copies nothing.

    `rows` int32 of n runs, ascending; `run_ids` their native ids; `whole`: these runs are given whole, so what older
    segments say of them doesn't count.
    """

    rows: Ints
    run_ids: pa.StringArray
    whole: bool
    nbytes: int
    entries: Directory
    _numbers: tuple[Ints, Floats]
    _dense_numbers: Floats
    _texts: tuple[Ints, Ints]
    _dense_texts: Ints
    _dictionary: tuple[pa.StringArray, NDArray[np.uint8], Floats]

    @classmethod
    def read(cls, data: bytes | memoryview) -> Segment:
        """Raises SegmentError where the bytes aren't a whole segment of this version."""
        try:
            return cls._read(memoryview(data))
        except (pa.ArrowInvalid, msgspec.MsgspecError, IndexError, OSError, ValueError) as error:
            raise SegmentError(f"not a readable segment: {error}") from error

    @classmethod
    def _read(cls, data: memoryview) -> Segment:
        if bytes(data[:8]) != MAGIC:
            raise SegmentError("no segment of this version")
        head_length = int.from_bytes(data[8:12], "little")
        head = msgspec.msgpack.decode(data[12 : 12 + head_length], type=Head)
        buffer = pa.py_buffer(data)
        part = {
            name: pa.ipc.open_stream(buffer.slice(start, length)).read_next_batch()
            for name, (start, length) in zip(PARTS, head.parts, strict=True)
        }
        runs, dictionary = part["runs"], part["dictionary"]
        return cls(
            rows=_np(runs, 0),
            run_ids=runs.column(1),
            whole=head.whole,
            nbytes=len(data),
            entries=Directory(part["directory"]),
            _numbers=(_np(part["numbers"], 0), _np(part["numbers"], 1)),
            _dense_numbers=_np(part["dense_numbers"], 0),
            _texts=(_np(part["texts"], 0), _np(part["texts"], 1)),
            _dense_texts=_np(part["dense_texts"], 0),
            _dictionary=(dictionary.column(0), _np(dictionary, 1), _np(dictionary, 2)),
        )

    @cached_property
    def _ordered(self) -> dict[ColumnKey, TextCells]:
        """Keys of a fresh segment whose dictionaries were sorted already."""
        return {}

    def count(self, key: ColumnKey) -> int:
        """How many cells the key has here."""
        entry = self.entries.get(key)
        return entry.cells if entry else 0

    def rows_with(self, key: ColumnKey) -> Ints:
        """The runs that have a cell of the key here, ascending. Raises KeyError where it has none."""
        entry = self.entries[key]
        if entry.dense:
            return self.rows
        return self.block(entry.is_text)[0][entry.start : entry.start + entry.cells]

    def is_text(self, key: ColumnKey) -> bool:
        return self.entries[key].is_text

    def numbers(self, key: ColumnKey) -> NumberCells:
        """Cells of a number key. Raises KeyError where it has none."""
        entry = self.entries[key]
        cut = slice(entry.start, entry.start + entry.cells)
        if entry.dense:
            return NumberCells(self.rows, self._dense_numbers[cut])
        return NumberCells(self._numbers[0][cut], self._numbers[1][cut])

    def texts(self, key: ColumnKey) -> TextCells:
        """Cells of a text key, their dictionary in column order. Raises KeyError where it has none."""
        if self.entries[key].ordered:
            return self.stored_texts(key)
        cells = self._ordered.get(key)
        if cells is None:
            raw = self.stored_texts(key)
            cells = TextCells(raw.rows, *sorted_words(raw.texts, raw.types, raw.codes))
            self._ordered[key] = cells
        return cells

    def is_ordered(self, key: ColumnKey) -> bool:
        """Whether the stored dictionary of a text key is in column order and has its numbers."""
        return self.entries[key].ordered

    def stored_texts(self, key: ColumnKey) -> TextCells:
        """As stored: where the key isn't ordered, the dictionary is in no order and its numbers mean nothing."""
        entry = self.entries[key]
        cut = slice(entry.start, entry.start + entry.cells)
        words = slice(entry.dict_start, entry.dict_start + entry.dict_count)
        rows, codes = (self.rows, self._dense_texts[cut]) if entry.dense else (self._texts[0][cut], self._texts[1][cut])
        texts, types, numbers = self._dictionary
        return TextCells(rows, codes, texts[words], types[words], numbers[words])

    def of_run(self, row: int) -> list[RunCell]:
        """All cells of one run here. Costs one pass over the row numbers of the sparse blocks (~1 ms for 3 million)."""
        place = int(np.searchsorted(self.rows, row))
        if place >= len(self.rows) or self.rows[place] != row:
            return []
        found = [self._cell(at, None, place) for at in self.entries.dense_places.tolist()]
        for is_text, block in ((False, self._numbers), (True, self._texts)):
            for at, spot in self.entries.holders(is_text, np.flatnonzero(block[0] == row)):
                found.append(self._cell(at, spot, place))
        return found

    def _cell(self, at: int, spot: int | None, place: int) -> RunCell:
        """Of the entry at a place the cell at a spot of its sparse block, or of the run at `place` in its dense one."""
        key, entry = self.entries.key(at), self.entries.entry(at)
        if not entry.is_text:
            value = self._dense_numbers[entry.start + place] if spot is None else self._numbers[1][spot]
            return RunCell(key, None, float(value), 0)
        code = int(self._dense_texts[entry.start + place] if spot is None else self._texts[1][spot])
        if code < 0:
            return RunCell(key, None, MISSING, 0)
        texts, types, numbers = self._dictionary
        word = entry.dict_start + code
        text = texts[word].as_py()
        spelled = float(numbers[word]) if entry.ordered else number_of(text)
        return RunCell(key, text, MISSING if spelled is None else spelled, int(types[word]))

    def block(self, is_text: bool, dense: bool = False) -> tuple[Ints, NDArray[Any]]:
        """The block of numbers or of texts: rows (a dense one has none), and values or codes."""
        if dense:
            return self.rows[:0], self._dense_texts if is_text else self._dense_numbers
        return self._texts if is_text else self._numbers

    def words(self) -> tuple[pa.StringArray, NDArray[np.uint8]]:
        """All words and their types, as `Entry.dict_start` counts."""
        return self._dictionary[0], self._dictionary[1]


def _np(batch: pa.RecordBatch, column: int) -> Any:  # the dtype is the part's, as written below
    return batch.column(column).to_numpy(zero_copy_only=True)
