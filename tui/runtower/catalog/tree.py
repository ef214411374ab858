"""Which run is whose child, and rows in the order of a tree.

A parent may be absent, deleted, elsewhere, or a cycle (MLflow accepts one): such a run is a root, and a cycle is cut at
its oldest run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.columns import TextColumn
from runtower.catalog.segment import Floats, Ints
from runtower.catalog.source_table import SourceTable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Tree:
    """`parent` int32 by global row, -1 for a root; it holds no cycle."""

    parent: Ints

    @cached_property
    def nested(self) -> bool:
        return bool((self.parent >= 0).any())

    @cached_property
    def depth(self) -> NDArray[np.int32]:
        """By row how many parents stand above it."""
        depth = np.zeros(len(self.parent), np.int32)
        above = self.parent.copy()
        while (going := above >= 0).any():
            depth[going] += 1
            above = np.where(going, self.parent[above], -1)
        return depth

    @cached_property
    def _by_parent(self) -> tuple[Ints, NDArray[np.int64]]:
        order = np.argsort(self.parent, kind="stable").astype(np.int32)
        starts = np.searchsorted(self.parent[order], np.arange(len(self.parent) + 1))
        return order, starts

    def children(self, row: int) -> Ints:
        """The rows directly below one row."""
        order, starts = self._by_parent
        return order[starts[row] : starts[row + 1]]

    def with_ancestors(self, wanted: Mask) -> Mask:
        """The wanted rows and everything above them."""
        out = wanted.copy()
        frontier: NDArray[np.signedinteger] = np.flatnonzero(wanted)
        while len(frontier):
            above = np.unique(self.parent[frontier])
            above = above[above >= 0]
            frontier = above[~out[above]]
            out[frontier] = True
        return out


def grow(sources: list[SourceTable], globals_: list[Ints], parents: TextColumn, start: Floats, alive: Mask) -> Tree:
    """The tree of all runs. `parents` holds native run ids of the same source, `start` epoch ms (oldest of a cycle)."""
    parent = np.full(len(parents.codes), -1, np.int32)
    if len(parents.words):
        words = parents.words.to_pylist()
        for table, places in zip(sources, globals_, strict=True):
            codes = parents.codes[places]
            local = table.rows_of(words)
            target = np.where(local >= 0, places[local], -1) if len(places) else local
            parent[places] = np.where(codes >= 0, target[codes], -1)
    parent[~alive] = -1
    parent[parent >= 0] = np.where(alive[parent[parent >= 0]], parent[parent >= 0], -1)
    _cut_cycles(parent, start)
    return Tree(parent)


def _cut_cycles(parent: Ints, start: Floats) -> None:
    """Rows that no root leads to hang in or below a cycle; each cycle loses the link above its oldest run."""
    suspects = parent >= 0
    for _ in range(64):
        settled = suspects & ~suspects[np.maximum(parent, 0)]
        if not settled.any():
            break
        suspects &= ~settled
    seen: set[int] = set()
    for row in np.flatnonzero(suspects).tolist():
        path: list[int] = []
        here = row
        while here >= 0 and here not in seen:
            seen.add(here)
            path.append(here)
            here = int(parent[here])
        if here >= 0 and here in path:
            cycle = path[path.index(here) :]
            parent[min(cycle, key=lambda r: (np.nan_to_num(start[r], nan=np.inf), r))] = -1


@dataclass(frozen=True, slots=True)
class Ordered:
    """Rows of a tree from top to bottom, and how many rows stand below each within it (whole subtree)."""

    rows: Ints
    below: Ints


def in_tree_order(tree: Tree, rows: Ints) -> Ordered:
    """`rows` (siblings already in order among themselves) as a tree: each parent before its children.

    A row whose parent isn't among `rows` counts as a root. Bulk passes by depth: 100,000 rows take some 20 ms.
    """
    rank = np.full(len(tree.parent), -1, np.int32)
    rank[rows] = np.arange(len(rows), dtype=np.int32)
    above = tree.parent[rows]
    above = np.where((above >= 0) & (rank[np.maximum(above, 0)] >= 0), rank[np.maximum(above, 0)], -1)
    level = np.zeros(len(rows), np.int32)
    climb = above.copy()
    while (going := climb >= 0).any():
        level[going] += 1
        climb = np.where(going, above[climb], -1)
    deepest = int(level.max(initial=0))
    by_level = [np.flatnonzero(level == depth) for depth in range(deepest + 1)]
    size = np.ones(len(rows), np.int64)
    for depth in range(deepest, 0, -1):
        np.add.at(size, above[by_level[depth]], size[by_level[depth]])
    place = np.empty(len(rows), np.int64)
    roots = by_level[0]
    place[roots] = np.cumsum(size[roots]) - size[roots]
    for depth in range(1, deepest + 1):
        members = by_level[depth]
        members = members[np.argsort(above[members], kind="stable")]
        before = np.cumsum(size[members]) - size[members]
        group = above[members]
        first = np.flatnonzero(np.diff(group, prepend=-1))
        within = before - np.repeat(before[first], np.diff(np.append(first, len(members))))
        place[members] = place[group] + 1 + within
    out = np.empty(len(rows), np.int32)
    below = np.empty(len(rows), np.int32)
    out[place] = rows
    below[place] = size - 1
    return Ordered(out, below)
