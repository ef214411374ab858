"""Every run in the order of a sort, kept while the columns it was made from are the same.

A filter then only picks from an order that is there: a key typed into the filter costs a pass, not a sort.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.catalog.segment import Floats, Ints
from runtower.catalog.sweeps import with_best_children
from runtower.catalog.tree import Mask, Tree, in_tree_order
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind

Sort = Sequence[tuple[ColumnKey, bool]]
_KEPT: Final = 4
_RADIX: Final = (1 << 16) - 2


class TreeOrder(NamedTuple):
    """All rows as a tree from top to bottom: int32 rows, how many stand below each, and how deep each stands."""

    rows: Ints
    below: Ints
    depth: NDArray[np.int64]


class Orders:
    """Orders by sort; each entry holds the columns it was made from, so that a new column means a new order."""

    def __init__(self) -> None:
        self._flat: OrderedDict[tuple[object, ...], tuple[list[Column], Ints]] = OrderedDict()
        self._trees: OrderedDict[tuple[object, ...], tuple[Ints, Tree, TreeOrder]] = OrderedDict()
        self._best: OrderedDict[tuple[object, ...], tuple[Column, Tree, Column]] = OrderedDict()

    def flat(self, columns: Mapping[ColumnKey, Column], sort: Sort) -> Ints:
        """All rows by the sort keys, the first one deciding; ties stand newest first.

        Numbers with the infinities, text, NaN, missing: the last two are last in both directions.
        """
        keys = [*sort, (runs.START_TIME, True)]
        used = [columns[key] for key, _ in keys]
        found = self._flat.get(tuple(keys))
        if found is not None and all(one is other for one, other in zip(found[0], used, strict=True)):
            return found[1]
        order: Ints | None = None
        for (_, descending), column in reversed(list(zip(keys, used, strict=True))):
            order = _sorted(column, order, descending)
        assert order is not None
        _keep(self._flat, tuple(keys), (used, order))
        return order

    def tree(
        self, columns: Mapping[ColumnKey, Column], sort: Sort, tree: Tree, largest: Collection[ColumnKey] = ()
    ) -> TreeOrder:
        """All rows as a tree, siblings by the sort keys.

        A parent that hasn't a metric itself stands where its best child would: of the metrics in `largest` the
        greatest value is best, of all others the least.
        """
        flat = self.flat({**columns, **self._best_children(columns, sort, tree, largest)}, sort)
        found = self._trees.get(tuple(sort))
        if found is not None and found[0] is flat and found[1] is tree:
            return found[2]
        ordered = in_tree_order(tree, flat[flat < len(tree.parent)])
        made = TreeOrder(ordered.rows, ordered.below, depth_of(ordered.below))
        _keep(self._trees, tuple(sort), (flat, tree, made))
        return made

    def _best_children(
        self, columns: Mapping[ColumnKey, Column], sort: Sort, tree: Tree, largest: Collection[ColumnKey]
    ) -> dict[ColumnKey, Column]:
        out: dict[ColumnKey, Column] = {}
        for key, _ in sort:
            column = columns[key]
            if key.kind is not Kind.METRIC or not isinstance(column, NumberColumn):
                continue
            found = self._best.get((key, key in largest))
            if found is None or found[0] is not column or found[1] is not tree:
                found = column, tree, with_best_children(tree, column, key in largest)
                _keep(self._best, (key, key in largest), found)
            out[key] = found[2]
        return out


def _keep(kept: OrderedDict, key: object, value: object) -> None:  # type: ignore[type-arg]
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def depth_of(below: Ints) -> NDArray[np.int64]:
    """Depth of each row of a preorder, from how many rows stand below each."""
    step = np.zeros(len(below) + 1, np.int64)
    at = np.flatnonzero(below)
    np.add.at(step, at + 1, 1)
    np.add.at(step, at + 1 + below[at], -1)
    return np.cumsum(step[:-1])


def _sorted(column: Column, before: Ints | None, descending: bool) -> Ints:
    """Rows by one column; where it doesn't decide they stay as they were `before` (None: newest row ids first)."""
    values, missing = column.sort_keys()
    if before is None:
        before = np.arange(len(values) - 1, -1, -1, dtype=np.int32)
    values, missing = values[before], missing[before]
    if isinstance(column, TextColumn) and len(column.words) < _RADIX:
        order = _by_rank(values, len(column.words), descending)
    else:
        order = np.argsort(-values if descending else values, kind="stable")
    return before[_missing_last(order, values, missing)]


def _by_rank(ranks: Floats, words: int, descending: bool) -> NDArray[np.int64]:
    """Ranks from 0 to `words` as uint16, which numpy sorts by radix, ten times as quick. NaN is last."""
    small = np.where(np.isnan(ranks), words + 1, words - ranks if descending else ranks).astype(np.uint16)
    return np.argsort(small, kind="stable")


def _missing_last(order: NDArray[np.int64], values: Floats, missing: Mask) -> NDArray[np.int64]:
    """NaN stands behind all values already; missing goes behind NaN."""
    odd = len(values) - int(np.isnan(values).sum())
    tail = order[odd:]
    gone = missing[tail]
    return np.concatenate([order[:odd], tail[~gone], tail[gone]]) if gone.any() and not gone.all() else order
