"""`runtower watch`: a line for each thing that happens to a run, and a hook."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from runtower.acts.alarms import Alarms, Told
from runtower.acts.alert_rules import Rules
from runtower.acts.tower import Tower
from runtower.acts.where import make_ready
from runtower.catalog.segment import Ints
from runtower.commands.choosing import where_of
from runtower.commands.opening import Asked, complete, context, having_targets, listening
from runtower.domain import runs
from runtower.domain.errors import Invalid, from_name
from runtower.domain.happenings import What
from runtower.domain.runs import RunKey, Status
from runtower.present.spans import inert
from runtower.present.times import iso
from runtower.settings import AlertSettings

_FOCUSED: Final = 200
_RULE: Final = "watch"


@dataclass(frozen=True)
class Wish:
    """What is watched, and what is done of it; `timeout` of the hook is seconds."""

    where: str
    mine: bool
    on: Sequence[str]
    hook: Sequence[str]
    timeout: float
    as_json: bool
    until_done: bool


def watch(asked: Asked, wish: Wish) -> int:
    """Watch until it is interrupted, or with `until_done` until no run that is meant goes on; gives the exit code: 1
    where one of them failed. Raises TowerError."""
    return asyncio.run(_watch(asked, wish))


async def _watch(asked: Asked, wish: Wish) -> int:
    work = having_targets(context(asked))
    if wish.where:
        await asyncio.to_thread(make_ready)
    rule = AlertSettings(wish.where, wish.mine, list(wish.on), hook=list(wish.hook), timeout=wish.timeout)
    async with listening(work, work.settings.interval) as tower:
        rules = Rules({_RULE: rule}, tower.catalogue, getpass.getuser())
        alarms = Alarms(tower, rules, work.folders.logs)
        told, news = list[Told](), asyncio.Event()
        alarms.on_told += [told.append, lambda _: news.set()]
        alarms.on_trouble.append(_complain)
        tower.on_change(lambda _: news.set())

        def tell() -> None:
            while told:
                _print(alarms, tower, told.pop(0), wish.as_json)

        await complete(tower, work.targets, asked.patience)
        if wish.where:
            where_of(tower.catalogue, wish.where)  # one that makes no sense is said before anything is waited for
        watched = Watched(tower, rules)
        alarms.start()
        try:
            _complain(f"watching; {_counted(len(watched.look()))} now")
            await _wait(tower, watched, wish.until_done, [target.name for target in work.targets], news, tell)
        finally:
            alarms.stop()
            alarms.tell_now()
            tell()
        await alarms.hooks.settled()
        return 1 if wish.until_done and watched.failed else 0


class Watched:
    """The runs that are meant and were seen to run. A run that ended before doesn't count."""

    def __init__(self, tower: Tower, rules: Rules) -> None:
        self._tower = tower
        self._rules = rules
        self._seen: set[RunKey] = set()

    def look(self) -> Ints:
        """The global rows of those that run now; the source is told, so that it looks at them first."""
        catalogue = self._tower.catalogue
        running = self._in_state(Status.RUNNING)
        rows = running[[_RULE in names for names in self._rules.naming(running.tolist())]] if len(running) else running
        self._seen.update(catalogue.run_key(row) for row in rows.tolist())
        self._tower.focus(rows[-_FOCUSED:].tolist())
        return rows

    @property
    def failed(self) -> bool:
        """Whether one of them has failed."""
        rows = self._in_state(Status.FAILED).tolist()
        return any(self._tower.catalogue.run_key(row) in self._seen for row in rows)

    def _in_state(self, status: Status) -> Ints:
        catalogue = self._tower.catalogue
        column = catalogue.texts(runs.STATUS)
        hits = np.array([*(word == status for word in column.words.to_pylist()), False])[column.codes]
        lifecycle = catalogue.texts(runs.LIFECYCLE)
        hits &= ~np.array([*(word == "deleted" for word in lifecycle.words.to_pylist()), False])[lifecycle.codes]
        return np.flatnonzero(hits & catalogue.alive()).astype(np.int32)


async def _wait(
    tower: Tower,
    watched: Watched,
    until_done: bool,
    names: Sequence[str],
    news: asyncio.Event,
    tell: Callable[[], None],
) -> None:
    """For ever, or until no run goes on; what is wrong with a source meanwhile is said once."""
    said = dict[int, str]()
    while True:
        tell()
        rows = watched.look()
        if until_done and not len(rows) and all(tower.has_listed(number) for number in range(len(names))):
            return
        troubles = {number: health.error for number, health in tower.troubles() if health.error is not None}
        for number, error in troubles.items():
            if said.get(number) != error.name:
                _complain(f"{names[number]}: {from_name(error.name, error.tried, error.remedy)}")
        said = {number: error.name for number, error in troubles.items()}
        await news.wait()
        news.clear()


def _counted(count: int) -> str:
    return f"{count} run{'s are' if count != 1 else ' is'} running"


def _print(alarms: Alarms, tower: Tower, told: Told, as_json: bool) -> None:
    rows = tower.catalogue.rows_of([one.run for one in told.happenings]).tolist()
    for one, row in zip(told.happenings, rows, strict=True):
        if as_json and row >= 0:
            sys.stdout.write(msgspec.json.encode(alarms.record(one, row)).decode() + "\n")
        elif not as_json:
            source = f"{inert(one.source)}  " if len(tower.links) > 1 else ""
            sys.stdout.write(f"{iso(one.at_ms)}  {source}{inert(one.name)} {inert(one.text)}\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"runtower: {inert(text)}\n")
    sys.stderr.flush()


def kinds_of(text: str) -> list[str]:
    """`failed,nan` as kinds. Raises Invalid."""
    kinds = [word.strip() for word in text.split(",") if word.strip()]
    odd = [word for word in kinds if word not in list(What)]
    if odd or not kinds:
        raise Invalid(f"--on can't hold '{odd[0] if odd else text}'.", f"Choose of {', '.join(What)}.")
    return kinds
