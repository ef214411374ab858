"""What a user is told of: happenings that a rule names, or of runs that are watched by hand. No Textual.

The same for the screen and for `runtower watch`. What comes together is told together.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from runtower.acts import export
from runtower.acts.alert_rules import Rules
from runtower.acts.choose import metrics_in_order
from runtower.acts.hooks import Hooks
from runtower.acts.lookout import Lookout
from runtower.acts.remember import KeptView, run_pair
from runtower.acts.rhythms import Rhythms
from runtower.acts.tower import News, Tower
from runtower.acts.where import make_ready
from runtower.domain import runs
from runtower.domain.happenings import Happening, What, summary
from runtower.domain.runs import ColumnKey, RunKey
from runtower.domain.silence import Silence
from runtower.domain.values import MISSING_BITS
from runtower.present.states import in_words
from runtower.starting import Starter

_LOOK_EVERY: Final = 20.0
_TOGETHER: Final = 0.5
_KEPT: Final = 500
_MAIN_METRICS: Final = 3
_LOOKED_AT: Final = 400
_Spot = tuple[int, str]  # the number of a source, an experiment's id
_BY_HAND: Final = frozenset(What) - {What.STARTED}


@dataclass(frozen=True)
class Told:
    """What is told at one time, as `text`; `bell`: a rule wants it to ring."""

    happenings: tuple[Happening, ...]
    bell: bool

    @property
    def text(self) -> str:
        return summary(self.happenings)

    @property
    def is_bad(self) -> bool:
        """Whether there is something in it that nobody wished for."""
        return any(one.what not in (What.FINISHED, What.STARTED) for one in self.happenings)


class Alarms:
    """Listens to a tower. On its loop `on_told` are called for what is told, `on_trouble` with sentences of what went
    wrong. Hooks are run in `folder`; `why_held` tells by rule why its hook isn't run, '' where it may be."""

    def __init__(
        self,
        tower: Tower,
        rules: Rules,
        logs: Path,
        folder: Path | None = None,
        why_held: Callable[[str], str] = lambda _: "",
    ) -> None:
        self.rules = rules
        self.watched: set[RunKey] = set()  # by hand, whatever the rules say
        self.happened: deque[Happening] = deque(maxlen=_KEPT)  # to runs that rules name or that are watched
        self.on_told: list[Callable[[Told], None]] = []
        self.on_trouble: list[Callable[[str], None]] = []
        self._tower = tower
        self.hooks = Hooks(logs, self._say, folder)
        self._why_held = why_held
        self._lookout = Lookout(tower)
        self._rhythms = Rhythms(tower)
        self._mains: dict[_Spot, tuple[int, tuple[ColumnKey, ...]]] = {}  # with the last of the runs it was chosen for
        self._waiting: list[tuple[Happening, bool]] = []
        self._due: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self._said: set[str] = set()
        self._going_before: list[RunKey] = []
        self._told_before: list[RunKey] = []
        tower.on_change(self._heard)

    def toggle(self, keys: Collection[RunKey]) -> bool:
        """Watch these runs by hand, or none of them where all are watched; whether they are now."""
        watching = not set(keys) <= self.watched
        self.watched = self.watched | set(keys) if watching else self.watched - set(keys)
        return watching

    # -- from one sitting to the next

    def bring_back(self, kept: KeptView) -> None:
        """Which runs are watched by hand, which went on, and whose end was told already."""
        self.watched = {RunKey(*pair) for pair in kept.watched}
        self._going_before = [RunKey(*pair) for pair in kept.going]
        self._told_before = [RunKey(*pair) for pair in kept.told]

    def put_away(self, kept: KeptView) -> None:
        """Note all of it in what is kept."""
        ended = self._lookout.ended - {one.run for one, _ in self._waiting}
        kept.watched = sorted(run_pair(key) for key in self.watched - ended)
        kept.going = sorted(run_pair(key) for key in self._waited_for())[:_KEPT]
        before = [run_pair(key) for key in self._told_before if key in ended]
        kept.told = [*before, *sorted({run_pair(key) for key in ended} - set(before))][-_KEPT:]

    def _waited_for(self) -> set[RunKey]:
        """The runs of which the end would be news; of very many those that would be told."""
        waited_for = self._lookout.waited_for
        if len(waited_for) <= _KEPT:
            return waited_for
        going = self._lookout.going
        named = zip(going.values(), self.rules.naming(list(going)), strict=True)
        return {key for key, names in named if names or key in self.watched}

    def remember(self, number: int) -> None:
        """The catalogue holds what was known of a source last time, if that was kept."""
        going, told = (
            [key for key in keys if self._is_of(key, number)] for keys in (self._going_before, self._told_before)
        )
        self._lookout.remember(number, going, told)

    def _is_of(self, key: RunKey, number: int) -> bool:
        return key.source == self._tower.catalogue.sources[number].name

    # -- time

    def start(self, every: float = _LOOK_EVERY) -> None:
        """Look every so many seconds for what nobody tells: silence."""
        self._looking = asyncio.ensure_future(self._look_on(every))

    def stop(self) -> None:
        """Tell nothing more; what waited to be told is told next time."""
        if self._looking is not None:
            self._looking.cancel()
        if self._due is not None:
            self._due.cancel()

    def tell_now(self) -> None:
        """What waits for more to come with it isn't kept waiting."""
        if self._due is not None:
            self._due.cancel()
            self._tell()

    async def _look_on(self, every: float) -> None:
        if self.rules.has_queries:
            await asyncio.to_thread(make_ready)
        while True:
            await asyncio.sleep(min(every, 1.0) if not any(found for _, found in self._mains.values()) else every)
            await self.look()

    async def look(self) -> None:
        """Which metrics tell of the running runs, and which of these runs are silent."""
        going = self._lookout.going
        if not going:
            return
        by_experiment = self._by_experiment(going)
        await self._choose_metrics(by_experiment)
        metrics = self._main_metrics(by_experiment)
        wanting = [row for row in self._wanting(list(metrics), What.SILENT) if row in going]
        self._rhythms.forget(going.keys())
        silent = await self._rhythms.silent({row: metrics[row] for row in wanting})
        self._consider([self._silence(row, going[row], doubt) for row, doubt in silent if row in going])

    def _by_experiment(self, going: Mapping[int, RunKey]) -> dict[_Spot, list[int]]:
        catalogue = self._tower.catalogue
        experiments = catalogue.texts(runs.EXPERIMENT_ID)
        rows: dict[_Spot, list[int]] = {}
        for row, key in going.items():
            rows.setdefault((catalogue.source(key.source), experiments.text(row) or ""), []).append(row)
        return rows

    async def _choose_metrics(self, by_experiment: Mapping[_Spot, Sequence[int]]) -> None:
        """The main metrics, anew where other runs go on than before or there was none to choose."""
        for spot, rows in by_experiment.items():
            known = self._mains.get(spot)
            if known is None or known[0] != rows[-1] or not known[1]:
                some = np.array(rows[-_LOOKED_AT:], np.int32)
                found = await asyncio.to_thread(metrics_in_order, self._tower.catalogue, some)
                self._mains[spot] = rows[-1], tuple(found[:_MAIN_METRICS])
        self._mains = {spot: self._mains[spot] for spot in by_experiment}
        every = frozenset(key for _, some in self._mains.values() for key in some) | self.rules.metrics
        self._consider(self._lookout.metrics_are(every))

    def _main_metrics(self, by_experiment: Mapping[_Spot, Sequence[int]]) -> dict[int, ColumnKey]:
        """By run the first of its experiment's main metrics that it has."""
        found: dict[int, ColumnKey] = {}
        for spot, rows in by_experiment.items():
            for key in reversed(self._mains[spot][1]):
                values = self._tower.catalogue.numbers_at(key, np.array(rows, np.int32))
                there = (values.view(np.int64) != MISSING_BITS).tolist()
                found.update({row: key for row, has in zip(rows, there, strict=True) if has})
        return found

    def _silence(self, row: int, key: RunKey, doubt: Silence) -> Happening:
        name = self._tower.catalogue.texts(runs.NAME).text(row) or key.run_id[:8]
        return Happening(key, name, What.SILENT, int(time.time() * 1000), f"is {in_words(doubt)}")

    # -- what is told

    def _heard(self, news: News) -> None:
        self._consider(self._lookout.heard(news))

    def _wanting(self, rows: Sequence[int], what: What) -> list[int]:
        """The rows of which it would be told."""
        keys = self._lookout.going
        named = self.rules.naming(rows)
        return [
            row
            for row, names in zip(rows, named, strict=True)
            if keys.get(row) in self.watched or self.rules.telling(names, what)
        ]

    def _consider(self, found: Sequence[Happening]) -> None:
        if not found:
            return
        rows = self._tower.catalogue.rows_of([one.run for one in found]).tolist()
        known = [(one, row) for one, row in zip(found, rows, strict=True) if row >= 0]
        for (one, row), names in zip(known, self.rules.naming([row for _, row in known]), strict=True):
            by_hand = one.run in self.watched
            telling = self.rules.telling(names, one.what)
            if names or by_hand:
                self.happened.append(one)
            if telling or (by_hand and one.what in _BY_HAND):
                bell = by_hand or any(self.rules.alerts[name].bell for name in telling)
                self._waiting.append((one, bell))
                self._run_hooks(one, row, telling)
        for wrong in self.rules.wrong.values():
            self._say(wrong)
        if self._waiting and self._due is None:
            self._due = asyncio.get_running_loop().call_later(_TOGETHER, self._tell)

    def _tell(self) -> None:
        """All that waits: what happened meanwhile, and what happens now."""
        self._due = None
        waiting, self._waiting = self._waiting, []
        for away in (True, False):
            some = [(one, bell) for one, bell in waiting if one.away is away]
            if some:
                told = Told(tuple(one for one, _ in some), any(bell for _, bell in some))
                for tell in self.on_told:
                    tell(told)

    def _run_hooks(self, one: Happening, row: int, names: Collection[str]) -> None:
        """Two rules with one hook run it once."""
        commands = {tuple(self.rules.alerts[name].hook): name for name in names if self.rules.alerts[name].hook}
        for command, name in commands.items():
            why = self._why_held(name)
            if why:
                self._say(why)
            else:
                self.hooks.run(command, self.record(one, row), self.rules.alerts[name].timeout)

    def record(self, one: Happening, row: int) -> export.Record:
        """The run as `runs --json` gives it, and what happened."""
        happening = {"what": str(one.what), "time": one.at_ms, "text": f"{one.name} {one.text}", "away": one.away}
        return next(export.records(self._tower.catalogue, [row])) | {"happening": happening}

    def _say(self, text: str) -> None:
        """Each sentence once."""
        if text not in self._said:
            self._said.add(text)
            for tell in self.on_trouble:
                tell(text)


def alarms_of(tower: Tower, user: str, starter: Starter) -> Alarms:
    """Those of a sitting, by the rules of the settings."""
    rules = Rules(starter.settings.alerts, tower.catalogue, user)
    return Alarms(tower, rules, starter.folders.logs, starter.project_file.parent, starter.held_hook)
