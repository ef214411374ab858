"""Segments as bytes: the container, and the columns that go into one.

Layout, version 1: magic, uint32 length and msgpack of `Head`, then seven Arrow IPC streams, 64-byte aligned:
runs(row, run_id), directory, numbers(row, value), dense_numbers(value), texts(row, code), dense_texts(code),
dictionary(text, type, number).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import runtower.catalog.arrow  # noqa: F401 - before the first use of pyarrow
from runtower.catalog.directory import KIND_CODE, Entry, directory_of
from runtower.domain.runs import ColumnKey, Kind

MAGIC: Final = b"RTSEG\x00\x00\x01"
PARTS: Final = ("runs", "directory", "numbers", "dense_numbers", "texts", "dense_texts", "dictionary")

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Head(msgspec.Struct):
    """`whole` as in `runtower.sources.port.Delta`; offset and length of each part."""

    whole: bool
    parts: list[tuple[int, int]]


class Packing:
    """Gathers the columns of one segment, key by key or many rare keys at once."""

    def __init__(self, rows: Ints, run_ids: pa.StringArray, whole: bool) -> None:
        """`rows` int32 ascending: the runs of the segment; `run_ids` their native ids."""
        self.rows = rows
        self._run_ids = run_ids
        self._whole = whole
        self._kinds: list[Bytes] = []
        self._keys: list[pa.StringArray] = []
        self._entries: list[tuple[NDArray[Any], ...]] = []
        self._blocks: dict[tuple[bool, bool], list[tuple[Ints, NDArray[np.generic]]]] = {}
        self._filled = {(is_text, dense): 0 for is_text in (False, True) for dense in (False, True)}
        self._words: list[tuple[pa.StringArray, Bytes, Floats]] = []
        self._word_count = 0

    def add_numbers(self, key: ColumnKey, rows: Ints, values: Floats) -> None:
        """Cells of one key, `rows` ascending."""
        self._add_one(key, rows, values, None, True)

    def add_texts(
        self, key: ColumnKey, rows: Ints, codes: Ints, texts: pa.StringArray, types: Bytes, numbers: Floats | None
    ) -> None:
        """Cells of one key over a dictionary in column order, or in no order where `numbers` is None."""
        spelled = np.zeros(len(texts)) if numbers is None else numbers
        self._add_one(key, rows, codes, (texts, types, spelled), numbers is not None)

    def add_many_numbers(self, kind: Kind, keys: pa.StringArray, counts: Ints, rows: Ints, values: Floats) -> None:
        """Cells of many keys, key after key; `counts` says how many cells each has."""
        self._add_many(kind, keys, counts, rows, values, None, np.zeros(len(keys), np.int64))

    def add_many_texts(
        self,
        kind: Kind,
        keys: pa.StringArray,
        counts: Ints,
        rows: Ints,
        codes: Ints,
        words: tuple[pa.StringArray, Bytes],
        word_counts: Ints,
    ) -> None:
        """Cells of many keys, key after key, and their dictionaries (texts, types), key after key, in no order.

        `codes` point into the key's own dictionary, which has `word_counts` words.
        """
        texts, types = words
        self._add_many(kind, keys, counts, rows, codes, (texts, types, np.zeros(len(texts))), word_counts)

    def _add_one(
        self,
        key: ColumnKey,
        rows: Ints,
        values: NDArray[np.generic],
        words: tuple[pa.StringArray, Bytes, Floats] | None,
        ordered: bool,
    ) -> None:
        place = words is not None, len(rows) == len(self.rows)
        count = 0 if words is None else len(words[0])
        self._kinds.append(np.array([KIND_CODE[key.kind]], np.uint8))
        self._keys.append(pa.array([key.key], pa.string()))
        entry = (*place, self._filled[place], len(rows), self._word_count, count, ordered)
        self._entries.append(tuple(np.array([entry], np.int64).T))
        self._put(place, rows, values, words)

    def _add_many(
        self,
        kind: Kind,
        keys: pa.StringArray,
        counts: Ints,
        rows: Ints,
        values: NDArray[np.generic],
        words: tuple[pa.StringArray, Bytes, Floats] | None,
        word_counts: NDArray[np.integer[Any]],
    ) -> None:
        place = words is not None, False
        number = len(keys)
        begins = self._filled[place] + np.cumsum(counts, dtype=np.int64) - counts
        word_begins = self._word_count + np.cumsum(word_counts, dtype=np.int64) - word_counts
        self._kinds.append(np.full(number, KIND_CODE[kind], np.uint8))
        self._keys.append(keys)
        is_text, no = np.full(number, place[0]), np.zeros(number, bool)
        self._entries.append((is_text, no, begins, counts, word_begins, word_counts, ~is_text))
        self._put(place, rows, values, words)

    def _put(
        self,
        place: tuple[bool, bool],
        rows: Ints,
        values: NDArray[np.generic],
        words: tuple[pa.StringArray, Bytes, Floats] | None,
    ) -> None:
        self._blocks.setdefault(place, []).append((rows, values))
        self._filled[place] += len(rows)
        if words is not None:
            self._words.append(words)
            self._word_count += len(words[0])

    def finish(self) -> bytes:
        """The segment."""
        columns = {
            name: np.concatenate([entry[at] for entry in self._entries] or [_EMPTY]).astype(_TYPES[at])
            for at, name in enumerate(Entry._fields)
        }
        kinds = np.concatenate([*self._kinds, np.empty(0, np.uint8)])
        parts: list[list[tuple[str, Any]]] = [
            [("row", self.rows), ("run_id", self._run_ids)],
            directory_of(kinds, _joined(self._keys), columns),
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


_EMPTY: Final = np.empty(0, np.int64)
_TYPES: Final = (np.bool_, np.bool_, np.int64, np.int64, np.int64, np.int64, np.bool_)


def _joined(texts: list[pa.StringArray]) -> pa.StringArray:
    return pa.concat_arrays(texts) if texts else pa.array([], pa.string())


def _stream(columns: Sequence[tuple[str, pa.Array | NDArray[np.generic]]]) -> pa.Buffer:
    batch = pa.RecordBatch.from_arrays([pa.array(values) for _, values in columns], [name for name, _ in columns])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _packed(whole: bool, streams: list[pa.Buffer]) -> bytes:
    """The container: offsets are fixed first with a head of the final length."""
    head = Head(whole, [(1 << 62, 1 << 62)] * len(streams))
    start = 12 + len(msgspec.msgpack.encode(head))
    offsets = []
    for stream in streams:
        start = -(-start // 64) * 64
        offsets.append((start, stream.size))
        start += stream.size
    encoded = msgspec.msgpack.encode(Head(whole, offsets))
    pieces: list[bytes | memoryview] = [MAGIC + len(encoded).to_bytes(4, "little") + encoded]
    end = len(pieces[0])
    for (offset, length), stream in zip(offsets, streams, strict=True):
        pieces += [bytes(offset - end), memoryview(stream).cast("B")]
        end = offset + length
    return b"".join(pieces)
