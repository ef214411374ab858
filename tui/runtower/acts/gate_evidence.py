"""What a gate judges by, read: the values of the versions' runs, the data they were evaluated on, their seeds, their
signatures, and the state of their code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from runtower.acts.run_artifacts import few_at_a_time
from runtower.acts.run_code import COMMIT, PATCH, code_of
from runtower.acts.seed_runs import seeds_of
from runtower.acts.tower import Tower
from runtower.acts.version_files import card_of_version
from runtower.acts.version_lineage import datasets_of
from runtower.domain.datasets import Dataset
from runtower.domain.errors import TowerError
from runtower.domain.models import ModelVersion
from runtower.domain.promotions import State
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.series import MetricSeries
from runtower.domain.values import is_missing
from runtower.link.wire import History
from runtower.promote.evidence import Git, Measure, Needs, Seeds, Side, Signature, Wanted, WantedSeeds
from runtower.promote.rules import BEST, LAST

_EVALUATION: Final = re.compile(r"eval|valid|\bval\b|test", re.IGNORECASE)
_NO: Final = ("false", "0", "no", "")


@dataclass(frozen=True, slots=True)
class Reading:
    """Where evidence is read: a source of a tower, and which way each metric is wanted (`min`, `max`, '').

    `shows`: signatures are read for somebody who looks, whether a rule asks for them or not.
    """

    tower: Tower
    number: int
    goals: Mapping[str, str]
    shows: bool = False


async def side_of(reading: Reading, version: ModelVersion, row: int | None, needs: Needs) -> Side:
    """What is known of a version whose run stands in a global row (None: it isn't known). Never raises."""
    signature = await _signature(reading, version) if needs.signature or reading.shows else None
    if row is None:
        why = "its run isn't there any more" if version.run_id else "it names no run"
        return Side(version.model, version.version, version.run_id, signature=signature, tags=version.tags, trouble=why)
    data = await evaluated_on(reading.tower, row)
    values = await few_at_a_time(lambda wanted: measure_of(reading, row, wanted, data), needs.values)
    seeds = {one: await _seeds(reading, row, one) for one in needs.seeds}
    return Side(
        version.model,
        version.version,
        version.run_id,
        dict(zip(needs.values, values, strict=True)),
        seeds,
        signature,
        version.tags,
        await _git(reading.tower, row) if needs.git else None,
    )


# -- values


async def measure_of(reading: Reading, row: int, wanted: Wanted, data: Sequence[str]) -> Measure:
    """One value of a run. A history that can't be read leaves it without one."""
    tower, metric, take = reading.tower, wanted.metric, wanted.take
    taken = take if take in (LAST, BEST) else f"at {take}"
    last = tower.catalogue.numbers(ColumnKey(Kind.METRIC, metric)).number(row)
    if last is None or is_missing(last):
        return Measure(metric, None, taken, tuple(data))
    if take == LAST:
        return Measure(metric, float(last), taken, tuple(data))
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    try:
        series = await link.ask(History(tower.catalogue.run_key(row).run_id, metric))
    except TowerError:
        return Measure(metric, None, taken, tuple(data))
    value = _best(series, reading.goals.get(metric, "")) if take == BEST else _at(series, int(take))
    return Measure(metric, value, taken, tuple(data))


def _best(series: MetricSeries, goal: str) -> float | None:
    values = series.values[np.isfinite(series.values)]
    if not len(values) or goal not in ("min", "max"):
        return None
    return float(values.min() if goal == "min" else values.max())


def _at(series: MetricSeries, step: int) -> float | None:
    """The last value that was logged at exactly this step."""
    places = np.flatnonzero(series.steps == step)
    return float(series.values[places[-1]]) if len(places) else None


async def evaluated_on(tower: Tower, row: int) -> tuple[str, ...]:
    """The datasets that a run was evaluated on, as `name@digest`; none where that isn't known.

    Those whose context speaks of evaluation, validation or a test; where no dataset has a context, all of them.
    """
    found, _ = await datasets_of(tower, row)
    return digests(found)


def digests(found: Iterable[Dataset]) -> tuple[str, ...]:
    """As `evaluated_on`."""
    known = list(found)
    used = [one for one in known if _EVALUATION.search(one.context)]
    if not used:
        used = known if not any(one.context for one in known) else []
    if not all(one.digest for one in used):
        return ()
    return tuple(sorted({f"{one.name}@{one.digest}" for one in used}))


async def _seeds(reading: Reading, row: int, wanted: WantedSeeds) -> Seeds:
    tower = reading.tower
    rows = seeds_of(tower, row, wanted.same_except)

    async def one(seed: int) -> Measure:
        data = await evaluated_on(tower, seed)
        return await measure_of(reading, seed, Wanted(wanted.metric, wanted.take), data)

    measures = await few_at_a_time(one, rows)
    return Seeds(wanted, tuple(tower.catalogue.run_key(seed).run_id for seed in rows), tuple(measures))


# -- files and code


async def _signature(reading: Reading, version: ModelVersion) -> Signature | None:
    found = await card_of_version(reading.tower, reading.number, version)
    return found.card.canonical if found.card is not None else None


async def _git(tower: Tower, row: int) -> Git:
    """MLflow records a commit and not whether more was changed: only a run that says so itself is clean or isn't."""
    facts = {fact.name: fact.values[0] for fact in (await code_of(tower, [row])).facts.rows}
    commit, dirty = facts.get(COMMIT), facts.get("dirty")
    if facts.get(PATCH):
        return Git(State.NOT_MET, "its run recorded a patch of what wasn't committed")
    if not commit:
        return Git(State.CANT_TELL, "its run names no commit")
    if dirty is None:
        return Git(
            State.CANT_TELL, f"commit {commit[:8]}, and its run doesn't say whether all was committed (git.dirty)"
        )
    if dirty.strip().lower() in _NO:
        return Git(State.MET, f"commit {commit[:8]}, and all was committed")
    return Git(State.NOT_MET, f"commit {commit[:8]}, and its run says that not all was committed")
