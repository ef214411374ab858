"""Dense columns: one value for each run that is known, made when a key is shown, sorted or filtered.

A column never changes once made; new data makes a new one. So a thread may compute with the columns it was handed
while the next ones are being made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.catalog.segment import Floats, Ints
from runtower.catalog.words import column_order, numbers_of
from runtower.domain.values import MISSING, MISSING_BITS, number_of


@dataclass(frozen=True)
class NumberColumn:
    """`values` float64 by global row; MISSING where a run has none."""

    values: Floats

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        return np.asarray(self.values.view(np.int64) == MISSING_BITS)

    def number(self, row: int) -> float | None:
        """The number of one run, None where it has none."""
        value = self.values[row]
        return None if value != value and self.missing[row] else float(value)

    def text(self, row: int) -> str | None:
        value = self.number(row)
        return None if value is None else repr(value)

    def sort_keys(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Numbers to sort by (NaN sorts last), and which rows are missing."""
        return self.values, self.missing

    @classmethod
    def empty(cls, size: int) -> NumberColumn:
        return cls(np.full(size, MISSING))


@dataclass(frozen=True)
class TextColumn:
    """`codes` int32 by global row into `words`, -1 where a run has none.

    A word may stand twice in `words` (pieces of the table bring their own dictionaries). `known_numbers` are what the
    words spell, where that was worked out already; `sorted` says that the words are in column order, without repeats.
    """

    codes: Ints
    words: pa.StringArray
    types: NDArray[np.uint8]
    known_numbers: Floats | None = None
    sorted: bool = False

    @cached_property
    def numbers(self) -> Floats:
        """By word the number it spells, MISSING for none. Costs some 20 ms for 100,000 words: not for the UI's loop."""
        return numbers_of(self.words) if self.known_numbers is None else self.known_numbers

    @cached_property
    def folded(self) -> pa.StringArray:
        """The words in lower case, for a search that doesn't mind it."""
        return pa.compute.utf8_lower(self.words)

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        return np.asarray(self.codes < 0)

    def text(self, row: int) -> str | None:
        """The text of one run as the source spelled it, None where it has none."""
        code = self.codes[row]
        return None if code < 0 else str(self.words[int(code)].as_py())

    def number(self, row: int) -> float | None:
        """The number that the text of one run spells, if it does."""
        text = self.text(row)
        return None if text is None else number_of(text)

    @cached_property
    def rank(self) -> Floats:
        """By word its place in the order of a column, NaN for a word that spells NaN."""
        rank = np.empty(len(self.words))
        order = np.arange(len(self.words)) if self.sorted else column_order(self.words, self.numbers)
        rank[order] = np.arange(len(self.words))
        if len(order) > 1:
            self._level(rank, order)
        rank[np.isnan(self.numbers) & (self.numbers.view(np.int64) != MISSING_BITS)] = np.nan
        return rank

    def _level(self, rank: Floats, order: NDArray[np.int64]) -> None:
        """Words that are equal or spell one number get one rank, so that a further sort key decides between them."""
        fresh = np.ones(len(order), bool)
        numbers = self.numbers[order]
        fresh[1:] = numbers[1:] != numbers[:-1]
        if not self.sorted:
            words = self.words.take(pa.array(order))
            other = pa.compute.not_equal(words.slice(1), words.slice(0, len(words) - 1))
            fresh[1:] &= other.to_numpy(zero_copy_only=False)
        rank[order] = np.cumsum(fresh) - 1

    def sort_keys(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Numbers to sort by (NaN sorts last), and which rows are missing."""
        if not len(self.words):
            return np.full(len(self.codes), np.nan), self.missing
        keys = self.rank[self.codes]
        keys[self.missing] = np.nan
        return keys, self.missing

    def as_numbers(self) -> NumberColumn:
        """The column of the numbers its texts spell."""
        return NumberColumn(np.append(self.numbers, MISSING)[self.codes])

    @classmethod
    def empty(cls, size: int) -> TextColumn:
        return cls(np.full(size, -1, np.int32), pa.array([], pa.string()), np.empty(0, np.uint8), np.empty(0), True)


Column = NumberColumn | TextColumn


def joined(left: TextColumn, right: TextColumn) -> TextColumn:
    """`left`'s codes (which already point into both) over the words of both, one after the other."""
    if not len(left.words):
        return TextColumn(left.codes, right.words, right.types, right.known_numbers, right.sorted)
    if not len(right.words):
        return left
    known = None
    if left.known_numbers is not None and right.known_numbers is not None:
        known = np.concatenate([left.known_numbers, right.known_numbers])
    words = pa.concat_arrays([left.words, right.words])
    return TextColumn(left.codes, words, np.concatenate([left.types, right.types]), known)
