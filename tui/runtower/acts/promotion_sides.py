"""Who is there now and who would come, beside each other: their metrics as they were taken, on which data, and in what
their configs, signatures and environments differ."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from runtower.acts import choose
from runtower.acts.config_diff import compared
from runtower.acts.gate_evidence import Reading, evaluated_on, measure_of
from runtower.acts.preparing import Prepared
from runtower.acts.run_artifacts import few_at_a_time
from runtower.acts.run_config import configs_of
from runtower.acts.run_environment import PACKAGES, environments_of
from runtower.acts.seed_groups import direction
from runtower.acts.sides import Facts
from runtower.acts.tower import Tower
from runtower.acts.version_rows import metrics_of
from runtower.domain.errors import TowerError
from runtower.domain.runs import ColumnKey, Kind
from runtower.promote.evidence import Measure, Wanted, needs
from runtower.promote.rules import LAST
from runtower.settings import Settings

_MOST: Final = 10
_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class Delta:
    """A metric of both. `delta` is None where it can't be told, `meaning` better, worse, same or ''.

    `same_data`: None where it isn't known what one of them was evaluated on. `guessed`: nobody said which way is
    better, and `meaning` goes by the metric's name.
    """

    now: Measure | None
    then: Measure
    delta: float | None
    meaning: str
    same_data: bool | None
    guessed: bool = False

    @property
    def is_evidence(self) -> bool:
        """Whether the values can be compared as they are: taken alike, on the same data."""
        return self.now is None or (self.same_data is True and self.now.taken == self.then.taken)


@dataclass(frozen=True)
class Sides:
    """Everything that is shown beside the gate. Words are '' where there is nobody to compare with."""

    deltas: tuple[Delta, ...]
    config: str = ""
    signature: str = ""
    environment: str = ""


async def sides_of(tower: Tower, settings: Settings, prepared: Prepared) -> Sides:
    """Read what differs. Never raises: what can't be read is said in its place."""
    deltas, (config, environment) = await asyncio.gather(
        deltas_of(tower, settings, prepared), _origins(tower, settings, prepared)
    )
    return Sides(deltas, config, _signature(prepared), environment)


async def deltas_of(tower: Tower, settings: Settings, prepared: Prepared) -> tuple[Delta, ...]:
    """The metrics that rules name as they take them, then the most telling ones of both."""
    row = prepared.rows.get(prepared.version.run_id)
    if row is None:
        return ()
    holder = prepared.rows.get(prepared.holder.run_id) if prepared.holder is not None else None
    there = [one for one in (row, holder) if one is not None]
    named = needs(prepared.rules)
    wanted = [*named.values, *(Wanted(one.metric, one.take) for one in named.seeds)]
    known = {one.metric for one in wanted}
    wanted += [Wanted(key.key, LAST) for key in metrics_of(tower, there) if key.key not in known]
    goals = {one.metric: choose.goal_of(ColumnKey(Kind.METRIC, one.metric), settings.metrics) for one in wanted}
    reading = Reading(tower, prepared.asked.number, goals)
    data = [await evaluated_on(tower, one) if one is not None else () for one in (row, holder)]

    async def one(each: Wanted) -> Delta:
        then = await measure_of(reading, row, each, data[0])
        now = await measure_of(reading, holder, each, data[1]) if holder is not None else None
        known = settings.metrics.get(each.metric)
        return replace(delta_of(now, then, goals[each.metric]), guessed=known is None or not known.goal)

    return tuple(await few_at_a_time(one, dict.fromkeys(wanted[:_MOST])))


def delta_of(now: Measure | None, then: Measure, goal: str) -> Delta:
    """What lies between two values."""
    if now is None:
        return Delta(None, then, None, "", None)
    same = now.data == then.data if now.data and then.data else None
    if now.value is None or then.value is None or not (math.isfinite(now.value) and math.isfinite(then.value)):
        return Delta(now, then, None, "", same)
    delta = then.value - now.value
    return Delta(now, then, delta, direction(delta, goal), same)


def _signature(prepared: Prepared) -> str:
    found = prepared.evidence
    if found is None or found.holder is None:
        return ""
    mine, theirs = found.candidate.signature, found.holder.signature
    if mine is None or theirs is None:
        return "not known"
    differs = mine.differs_in(theirs)
    return f"{' and '.join(differs)} differ" if differs else "same"


async def _origins(tower: Tower, settings: Settings, prepared: Prepared) -> tuple[str, str]:
    """Config and environment in a few words."""
    if prepared.holder is None:
        return "", ""
    rows = [prepared.rows.get(one.run_id) for one in (prepared.holder, prepared.version)]
    there = [row for row in rows if row is not None]
    if len(there) < len(rows):
        return "not known", "not known"
    if there[0] == there[1]:
        return "the same run", "the same run"
    environments = await environments_of(tower, there)
    return await _config(tower, settings, there), _environment(environments)


async def _config(tower: Tower, settings: Settings, rows: Sequence[int]) -> str:
    try:
        first, second = await configs_of(tower, rows)
    except TowerError as error:
        return error.tried.rstrip(".")
    found = await asyncio.to_thread(compared, first, second, settings.diff.ignore, settings.redact, False)
    count = len(found.rows)
    return f"{count} differ{'s' * (count == 1)}" if found.is_different else "same"


def _environment(found: Sequence[Facts]) -> str:
    """`torch 2.6 → 2.7`, the first few."""
    if not any(facts.rows for facts in found):
        return "not recorded"
    differing = [fact for facts in sorted(found, key=lambda one: one.title != PACKAGES) for fact in facts.differing]
    said = [f"{one.name} {one.values[0] or 'none'} to {one.values[1] or 'none'}" for one in differing[:_FEW]]
    more = len(differing) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "") if said else "same"
