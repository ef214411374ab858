"""All that the runs screen asks of a sitting, in lines and choices. The one module that the app brings in late."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from runtower.acts import choose, command_log, details, group_details, status
from runtower.acts.command_log import LogEntry
from runtower.acts.desk import Desk
from runtower.acts.details import RunDetails
from runtower.acts.layout import CURVE, title
from runtower.acts.offers import Offer
from runtower.acts.snippet import SNIPPET
from runtower.acts.source_rows import SourceRows
from runtower.acts.where import make_ready
from runtower.catalog.segment import Ints
from runtower.domain import runs
from runtower.domain.runs import Kind
from runtower.domain.values import is_missing
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, inert

if TYPE_CHECKING:
    from runtower.acts.complete import Completer

__all__ = ["Desk", "Face", "Offer"]

_MANY_KEYS: Final = 2000
_EXTRA_COLUMNS: Final = (
    runs.STATUS,
    CURVE,
    runs.START_TIME,
    runs.END_TIME,
    runs.LAST_LOGGED,
    runs.DURATION,
    runs.USER,
    runs.EXPERIMENT,
    runs.SOURCE,
    runs.SOURCE_NAME,
    runs.GIT_COMMIT,
    runs.RUN_ID,
)

_GROUP_ATTRIBUTES: Final = (
    runs.STATUS,
    runs.USER,
    runs.EXPERIMENT,
    runs.SOURCE,
    runs.SOURCE_NAME,
    runs.GIT_COMMIT,
)


class Face:
    """A desk as lines and choices."""

    def __init__(self, desk: Desk, glyphs: Glyphs) -> None:
        self.desk = desk
        self._glyphs = glyphs
        self._order = details.MetricOrder(desk.browser)

    def status(self, width: int) -> tuple[Line, Line]:
        return status.sources_line(self.desk, self._glyphs, width)

    def query(self, width: int) -> tuple[Line, Line]:
        return status.query_line(self.desk, self._glyphs, width)

    def trouble(self) -> str:
        return inert(status.trouble(self.desk), self._glyphs)

    def notices(self) -> list[str]:
        return [inert(notice, self._glyphs) for notice in status.notices(self.desk)]

    def doubts(self) -> str:
        """What is odd about the query: a name that no run has."""
        where = self.desk.browser.query.where
        return " ".join(where.doubts) if where is not None else ""

    async def completer(self) -> Completer:
        """What completes a query that is begun now; the first time the parser is brought in, off the loop."""
        await asyncio.to_thread(make_ready)
        complete = await asyncio.to_thread(importlib.import_module, "runtower.acts.complete")
        made: Completer = complete.Completer(self.desk.tower.catalogue)
        return made

    def sources(self) -> SourceRows:
        """The sources as rows."""
        return SourceRows(self.desk, self._glyphs)

    def experiments(self) -> str:
        return status.experiments(self.desk, self._glyphs)

    # -- a run

    def name_of(self, row: int) -> str:
        """Its name, else the beginning of its id."""
        catalogue = self.desk.tower.catalogue
        return catalogue.texts(runs.NAME).text(row) or catalogue.run_key(row).run_id[:8]

    def metrics_of(self, rows: Sequence[int]) -> list[str]:
        """The metrics that at least one of these runs has logged: the table's own first, then the most telling ones."""
        catalogue, first = self.desk.tower.catalogue, self.desk.rows.metric
        cells = (cell for row in rows for cell in catalogue.cells(row))
        keys = {cell.key for cell in cells if cell.key.kind is Kind.METRIC and not is_missing(cell.number)}
        order = {key: place for place, key in enumerate(choose.metrics_in_order(catalogue, np.array(rows, np.int32)))}
        return [key.key for key in sorted(keys, key=lambda key: (key != first, order.get(key, len(order)), key.key))]

    # -- the pane

    async def details(self, row: int) -> RunDetails:
        read = await self._read(row)
        watched = self.desk.tower.catalogue.run_key(row) in self.desk.alarms.watched
        lives = self.desk.joins.lives_in(row) if self.desk.editor.plans.is_running(row) else ""
        return replace(read, watched=watched, lives=lives) if watched or lives else read

    async def _read(self, row: int) -> RunDetails:
        desk, catalogue = self.desk, self.desk.tower.catalogue
        error, metric = desk.tower.errors.get(catalogue.run_key(row), ""), desk.rows.metric
        doubt = desk.silences.of(row, metric)
        if catalogue.key_count() > _MANY_KEYS:
            return await asyncio.to_thread(details.read, desk.browser, row, metric, self._order, error, doubt)
        return details.read(desk.browser, row, metric, self._order, error, doubt)

    def pane(
        self, run: RunDetails, base: RunDetails | None, width: int, height: int, form: str, only: bool
    ) -> Sequence[Line]:
        """The lines of the pane. `form`: `small` two lines, `beside` two columns, `all` everything in one column."""
        now = time.time() * 1000
        if form == "small":
            return self.desk.lines.one_line(run, base, width, now)
        if form == "beside":
            return self.desk.lines.beside(run, base, width, height, now)
        return self.desk.lines.all(run, base, width, now, only)

    async def group(self, number: int, width: int, form: str) -> tuple[str, Sequence[Line]]:
        """The name of a group of the view, and the lines of the pane."""
        desk = self.desk
        shown = [*([desk.rows.metric] if desk.rows.metric else []), *desk.rows.layout.shown]
        read = group_details.read
        if desk.tower.catalogue.key_count() > _MANY_KEYS:
            group = await asyncio.to_thread(read, desk.browser, desk.rows.groups, number, shown)
        else:
            group = read(desk.browser, desk.rows.groups, number, shown)
        return group.name, group_details.lines(group, width, form, self._glyphs)

    # -- what the table says where it has no rows

    def empty(self) -> list[Line]:
        """Why there is nothing to see and what to do; [] where there are rows."""
        desk, browser = self.desk, self.desk.browser
        if len(browser.view):
            return []
        trouble = self.trouble()
        total = int(browser.shown_rows().sum())
        if not total and trouble:
            return [((trouble, ""),), (), (("r  try again now     ? keys     q quit", "dim"),)]
        if not total and desk.sources.syncing:
            names = ", ".join(desk.targets[number].name for number in desk.sources.shown)
            return [((f"Reading {inert(names, self._glyphs)} ...", "dim"),)]
        if not total:
            return self._no_runs()
        asked = " and ".join(text for text in (browser.filter_text, browser.where_text) if text)
        if asked:
            within = f"{browser.view.within:,} run{'s' if browser.view.within != 1 else ''}"
            if desk.sources.partly_known:
                within = f"the {within} known so far"
            return [
                (
                    ("Nothing matches ", ""),
                    (inert(asked, self._glyphs), "bright"),
                    (f" in {within}.", ""),
                ),
                *([((inert(self.doubts(), self._glyphs), "warning"),)] if self.doubts() else []),
                (),
                (("esc", "key"), (" clears it", "")),
            ]
        if browser.query.deleted:
            return [(("No deleted runs here.", ""),), (), (("esc", "key"), (" shows the living ones", ""))]
        if desk.mine:
            return [((f"No runs of {desk.user} here.", ""),), (), (("M", "key"), (" shows everyone's", ""))]
        if not browser.view.within and self._deleted_here():
            return [
                ((f"All {self._deleted_here():,} runs of {self.experiments()} are deleted.", ""),),
                (),
                (
                    (":", "key"),
                    ("deleted", "bright"),
                    (" shows them     ", ""),
                    ("E", "key"),
                    (" another experiment", ""),
                ),
            ]
        return [
            ((f"No runs in {self.experiments()} yet.", ""),),
            (),
            (("E", "key"), (" chooses other experiments", "")),
        ]

    def _deleted_here(self) -> int:
        catalogue = self.desk.tower.catalogue
        lifecycle = catalogue.texts(runs.LIFECYCLE)
        return sum(lifecycle.text(int(row)) == "deleted" for row in self.desk.columns.newest_rows(1000))

    def _no_runs(self) -> list[Line]:
        desk = self.desk
        known = desk.tower.identities
        where = ", ".join(known[number].address for number in desk.sources.shown if number in known)
        lines: list[Line] = [((f"No runs in {inert(where, self._glyphs)} yet.", ""),), ()]
        lines += [(("Three lines of Python log a first one; it shows here by itself:", "dim"),), ()]
        lines += [(("  " + line, "bright"),) for line in SNIPPET.splitlines()]
        return lines

    # -- choices

    def experiment_offers(self) -> list[Offer]:
        """Every experiment of the sources that are shown, with how many runs it has, the fullest first."""
        catalogue = self.desk.tower.catalogue
        ids = catalogue.texts(runs.EXPERIMENT_ID)
        words = ids.words.to_pylist()
        offers = []
        for number, table in enumerate(catalogue.sources):
            if not self.desk.browser.shows(number):
                continue
            codes = ids.codes[catalogue.global_rows(number)]
            counts: dict[str, int] = {}
            for code, count in zip(*_counted(codes), strict=True):
                counts[words[code]] = counts.get(words[code], 0) + count
            several = f"  {table.name}" if len(catalogue.sources) > 1 else ""
            for one in table.experiments.values():
                count = counts.get(one.experiment_id, 0)
                if count or not one.deleted:
                    said = f"{count:,} runs{', deleted' if one.deleted else ''}{several}"
                    offers.append((count, Offer(f"{number}/{one.experiment_id}", one.name or one.experiment_id, said)))
        return [offer for _, offer in sorted(offers, key=lambda entry: (-entry[0], entry[1].text))]

    def column_offers(self) -> tuple[list[Offer], set[str]]:
        """Every column there could be, and the values of those that are shown."""
        desk = self.desk
        coverage = desk.tower.catalogue.coverage()
        shown = {key.value for key in desk.rows.layout.whole.shown if key != runs.NAME}
        ordered = sorted(coverage, key=lambda key: (key.value not in shown, key.kind != Kind.METRIC, key.kind, key.key))
        offers = [Offer(key.value, title(key), "attribute") for key in _EXTRA_COLUMNS]
        offers += [
            Offer(key.value, inert(key.key, self._glyphs), f"{key.kind}, in {coverage[key]:,} runs")
            for key in ordered
            if key.kind is not Kind.ATTRIBUTE
        ]
        return sorted(offers, key=lambda offer: offer.value not in shown), shown

    def group_offers(self) -> list[Offer]:
        """The columns to group by, the most telling first; no grouping is the empty value."""
        catalogue, query = self.desk.tower.catalogue, self.desk.browser.query
        coverage = catalogue.coverage()
        telling = choose.params_in_order(catalogue, self.desk.browser.view.hit_rows[:2000])
        rest = sorted(
            (key for key in coverage if key.kind is not Kind.ATTRIBUTE and key not in set(telling)),
            key=lambda key: (key.kind is Kind.METRIC, key.kind is Kind.TAG and key.key.startswith("mlflow."), key),
        )
        offers = [Offer("", "no grouping")] if query.group is not None else []
        for key in [*telling, *_GROUP_ATTRIBUTES, *rest]:
            said = f"{key.kind}, in {coverage[key]:,} runs" if key in coverage else str(key.kind)
            offers.append(Offer(key.value, inert(title(key), self._glyphs), said))
        return offers

    def metric_offers(self) -> list[Offer]:
        """The metrics of what is shown, the most telling first."""
        catalogue = self.desk.tower.catalogue
        coverage = catalogue.coverage()
        first = choose.metrics_in_order(catalogue, self.desk.browser.view.hit_rows[:2000])
        rest = sorted(key for key in coverage if key.kind is Kind.METRIC and key not in set(first))
        return [Offer(key.value, inert(key.key, self._glyphs), f"in {coverage[key]:,} runs") for key in [*first, *rest]]

    def view_offers(self) -> list[Offer]:
        """The saved views, each with what it asks for."""
        views = self.desk.settings.views
        offers = []
        for name, view in sorted(views.items()):
            asked = [text for text in (view.where, view.filter, *view.experiments) if text]
            order = [f"sort {', '.join(view.sort)}"] if view.sort else []
            offers.append(Offer(name, inert(name, self._glyphs), inert("  ".join([*asked, *order]), self._glyphs)))
        return offers

    def copy_offers(self, row: int) -> list[Offer]:
        """What of a run can be copied."""
        catalogue = self.desk.tower.catalogue
        key = catalogue.run_key(row)
        offers = [Offer(key.run_id, "run id", key.run_id)]
        name = catalogue.texts(runs.NAME).text(row)
        if name:
            offers.append(Offer(name, "name", inert(name, self._glyphs)))
        offers.append(
            Offer(f"runtower show {key.run_id}", "the command that shows it", f"runtower show {key.run_id[:12]}")
        )
        for label, attribute in (("artifacts' URI", runs.ARTIFACT_URI), ("git commit", runs.GIT_COMMIT)):
            text = catalogue.texts(attribute).text(row)
            if text:
                offers.append(Offer(text, label, inert(text, self._glyphs)))
        marked = [catalogue.run_key(one).run_id for one in sorted(self.desk.browser.marks)]
        if marked:
            offers.append(Offer(" ".join(marked), f"ids of the {len(marked)} marked runs"))
        return offers

    def log_offers(self) -> list[Offer]:
        """The command log, the newest first, each by its id."""
        return command_log.offers(self.desk.command_log, time.time() * 1000)

    def log_entry(self, entry_id: str) -> LogEntry:
        """One write of the command log in full."""
        return command_log.whole(self.desk.command_log, entry_id, time.time() * 1000)


def _counted(codes: Ints) -> tuple[list[int], list[int]]:
    """The codes that occur, and how often."""
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    return values.tolist(), counts.tolist()
