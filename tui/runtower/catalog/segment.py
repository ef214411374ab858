"""One immutable piece of a source's table: encode, read, merge.

A segment holds some runs (`rows`, the source's dense int32 row ids, and their native ids) and cells by key. Nothing in
it costs rows x keys: a key's cells are (row, value) pairs sorted by row, or, where every run of the segment has one,
the values alone. Texts are codes into the key's own dictionary. In a merged segment that is sorted as the column sorts
(numbers, then natural order), so that a code is a rank; in a fresh one, where most keys are never looked at before the
next merge, it is sorted when it is read.

Layout, version 1: magic, uint32 length and msgpack of `_Head`, then seven Arrow IPC streams, 64-byte aligned:
runs(row, run_id), directory, numbers(row, value), dense_numbers(value), texts(row, code), dense_texts(code),
dictionary(text, type, number).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import runtower.catalog.arrow  # noqa: F401 - before the first use of pyarrow
from runtower.catalog.words import distinct_words, sorted_words
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import MISSING, MISSING_BITS, number_of
from runtower.sources.port import Delta, Numbers, Texts

MAGIC: Final = b"RTSEG\x00\x00\x01"
_KINDS: Final = (Kind.ATTRIBUTE, Kind.METRIC, Kind.PARAM, Kind.TAG)
_KIND_CODE: Final = {kind: code for code, kind in enumerate(_KINDS)}
_PARTS: Final = ("runs", "directory", "numbers", "dense_numbers", "texts", "dense_texts", "dictionary")

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


class _Head(msgspec.Struct):
    whole: bool
    parts: list[tuple[int, int]]


class _Entry(NamedTuple):
    """Where the cells of one key lie: a slice of a dense or sparse block, and of the dictionary."""

    is_text: bool
    dense: bool
    start: int
    cells: int
    dict_start: int
    dict_count: int
    ordered: bool


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
    _directory: pa.RecordBatch
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
        head = msgspec.msgpack.decode(data[12 : 12 + head_length], type=_Head)
        buffer = pa.py_buffer(data)
        part = {
            name: pa.ipc.open_stream(buffer.slice(start, length)).read_next_batch()
            for name, (start, length) in zip(_PARTS, head.parts, strict=True)
        }
        runs, dictionary = part["runs"], part["dictionary"]
        return cls(
            rows=_np(runs, 0),
            run_ids=runs.column(1),
            whole=head.whole,
            nbytes=len(data),
            _directory=part["directory"],
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

    @cached_property
    def entries(self) -> dict[ColumnKey, _Entry]:
        """Every key with the place of its cells."""
        columns = [column.to_pylist() for column in self._directory.columns]
        return {ColumnKey(_KINDS[kind], key): _Entry(*rest) for kind, key, *rest in zip(*columns, strict=True)}

    def count(self, key: ColumnKey) -> int:
        """How many cells the key has here."""
        entry = self.entries.get(key)
        return entry.cells if entry else 0

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
        sparse_numbers = np.flatnonzero(self._numbers[0] == row)
        sparse_texts = np.flatnonzero(self._texts[0] == row)
        found: list[RunCell] = []
        texts, types, numbers = self._dictionary
        for key, entry in self.entries.items():
            if entry.dense:
                at = entry.start + place
            else:
                hits = sparse_texts if entry.is_text else sparse_numbers
                index = int(np.searchsorted(hits, entry.start))
                if index >= len(hits) or hits[index] >= entry.start + entry.cells:
                    continue
                at = int(hits[index])
            if not entry.is_text:
                value = (self._dense_numbers if entry.dense else self._numbers[1])[at]
                found.append(RunCell(key, None, float(value), 0))
                continue
            code = int((self._dense_texts if entry.dense else self._texts[1])[at])
            if code < 0:
                found.append(RunCell(key, None, MISSING, 0))
            else:
                word = entry.dict_start + code
                text = texts[word].as_py()
                spelled = float(numbers[word]) if entry.ordered else number_of(text)
                found.append(RunCell(key, text, MISSING if spelled is None else spelled, int(types[word])))
        return found


def encode(delta: Delta, rows: Ints) -> bytes:
    """A delta as a segment; `rows` int32 are the row ids of `delta.run_ids`, in their order, without repeats."""
    order = np.argsort(rows, kind="stable").astype(np.int32)
    place = np.empty(len(rows), np.int32)
    place[order] = np.arange(len(rows), dtype=np.int32)
    writer = _Writer(rows[order], pa.array(delta.run_ids, pa.string()).take(pa.array(order)), delta.whole)
    for cells in delta.cells:
        at = place if cells.at is None else place[cells.at]
        by_row = np.argsort(at, kind="stable")
        spots = writer.rows[at[by_row]]
        key = ColumnKey(cells.kind, cells.key)
        if isinstance(cells, Numbers):
            writer.add_numbers(key, spots, cells.values[by_row])
        else:
            codes, words, types = _dictionary(cells)
            writer.add_fresh_texts(key, spots, codes[by_row], words, types)
    return writer.finish()


def merge(segments: Sequence[Segment], gone: Iterable[int] = (), pause: Callable[[], None] = lambda: None) -> bytes:
    """Older to newer segments as one whole segment with every run that isn't in `gone` (row ids keep their numbers).

    `pause` is called between keys, so that the caller can let other work through.
    """
    size = 1 + max((int(s.rows[-1]) for s in segments if len(s.rows)), default=-1)
    newest = np.full(size, -1, np.int32)
    for number, segment in enumerate(segments):
        if segment.whole:
            newest[segment.rows] = number
    newest[np.fromiter((row for row in gone if row < size), np.int32)] = len(segments)
    alive = np.flatnonzero((newest >= 0) & (newest < len(segments))).astype(np.int32)
    ids = pa.concat_arrays([s.run_ids for s in segments]) if segments else pa.array([], pa.string())
    holder = np.full(size, -1, np.int64)
    offset = 0
    for segment in segments:
        holder[segment.rows] = np.arange(offset, offset + len(segment.rows))
        offset += len(segment.rows)
    writer = _Writer(alive, ids.take(pa.array(holder[alive])), True)
    text_of: dict[ColumnKey, bool] = {}
    for segment in segments:
        for key, entry in segment.entries.items():
            text_of[key] = entry.is_text
    for key in sorted(text_of):
        pause()
        having = [(number, s) for number, s in enumerate(segments) if key in s.entries]
        if text_of[key]:
            _merge_texts(writer, key, having, newest)
        else:
            _merge_numbers(writer, key, having, newest)
    return writer.finish()


def _merge_numbers(writer: _Writer, key: ColumnKey, having: list[tuple[int, Segment]], newest: Ints) -> None:
    rows, values = [], []
    for number, segment in having:
        if segment.is_text(key):
            continue
        cells = segment.numbers(key)
        counts = _counting(newest, cells.rows, number)
        rows.append(cells.rows[counts])
        values.append(cells.values[counts])
    keep, row = _last(rows)
    value = np.concatenate(values)[keep]
    there = value.view(np.int64) != MISSING_BITS
    writer.add_numbers(key, row[there], value[there])


def _merge_texts(writer: _Writer, key: ColumnKey, having: list[tuple[int, Segment]], newest: Ints) -> None:
    having = [(number, segment) for number, segment in having if segment.is_text(key)]
    rows: list[Ints] = []
    codes: list[Ints] = []
    words: list[pa.StringArray] = []
    types: list[NDArray[np.uint8]] = []
    offset = 0
    for number, segment in having:
        cells = segment.stored_texts(key)
        counts = _counting(newest, cells.rows, number)
        rows.append(cells.rows[counts])
        code = cells.codes[counts]
        codes.append(np.where(code < 0, np.int32(-1), code + np.int32(offset)))
        words.append(cells.texts)
        types.append(cells.types)
        offset += len(cells.texts)
    keep, row = _last(rows)
    code = np.concatenate(codes)[keep]
    there = code >= 0
    row, code = row[there], code[there]
    first = having[0][1]
    if len(having) == 1 and first.entries[key].ordered and len(row) == first.count(key):
        single = first.texts(key)
        writer.add_texts(key, row, code, single.texts, single.types, single.numbers)
        return
    used, dense = np.unique(code, return_inverse=True)
    picked = pa.concat_arrays(words).take(pa.array(used))
    writer.add_texts(key, row, *sorted_words(picked, np.concatenate(types)[used], dense))


def _counting(newest: Ints, rows: Ints, number: int) -> NDArray[np.bool_]:
    """Which cells of a segment count: no later one gives their run whole, and it was given whole at all."""
    since = newest[rows]
    return (since <= number) & (since >= 0)


def _last(rows: list[Ints]) -> tuple[NDArray[np.int64], Ints]:
    """Of each row the place of its last cell in the concatenation, and the rows, ascending."""
    if len(rows) == 1:
        return np.arange(len(rows[0])), rows[0]
    joined = np.concatenate(rows)
    order = np.argsort(joined, kind="stable")
    ordered = joined[order]
    last = np.ones(len(ordered), bool)
    last[:-1] = ordered[1:] != ordered[:-1]
    return order[last], ordered[last]


def _dictionary(cells: Texts) -> tuple[Ints, pa.StringArray, NDArray[np.uint8]]:
    """Codes (-1: taken away), and the words and types they point to, in no order."""
    texts = pa.array(cells.values, pa.string())
    types = np.zeros(len(texts), np.uint8) if cells.types is None else np.frombuffer(cells.types, np.uint8)
    return distinct_words(texts, types)


class _Writer:
    """Gathers the columns of one segment."""

    def __init__(self, rows: Ints, run_ids: pa.StringArray, whole: bool) -> None:
        self.rows = rows
        self._run_ids = run_ids
        self._whole = whole
        self._entries: list[tuple[int, str, bool, bool, int, int, int, int, bool]] = []
        self._blocks: dict[tuple[bool, bool], list[tuple[Ints, NDArray[np.generic]]]] = {}
        self._filled = {(is_text, dense): 0 for is_text in (False, True) for dense in (False, True)}
        self._words: list[tuple[pa.StringArray, NDArray[np.uint8], Floats]] = []
        self._word_count = 0

    def add_numbers(self, key: ColumnKey, rows: Ints, values: Floats) -> None:
        self._add(key, False, rows, values, 0, True)

    def add_texts(
        self, key: ColumnKey, rows: Ints, codes: Ints, texts: pa.StringArray, types: NDArray[np.uint8], numbers: Floats
    ) -> None:
        """Texts over a dictionary in column order."""
        self._add(key, True, rows, codes, len(texts), True)
        self._words.append((texts, types, numbers))
        self._word_count += len(texts)

    def add_fresh_texts(
        self, key: ColumnKey, rows: Ints, codes: Ints, texts: pa.StringArray, types: NDArray[np.uint8]
    ) -> None:
        """Texts over a dictionary in no order, its numbers not looked at."""
        self._add(key, True, rows, codes, len(texts), False)
        self._words.append((texts, types, np.zeros(len(texts))))
        self._word_count += len(texts)

    def _add(
        self, key: ColumnKey, is_text: bool, rows: Ints, values: NDArray[np.generic], words: int, ordered: bool
    ) -> None:
        dense = len(rows) == len(self.rows)
        kind = (is_text, dense)
        self._entries.append(
            (
                _KIND_CODE[key.kind],
                key.key,
                is_text,
                dense,
                self._filled[kind],
                len(rows),
                self._word_count,
                words,
                ordered,
            )
        )
        self._blocks.setdefault(kind, []).append((rows, values))
        self._filled[kind] += len(rows)

    def finish(self) -> bytes:
        kind, key, is_text, dense, start, count, dict_start, dict_count, ordered = (
            zip(*self._entries, strict=True) if self._entries else [()] * 9
        )
        parts = [
            [("row", self.rows), ("run_id", self._run_ids)],
            [
                ("kind", pa.array(kind, pa.uint8())),
                ("key", pa.array(key, pa.string())),
                ("is_text", pa.array(is_text, pa.bool_())),
                ("dense", pa.array(dense, pa.bool_())),
                ("start", pa.array(start, pa.int64())),
                ("count", pa.array(count, pa.int64())),
                ("dict_start", pa.array(dict_start, pa.int64())),
                ("dict_count", pa.array(dict_count, pa.int64())),
                ("ordered", pa.array(ordered, pa.bool_())),
            ],
            [("row", self._rows(False)), ("value", self._values(False, False))],
            [("value", self._values(False, True))],
            [("row", self._rows(True)), ("code", self._values(True, False))],
            [("code", self._values(True, True))],
            [
                ("text", _joined([words[0] for words in self._words])),
                ("type", np.concatenate([words[1] for words in self._words] or [np.empty(0, np.uint8)])),
                ("number", np.concatenate([words[2] for words in self._words] or [np.empty(0)])),
            ],
        ]
        return _packed(self._whole, [_stream(columns) for columns in parts])

    def _rows(self, is_text: bool) -> Ints:
        return np.concatenate([rows for rows, _ in self._blocks.get((is_text, False), [])] or [np.empty(0, np.int32)])

    def _values(self, is_text: bool, dense: bool) -> NDArray[np.generic]:
        empty = np.empty(0, np.int32 if is_text else np.float64)
        return np.concatenate([values for _, values in self._blocks.get((is_text, dense), [])] or [empty])


def _joined(texts: list[pa.StringArray]) -> pa.StringArray:
    return pa.concat_arrays(texts) if texts else pa.array([], pa.string())


def _stream(columns: list[tuple[str, pa.Array | NDArray[np.generic]]]) -> pa.Buffer:
    batch = pa.RecordBatch.from_arrays([pa.array(values) for _, values in columns], [name for name, _ in columns])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _packed(whole: bool, streams: list[pa.Buffer]) -> bytes:
    """The container: offsets are fixed first with a head of the final length."""
    head = _Head(whole, [(1 << 62, 1 << 62)] * len(streams))
    start = 12 + len(msgspec.msgpack.encode(head))
    offsets = []
    for stream in streams:
        start = -(-start // 64) * 64
        offsets.append((start, stream.size))
        start += stream.size
    encoded = msgspec.msgpack.encode(_Head(whole, offsets))
    pieces: list[bytes | memoryview] = [MAGIC + len(encoded).to_bytes(4, "little") + encoded]
    end = len(pieces[0])
    for (offset, length), stream in zip(offsets, streams, strict=True):
        pieces += [bytes(offset - end), memoryview(stream).cast("B")]
        end = offset + length
    return b"".join(pieces)


def _np(batch: pa.RecordBatch, column: int) -> Any:  # the dtype is the part's, as written below
    return batch.column(column).to_numpy(zero_copy_only=True)
