"""From a query to the lines on the screen: filter, sort, tree or groups, folds, pins.

Computing a view reads only columns that were handed over, so it runs in a thread while the screen goes on with the last
one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import Column, TextColumn
from runtower.catalog.grouping import gather
from runtower.catalog.lines import (
    DIM,
    FOLDED,
    GROUP,
    LAST,
    PARENT,
    PINNED,
    RUN,
    OnGroup,
    Spot,
    View,
    in_groups,
)
from runtower.catalog.orders import Orders, TreeOrder
from runtower.catalog.query.mask import columns_for, mask
from runtower.catalog.query.tree import Where
from runtower.catalog.tree import Mask, Tree, grow
from runtower.catalog.words_filter import WordsFilter, matches, ranked
from runtower.domain import runs
from runtower.domain.runs import ColumnKey

__all__ = [
    "DIM",
    "FOLDED",
    "GROUP",
    "LAST",
    "PARENT",
    "PINNED",
    "RUN",
    "Frame",
    "OnGroup",
    "Query",
    "Spot",
    "View",
    "compute",
    "frame_of",
    "pending",
    "tree_of",
    "wanted_of",
]


@dataclass(frozen=True)
class Query:
    """What to show. `sources` are numbers of sources, `experiments` (source number, experiment id), None for all;
    `user` keeps one user's runs; `hidden` and `pins` are global rows; `searched` are the columns that the words filter
    looks at; `largest` the metrics of which the best of a parent's children, or of a group, has the greatest value. A
    run is a hit where `words` and `where` both hold; times in `where` such as `2h ago` are told from `now_ms`. With
    `group` the runs stand in groups by that column instead of a tree; `folded_groups` are known by `Groups.keys`."""

    sources: frozenset[int] | None = None
    experiments: frozenset[tuple[int, str]] | None = None
    user: str | None = None
    words: WordsFilter = field(default_factory=WordsFilter)
    where: Where | None = None
    now_ms: float = 0.0
    searched: tuple[ColumnKey, ...] = (runs.NAME, runs.EXPERIMENT, runs.USER, runs.STATUS, runs.RUN_ID)
    sort: tuple[tuple[ColumnKey, bool], ...] = ((runs.START_TIME, True),)
    tree: bool = True
    folded: frozenset[int] = frozenset()
    group: ColumnKey | None = None
    folded_groups: frozenset[str | None] = frozenset()
    pins: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    deleted: bool = False
    largest: frozenset[ColumnKey] = frozenset()


@dataclass(frozen=True)
class Frame:
    """All that computing views needs from a catalogue, at one version of it."""

    size: int
    alive: Mask
    sources: NDArray[np.uint8]
    columns: dict[ColumnKey, Column]
    tree: Tree | None

    def column(self, key: ColumnKey) -> Column:
        return self.columns[key]


def frame_of(catalogue: Catalogue, query: Query, tree: Tree | None) -> Frame:
    """The columns a query reads; call it on the UI's loop (each is at hand or takes about a millisecond)."""
    wanted = [runs.START_TIME, runs.LIFECYCLE, runs.EXPERIMENT_ID, runs.PARENT, *(key for key, _ in query.sort)]
    if query.group is not None:
        wanted.append(query.group)
    if query.user is not None:
        wanted.append(runs.USER)
    if query.words:
        wanted += [*query.searched, runs.NAME]
    if query.where is not None:
        wanted += columns_for(query.where.keys)
    columns = {key: catalogue.column(key) for key in dict.fromkeys(wanted)}
    return Frame(catalogue.size, catalogue.alive(), catalogue.source_numbers(), columns, tree)


def tree_of(catalogue: Catalogue) -> Tree:
    """The tree of all runs as the catalogue is now."""
    tree = grow(
        catalogue.sources,
        [catalogue.global_rows(number) for number in range(len(catalogue.sources))],
        catalogue.texts(runs.PARENT),
        catalogue.numbers(runs.START_TIME).values,
        catalogue.alive(),
    )
    if catalogue.size:
        tree.children(0)  # what it looks up in is made now, in the caller's thread, and not while a row is drawn
    return tree


def wanted_of(frame: Frame, query: Query) -> tuple[Mask, Mask]:
    """By global row: whether the query asks for it, and whether it is of the chosen experiments and user at all."""
    within = _within(frame, query)
    wanted = within
    if query.where is not None:
        wanted = wanted & mask(query.where.condition, frame.columns, query.now_ms)
    if query.words:
        wanted = wanted & matches(query.words, [frame.column(key) for key in query.searched], frame.size)
    return wanted, within


def compute(frame: Frame, query: Query, orders: Orders | None = None) -> View:
    """The view of a query; `orders` keeps what the next one may use again.

    Never raises for strange data: a filter was already understood when it was parsed.
    """
    orders = Orders() if orders is None else orders
    wanted, within = wanted_of(frame, query)
    hits, total = int(wanted.sum()), int(within.sum())
    as_tree = query.tree and query.group is None
    tree = frame.tree if as_tree and frame.tree is not None and frame.tree.nested else None
    if tree is not None and len(tree.parent) == frame.size and not query.words.fuzzy:
        ordered = orders.tree(frame.columns, query.sort, tree, query.largest)
        view = _as_tree(ordered, tree, wanted, frame, query, hits, total)
    else:
        order = orders.flat(frame.columns, query.sort)
        rows = order[wanted[order]]
        names = frame.columns.get(runs.NAME)
        if query.words.fuzzy and isinstance(names, TextColumn):
            rows = ranked(query.words.fuzzy, names, rows)
        view = View.of_runs(rows, total)
        if query.group is not None:
            groups = gather(query.group, frame.columns, rows, query.sort, query.largest)
            view = in_groups(groups, query.folded_groups, total)
    return _pinned(view, query, frame) if query.pins else view


def _within(frame: Frame, query: Query) -> Mask:
    mask = frame.alive.copy()
    lifecycle = frame.column(runs.LIFECYCLE)
    if isinstance(lifecycle, TextColumn):
        deleted = _is_word(lifecycle, lambda word: word == "deleted")
        mask &= deleted if query.deleted else ~deleted
    if query.sources is not None:
        mask &= np.isin(frame.sources, np.fromiter(query.sources, np.uint8))
    if query.experiments is not None:
        ids = frame.column(runs.EXPERIMENT_ID)
        chosen = np.zeros(frame.size, bool)
        if isinstance(ids, TextColumn):
            for number in {source for source, _ in query.experiments}:
                names = {experiment for source, experiment in query.experiments if source == number}
                chosen |= _is_word(ids, names.__contains__) & (frame.sources == number)
        mask &= chosen
    if query.user is not None:
        users = frame.column(runs.USER)
        mask &= _is_word(users, query.user.__eq__) if isinstance(users, TextColumn) else False
    if query.hidden:
        mask[np.fromiter(query.hidden, np.int64)] = False
    return mask


def _is_word(column: TextColumn, wanted: Callable[[str], bool]) -> Mask:
    hits = np.array([*(wanted(word) for word in column.words.to_pylist()), False])
    return hits[column.codes]


def _as_tree(ordered: TreeOrder, tree: Tree, wanted: Mask, frame: Frame, query: Query, hits: int, total: int) -> View:
    """What of the whole tree is shown: hits and what stands above them, less what is folded away."""
    shown = tree.with_ancestors(wanted) & frame.alive
    there = shown[ordered.rows]
    before = np.concatenate([[0], np.cumsum(there)])
    at = np.flatnonzero(there)
    rows, depth = ordered.rows[at], ordered.depth[at]
    below = before[at + 1 + ordered.below[at]] - before[at + 1]
    flags = np.where(wanted[rows], 0, DIM).astype(np.uint8)
    flags[below > 0] |= PARENT
    end = np.arange(len(rows)) + below + 1
    last = np.ones(len(rows), bool)
    inner = end < len(rows)
    last[inner] = depth[end[inner]] < depth[inner]
    flags[last] |= LAST
    hit_rows = rows[wanted[rows]]
    if query.folded:
        folded = np.flatnonzero(np.isin(rows, np.fromiter(query.folded, np.int64)) & (below > 0))
        flags[folded] |= FOLDED
        hidden = np.zeros(len(rows) + 1, np.int32)
        np.add.at(hidden, folded + 1, 1)
        np.add.at(hidden, folded + 1 + below[folded], -1)
        open_rows = np.cumsum(hidden[:-1]) == 0
        rows, depth, flags = rows[open_rows], depth[open_rows], flags[open_rows]
    kinds = np.zeros(len(rows), np.uint8)
    return View(kinds, rows, np.minimum(depth, 255).astype(np.uint8), flags, hits, total, hit_rows)


def _pinned(view: View, query: Query, frame: Frame) -> View:
    """Pinned runs stand first, in the order in which they were pinned, whatever the filter says."""
    pins = np.array([row for row in query.pins if row < frame.size and frame.alive[row]], np.int32)
    rest = (view.kinds != RUN) | ~np.isin(view.refs, pins)
    return replace(
        view,
        kinds=np.concatenate([np.full(len(pins), RUN, np.uint8), view.kinds[rest]]),
        refs=np.concatenate([pins, view.refs[rest]]),
        depth=np.concatenate([np.zeros(len(pins), np.uint8), view.depth[rest]]),
        flags=np.concatenate([np.full(len(pins), PINNED, np.uint8), view.flags[rest]]),
    )


def pending(frozen: View, wanted: Mask) -> tuple[int, int]:
    """What ordering again would change: how many hits are new, how many no longer match."""
    still = int(wanted[frozen.hit_rows].sum())
    return int(wanted.sum()) - still, len(frozen.hit_rows) - still
