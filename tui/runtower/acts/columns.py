"""The columns of the runs table: chosen once for each choice of experiments, then the user's; where only differing ones
are wanted, those in which the runs differ. No Textual."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from runtower.acts import choose
from runtower.acts.browse import Browser
from runtower.acts.curves import Curves
from runtower.acts.differing import Differing, question
from runtower.acts.layout import CURVE, Layout, Shown, first_layout, width_for
from runtower.acts.points import rows_of
from runtower.acts.remember import KeptColumn, KeptLayout
from runtower.acts.run_rows import RunRows
from runtower.acts.tower import Tower
from runtower.catalog.segment import Ints
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind
from runtower.settings import MetricSettings

_CHOOSE_FROM: Final = 2000
_IN_A_THREAD_FROM: Final = 3000  # runs, or keys
_GUESTS: Final = 40
_GUESTS_OF_MANY: Final = 12  # a column of many runs costs something
_MANY: Final = 20_000
_STAYING: Final = (runs.NAME, runs.STATUS)


class Columns:
    """Which columns the rows have and by which metric their curves are drawn."""

    def __init__(
        self,
        tower: Tower,
        browser: Browser,
        rows: RunRows,
        curves: Curves,
        metrics: Mapping[str, MetricSettings],
        layouts: Mapping[str, KeptLayout],
        ignore: Sequence[str] = (),
    ) -> None:
        self._tower = tower
        self._browser = browser
        self._rows = rows
        self._curves = curves
        self._metrics = metrics
        self._layouts = layouts
        self._ignore = ignore
        self._chosen_for: str | None = None
        self.only_differing = False
        self.differing: Differing | None = None  # what the table shows, where only columns that differ are wanted
        self._looked_at: tuple[Ints, frozenset[ColumnKey]] = np.empty(0, np.int32), frozenset()
        self._turn = 0

    def lay_out(self) -> None:
        """The columns of the chosen experiments: as they were left, else chosen now, once."""
        key = self._layout_key()
        if self._chosen_for == key:
            return
        kept = self._layouts.get(key)
        if kept is not None and kept.columns:
            layout = Layout(tuple(Shown(c.column(), c.width) for c in kept.columns), kept.active)
            self._use(layout, kept.metric.column() if kept.metric else None)
            self._chosen_for = key
            return
        rows = self._chosen_rows()
        if not len(rows):
            return
        metric, metrics, params = choose.first_columns(self._tower.catalogue, rows[:_CHOOSE_FROM])
        several = self._browser.query.experiments is None or len(self._browser.query.experiments) > 1
        layout = first_layout(metric, metrics, params, several)
        self._use(Layout(tuple(self._sized(shown, rows) for shown in layout.columns), layout.active), metric)
        listed = all(map(self._tower.has_listed, filter(self._browser.shows, range(len(self._tower.links)))))
        if (listed and len(rows) >= 3) or len(rows) >= 100:  # before that they may still be others
            self._chosen_for = key

    def use_layout(self, layout: Layout) -> None:
        """The user changed the columns: from now on they are theirs."""
        self._chosen_for = self._layout_key()
        self._use(layout, self._rows.metric)

    def use_metric(self, metric: ColumnKey) -> None:
        """Another metric for the curve; its column takes the place of the old one's."""
        columns = self._rows.layout.columns
        old, known = self._rows.metric, metric in self._rows.layout.shown
        swapped = tuple(Shown(metric, width_for(metric)) if c.key == old and not known else c for c in columns)
        layout = self._rows.layout
        self._chosen_for = self._layout_key()
        self._use(replace(layout, columns=swapped, hidden=layout.hidden - {metric, CURVE}), metric)

    def show(self, keys: Sequence[ColumnKey]) -> None:
        """Exactly these columns beside the name: those that were shown keep their places, new ones come last."""
        self.show_all()
        layout = self._rows.layout
        for key in [*(shown for shown in layout.shown if shown not in keys), *keys]:
            if key != runs.NAME and (key in layout.shown) != (key in keys):
                layout = layout.toggle(key, self._sized(Shown(key, width_for(key)), self._chosen_rows()).width)
        self.use_layout(layout)

    def show_exactly(self, keys: Sequence[ColumnKey], metric: ColumnKey | None) -> None:
        """Exactly these columns after the name, in this order, and the curve's metric where one is said."""
        self.show_all()
        rows, known = self._chosen_rows(), {shown.key: shown for shown in self._rows.layout.columns}
        sized = (known[key] if key in known else self._sized(Shown(key, width_for(key)), rows) for key in keys)
        name = self._rows.layout.columns[:1] or (self._sized(Shown(runs.NAME, width_for(runs.NAME)), rows),)
        self._chosen_for = self._layout_key()
        self._use(Layout((*name, *sized)), metric or self._rows.metric)

    async def show_differing(self) -> Differing | None:
        """Only the columns in which the marked runs (where there are several), or else all that are shown, differ, and
        further params that do, until `show_all`; all stay where none differ. `follow` keeps it so. None where it was
        overtaken."""
        self.only_differing = True
        await self.follow()
        found = self.differing
        if found is not None and not found.count:
            self.show_all()
        return found

    def show_all(self) -> None:
        """The user's own columns again."""
        self._turn += 1
        self.only_differing, self.differing = False, None
        self._use(self._rows.layout.whole, self._rows.metric)

    @property
    def differing_shown(self) -> int:
        """How many of the columns that differ the table has."""
        guests = sum(shown.is_guest for shown in self._rows.layout.columns)
        return guests + (len(self.differing.own) if self.differing is not None else 0)

    async def follow(self) -> bool:
        """Where only differing columns are wanted: look again, if there are other runs or marks than at the last look.
        News of values alone change no column, nor does a single run. True where columns may have changed."""
        if not self.only_differing:
            return False
        rows, layout = rows_of(self._browser), self._rows.layout.whole
        own = frozenset(layout.shown) - {*_STAYING, CURVE}
        among = np.sort(rows)
        seen, known = self._looked_at, self.differing
        if known is not None and (len(rows) < 2 or (own == seen[1] and np.array_equal(among, seen[0]))):
            if not self._rows.layout.hidden:
                self._narrow(known, among)  # the columns were laid out anew
            return False
        self._turn += 1
        turn, catalogue = self._turn, self._tower.catalogue
        find = question(self._browser, rows, [key for key in layout.shown if key in own], self._ignore)
        large = max(catalogue.size, catalogue.key_count()) >= _IN_A_THREAD_FROM
        found = await asyncio.to_thread(find) if large else find()
        if turn != self._turn:
            return False
        self._looked_at, self.differing = (among, own), found
        self._narrow(found, among)
        return True

    def _narrow(self, found: Differing, rows: Ints) -> None:
        most = _GUESTS_OF_MANY if self._tower.catalogue.size > _MANY else _GUESTS
        guests = [self._sized(Shown(key, width_for(key), True), rows) for key in found.others[:most]]
        metric = self._rows.metric
        curve = metric in found.own or metric not in self._rows.layout.shown
        kept = {*found.own, *_STAYING, *([CURVE] if curve else [])}
        self._use(self._rows.layout.narrowed(kept, guests), metric)

    def sort_key(self, key: ColumnKey) -> tuple[ColumnKey, bool]:
        """What sorting by a column means (the curve's by its metric), and whether the first look is descending."""
        if key == CURVE:
            key = self._rows.metric or runs.START_TIME
        largest_first = choose.goal_of(key, self._metrics) == "max"
        return key, largest_first or key in (*runs.TIME_ATTRIBUTES, runs.DURATION)

    def newest_rows(self, most: int) -> list[int]:
        """The newest runs of the chosen experiments, at most so many, deleted ones too."""
        return [int(row) for row in self._chosen_rows()[:most]]

    def kept(self) -> dict[str, KeptLayout]:
        """The columns of every choice of experiments that is known, to be remembered."""
        layouts, layout = dict(self._layouts), self._rows.layout.whole
        if self._chosen_for is not None:
            layouts[self._chosen_for] = KeptLayout(
                [KeptColumn.of(shown.key, shown.width) for shown in layout.columns],
                layout.active,
                KeptColumn.of(self._rows.metric) if self._rows.metric else None,
            )
        return layouts

    def _sized(self, shown: Shown, rows: Ints) -> Shown:
        """Params get the width of their values, the name that of the names of these runs."""
        catalogue = self._tower.catalogue
        if shown.key.kind is Kind.PARAM:
            samples = [catalogue.texts(shown.key).text(row) or "" for row in rows[:40].tolist()]
            return replace(shown, width=width_for(shown.key, samples))
        if shown.key == runs.NAME:
            longest = max((len(catalogue.texts(runs.NAME).text(row) or "") for row in rows[:200].tolist()), default=0)
            return Shown(shown.key, max(16, min(30, longest + 3)))
        return shown

    def _use(self, layout: Layout, metric: ColumnKey | None) -> None:
        self._rows.layout = layout
        self._rows.metric = metric
        self._curves.choose(metric)
        self._browser.search_in(key for key in layout.whole.shown if key != CURVE)
        self._rows.changed()

    def _layout_key(self) -> str:
        chosen = self._browser.query.experiments
        sources, shown = self._tower.catalogue.sources, self._browser.query.sources
        if chosen is None:
            return "|".join(["*", *sorted(sources[number].name for number in shown or ())])
        return "|".join(sorted(f"{sources[number].name}/{experiment}" for number, experiment in chosen))

    def _chosen_rows(self) -> Ints:
        """The newest runs of the chosen experiments, whatever the filter says."""
        catalogue = self._tower.catalogue
        mask = self._browser.shown_rows()
        ids = catalogue.texts(runs.EXPERIMENT_ID)
        chosen = self._browser.query.experiments
        if chosen is not None:
            wanted = {experiment for _, experiment in chosen}
            hits = np.array([*(word in wanted for word in ids.words.to_pylist()), False])
            mask &= hits[ids.codes]
        rows = np.flatnonzero(mask)
        start = np.nan_to_num(catalogue.numbers(runs.START_TIME).values[rows], nan=-1.0)
        return rows[np.argsort(-start, kind="stable")].astype(np.int32)
