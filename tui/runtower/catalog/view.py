"""From a query to the rows on the screen: filter, sort, tree, folds, pins.

A view is a list of rows, not of copies: int32 global rows with depth and flags. Computing one reads only columns that
were handed over, so it runs in a thread while the screen goes on with the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.catalog.segment import Floats, Ints
from runtower.catalog.tree import Mask, Tree, grow, in_tree_order
from runtower.catalog.words_filter import WordsFilter, matches, ranked
from runtower.domain import runs
from runtower.domain.runs import ColumnKey

DIM: Final = 1  # an ancestor of a hit, not a hit itself
PARENT: Final = 2  # has rows below it in this view
FOLDED: Final = 4  # those rows are not shown
LAST: Final = 8  # the last child of its parent here
PINNED: Final = 16


@dataclass(frozen=True)
class Query:
    """What to show. `experiments` are (source number, experiment id), None for all; `user` keeps one user's runs;
    `hidden` and `pins` are global rows; `searched` are the columns that the words filter looks at."""

    experiments: frozenset[tuple[int, str]] | None = None
    user: str | None = None
    words: WordsFilter = field(default_factory=WordsFilter)
    searched: tuple[ColumnKey, ...] = (runs.NAME, runs.EXPERIMENT, runs.USER, runs.STATUS, runs.RUN_ID)
    sort: tuple[tuple[ColumnKey, bool], ...] = ((runs.START_TIME, True),)
    tree: bool = True
    folded: frozenset[int] = frozenset()
    pins: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    deleted: bool = False


@dataclass(frozen=True)
class View:
    """Rows from top to bottom. `hits` counts those that the query asked for (ancestors and folded away ones apart:
    a folded hit counts), `within` all runs of the chosen experiments and user."""

    rows: Ints
    depth: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    hits: int
    within: int
    hit_rows: Ints

    @classmethod
    def empty(cls) -> View:
        nothing = np.empty(0, np.int32)
        return cls(nothing, np.empty(0, np.uint8), np.empty(0, np.uint8), 0, 0, nothing)

    def index_of(self, row: int) -> int:
        """Where a run stands, -1 where it isn't shown."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else -1


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
    if query.user is not None:
        wanted.append(runs.USER)
    if query.words:
        wanted += [*query.searched, runs.NAME]
    columns = {key: catalogue.column(key) for key in dict.fromkeys(wanted)}
    return Frame(catalogue.size, catalogue.alive(), catalogue.source_numbers(), columns, tree)


def tree_of(catalogue: Catalogue) -> Tree:
    """The tree of all runs as the catalogue is now."""
    return grow(
        catalogue.sources,
        [catalogue.global_rows(number) for number in range(len(catalogue.sources))],
        catalogue.texts(runs.PARENT),
        catalogue.numbers(runs.START_TIME).values,
        catalogue.alive(),
    )


def compute(frame: Frame, query: Query) -> View:
    """The view of a query. Never raises for strange data; a filter was already understood when it was parsed."""
    within = _within(frame, query)
    wanted = within
    if query.words:
        wanted = within & matches(query.words, [frame.column(key) for key in query.searched], frame.size)
    tree = frame.tree if query.tree and frame.tree is not None and frame.tree.nested else None
    shown = tree.with_ancestors(wanted) & frame.alive if tree else wanted
    rows = _sorted(frame, query, np.flatnonzero(shown).astype(np.int32))
    if query.words.fuzzy:
        names = frame.column(runs.NAME)
        if isinstance(names, TextColumn):
            rows = ranked(query.words.fuzzy, names, rows)
    hits, total = int(wanted.sum()), int(within.sum())
    hit_rows = rows[wanted[rows]] if tree else rows
    flags = np.zeros(len(rows), np.uint8)
    depth = np.zeros(len(rows), np.uint8)
    if tree:
        rows, depth, flags = _as_tree(tree, rows, wanted, query)
    view = View(rows, depth, flags, hits, total, hit_rows)
    return _pinned(view, query, frame) if query.pins else view


def _within(frame: Frame, query: Query) -> Mask:
    mask = frame.alive.copy()
    lifecycle = frame.column(runs.LIFECYCLE)
    if isinstance(lifecycle, TextColumn):
        deleted = _is_word(lifecycle, lambda word: word == "deleted")
        mask &= deleted if query.deleted else ~deleted
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


def _sorted(frame: Frame, query: Query, rows: Ints) -> Ints:
    """Rows by the sort keys, the first one deciding; ties stay newest first. Numbers with the infinities, text,
    NaN, missing: the last two are last in both directions."""
    rows = rows[::-1]
    for key, descending in reversed([*query.sort, (runs.START_TIME, True)]):
        values, missing = frame.column(key).sort_keys()
        rows = rows[_order(values[rows], missing[rows], descending)]
    return rows


def _order(values: Floats, missing: Mask, descending: bool) -> NDArray[np.int64]:
    order = np.argsort(-values if descending else values, kind="stable")
    odd = len(values) - int(np.isnan(values).sum())
    tail = order[odd:]
    gone = missing[tail]
    return np.concatenate([order[:odd], tail[~gone], tail[gone]]) if gone.any() and not gone.all() else order


def _as_tree(tree: Tree, rows: Ints, wanted: Mask, query: Query) -> tuple[Ints, NDArray[np.uint8], NDArray[np.uint8]]:
    ordered = in_tree_order(tree, rows)
    rows, below = ordered.rows, ordered.below
    flags = np.where(wanted[rows], 0, DIM).astype(np.uint8)
    flags[below > 0] |= PARENT
    depth = _depth_in(below)
    end = np.arange(len(rows)) + below + 1
    last = np.ones(len(rows), bool)
    inner = end < len(rows)
    last[inner] = depth[end[inner]] < depth[inner]
    flags[last] |= LAST
    if query.folded:
        hidden = np.zeros(len(rows) + 1, np.int32)
        folded = np.isin(rows, np.fromiter(query.folded, np.int64)) & (below > 0)
        at = np.flatnonzero(folded)
        flags[at] |= FOLDED
        np.add.at(hidden, at + 1, 1)
        np.add.at(hidden, at + 1 + below[at], -1)
        shown = np.cumsum(hidden[:-1]) == 0
        rows, depth, flags = rows[shown], depth[shown], flags[shown]
    return rows, np.minimum(depth, 255).astype(np.uint8), flags


def _depth_in(below: Ints) -> NDArray[np.int64]:
    """Depth of each row of a preorder, from how many rows stand below each."""
    step = np.zeros(len(below) + 1, np.int64)
    at = np.flatnonzero(below)
    np.add.at(step, at + 1, 1)
    np.add.at(step, at + 1 + below[at], -1)
    return np.cumsum(step[:-1])


def _pinned(view: View, query: Query, frame: Frame) -> View:
    """Pinned runs stand first, in the order in which they were pinned, whatever the filter says."""
    pins = np.array([row for row in query.pins if row < frame.size and frame.alive[row]], np.int32)
    rest = ~np.isin(view.rows, pins)
    return replace(
        view,
        rows=np.concatenate([pins, view.rows[rest]]),
        depth=np.concatenate([np.zeros(len(pins), np.uint8), view.depth[rest]]),
        flags=np.concatenate([np.full(len(pins), PINNED, np.uint8), view.flags[rest]]),
    )


def pending(frozen: View, fresh: View) -> tuple[int, int]:
    """What ordering again would change: how many hits are new, how many no longer match."""
    new = np.setdiff1d(fresh.hit_rows, frozen.hit_rows, assume_unique=True)
    gone = np.setdiff1d(frozen.hit_rows, fresh.hit_rows, assume_unique=True)
    return len(new), len(gone)


def child_states(tree: Tree, status: TextColumn, row: int) -> dict[str, int]:
    """Of a parent how many children are in which state, by MLflow's word."""
    counts: dict[str, int] = {}
    for child in tree.children(row).tolist():
        word = status.text(child) or "UNKNOWN"
        counts[word] = counts.get(word, 0) + 1
    return counts


def best_child(tree: Tree, metric: NumberColumn, row: int, largest: bool) -> float | None:
    """The best finite value of a metric among a parent's children, None where none has one."""
    values = metric.values[tree.children(row)]
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    return float(values.max() if largest else values.min())
