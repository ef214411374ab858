"""One sitting at the runs table: the tower, the browser over it, and what is remembered between sittings. No Textual.

Heavy to import (numpy, Arrow): the app brings it in after its first paint.
"""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from runtower.acts import choose, details, news, remember
from runtower.acts.browse import Browser
from runtower.acts.curves import Curves
from runtower.acts.layout import CURVE, Layout, Shown, first_layout, width_for
from runtower.acts.remember import KeptColumn, KeptLayout, KeptView, run_pair
from runtower.acts.run_rows import RunRows
from runtower.acts.tower import News, Tower
from runtower.catalog import cache
from runtower.catalog.segment import Ints, Segment
from runtower.domain import runs
from runtower.domain.errors import Invalid
from runtower.domain.runs import ColumnKey, Kind, RunKey
from runtower.present.glyphs import Glyphs
from runtower.starting import Start, Starter

_CHOOSE_FROM: Final = 2000
_ENOUGH: Final = 40


class Desk:
    """What the runs screen works with. `changed` is called on the loop after anything that it may want to redraw."""

    def __init__(
        self,
        start: Start,
        starter: Starter,
        glyphs: Glyphs,
        changed: Callable[[], None],
    ) -> None:
        settings, folders, targets = starter.settings, starter.folders, start.targets
        self.settings = settings
        self.targets = list(targets)
        self.tower = Tower(start.links, [target.name for target in targets])
        self.browser = Browser(self.tower.catalogue)
        self.curves = Curves(self.tower, self._curves_arrived)
        self.rows = RunRows(self.browser, self.curves, glyphs, settings.metrics)
        self.lines = details.DetailLines(self.browser, self.curves, glyphs)
        self.user = getpass.getuser()
        self.mine = False
        self.news = ""
        self.cached_ms: int | None = None
        self.paused = False
        self._folders = folders
        self._changed = changed
        self._file = remember.view_file(folders.state / "views", start.folder, [target.name for target in targets])
        self.kept: KeptView = remember.load(self._file)
        self._begun_ms = start.begun_ms
        self._first_experiment = start.experiment
        self._chosen_by_hand = False
        self._restored = False
        self._settled = False
        self._chosen_for: str | None = None
        self._ordering: asyncio.Task[None] | None = None
        self._again = False
        self.tower.on_change(self._heard)

    # -- the beginning

    def read_cache(self) -> list[tuple[cache.Cached, Segment] | None]:
        """The last known tables from disk; slow parts release the interpreter, so call it in a thread."""
        if not self.settings.cache:
            return [None] * len(self.targets)
        found = [cache.read(self._folders.catalog, target, self.settings.redact) for target in self.targets]
        # What this sitting's own processes have already written comes by way of their links too.
        return [
            (known, Segment.read(known.segment)) if known is not None and known.written_ms < self._begun_ms else None
            for known in found
        ]

    async def begin(self, cached: Sequence[tuple[cache.Cached, Segment] | None]) -> None:
        """Show what was known, then listen to the sources."""
        for number, found in enumerate(cached):
            if found is not None:
                known, segment = found
                self.tower.catalogue.reset(number, segment, known.experiments)
                self.tower.links[number].have(known.base_id)
                self.cached_ms = min(self.cached_ms or known.written_ms, known.written_ms)
        await self._first_order()
        self.tower.start()

    async def _first_order(self) -> None:
        """Once there are runs: the view of last time, or the experiment of this user's newest run."""
        if self._restored or not self.tower.catalogue.alive().any():
            return
        self._restored = True
        self._restore()
        complete = self.tower.listed
        self.lay_out()
        await self.browser.order()
        self._after_order()
        self._settled = complete

    def _restore(self) -> None:
        kept, browser, catalogue = self.kept, self.browser, self.tower.catalogue
        if kept.chosen:
            names = {table.name: number for number, table in enumerate(catalogue.sources)}
            chosen = {(names[source], one) for source, one in kept.experiments or () if source in names}
            browser.choose_experiments(frozenset(chosen) if kept.experiments is not None and chosen else None)
        else:
            self._choose_experiment()
        self.mine = kept.mine
        browser.only_user(self.user if kept.mine else None)
        browser.show_tree(kept.tree)
        self.rows.own_scale = kept.own_scale
        if kept.sort:
            sort = tuple((ColumnKey(Kind(kind), key), descending) for kind, key, descending in kept.sort)
            browser.query = replace(browser.query, sort=sort)
        try:
            browser.set_filter(kept.filter)
        except Invalid:
            browser.clear_filter()
        browser.marks = {row for row in self._rows(kept.marks) if row >= 0}
        browser.pins = [row for row in self._rows(kept.pins) if row >= 0]
        folded = frozenset(row for row in self._rows(kept.folded) if row >= 0)
        browser.query = replace(browser.query, folded=folded)
        for name in ("baseline", "cursor"):
            pair = getattr(kept, name)
            row = self._rows([pair])[0] if pair else -1
            setattr(browser, name, row if row >= 0 else None)

    def _choose_experiment(self) -> None:
        """The very first time: the experiment of this user's newest run."""
        newest = self.browser.newest_experiment(self.user)
        self.browser.choose_experiments(frozenset({newest}) if newest else None)

    def _turn_to_the_first(self) -> bool:
        """The demo's own first experiment, once it has enough runs to choose columns by; True when it is turned to."""
        if not self._first_experiment or self._chosen_by_hand or self.kept.chosen:
            return False
        for number, table in enumerate(self.tower.catalogue.sources):
            for one in table.experiments.values():
                if one.name == self._first_experiment and table.size >= _ENOUGH:
                    self._first_experiment = ""
                    self._chosen_by_hand = True
                    self.browser.cursor = None
                    self.browser.choose_experiments(frozenset({(number, one.experiment_id)}))
                    return True
        return False

    def choose_experiments(self, chosen: frozenset[tuple[int, str]] | None) -> None:
        """The user's own choice, which no later news changes."""
        self._chosen_by_hand = True
        self.browser.choose_experiments(chosen)

    def _rows(self, pairs: Sequence[tuple[str, str]]) -> list[int]:
        return [int(row) for row in self.tower.catalogue.rows_of([RunKey(*pair) for pair in pairs])] if pairs else []

    # -- columns

    def lay_out(self) -> None:
        """The columns of the chosen experiments: as they were left, else chosen now, once."""
        key = self._layout_key()
        if self._chosen_for == key:
            return
        kept = self.kept.layouts.get(key)
        if kept is not None and kept.columns:
            layout = Layout(tuple(Shown(c.column(), c.width) for c in kept.columns), kept.active)
            self._use(layout, kept.metric.column() if kept.metric else None)
            self._chosen_for = key
            return
        rows = self._chosen_rows()
        if not len(rows):
            return
        metric, metrics, params = choose.first_columns(self.tower.catalogue, rows[:_CHOOSE_FROM])
        several = self.browser.query.experiments is None or len(self.browser.query.experiments) > 1
        layout = first_layout(metric, metrics, params, several)
        self._use(Layout(tuple(self._sized(shown, rows) for shown in layout.columns), layout.active), metric)
        if (self.tower.listed and len(rows) >= 3) or len(rows) >= 100:  # before that they may still be others
            self._chosen_for = key

    def _sized(self, shown: Shown, rows: Ints) -> Shown:
        """Params get the width of their values, the name that of the names of these runs."""
        catalogue = self.tower.catalogue
        if shown.key.kind is Kind.PARAM:
            samples = [catalogue.texts(shown.key).text(row) or "" for row in rows[:40].tolist()]
            return Shown(shown.key, width_for(shown.key, samples))
        if shown.key == runs.NAME:
            longest = max((len(catalogue.texts(runs.NAME).text(row) or "") for row in rows[:200].tolist()), default=0)
            return Shown(shown.key, max(16, min(30, longest + 3)))
        return shown

    def _use(self, layout: Layout, metric: ColumnKey | None) -> None:
        self.rows.layout = layout
        self.rows.metric = metric
        self.browser.search_in(key for key in layout.shown if key != CURVE)
        self.rows.changed()

    def use_layout(self, layout: Layout) -> None:
        """The user changed the columns: from now on they are theirs."""
        self._chosen_for = self._layout_key()
        self._use(layout, self.rows.metric)

    def use_metric(self, metric: ColumnKey) -> None:
        """Another metric for the curve; its column takes the place of the old one's."""
        columns = self.rows.layout.columns
        old, known = self.rows.metric, metric in self.rows.layout.shown
        swapped = tuple(Shown(metric, width_for(metric)) if c.key == old and not known else c for c in columns)
        self._chosen_for = self._layout_key()
        self._use(Layout(swapped, self.rows.layout.active), metric)

    def show_columns(self, keys: Sequence[ColumnKey]) -> None:
        """Exactly these columns beside the name: those that were shown keep their places, new ones come last."""
        layout = self.rows.layout
        for key in [*(shown for shown in layout.shown if shown not in keys), *keys]:
            if key != runs.NAME and (key in layout.shown) != (key in keys):
                layout = layout.toggle(key, self._sized(Shown(key, width_for(key)), self._chosen_rows()).width)
        self.use_layout(layout)

    def sort_key(self, key: ColumnKey) -> tuple[ColumnKey, bool]:
        """What sorting by a column means (the curve's by its metric), and whether the first look is descending."""
        if key == CURVE:
            key = self.rows.metric or runs.START_TIME
        largest_first = key.kind is Kind.METRIC and choose.goal(key.key, self.settings.metrics) == "max"
        return key, largest_first or key in (runs.START_TIME, runs.END_TIME, runs.DURATION)

    def _layout_key(self) -> str:
        chosen = self.browser.query.experiments
        if chosen is None:
            return "*"
        sources = self.tower.catalogue.sources
        return "|".join(sorted(f"{sources[number].name}/{experiment}" for number, experiment in chosen))

    def newest_rows(self, most: int) -> list[int]:
        """The newest runs of the chosen experiments, at most so many, deleted ones too."""
        return [int(row) for row in self._chosen_rows()[:most]]

    def _chosen_rows(self) -> Ints:
        """The newest runs of the chosen experiments, whatever the filter says."""
        catalogue = self.tower.catalogue
        mask = catalogue.alive()
        ids = catalogue.texts(runs.EXPERIMENT_ID)
        chosen = self.browser.query.experiments
        if chosen is not None:
            wanted = {experiment for _, experiment in chosen}
            hits = np.array([*(word in wanted for word in ids.words.to_pylist()), False])
            mask &= hits[ids.codes]
        rows = np.flatnonzero(mask)
        start = np.nan_to_num(catalogue.numbers(runs.START_TIME).values[rows], nan=-1.0)
        return rows[np.argsort(-start, kind="stable")].astype(np.int32)

    # -- time

    def tick(self) -> None:
        """Relative times are told anew."""
        self.rows.now_ms = time.time() * 1000
        self.rows.changed()

    def pause(self, paused: bool) -> None:
        """Stop or go on asking the sources."""
        self.paused = paused
        self.tower.pause(paused)

    @property
    def copied_file(self) -> Path:
        """Where the text that was copied last is kept."""
        return self._folders.state / "copied.txt"

    # -- news

    def _heard(self, heard: News) -> None:
        self.curves.heard(heard)
        if heard.reset:
            self.browser.forget_runs()
            self._restored = self._settled = False
            self.cached_ms = None
        if heard.health_only:
            if not self._settled and self.tower.listed:
                self.order_soon()  # the first list is whole: from now on rows stay where they are
            self._changed()
            return
        self.tick()
        self.order_soon()
        self._changed()

    def order_soon(self) -> None:
        """Order again where the table is still growing, else count what ordering would change."""
        self._again = True
        if self._ordering is None or self._ordering.done():
            self._ordering = asyncio.ensure_future(self._order_while_needed())

    async def _order_while_needed(self) -> None:
        while self._again:
            self._again = False
            if not self._restored:
                await self._first_order()
            elif self._turn_to_the_first() or self.growing:
                complete = self.tower.listed
                self.lay_out()
                if await self.browser.order():
                    self._after_order()
                    self._settled = complete
            else:
                await self.browser.count_pending()
            self._changed()
            await asyncio.sleep(0.2 if self.tower.catalogue.size > _CHOOSE_FROM else 0.02)

    @property
    def missing(self) -> bool:
        """Whether a source isn't there (yet)."""
        return any(health.error is not None and health.error.name == "not_found" for _, health in self.tower.troubles())

    @property
    def growing(self) -> bool:
        """Whether new rows may come in by themselves: nothing is shown yet, or the first list isn't complete."""
        return not len(self.browser.view.rows) or (self.cached_ms is None and not self._settled)

    def _after_order(self) -> None:
        self.lay_out()
        self.rows.changed()
        if not self.news and self.kept.seen_ms:
            now = time.time() * 1000
            self.news = news.since(
                self.tower.catalogue,
                self.browser.view.hit_rows,
                self.kept.seen_ms,
                now,
                self.rows.metric,
                self.settings.metrics,
            )

    async def order(self) -> None:
        """Order now: the user asked for it."""
        self.lay_out()
        if await self.browser.order():
            self._after_order()
            self._changed()

    def _curves_arrived(self) -> None:
        self.rows.changed()
        self._changed()

    # -- the end

    def keep(self) -> None:
        """Remember the view for the next sitting."""
        if not self._restored:
            return
        browser, catalogue = self.browser, self.tower.catalogue
        query = browser.query
        layouts = dict(self.kept.layouts)
        if self._chosen_for is not None:
            layouts[self._chosen_for] = KeptLayout(
                [KeptColumn.of(shown.key, shown.width) for shown in self.rows.layout.columns],
                self.rows.layout.active,
                KeptColumn.of(self.rows.metric) if self.rows.metric else None,
            )

        def pair(row: int) -> tuple[str, str]:
            return run_pair(catalogue.run_key(row))

        alive = catalogue.alive()
        chosen = query.experiments
        kept = KeptView(
            seen_ms=int(time.time() * 1000),
            experiments=None if chosen is None else [(catalogue.sources[n].name, one) for n, one in sorted(chosen)],
            chosen=True,
            mine=self.mine,
            tree=query.tree,
            own_scale=self.rows.own_scale,
            filter=browser.filter_text,
            sort=[(str(key.kind), key.key, descending) for key, descending in query.sort],
            layouts=layouts,
            marks=[pair(row) for row in sorted(browser.marks) if alive[row]],
            pins=[pair(row) for row in browser.pins if alive[row]],
            folded=[pair(row) for row in sorted(query.folded) if alive[row]],
            baseline=pair(browser.baseline) if browser.baseline is not None and alive[browser.baseline] else None,
            cursor=pair(browser.cursor) if browser.cursor is not None and alive[browser.cursor] else None,
            details=self.kept.details,
            demo_dismissed=self.kept.demo_dismissed,
        )
        remember.save(self._file, kept)
