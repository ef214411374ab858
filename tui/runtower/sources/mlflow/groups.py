"""Rows (run, key, value) of many runs, laid out as cells by key.

Runs of one project have mostly the same keys in the same order. Consecutive runs with equal keys make a group, and in
a group a column is a slice of the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from runtower.domain.runs import Kind
from runtower.sources.mlflow.fields import TagColumns, empty_tag_columns, with_infinities
from runtower.sources.port import Cells, NumberRows, TextRows

Triple = tuple[int, str, Any]


class Pair(Protocol):
    """What a run has under one key."""

    @property
    def key(self) -> str: ...

    @property
    def value(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Group:
    """Runs (places int32 in a delta) that have the same keys in the same order; `values` run after run."""

    places: NDArray[np.int32]
    keys: tuple[str, ...]
    values: Sequence[Any]

    def column(self, index: int) -> Sequence[Any]:
        return self.values[index :: len(self.keys)]


def grouped(places: Sequence[int], keys: Sequence[str], values: Sequence[Any]) -> list[Group]:
    """Groups of rows given as three columns, in which the rows of a run are mostly together."""
    if not places:
        return []
    keys = tuple(keys)
    place_of_row = np.array(places, dtype=np.int32)
    begins = np.concatenate(([0], np.flatnonzero(np.diff(place_of_row)) + 1))
    bounds = [*begins.tolist(), len(keys)]
    found: list[Group] = []
    first, shape = 0, keys[bounds[0] : bounds[1]]
    for run, (low, high) in enumerate(pairwise(bounds)):
        if keys[low:high] != shape:
            found.append(Group(place_of_row[begins[first:run]], shape, values[bounds[first] : low]))
            first, shape = run, keys[low:high]
    found.append(Group(place_of_row[begins[first:]], shape, values[bounds[first] :]))
    return found


def grouped_rows(rows: Sequence[Triple]) -> list[Group]:
    """As `grouped`, of rows."""
    return grouped(*zip(*rows, strict=True)) if rows else []


def grouped_runs(rows: Iterable[Sequence[Pair]]) -> list[Group]:
    """Groups of the pairs of each run, run after run; their places count up."""
    found: list[Group] = []
    shape: list[str] = []
    places: list[int] = []
    values: list[Any] = []
    for place, row in enumerate(rows):
        keys = [one.key for one in row]
        if keys != shape:
            if places:
                found.append(Group(np.array(places, dtype=np.int32), tuple(shape), values))
            shape, places, values = keys, [], []
        if keys:
            places.append(place)
            values += [one.value for one in row]
    if places:
        found.append(Group(np.array(places, dtype=np.int32), tuple(shape), values))
    return found


def text_cells(kind: Kind, groups: Sequence[Group]) -> list[Cells]:
    """The texts of all keys; without those that are NULL."""
    keys, key, at, values = _flat(groups)
    if None in values:
        there = [value is not None for value in values]
        key, at, values = key[there], at[there], list(compress(values, there))
    return [TextRows(kind, keys, key, at, values)] if values else []


def metric_cells(groups: Sequence[Group]) -> list[Cells]:
    """The numbers of all keys; None among the values stands for NaN."""
    keys, key, at, values = _flat(groups)
    # numpy reads None as NaN.
    numbers = with_infinities(np.array(values, dtype=np.float64))
    return [NumberRows(Kind.METRIC, keys, key, at, numbers)] if values else []


def attribute_tags(groups: Sequence[Group], count: int) -> TagColumns:
    """The tags that attributes come from, as dense columns of `count` runs."""
    columns = empty_tag_columns(count)
    for group in groups:
        for index, key in enumerate(group.keys):
            if (column := columns.get(key)) is not None:
                for place, value in zip(group.places.tolist(), group.column(index), strict=True):
                    column[place] = value
    return columns


def _flat(groups: Sequence[Group]) -> tuple[list[str], NDArray[np.int32], NDArray[np.int32], list[Any]]:
    """All keys, and by row the number of its key, its place and its value."""
    numbers: dict[str, int] = {}
    key, at, values = [np.empty(0, np.int32)], [np.empty(0, np.int32)], list[Any]()
    for group in groups:
        codes = [numbers.setdefault(name, len(numbers)) for name in group.keys]
        key.append(np.tile(np.array(codes, np.int32), len(group.places)))
        at.append(np.repeat(group.places, len(codes)))
        values += group.values
    return list(numbers), np.concatenate(key), np.concatenate(at), values
