"""Some runs compared: what is read for each tab, when it is asked for, and what was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from runtower.acts.compared_versions import ComparedVersions
from runtower.acts.config_diff import ConfigDiff, compared
from runtower.acts.config_sheets import MatrixSheet, PairSheet
from runtower.acts.face import Face
from runtower.acts.facts_sheet import FactsSheet
from runtower.acts.figure_sheet import FigureSheet
from runtower.acts.git_changes import changes_between
from runtower.acts.group_sheet import GroupSheet
from runtower.acts.run_code import code_of
from runtower.acts.run_compare import MetricRow, metrics_of, varying_of
from runtower.acts.run_config import configs_of
from runtower.acts.run_data import data_of
from runtower.acts.run_environment import environments_of
from runtower.acts.seed_groups import groups_of
from runtower.acts.sheets import Sheet, SheetRows
from runtower.acts.sides import told_apart
from runtower.config.matrix import Matrix
from runtower.config.tree import Config
from runtower.domain.errors import TowerError
from runtower.present.glyphs import Glyphs

CONFIG, METRICS, CURVES, ENVIRONMENT, CODE, DATA = "config", "metrics", "curves", "env", "code", "data"
SIGNATURE: Final = "signature"
_TABS: Final = (CONFIG, METRICS, CURVES, ENVIRONMENT, CODE, DATA)


@dataclass(frozen=True)
class _Figures:
    """Metrics as they were read, `groups` (places of runs that differ in seeds only) and `step` those they are of."""

    metrics: Sequence[MetricRow] = ()
    groups: Sequence[Sequence[int]] = ()
    step: int | None = None


class Comparison:
    """`rows` are global rows, what the others are compared with is the first. `heard` is called on the loop after news.

    Metrics are those at `step`, None for the last ones; `by_seeds` says whether runs that differ in seeds only are
    taken together (None: where there is something to be taken together). What a tab shows is read when it is first
    asked for, and again after `forget`.
    """

    def __init__(
        self,
        face: Face,
        glyphs: Glyphs,
        rows: Sequence[int],
        heard: Callable[[], None],
        versions: ComparedVersions | None = None,
    ) -> None:
        """`versions` are those of a model that came from these runs, where these are compared."""
        self.face = face
        self.versions = versions
        self.tabs = (SIGNATURE, *_TABS) if versions is not None else _TABS
        self.rows = list(rows)
        self.strict = False
        self.heeds_rules = True
        self.step: int | None = None
        self.by_seeds: bool | None = None
        self.errors: dict[str, str] = {}
        self._glyphs = glyphs
        self._heard = heard
        self._keys = [face.desk.tower.catalogue.run_key(row) for row in rows]
        self._configs: list[Config] = []
        self._one_reads = asyncio.Lock()
        self._figures_read = _Figures()
        self._sheets: dict[str, SheetRows] = {}
        self._before: dict[str, SheetRows] = {}  # what was folded and searched for when it is read again
        self._readers: dict[str, Callable[[], Awaitable[Sheet]]] = {
            CONFIG: self._config,
            METRICS: self._figures,
            ENVIRONMENT: self._environment,
            CODE: self._code,
            DATA: self._data,
            SIGNATURE: self._signature,
        }
        self._reading: dict[str, asyncio.Task[None]] = {}

    @property
    def names(self) -> list[str]:
        """Of the runs, or the versions; two runs of one name with the beginnings of their ids."""
        if self.versions is not None:
            return self.versions.names
        return told_apart([self.face.name_of(row) for row in self.rows], self.run_ids)

    @property
    def run_ids(self) -> list[str]:
        return [key.run_id for key in self._keys]

    @property
    def found(self) -> ConfigDiff | None:
        """The difference of two configs."""
        shown = self._sheets.get(CONFIG)
        return shown.sheet.found if shown is not None and isinstance(shown.sheet, PairSheet) else None

    def shown(self, tab: str) -> SheetRows | None:
        """The lines of a tab; None while they are read, or where they can't be (`errors` says why)."""
        if tab not in self._sheets and tab not in self._reading and tab not in self.errors:
            self._again(tab)
        return self._sheets.get(tab)

    def is_reading(self, tab: str) -> bool:
        return tab in self._reading

    def close(self) -> None:
        self._stop()

    def _stop(self) -> None:
        for task in self._reading.values():
            task.cancel()
        self._reading.clear()

    # -- what changes it

    def forget(self) -> None:
        """All is read again."""
        self._stop()
        self._configs = []
        self.errors.clear()
        for tab in self._sheets:
            self._again(tab)

    def turn_round(self) -> None:
        """What the first one was compared with is the first one now."""
        self.rows.reverse()
        self._keys.reverse()
        self._configs.reverse()
        self.versions = self.versions.turned() if self.versions is not None else None
        self._stop()
        self._sheets.clear()
        self._figures_read = _Figures()

    def choose(self, strict: bool, heeds_rules: bool) -> None:
        """Compare the configs in another way."""
        self.strict, self.heeds_rules = strict, heeds_rules
        self._again(CONFIG)

    def choose_step(self, step: int | None) -> None:
        """Compare the metrics at a step, or with None the last ones."""
        self.step = step
        self._again(METRICS)

    @property
    def has_seeds(self) -> bool:
        """Whether there is something to be taken together, and something else to compare it with."""
        return 1 < len(self._figures_read.groups) < len(self.rows)

    @property
    def takes_seeds(self) -> bool:
        """Whether runs are taken together now."""
        return self.has_seeds if self.by_seeds is None else self.by_seeds and self.has_seeds

    def take_seeds(self, together: bool) -> None:
        """Each run by itself, or those together that differ in seeds only."""
        self.by_seeds = together
        self._show(METRICS, self._sheet_of_figures())

    def _again(self, tab: str) -> None:
        if (task := self._reading.pop(tab, None)) is not None:
            task.cancel()
        self._reading[tab] = asyncio.ensure_future(self._read(tab))

    # -- reading

    async def _read(self, tab: str) -> None:
        try:
            sheet = await self._readers[tab]()
        except TowerError as error:
            self.errors[tab] = str(error)
        else:
            self._show(tab, sheet)
        self._reading.pop(tab, None)
        self._heard()

    def _show(self, tab: str, sheet: Sheet) -> None:
        before = self._before.get(tab)
        shown = SheetRows(sheet, self._glyphs, before.only if before is not None else tab != METRICS)
        if before is not None:
            shown.folded, shown.needle = before.folded, before.needle
            shown.lay()
        self._sheets[tab] = self._before[tab] = shown

    async def _read_configs(self) -> list[Config]:
        """Those of the runs, read once for all tabs."""
        async with self._one_reads:
            if not self._configs:
                self._configs = await configs_of(self.face.desk.tower, self._there())
            return list(self._configs)

    async def _config(self) -> Sheet:
        configs = await self._read_configs()
        ignore = self.face.desk.settings.diff.ignore if self.heeds_rules else ()
        if len(configs) == 2:
            return await asyncio.to_thread(self._pair, configs[0], configs[1], ignore)
        varying = await asyncio.to_thread(self._varying, configs, ignore)
        return MatrixSheet(varying, [one.origin for one in configs], self.strict, self._glyphs)

    def _pair(self, a: Config, b: Config, ignore: Sequence[str]) -> Sheet:
        found = compared(a, b, ignore, self.face.desk.settings.redact, self.strict)
        _ = found.resolved  # OmegaConf takes its time: here, and not when a line is drawn
        return PairSheet(found, self._glyphs)

    def _varying(self, configs: Sequence[Config], ignore: Sequence[str]) -> Matrix:
        return varying_of(configs, ignore, self.face.desk.settings.redact, self.strict)

    async def _figures(self) -> Sheet:
        """The last values are there at once; the histories come behind them."""
        desk = self.face.desk
        configs = await self._read_configs()
        varying = await asyncio.to_thread(self._varying, configs, desk.settings.diff.ignore)
        groups, step = groups_of(varying, len(configs), self.strict), self.step
        asked = desk.tower, self._there(), desk.settings, groups
        if not self._figures_read.metrics and step is None:
            self._figures_read = _Figures(await metrics_of(*asked, histories=False), groups)
            self._show(METRICS, self._sheet_of_figures())
            self._heard()
        self._figures_read = _Figures(await metrics_of(*asked, step), groups, step)
        return self._sheet_of_figures()

    def _sheet_of_figures(self) -> Sheet:
        found = self._figures_read
        if self.takes_seeds:
            return GroupSheet(found.metrics, found.groups, self.names, self._glyphs)
        more = "some runs differ in seeds only" if self.has_seeds else ""
        return FigureSheet(found.metrics, self._glyphs, found.step, more)

    async def _environment(self) -> Sheet:
        found = await environments_of(self.face.desk.tower, self._there())
        return FactsSheet(found, self._glyphs, "None of these runs recorded what it ran in.")

    async def _code(self) -> Sheet:
        desk = self.face.desk
        found = await code_of(desk.tower, self._there())
        changes = await changes_between(desk.folder, found.commits)
        empty = "None of these runs recorded which code it was made with."
        return FactsSheet([found.facts], self._glyphs, empty, changes, found.commits)

    async def _data(self) -> Sheet:
        found = await data_of(self.face.desk.tower, self._there())
        return FactsSheet(found, self._glyphs, "None of these runs recorded an input or an artifact.")

    async def _signature(self) -> Sheet:
        assert self.versions is not None
        return await self.versions.sheet(self.face.desk.tower, self._glyphs)

    def _there(self) -> list[int]:
        """The runs' rows as they are now: a source that begins anew gives its runs other ones."""
        found = self.face.desk.tower.catalogue.rows_again(self._keys, self.rows)
        self.rows = [new if new >= 0 else old for new, old in zip(found, self.rows, strict=True)]
        return self.rows
