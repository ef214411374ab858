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
_PAD: Final = 20


def distinct_words(
    texts: pa.StringArray, types: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], pa.StringArray, NDArray[np.uint8]]:
    """By text the place of its word (-1 for a null), and the words without repeats, with their types.

    Words are the same where text and type are.
    """
    if types.any():
        marked = pc.binary_join_element_wise(texts, pa.array(types).cast(pa.string()), "\0")
        encoded = marked.dictionary_encode()
        places = _places(encoded)
        found, first = np.unique(places, return_index=True)
        first = first[found >= 0]
        return places, texts.take(pa.array(first)), types[first]
    encoded = texts.dictionary_encode()
    return _places(encoded), encoded.dictionary, np.zeros(len(encoded.dictionary), np.uint8)


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
    """Words whose plain order is the natural one: case folded, each run of digits as its last 20 with leading zeros."""
    folded = pc.utf8_lower(words)
    padded = pc.replace_substring_regex(folded, r"(\d+)", "0" * _PAD + r"\1")
    return pc.replace_substring_regex(padded, rf"\d*(\d{{{_PAD}}})", r"\1")
