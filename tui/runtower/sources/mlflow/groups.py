"""Rows (run, key, value) of many runs, laid out as cells by key.

Runs of one project have mostly the same keys in the same order. Consecutive runs with equal keys make a group, and in
a group a column is a slice of the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtower.domain.runs import Kind
from runtower.sources.mlflow.fields import TagColumns, empty_tag_columns, with_infinities
from runtower.sources.port import Cells, Numbers, Texts

Triple = tuple[int, str, Any]


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


def text_cells(kind: Kind, groups: Sequence[Group]) -> list[Cells]:
    """A column of texts for each key."""
    cells: list[Cells] = []
    for key, parts in _by_key(groups).items():
        values = parts[0][0].column(parts[0][1])
        if len(parts) > 1:
            values = [value for group, index in parts for value in group.column(index)]
        cells.append(Texts(kind, key, _places_of(parts), values))
    return cells


def metric_cells(groups: Sequence[Group]) -> list[Cells]:
    """A column of numbers for each key; None among the values stands for NaN."""
    cells: list[Cells] = []
    for key, parts in _by_key(groups).items():
        values = parts[0][0].column(parts[0][1])
        if len(parts) > 1:
            values = [value for group, index in parts for value in group.column(index)]
        # numpy reads None as NaN.
        numbers = with_infinities(np.array(values, dtype=np.float64))
        cells.append(Numbers(Kind.METRIC, key, _places_of(parts), numbers))
    return cells


def attribute_tags(groups: Sequence[Group], count: int) -> TagColumns:
    """The tags that attributes come from, as dense columns of `count` runs."""
    columns = empty_tag_columns(count)
    for group in groups:
        for index, key in enumerate(group.keys):
            if (column := columns.get(key)) is not None:
                for place, value in zip(group.places.tolist(), group.column(index), strict=True):
                    column[place] = value
    return columns


def _by_key(groups: Iterable[Group]) -> dict[str, list[tuple[Group, int]]]:
    parts: dict[str, list[tuple[Group, int]]] = {}
    for group in groups:
        for index, key in enumerate(group.keys):
            parts.setdefault(key, []).append((group, index))
    return parts


def _places_of(parts: Sequence[tuple[Group, int]]) -> NDArray[np.int32]:
    return parts[0][0].places if len(parts) == 1 else np.concatenate([group.places for group, _ in parts])
