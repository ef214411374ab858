"""The rules that compare two versions: better than another one's value, and better than the mean of its seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean, stdev
from typing import Final

from runtower.domain.promotions import State, Verdict
from runtower.promote.evidence import Evidence, Measure, Seeds, Side, Wanted, WantedSeeds
from runtower.promote.rules import BeatsMean, MustBeat

_Numbers = dict[str, float | str | bool | None]
_NOT_SAME: Final = "not the same data"


class _Ends(Exception):
    """What a comparison came to before there was anything to compute."""

    def __init__(self, state: State, says: str) -> None:
        super().__init__(says)
        self.state = state
        self.says = says


def judge_over(rule: MustBeat, evidence: Evidence) -> Verdict:
    """`must_beat`. Distances are taken of the decimals as they are written, so that 0.902 beats 0.9 by 0.002."""
    numbers: _Numbers = {"metric": rule.metric, "by": rule.by, "value": None, "other": None}
    try:
        other = _other(rule, evidence, numbers)
        sign = _sign(rule, evidence, numbers)
        wanted = Wanted(rule.metric, rule.take)
        mine, theirs = (side.measures.get(wanted) for side in (evidence.candidate, other))
        value, than = _value(evidence.candidate, mine, rule.metric), _value(other, theirs, rule.metric)
        numbers |= {"value": value, "other": than, "taken": mine.taken if mine is not None else None}
        if not math.isfinite(value):
            raise _Ends(State.NOT_MET, f"{evidence.candidate.shown} ends at {value}")
        if not math.isfinite(than):
            raise _Ends(State.CANT_TELL, f"{other.shown} ends at {than}, which nothing can be compared with")
        distance = sign * (Decimal(repr(value)) - Decimal(repr(than)))
        numbers["better_by"] = float(distance)
        words = f"{value:.6g} over {than:.6g} of {other.shown}, {_better(float(distance))}"
        _same_data(rule.any_data, [one for one in (mine, theirs) if one is not None], numbers, words)
        holds = distance > 0 and distance >= Decimal(repr(rule.by))
        state = State.MET if holds else State.NOT_MET
    except _Ends as end:
        state, words = end.state, end.says
    return Verdict(str(rule), state, words, True, numbers, rule.declared_by)


def judge_mean(rule: BeatsMean, evidence: Evidence) -> Verdict:
    """`beats_mean`: the means' distance has to be `by_std` standard deviations or more, and above 0.

    The deviation is the pooled one of the two groups, s = sqrt(((n1-1) s1² + (n2-1) s2²) / (n1+n2-2)) with sample
    deviations s1 and s2, as in Cohen's d (J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed.,
    1988, section 2.5.1): distance / s is d. Where the other version has a single run, s is that of the candidate's.
    """
    numbers: _Numbers = {
        "metric": rule.metric,
        "by_std": rule.by_std,
        "seeds": rule.seeds,
        "value": None,
        "other": None,
    }
    try:
        other = _other(rule, evidence, numbers)
        sign = _sign(rule, evidence, numbers)
        mine, values = _group(rule, evidence.candidate)
        theirs, than = _group_or_one(rule, other)
        numbers |= {"has_seeds": len(values), "other_seeds": len(than)}
        if len(values) < rule.seeds:
            raise _Ends(State.NOT_MET, f"{evidence.candidate.shown} has {len(values)} of {rule.seeds} seeds")
        if not all(map(math.isfinite, values)):
            raise _Ends(State.NOT_MET, f"a seed of {evidence.candidate.shown} doesn't end at a finite value")
        if not all(map(math.isfinite, than)):
            raise _Ends(State.CANT_TELL, f"a seed of {other.shown} doesn't end at a finite value")
        mean, other_mean, deviation = fmean(values), fmean(than), pooled(values, than)
        distance = sign * (mean - other_mean)
        numbers |= {"value": mean, "other": other_mean, "std": deviation, "better_by": distance}
        stds = f", {distance / deviation:+.2f} std" if deviation else ""
        words = (
            f"mean {mean:.6g} of {len(values)} over {other_mean:.6g} of {len(than)} of {other.shown}, "
            f"{_better(distance)}{stds}"
        )
        _same_data(rule.any_data, [*mine, *theirs], numbers, words)
        state = State.MET if distance > 0 and distance >= rule.by_std * deviation else State.NOT_MET
    except _Ends as end:
        state, words = end.state, end.says
    return Verdict(str(rule), state, words, True, numbers, rule.declared_by)


def pooled(first: Sequence[float], second: Sequence[float]) -> float:
    """The pooled sample standard deviation of two groups, of which one has two values or more."""
    squares = sum((len(group) - 1) * stdev(group) ** 2 for group in (first, second) if len(group) > 1)
    return math.sqrt(squares / (len(first) + len(second) - 2))


# -- what is compared


def _other(rule: MustBeat | BeatsMean, evidence: Evidence, numbers: _Numbers) -> Side:
    """Who is compared with; where there is nobody, the rule is met."""
    where = f"@{rule.over}" if rule.over else evidence.destination
    if rule.over and rule.over not in evidence.aliases:
        raise _Ends(State.CANT_TELL, f"who holds {where} was not read")
    side = evidence.aliases[rule.over] if rule.over else evidence.holder
    numbers["other_version"] = side.version if side is not None else None
    if side is None:
        raise _Ends(State.MET, f"nobody holds {where}")
    return side


def _sign(rule: MustBeat | BeatsMean, evidence: Evidence, numbers: _Numbers) -> int:
    goal = evidence.goals.get(rule.metric, "")
    numbers["goal"] = goal
    if goal not in ("min", "max"):
        raise _Ends(State.CANT_TELL, f"nobody said whether {rule.metric} should be small or large (metrics: goal)")
    return 1 if goal == "max" else -1


def _value(side: Side, measure: Measure | None, metric: str) -> float:
    if measure is None:
        raise _Ends(State.CANT_TELL, side.trouble or f"{metric} of {side.shown} was not read")
    if measure.value is None:
        where = "" if measure.taken in ("last", "best") else f" {measure.taken}"
        raise _Ends(State.CANT_TELL, f"the run of {side.shown} has no {metric}{where}")
    return measure.value


def _group(rule: BeatsMean, side: Side) -> tuple[list[Measure], list[float]]:
    """The values of the runs that have one."""
    seeds = side.seeds.get(WantedSeeds(rule.metric, rule.take, rule.same_except))
    if seeds is None:
        raise _Ends(State.CANT_TELL, side.trouble or f"which runs are seeds of {side.shown} isn't known")
    return _with_values(seeds)


def _with_values(seeds: Seeds) -> tuple[list[Measure], list[float]]:
    there = [(one, one.value) for one in seeds.measures if one.value is not None]
    return [one for one, _ in there], [value for _, value in there]


def _group_or_one(rule: BeatsMean, side: Side) -> tuple[list[Measure], list[float]]:
    """The other version's seeds, or its own run's value where nothing is known of others."""
    seeds = side.seeds.get(WantedSeeds(rule.metric, rule.take, rule.same_except))
    if seeds is not None and (found := _with_values(seeds))[1]:
        return found
    measure = side.measures.get(Wanted(rule.metric, rule.take))
    value = _value(side, measure, rule.metric)
    return ([measure] if measure is not None else []), [value]


def _same_data(any_data: bool, measures: Sequence[Measure], numbers: _Numbers, words: str) -> None:
    """Values that were taken differently never compare; other data does only where that was declared."""
    taken = {one.taken for one in measures}
    if len(taken) > 1:
        raise _Ends(State.CANT_TELL, f"{words}, but one is taken {' and the other '.join(sorted(taken))}")
    data = {one.data for one in measures}
    unknown = () in data
    numbers["same_data"] = None if unknown else len(data) == 1
    if any_data or (len(data) == 1 and not unknown):
        return
    why = "it isn't known what they were evaluated on" if unknown else "they were evaluated on different data"
    raise _Ends(State.CANT_TELL, f"{words}, but {_NOT_SAME}: {why}")


def _better(distance: float) -> str:
    return f"better by {distance:.6g}" if distance > 0 else f"worse by {-distance:.6g}" if distance < 0 else "the same"
