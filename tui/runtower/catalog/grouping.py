"""Rows in groups: all that have the same value in a column stand together, under a line of their own.

Texts that spell one number are one value, as they are in the order of a column. NaN is a group, and so are the runs
that have no value at all: these stand last.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.catalog.orders import Sort
from runtower.catalog.segment import Floats, Ints
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import number_of

_SMALL: Final = 1 << 16


@dataclass(frozen=True)
class Groups:
    """`rows` int32: every hit, group after group, in each by the sort; group n is `rows[starts[n] : starts[n + 1]]`."""

    by: ColumnKey
    column: Column
    rows: Ints
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def members(self, number: int) -> Ints:
        """The rows of a group, in their order."""
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def word(self, number: int) -> str | None:
        """The group's value as its first run spells it, None where its runs have none."""
        return self.column.text(int(self.rows[self.starts[number]]))

    @cached_property
    def keys(self) -> list[str | None]:
        """By group what it is known by, however a run spells it: `0.001` for `1e-3` too. Costs a pass over the groups:
        not for the UI's loop."""
        words = self._first_words()
        return [key_of(word) for word in words]

    def find(self, key: str | None) -> int:
        """The number of a group, -1 where there is none."""
        return self._numbers.get(key, -1)

    def number_of(self, row: int) -> int:
        """The number of a row's group, -1 where it is no hit."""
        at = np.flatnonzero(self.rows == row)
        return int(np.searchsorted(self.starts, at[0], side="right")) - 1 if len(at) else -1

    @cached_property
    def _numbers(self) -> dict[str | None, int]:
        return {key: number for number, key in enumerate(self.keys)}

    def _first_words(self) -> list[str | None]:
        first = self.rows[self.starts[:-1]]
        if isinstance(self.column, TextColumn):
            codes = self.column.codes[first]
            words = self.column.words.take(np.maximum(codes, 0)).to_pylist() if len(self.column.words) else []
            return [words[place] if code >= 0 else None for place, code in enumerate(codes.tolist())]
        return [self.column.text(row) for row in first.tolist()]


def key_of(word: str | None) -> str | None:
    """What a group with this value is known by: words that spell one number have one key."""
    number = None if word is None else number_of(word)
    if number is None or word is None:
        return word
    if math.isnan(number):
        return "NaN"
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def gather(
    by: ColumnKey, columns: Mapping[ColumnKey, Column], rows: Ints, sort: Sort, largest: Collection[ColumnKey] = ()
) -> Groups:
    """The groups of `rows`, which stand in order already.

    Where the sort names a metric a group stands where its best run would (of the metrics in `largest` the greatest
    value is best, of all others the least), else by its value.
    """
    column = columns[by]
    codes, groups, last, valued = _codes(column, rows)
    order = _order(by, columns, rows, codes, groups, sort, largest, valued)
    if last:  # runs without a value stand behind all others, whatever the sort
        order = np.concatenate([order[order != groups - 1], [groups - 1]])
    place = np.empty(groups, np.int64)
    place[order] = np.arange(groups)
    placed = place[codes]
    by_group = np.argsort(placed.astype(np.uint16) if groups < _SMALL else placed, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(placed, minlength=groups))]).astype(np.int64)
    return Groups(by, column, rows[by_group], starts)


def _codes(column: Column, rows: Ints) -> tuple[NDArray[np.int64], int, bool, int]:
    """By row the number of its group by value; how many groups there are; whether the last one is the runs without a
    value; how many groups are neither those nor NaN."""
    values, missing = column.sort_keys()
    values, missing = values[rows], missing[rows]
    codes = np.empty(len(rows), np.int64)
    known, codes[~missing] = np.unique(values[~missing], return_inverse=True)
    codes[missing] = len(known)
    last = bool(missing.any())
    return codes, len(known) + last, last, int((~np.isnan(known)).sum())


def _order(
    by: ColumnKey,
    columns: Mapping[ColumnKey, Column],
    rows: Ints,
    codes: NDArray[np.int64],
    groups: int,
    sort: Sort,
    largest: Collection[ColumnKey],
    valued: int,
) -> NDArray[np.int64]:
    """The groups from first to last; NaN behind the values in both directions."""
    rank = np.arange(groups, dtype=np.float64)
    keys = [rank]
    for key, descending in reversed(sort):
        column = columns[key]
        if key == by:
            keys.append(np.where(rank < valued, -rank, rank) if descending else rank)
        elif key.kind is Kind.METRIC and isinstance(column, NumberColumn):
            best = _best(column.values[rows], codes, groups, key in largest)
            keys.append(-best if descending else best)
    return np.lexsort(keys)


def _best(values: Floats, codes: NDArray[np.int64], groups: int, largest: bool) -> Floats:
    """By group the best finite value, NaN where there is none."""
    best = np.full(groups, -np.inf if largest else np.inf)
    there = np.isfinite(values)
    (np.maximum if largest else np.minimum).at(best, codes[there], values[there])
    return np.where(np.isinf(best), np.nan, best)


@dataclass(frozen=True, slots=True)
class Spread:
    """How some runs' values of a metric lie. `count` finite ones; `std` is the sample's (n - 1), NaN for one value."""

    count: int
    mean: float
    std: float
    low: float
    high: float


def spread(values: Floats) -> Spread | None:
    """The spread of the finite values, None where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # values near the greatest float64 have no finite spread
        std = float(finite.std(ddof=1)) if len(finite) > 1 else math.nan
        return Spread(len(finite), float(finite.mean()), std, float(finite.min()), float(finite.max()))
