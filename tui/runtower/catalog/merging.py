"""Older and newer segments as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.catalog.directory import KINDS
from runtower.catalog.packing import Ints, Packing
from runtower.catalog.segment import Segment
from runtower.catalog.words import sorted_words
from runtower.domain.runs import ColumnKey
from runtower.domain.values import MISSING_BITS

_RARE: Final = 64


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
    packing = Packing(alive, ids.take(pa.array(holder[alive])), True)
    rare = _Rare(segments, newest)
    for is_text in (False, True):
        rare.add_to(packing, is_text)
    text_of: dict[ColumnKey, bool] = {}
    for number, segment in enumerate(segments):
        text_of.update((segment.entries.key(at), segment.entries.entry(at).is_text) for at in rare.others(number))
    for key in sorted(text_of):
        pause()
        having = [(number, s) for number, s in enumerate(segments) if key in s.entries]
        if text_of[key]:
            _merge_texts(packing, key, having, newest)
        else:
            _merge_numbers(packing, key, having, newest)
    return packing.finish()


def _merge_numbers(packing: Packing, key: ColumnKey, having: list[tuple[int, Segment]], newest: Ints) -> None:
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
    packing.add_numbers(key, row[there], value[there])


def _merge_texts(packing: Packing, key: ColumnKey, having: list[tuple[int, Segment]], newest: Ints) -> None:
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
        packing.add_texts(key, row, code, single.texts, single.types, single.numbers)
        return
    used, dense = np.unique(code, return_inverse=True)
    picked = pa.concat_arrays(words).take(pa.array(used))
    packing.add_texts(key, row, *sorted_words(picked, np.concatenate(types)[used], dense))


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


class _Rare:
    """Keys with few cells in all segments together: they are merged at once, each cell with a word of its own.

    Their dictionaries stay in no order; a key of so few cells is sorted when somebody looks at it.
    """

    def __init__(self, segments: Sequence[Segment], newest: Ints) -> None:
        self._segments = segments
        self._newest = newest
        names = pa.concat_arrays([segment.entries.names() for segment in segments] or [pa.array([], pa.string())])
        encoded = names.dictionary_encode()
        codes = encoded.indices.to_numpy()
        cells = np.concatenate([segment.entries.cells for segment in segments] or [_NO_CELLS])
        is_text = np.concatenate([segment.entries.is_text for segment in segments] or [np.empty(0, bool)])
        count = len(encoded.dictionary)
        texts = np.bincount(codes, is_text, count)
        seen = np.bincount(codes, minlength=count)
        rare = (np.bincount(codes, cells, count) < _RARE) & ((texts == 0) | (texts == seen))
        self._rare = rare[codes]
        self._codes = codes
        self._kinds = np.zeros(count, np.uint8)
        self._kinds[codes] = np.concatenate([segment.entries.kinds for segment in segments] or [self._kinds])
        self._keys = pc.utf8_slice_codeunits(encoded.dictionary, 2)
        self._first = np.cumsum([0, *(len(segment.entries) for segment in segments)])

    def others(self, number: int) -> list[int]:
        """The places of a segment's entries that are to be merged key by key."""
        return list(np.flatnonzero(~self._rare[self._first[number] : self._first[number + 1]]).tolist())

    def add_to(self, packing: Packing, is_text: bool) -> None:
        """The rare keys that hold texts, or those that hold numbers."""
        pieces = [piece for number in range(len(self._segments)) if (piece := self._gather(number, is_text))]
        if not pieces:
            return
        key, row = (np.concatenate([piece[at] for piece in pieces]) for at in (0, 1))
        value, types = (np.concatenate([piece[at] for piece in pieces]) for at in (2, 4))
        order = np.lexsort((np.arange(len(key)), row, key))
        last = np.ones(len(order), bool)
        last[:-1] = (key[order][1:] != key[order][:-1]) | (row[order][1:] != row[order][:-1])
        order = order[last]
        order = order[value[order] >= 0 if is_text else value[order].view(np.int64) != MISSING_BITS]
        words = pa.concat_arrays([piece[3] for piece in pieces]).take(pa.array(order)) if is_text else None
        key, row, value, types = key[order], row[order], value[order], types[order]
        for code, kind in enumerate(KINDS):
            mine = np.flatnonzero(self._kinds[key] == code)
            if not len(mine):
                continue
            owners, found = np.unique(key[mine], return_counts=True)
            counts = found.astype(np.int32)
            keys = self._keys.take(pa.array(owners))
            if words is None:
                packing.add_many_numbers(kind, keys, counts, row[mine], value[mine])
                continue
            codes = np.arange(len(mine)) - np.repeat(np.cumsum(counts) - counts, counts)
            said = words.take(pa.array(mine)), types[mine]
            packing.add_many_texts(kind, keys, counts, row[mine], codes.astype(np.int32), said, counts)

    def _gather(self, number: int, is_text: bool) -> tuple[Any, ...] | None:
        """Key, row, value (of texts 0, or -1 where one was taken away), word and type of each cell that counts."""
        segment = self._segments[number]
        first, end = self._first[number], self._first[number + 1]
        places = np.flatnonzero(self._rare[first:end] & (segment.entries.is_text == is_text))
        if not len(places):
            return None
        where = segment.entries.slices(places)
        owner = np.repeat(np.arange(len(places)), where.cells)
        row = np.empty(len(owner), np.int32)
        value: NDArray[Any] = np.empty(len(owner), np.int32 if is_text else np.float64)
        for dense in (False, True):
            at = np.flatnonzero(where.dense[owner] == dense)
            spots = _spread(where.starts, where.cells)[at]
            rows, values = segment.block(is_text, dense)
            row[at] = rows[spots] if not dense else segment.rows[spots - where.starts[owner[at]]]
            value[at] = values[spots]
        keep = np.flatnonzero(_counting(self._newest, row, number))
        owner, row, value = owner[keep], row[keep], value[keep]
        key = self._codes[first:end][places[owner]]
        if not is_text:
            return key, row, value, None, np.zeros(len(key), np.uint8)
        texts, types = segment.words()
        word = where.word_starts[owner] + np.maximum(value, 0)
        word[value < 0] = 0
        known = texts.take(pa.array(word, mask=value < 0))
        return key, row, np.minimum(value, 0), known, types[word] if len(types) else np.zeros(len(key), np.uint8)


_NO_CELLS: Final = np.empty(0, np.int64)


def _spread(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """All places of some slices, one slice after the other."""
    ends = np.cumsum(counts)
    places: NDArray[np.int64] = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(
        starts - (ends - counts), counts
    )
    return places
