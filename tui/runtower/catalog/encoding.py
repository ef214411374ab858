"""A delta as a segment."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.catalog.packing import Bytes, Floats, Ints, Packing
from runtower.catalog.words import distinct_words
from runtower.domain.runs import ColumnKey
from runtower.sources.port import Delta, NumberRows, Numbers, TextRows, Texts

_RARE: Final = 64  # keys with fewer cells go in by the block, their words as they come


def encode(delta: Delta, rows: Ints) -> bytes:
    """`rows` int32 are the row ids of `delta.run_ids`, in their order, without repeats."""
    order = np.argsort(rows, kind="stable").astype(np.int32)
    place = np.empty(len(rows), np.int32)
    place[order] = np.arange(len(rows), dtype=np.int32)
    packing = Packing(rows[order], pa.array(delta.run_ids, pa.string()).take(pa.array(order)), delta.whole)
    for cells in delta.cells:
        if isinstance(cells, Numbers | Texts):
            _add_column(packing, cells, place)
        else:
            _add_rows(packing, cells, place)
    return packing.finish()


def _add_column(packing: Packing, cells: Numbers | Texts, place: Ints) -> None:
    at = place if cells.at is None else place[cells.at]
    by_row = np.argsort(at, kind="stable")
    spots = packing.rows[at[by_row]]
    key = ColumnKey(cells.kind, cells.key)
    if isinstance(cells, Numbers):
        packing.add_numbers(key, spots, cells.values[by_row])
    else:
        codes, words, types = _dictionary(cells)
        packing.add_texts(key, spots, codes[by_row], words, types, None)


def _add_rows(packing: Packing, cells: NumberRows | TextRows, place: Ints) -> None:
    order = _by_key_and_place(cells.key, place[cells.at], len(cells.keys))
    key, spots = cells.key[order], packing.rows[place[cells.at]][order]
    counts = np.bincount(key, minlength=len(cells.keys)).astype(np.int32)
    ends = np.cumsum(counts)
    values = cells.values[order] if isinstance(cells, NumberRows) else _texts(cells).take(pa.array(order))
    for number in np.flatnonzero(counts >= _RARE).tolist():
        cut = slice(int(ends[number] - counts[number]), int(ends[number]))
        name = ColumnKey(cells.kind, cells.keys[number])
        if isinstance(cells, NumberRows):
            packing.add_numbers(name, spots[cut], values[cut])
        else:
            words = values[cut]
            codes, texts, types = distinct_words(words, None)
            packing.add_texts(name, spots[cut], codes, texts, types, None)
    rare = np.flatnonzero((counts > 0) & (counts < _RARE))
    if len(rare):
        names = pa.array(cells.keys, pa.string()).take(pa.array(rare))
        of_rare = np.flatnonzero((counts < _RARE)[key])
        _add_rare(packing, cells, names, counts[rare], spots[of_rare], values, of_rare)


def _add_rare(
    packing: Packing,
    cells: NumberRows | TextRows,
    names: pa.StringArray,
    counts: Ints,
    spots: Ints,
    values: Floats | pa.StringArray,
    at: NDArray[np.intp],
) -> None:
    if isinstance(cells, NumberRows):
        packing.add_many_numbers(cells.kind, names, counts, spots, values[at])
        return
    codes = (np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)).astype(np.int32)
    words = (values.take(pa.array(at)), np.zeros(len(at), np.uint8))
    packing.add_many_texts(cells.kind, names, counts, spots, codes, words, counts)


def _by_key_and_place(key: Ints, place: Ints, keys: int) -> NDArray[np.intp]:
    """By key, then by place: rows mostly come run after run, and few keys are sorted by their 16 bits."""
    by_place = np.arange(len(place)) if (place[1:] >= place[:-1]).all() else np.argsort(place, kind="stable")
    small = key[by_place].astype(np.uint16) if keys < 1 << 16 else key[by_place]
    ordered: NDArray[np.intp] = by_place[np.argsort(small, kind="stable")]
    return ordered


def _dictionary(cells: Texts) -> tuple[Ints, pa.StringArray, Bytes]:
    """Codes (-1: taken away), and the words and types they point to, in no order."""
    texts = pa.array(cells.values, pa.string())
    return distinct_words(texts, None if cells.types is None else np.frombuffer(cells.types, np.uint8))


def _texts(cells: TextRows) -> pa.StringArray:
    return cells.values if isinstance(cells.values, pa.StringArray) else pa.array(cells.values, pa.string())
