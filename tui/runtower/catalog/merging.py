"""Older and newer segments as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
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
    lone = _Lone(segments, newest)
    for is_text in (False, True):
        lone.add_to(packing, is_text)
    text_of: dict[ColumnKey, bool] = {}
    for number, segment in enumerate(segments):
        text_of.update((segment.entries.key(at), segment.entries.entry(at).is_text) for at in lone.others(number))
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


class _Lone:
    """Sparse keys with few cells that only one of the segments has: they are copied by the block, as they lie.

    Their dictionaries stay in no order; a key of so few cells is sorted when somebody looks at it.
    """

    def __init__(self, segments: Sequence[Segment], newest: Ints) -> None:
        self._segments = segments
        self._newest = newest
        names = [segment.entries.names() for segment in segments]
        codes = pa.concat_arrays(names).dictionary_encode().indices.to_numpy() if names else np.empty(0, np.int32)
        seen = np.bincount(codes) if len(codes) else codes
        self._lone: list[NDArray[np.bool_]] = []
        for segment in segments:
            mine, codes = codes[: len(segment.entries)], codes[len(segment.entries) :]
            self._lone.append((seen[mine] == 1) & segment.entries.is_sparse(_RARE))

    def others(self, number: int) -> list[int]:
        """The places of a segment's entries that are to be merged key by key."""
        return list(np.flatnonzero(~self._lone[number]).tolist())

    def add_to(self, packing: Packing, is_text: bool) -> None:
        """The lone keys that hold texts, or those that hold numbers."""
        for number, segment in enumerate(self._segments):
            where = segment.entries.slices(np.flatnonzero(self._lone[number]), is_text)
            if not len(where.places):
                continue
            rows, values = (column[_spread(where.starts, where.cells)] for column in segment.block(is_text))
            owner = np.repeat(np.arange(len(where.places)), where.cells)
            keep = _counting(self._newest, rows, number)
            keep &= values >= 0 if is_text else values.view(np.int64) != MISSING_BITS
            counts = np.bincount(owner[keep], minlength=len(where.places)).astype(np.int32)
            left = counts > 0
            for code, kind in enumerate(KINDS):
                mine = left & (where.kinds == code)
                if not mine.any():
                    continue
                cells = keep & mine[owner]
                keys = where.keys.take(pa.array(np.flatnonzero(mine)))
                if not is_text:
                    packing.add_many_numbers(kind, keys, counts[mine], rows[cells], values[cells])
                    continue
                texts, types = segment.words()
                words = _spread(where.word_starts[mine], where.word_counts[mine])
                said = (texts.take(pa.array(words)), types[words])
                packing.add_many_texts(
                    kind, keys, counts[mine], rows[cells], values[cells], said, where.word_counts[mine]
                )


def _spread(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """All places of some slices, one slice after the other."""
    ends = np.cumsum(counts)
    places: NDArray[np.int64] = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(
        starts - (ends - counts), counts
    )
    return places
