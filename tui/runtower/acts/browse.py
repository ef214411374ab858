"""What the runs screen shows: query, order, marks, pins, baseline and cursor over a catalogue. No Textual.

Marks, pins and baseline are runs (global rows), the cursor a run or a group, never places. Between a user's acts the
order is frozen: news changes cells; what ordering again would change is only counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from runtower.acts.where import understood
from runtower.catalog import view as views
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.orders import Orders
from runtower.catalog.segment import Ints
from runtower.catalog.tree import Tree
from runtower.catalog.view import Frame, OnGroup, Query, Spot, View
from runtower.catalog.words_filter import WordsFilter, parse
from runtower.domain import runs
from runtower.domain.runs import ColumnKey

_IN_A_THREAD_FROM: Final = 3000
_HEX: Final = frozenset("0123456789abcdef")
T = TypeVar("T")


class Browser:
    """The state of one runs table. Changing it is followed by `await order()`; `view` is then what to show.

    `largest_is_best` tells it of a column, for the parents that are sorted by their best child.
    """

    def __init__(self, catalogue: Catalogue, largest_is_best: Callable[[ColumnKey], bool] = lambda _: False) -> None:
        self.catalogue = catalogue
        self._largest_is_best = largest_is_best
        self.query = Query()
        self.filter_text = ""
        self.view = View.empty()
        self.tree: Tree | None = None
        self.cursor: Spot | None = None
        self.marks: set[int] = set()
        self.pins: list[int] = []
        self.baseline: int | None = None
        self.pending: tuple[int, int] = (0, 0)
        self.ordered = 0
        self._anchor: int | None = None
        self._tree_shape = -1
        self._turn = 0
        self._orders = Orders()

    # -- order

    async def order(self) -> bool:
        """Filter and sort as things are now. False where a later call overtook this one."""
        self._turn += 1
        turn = self._turn
        view = await self._compute()
        if turn != self._turn:
            return False
        self.view = view
        self.pending = (0, 0)
        self.ordered += 1
        if self.cursor is None or view.index_of(self.cursor) < 0:
            self.cursor = view.spot_at(0) if self.cursor is None else self.cursor
        return True

    async def count_pending(self) -> bool:
        """Count what ordering again would change. True where the count is another than before."""
        turn, frozen = self._turn, self.view
        query = self._effective()
        frame = views.frame_of(self.catalogue, query, self.tree)
        counts = await self._run(lambda: views.pending(frozen, views.wanted_of(frame, query)[0]))
        if turn != self._turn:
            return False
        changed = counts != self.pending
        self.pending = counts
        return changed

    async def _compute(self) -> View:
        await self._plant()
        query = self._effective()
        frame: Frame = views.frame_of(self.catalogue, query, self.tree)
        return await self._run(lambda: views.compute(frame, query, self._orders))

    def _effective(self) -> Query:
        searched = self.query.searched
        if any(self._like_an_id(term.pattern) for term in self.query.words.terms):
            searched = (*searched, runs.RUN_ID)
        largest = frozenset(key for key, _ in self.query.sort if self._largest_is_best(key))
        now = time.time() * 1000
        return replace(self.query, pins=tuple(self.pins), searched=searched, largest=largest, now_ms=now)

    @staticmethod
    def _like_an_id(text: str) -> bool:
        return len(text) >= 4 and set(text.casefold()) <= _HEX

    async def _plant(self) -> None:
        """The tree, made again when runs or parents changed."""
        shape = self.catalogue.shape
        if shape != self._tree_shape:
            self.tree = await self._run(lambda: views.tree_of(self.catalogue))
            self._tree_shape = shape

    async def _run(self, compute: Callable[[], T]) -> T:
        if self.catalogue.size < _IN_A_THREAD_FROM:
            return compute()
        return await asyncio.to_thread(compute)

    def forget_runs(self) -> None:
        """The known runs are dead: nothing is shown, marked or pinned until the next order."""
        self._turn += 1
        self.view, self.tree, self._tree_shape = View.empty(), None, -1
        self.cursor = self.baseline = self._anchor = None
        self.marks, self.pins, self.pending = set(), [], (0, 0)
        self.query = replace(self.query, folded=frozenset())
        self.ordered += 1

    # -- what to show

    def below(self, row: int) -> list[int]:
        """The children of a run; none of one that isn't a parent."""
        known = self.tree is not None and row < len(self.tree.parent)
        return self.tree.children(row).tolist() if self.tree is not None and known else []

    def set_filter(self, text: str) -> None:
        """Raises Invalid for a regular expression that can't be read; the filter is then unchanged."""
        self.query = replace(self.query, words=parse(text))
        self.filter_text = text.strip()

    def clear_filter(self) -> None:
        self.query = replace(self.query, words=WordsFilter())
        self.filter_text = ""

    @property
    def where_text(self) -> str:
        """The query as it was typed, '' for none."""
        return self.query.where.text if self.query.where is not None else ""

    def set_where(self, text: str) -> None:
        """Raises Misread, an Invalid, for a query that makes no sense here; nothing changes then."""
        self.query = replace(self.query, where=understood(self.catalogue, text.strip()) if text.strip() else None)

    def search_in(self, shown: Iterable[ColumnKey]) -> None:
        """The columns that the filter looks at: names, and what is shown."""
        always = (runs.NAME, runs.EXPERIMENT, runs.USER, runs.STATUS)
        self.query = replace(self.query, searched=tuple(dict.fromkeys((*always, *shown))))

    def sort_by(self, key: ColumnKey, descending: bool) -> None:
        """Sort by this column; again reverses."""
        first = self.query.sort[0] if self.query.sort else None
        if first is not None and first[0] == key:
            descending = not first[1]
        self.query = replace(self.query, sort=((key, descending),))

    def sort_more(self, key: ColumnKey, descending: bool) -> None:
        """Decide ties by this column; again reverses it, a third time takes it out."""
        keys = list(self.query.sort)
        for place, (known, was) in enumerate(keys):
            if known == key:
                if was == descending:
                    keys[place] = (key, not descending)
                elif len(keys) > 1:
                    del keys[place]
                break
        else:
            keys.append((key, descending))
        self.query = replace(self.query, sort=tuple(keys))

    def shows(self, source: int) -> bool:
        """Whether the runs of a source may be among those shown."""
        return self.query.sources is None or source in self.query.sources

    def chooses(self, source: int) -> bool:
        """Whether a source is shown and, where experiments are chosen, has one of them."""
        chosen = self.query.experiments
        return self.shows(source) and (chosen is None or any(number == source for number, _ in chosen))

    def choose_sources(self, chosen: frozenset[int] | None) -> None:
        """Only runs of these sources, None for all. Of the chosen experiments those in these sources stay; all are
        chosen where none would be left, or where a source comes of which there was nothing to see."""
        numbers = range(len(self.catalogue.sources))
        fresh = any(not self.chooses(number) for number in numbers if chosen is None or number in chosen)
        kept = {one for one in self.query.experiments or () if chosen is None or one[0] in chosen}
        experiments = frozenset(kept) if kept and not fresh else None
        self.query = replace(self.query, sources=chosen, experiments=experiments)

    def choose_experiments(self, chosen: frozenset[tuple[int, str]] | None) -> None:
        self.query = replace(self.query, experiments=chosen)

    def only_user(self, user: str | None) -> None:
        self.query = replace(self.query, user=user)

    def show_deleted(self, deleted: bool) -> None:
        self.query = replace(self.query, deleted=deleted)

    def show_tree(self, tree: bool) -> None:
        self.query = replace(self.query, tree=tree)

    def group_by(self, key: ColumnKey | None) -> None:
        """Groups by this column instead of the tree, all open; None for no groups."""
        self.query = replace(self.query, group=key, folded_groups=frozenset())

    def fold(self, spot: Spot) -> bool:
        """Fold or unfold a run's children; on a child, its parent's. Where there are groups, the group.

        False where there is nothing to fold.
        """
        if self.query.group is not None or isinstance(spot, OnGroup):
            return self._fold_group(spot)
        row = spot
        if self.tree is None or not self.query.tree:
            return False
        if not len(self.tree.children(row)):
            row = int(self.tree.parent[row])
        if row < 0:
            return False
        folding = row not in self.query.folded
        self.query = replace(self.query, folded=self.query.folded ^ {row})
        if folding:
            self.cursor = row
        return True

    def _fold_group(self, spot: Spot) -> bool:
        groups = self.view.groups
        if groups is None:
            return False
        if not isinstance(spot, OnGroup):
            number = groups.number_of(spot)
            if number < 0:
                return False
            spot = OnGroup(groups.keys[number])
        folding = spot.key not in self.query.folded_groups
        self.query = replace(self.query, folded_groups=self.query.folded_groups ^ {spot.key})
        if folding:
            self.cursor = spot
        return True

    # -- runs

    def row_at(self, index: int) -> int | None:
        """The run on a line, None beyond the last one and on the line of a group."""
        return self.view.run_at(index)

    def next_hit(self, index: int, step: int) -> int | None:
        """The next line (down 1, up -1) that is a hit itself, around the end."""
        hits = np.flatnonzero((self.view.flags & views.DIM) == 0)
        if not len(hits):
            return None
        if step > 0:
            after = hits[hits > index]
            return int(after[0] if len(after) else hits[0])
        before = hits[hits < index]
        return int(before[-1] if len(before) else hits[-1])

    def toggle_mark(self, row: int) -> None:
        self.marks ^= {row}
        self._anchor = row

    def toggle_group(self, number: int) -> None:
        """Mark all runs of a group; where all are marked already, none."""
        assert self.view.groups is not None
        rows = set(self.view.groups.members(number).tolist())
        self.marks = self.marks - rows if rows <= self.marks else self.marks | rows

    def mark_range(self, row: int) -> None:
        """From the run that was marked last to this one, as they stand now."""
        here = self.view.index_of(row)
        there = self.view.index_of(self._anchor) if self._anchor is not None else -1
        if here < 0:
            return
        low, high = sorted((here, there if there >= 0 else here))
        lines = slice(low, high + 1)
        self.marks.update(self.view.refs[lines][self.view.kinds[lines] == views.RUN].tolist())
        self._anchor = row

    def mark_all(self) -> None:
        """All that the filter shows, folded ones too; where all are marked already, none."""
        shown = set(self.view.hit_rows.tolist())
        self.marks = self.marks - shown if shown <= self.marks else self.marks | shown

    def invert_marks(self) -> None:
        self.marks = self.marks ^ set(self.view.hit_rows.tolist())

    def toggle_pin(self, row: int) -> None:
        if row in self.pins:
            self.pins.remove(row)
        else:
            self.pins.append(row)

    def toggle_baseline(self, row: int) -> None:
        self.baseline = None if self.baseline == row else row

    def shown_rows(self) -> NDArray[np.bool_]:
        """By global row whether its source is shown and still has it."""
        alive = self.catalogue.alive()
        if self.query.sources is not None:
            alive &= np.isin(self.catalogue.source_numbers(), np.fromiter(self.query.sources, np.uint8))
        return alive

    def newest_experiment(self, user: str | None) -> tuple[int, str] | None:
        """The experiment of this user's newest run, else of the newest run at all."""
        start = self.catalogue.numbers(runs.START_TIME).values
        alive = self.shown_rows()
        users = self.catalogue.texts(runs.USER)
        candidates: Ints = np.flatnonzero(alive).astype(np.int32)
        if user is not None and len(users.words):
            words = np.array([*(word == user for word in users.words.to_pylist()), False])
            mine = candidates[words[users.codes[candidates]]]
            candidates = mine if len(mine) else candidates
        if not len(candidates):
            return None
        newest = int(candidates[np.argmax(np.nan_to_num(start[candidates], nan=-1.0))])
        experiment = self.catalogue.texts(runs.EXPERIMENT_ID).text(newest)
        return None if experiment is None else (int(self.catalogue.source_numbers()[newest]), experiment)
