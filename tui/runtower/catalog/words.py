"""Dictionaries of texts, sorted as a column sorts: numbers, then text in natural order, then NaN.

Everything here is done by Arrow and numpy in bulk: a store of 100,000 runs brings millions of distinct words.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.domain.values import MISSING, MISSING_BITS

Words = tuple[NDArray[np.int32], pa.StringArray, NDArray[np.uint8], NDArray[np.float64]]

_NUMBER: Final = r"^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:nan|inf|infinity))\s*$"
_MOST_DIGITS: Final = 28
_PIECE: Final = 1 << 15


def distinct_words(
    texts: pa.StringArray, types: NDArray[np.uint8] | None
) -> tuple[NDArray[np.int32], pa.StringArray, NDArray[np.uint8]]:
    """By text the place of its word (-1 for a null), and the words without repeats, with their types.

    Words are the same where text and type are; without `types` all are plain texts.
    """
    if types is not None and types.any():
        marked = pc.binary_join_element_wise(texts, pa.array(types).cast(pa.string()), "\0")
        encoded = marked.dictionary_encode()
        places = _places(encoded)
        found, first = np.unique(places, return_index=True)
        first = first[found >= 0]
        return places, texts.take(pa.array(first)), types[first]
    encoded = texts.dictionary_encode()
    words = encoded.dictionary
    return _places(encoded), words, np.zeros(len(words), np.uint8)


def sorted_words(texts: pa.StringArray, types: NDArray[np.uint8], codes: NDArray[np.integer]) -> Words:
    """The same cells over a dictionary without repeats, in column order, with types and numbers beside it.

    `codes` point into `texts` (-1: no value).
    """
    places, words, kinds = distinct_words(texts, types)
    numbers = numbers_of(words)
    order = column_order(words, numbers)
    rank = np.empty(len(words) + 1, np.int32)
    rank[order] = np.arange(len(words), dtype=np.int32)
    rank[-1] = -1
    place = np.append(places, np.int32(-1))
    return rank[place[codes]], words.take(pa.array(order)), kinds[order], numbers[order]


def _places(encoded: pa.DictionaryArray) -> NDArray[np.int32]:
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(-1)
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int32)


def numbers_of(words: pa.StringArray) -> NDArray[np.float64]:
    """The number each word spells (as `runtower.domain.values.number_of`), MISSING where it spells none."""
    out = np.full(len(words), MISSING)
    spelled = np.flatnonzero(pc.match_substring_regex(words, _NUMBER).to_numpy(zero_copy_only=False))
    if len(spelled):
        plain = pc.utf8_ltrim(pc.utf8_trim_whitespace(words.take(pa.array(spelled))), "+")
        out[spelled] = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    return out


def column_order(words: pa.StringArray, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places of the words in the order of a column."""
    is_text = numbers.view(np.int64) == MISSING_BITS
    is_nan = np.isnan(numbers) & ~is_text
    number = np.flatnonzero(~is_text & ~is_nan)
    text = np.flatnonzero(is_text)
    if len(text) > 1:
        text = text[pc.array_sort_indices(natural(words.take(pa.array(text)))).to_numpy()]
    return np.concatenate([number[np.argsort(numbers[number], kind="stable")], text, np.flatnonzero(is_nan)])


def natural(words: pa.StringArray) -> pa.StringArray:
    """Words whose plain order is the natural one (as `runtower.domain.values.natural_key`, case folded).

    Before each run of digits goes one byte that counts its digits, and its leading zeros go: a longer number is a
    larger one. By whole buffers, as ids and paths are long and have many numbers; exact up to 28 digits.
    """
    folded = pc.utf8_lower(words)
    pieces = [_numbered(folded.slice(at, _PIECE)) for at in range(0, len(folded), _PIECE)]
    return pa.concat_arrays(pieces) if pieces else folded


def _numbered(words: pa.StringArray) -> pa.StringArray:
    """Each run of digits with its leading zeros taken away and a byte from 1 (no digit left) to 29 before it."""
    _, offsets, text = words.buffers()
    bounds = np.frombuffer(offsets, np.int32)[words.offset : words.offset + len(words) + 1]
    data = np.frombuffer(text or b"", np.uint8)[bounds[0] : bounds[-1]]
    bounds = bounds - bounds[0]
    digit = data - np.uint8(ord("0")) < 10  # wraps around below
    if not digit.any():
        return words
    begins = np.zeros(len(data) + 1, bool)
    begins[bounds[:-1]] = True
    begins[1:] |= ~np.append(digit, False)[:-1]
    at = np.flatnonzero(digit)
    is_first = begins[at]
    run = np.cumsum(is_first, dtype=np.int32) - np.int32(1)
    told = np.cumsum(data[at] != ord("0"), dtype=np.int32)
    before = (told - (data[at] != ord("0")))[is_first]
    counts = told > before[run]
    keep = np.ones(len(data), bool)
    keep[at[~counts]] = False
    width = keep.view(np.uint8).copy()
    width[at[is_first]] += 1
    ends = np.cumsum(width, dtype=np.int32)
    out = np.empty(int(ends[-1]), np.uint8)
    out[ends[keep] - 1] = data[keep]
    firsts = at[is_first]
    digits = np.bincount(run[counts], minlength=len(firsts))
    out[ends[firsts] - width[firsts]] = 1 + np.minimum(digits, _MOST_DIGITS)
    starts = np.append(np.int32(0), ends)[bounds]
    return pa.StringArray.from_buffers(len(words), pa.py_buffer(starts), pa.py_buffer(out))
