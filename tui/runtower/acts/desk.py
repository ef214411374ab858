"""One sitting at the runs table: the tower, the browser over it, and what is remembered between sittings. No Textual.

Heavy to import (numpy, Arrow): the app brings it in after its first paint.
"""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from runtower.acts import choose, details, news, remember, saved_views
from runtower.acts.alarms import alarms_of
from runtower.acts.box import Box
from runtower.acts.browse import Browser
from runtower.acts.charts import Look
from runtower.acts.columns import Columns
from runtower.acts.curve_shelf import CurveShelf
from runtower.acts.curves import Curves
from runtower.acts.editing import Editor
from runtower.acts.job_control import JobControl
from runtower.acts.joins import Joins
from runtower.acts.open_sources import OpenSources
from runtower.acts.pipelines import Pipelines
from runtower.acts.put_away import bring_back, put_away
from runtower.acts.registrar import Registrar
from runtower.acts.registries import Registries
from runtower.acts.remember import KeptView
from runtower.acts.run_colours import RunColours
from runtower.acts.run_rows import RunRows
from runtower.acts.series_book import SeriesBook
from runtower.acts.silences import Silences
from runtower.acts.tower import News, Tower
from runtower.acts.where import make_ready
from runtower.catalog import cache
from runtower.catalog.segment import Segment
from runtower.domain.errors import TowerError
from runtower.domain.runs import RunKey
from runtower.domain.targets import Target
from runtower.link import native
from runtower.present.glyphs import Glyphs
from runtower.starting import Start, Starter

_ENOUGH: Final = 40
_FRAME: Final = 0.03


class Desk:
    """What the screens work with. `changed`, and all of `on_change`, are called on the loop after what they may
    want to redraw."""

    def __init__(
        self,
        start: Start,
        starter: Starter,
        glyphs: Glyphs,
        changed: Callable[[], None],
    ) -> None:
        # Arrow's own pool and a heap for each thread keep what was freed: a seventh of all memory at 100,000 runs.
        pa.set_memory_pool(pa.system_memory_pool())
        native.few_arenas()
        settings, folders, targets = starter.settings, starter.folders, start.targets
        self.settings = settings
        self.tower = Tower(start.links, [target.name for target in targets])
        self.browser = Browser(self.tower.catalogue, lambda key: choose.goal_of(key, settings.metrics) == "max")
        self._shelf = CurveShelf(folders.curves if settings.cache else None, targets)
        self.sources = OpenSources(targets, self.tower, self.browser, self._shelf, starter)
        self.targets = self.sources.targets
        self.curves = Curves(self.tower, self._shelf, self._curves_arrived)
        self.book = SeriesBook(self.tower, self.curves, self._changed)
        self.silences = Silences(self.tower, self.curves)
        self.rows = RunRows(self.browser, self.curves, glyphs, settings.metrics, self.silences)
        self.lines = details.DetailLines(self.browser, self.curves, glyphs)
        self.user = getpass.getuser()
        self.editor = Editor(self.tower, self.browser, self.targets, folders, settings, self.user, self._changed)
        self.registries = Registries(self.tower, self.targets, self._changed)
        self.pipelines = Pipelines(self.tower, self.targets, self._changed)
        self.registrar = Registrar(self.tower, self.targets, starter, self.registries, self._changed, self._tell)
        self.box = Box(folders, start.folder, self._changed)
        self.joins = Joins(self.tower, self.box)
        self.control = JobControl(self.tower, self.box, self.joins, self.editor, folders, settings, self._tell)
        self.alarms = alarms_of(self.tower, self.user, starter)
        self.mine = False
        self.news = ""
        self.remark = ""  # why something that was asked for at the start isn't shown
        self.cached_ms: int | None = None
        self.paused = False
        self.run_colours = RunColours()
        self.chart_looks: dict[str, Look] = {}  # by tab, how charts were drawn last
        self.marked_file: tuple[RunKey, str] | None = None  # the artifact that others are compared with
        self.run_tab = "curves"  # the tab that an opened run shows first: the last one used
        self.project_file = starter.project_file
        self.project = start.folder
        self._folders = folders
        self._starter = starter
        self.on_change = [changed]
        self._file = remember.view_file(folders.state / "views", start.folder, [target.name for target in targets])
        self.kept: KeptView = remember.load(self._file)
        self.alarms.bring_back(self.kept)
        self.columns = Columns(
            self.tower,
            self.browser,
            self.rows,
            self.curves,
            settings.metrics,
            self.kept.layouts,
            settings.diff.ignore,
        )
        self._begun_ms = start.begun_ms
        self._first_experiment = start.experiment
        self._first_view = start.view
        self._chosen_by_hand = False
        self._all_answered = False
        self._restored = False
        self._settled = False
        self._listed = False
        self._ordering: asyncio.Task[None] | None = None
        self._again = False
        self.tower.on_change(self._heard)

    def _changed(self) -> None:
        for told in list(self.on_change):
            told()

    def _tell(self, text: str) -> None:
        """Something that nobody waits for: what became of an earlier promotion, or of its hook."""
        for tell in self.alarms.on_trouble:
            tell(text)

    # -- the beginning

    def read_cache(self) -> list[tuple[cache.Cached, Segment] | None]:
        """The last known tables and curves from disk; slow parts release the interpreter, so call it in a thread."""
        if self.kept.where or self._first_view:
            make_ready()  # what was asked last time is read again before the first rows
        if not self.settings.cache:
            return [None] * len(self.targets)
        self._shelf.read()
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
            self.alarms.remember(number)
        await self._first_order()
        self.tower.start()
        self.alarms.start()
        self.box.start()

    async def _first_order(self) -> None:
        """Once there are runs: the view of last time, or the experiment of this user's newest run."""
        if self._restored or not self.tower.catalogue.alive().any():
            return
        self._restored = True
        self._restore()
        self._turn_to_the_first()  # a store that comes in one piece brings no later news to do it at
        complete = self.sources.listed
        self.columns.lay_out()
        await self.browser.order()
        await self._after_order()
        self._settled = complete

    def _restore(self) -> None:
        bring_back(self.kept, self.browser)
        if not self.kept.chosen:
            self._choose_experiment()
        self.mine = self.kept.mine
        self.browser.only_user(self.user if self.mine else None)
        self.rows.own_scale = self.kept.own_scale
        self.columns.only_differing = self.kept.differing
        if self._first_view:
            try:
                self.open_view(self._first_view)
            except TowerError as error:
                self.remark = str(error)

    def open_view(self, name: str) -> None:
        """Show a saved view; an order has to follow. Raises NotFound or Invalid; what is shown is then unchanged."""
        view = saved_views.read(saved_views.named(self.settings.views, name), self.tower.catalogue)
        self._chosen_by_hand = True
        self.mine = False
        self.browser.only_user(None)
        self.browser.show_deleted(False)
        saved_views.show(view, self.browser, self.columns)
        self.remark = ""

    def _choose_experiment(self) -> None:
        """The very first time: the experiment of this user's newest run."""
        newest = self.browser.newest_experiment(self.user)
        self.browser.choose_experiments(frozenset({newest}) if newest else None)

    def _reconsider(self) -> None:
        """Which source answers first shall not decide: until each has told something the choice may move."""
        if self._all_answered or self._chosen_by_hand or self.kept.chosen:
            return
        before = self.browser.query.experiments
        self._choose_experiment()
        if self.browser.query.experiments != before:
            self.browser.cursor = None
        # A link hears that a list is complete before its rows are in the catalogue.
        self._all_answered = all(
            table.size or self.tower.has_listed(number) or self.tower.health(number).error
            for number, table in enumerate(self.tower.catalogue.sources)
        )

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

    def choose_sources(self, chosen: frozenset[int]) -> None:
        """The user's own choice of what is shown; an order has to follow."""
        self._chosen_by_hand = True
        self.sources.choose(chosen)

    def open_source(self, target: Target) -> int:
        """Open one more source; its runs come in by themselves. Gives its number. Raises TowerError."""
        number = self.sources.open(target)
        self._chosen_by_hand = True
        self._settled, self.cached_ms = False, None
        return number

    async def keep_source(self, number: int) -> Path:
        """Name a source in the project's settings, where it is opened and this view shown next time; gives the file.

        Raises Invalid, Conflict.
        """
        file, names = await self.sources.keep(number)
        if set(names) == {target.name for target in self.targets}:
            self._file = remember.view_file(self._folders.state / "views", self._starter.folder, names)
        return file

    async def save_view(self, name: str) -> Path:
        """Keep what is shown in the project's settings; gives the file. Raises Invalid, Conflict."""
        from runtower.acts.write_view import write_view  # noqa: PLC0415  the YAML parser comes only to write

        view = saved_views.as_settings(self.browser, self.rows.layout.whole.shown, self.rows.metric)
        view.differing = self.columns.only_differing
        await asyncio.to_thread(write_view, self.project_file, name, view)
        self.settings.views[name] = view
        return self.project_file

    # -- time

    def tick(self) -> None:
        """Relative times are told anew."""
        self.rows.now_ms = time.time() * 1000
        self.rows.changed()

    def pause(self, paused: bool) -> None:
        """Stop or go on asking the sources."""
        self.paused = paused
        self.tower.pause(paused)
        self.box.pause(paused)
        self.registries.pause(paused)
        self.pipelines.pause(paused)

    @property
    def folder(self) -> Path:
        """In which runtower was started."""
        return self._starter.folder

    @property
    def copied_file(self) -> Path:
        """Where the text that was copied last is kept."""
        return self._folders.state / "copied.txt"

    @property
    def command_log(self) -> Path:
        """What was written, by this sitting and all others."""
        return self._folders.commands

    # -- news

    def _heard(self, heard: News) -> None:
        self.curves.heard(heard)
        self.book.heard(heard)
        if heard.reset:
            self.browser.forget_runs()
            self._restored = self._settled = False
            self.cached_ms = None
            self.rows.changed()
        if self._listed != self.sources.listed:
            self._listed = not self._listed
            self.rows.changed()  # only of whole lists it can be said that a run is silent
        if heard.health_only:
            if not self._settled and self.sources.listed:
                self.order_soon()  # the first list is whole: from now on rows stay where they are
            self._changed()
            return
        self.rows.now_ms = time.time() * 1000
        self.rows.heard(heard.rows)
        if heard.renamed:
            self.rows.changed()
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
                complete = self.sources.listed
                self._reconsider()
                self.columns.lay_out()
                if await self.browser.order():
                    await self._after_order()
                    self._settled = complete
            else:
                await self.browser.count_pending()
            self._changed()
            await asyncio.sleep(min(0.5, max(0.02, self.tower.catalogue.size / 100_000)))

    @property
    def missing(self) -> bool:
        """Whether a source isn't there (yet)."""
        return any(health.error is not None and health.error.name == "not_found" for _, health in self.tower.troubles())

    @property
    def growing(self) -> bool:
        """Whether new rows may come in by themselves: nothing is shown yet, or the first list isn't complete."""
        return not len(self.browser.view) or (self.cached_ms is None and not self._settled)

    async def _after_order(self) -> None:
        self.columns.lay_out()
        following = asyncio.ensure_future(self._follow())
        await asyncio.wait(
            {following}, timeout=_FRAME
        )  # of very many runs the rows come first, and the columns when they are known
        self.rows.ordered()
        if not self.news and self.kept.seen_ms and not self.sources.partly_known:
            now = time.time() * 1000
            self.news = news.since(
                self.tower.catalogue,
                self.browser.view.hit_rows,
                self.kept.seen_ms,
                now,
                self.rows.metric,
                self.settings.metrics,
            )

    async def _follow(self) -> None:
        if await self.columns.follow():
            self._changed()

    async def order(self) -> None:
        """Order now: the user asked for it."""
        self.columns.lay_out()
        if await self.browser.order():
            await self._after_order()
            self._changed()

    def _curves_arrived(self) -> None:
        self.rows.changed()
        self._changed()

    # -- the end

    def keep(self) -> None:
        """Remember the view, the curves and what was told for the next sitting."""
        self.alarms.stop()
        self.registries.close()
        self.control.close()
        self.box.close()
        self._shelf.close()
        if self._restored:
            layouts = self.columns.kept()
            kept = put_away(self.browser, self.kept, layouts, mine=self.mine, own_scale=self.rows.own_scale)
            kept.differing = self.columns.only_differing
            self.alarms.put_away(kept)
            remember.save(self._file, kept)
