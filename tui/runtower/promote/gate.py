"""The gate: what becomes of each rule by the evidence, with the numbers. What can't be told isn't met."""

from __future__ import annotations

from collections.abc import Sequence

from runtower.domain.promotions import State, Verdict
from runtower.promote.comparing import judge_mean, judge_over
from runtower.promote.evidence import Evidence, Side, Wanted
from runtower.promote.rules import BeatsMean, CleanGit, Limit, MustBeat, RequiresTag, Rule, SameSignature, Unreadable


def verdicts(rules: Sequence[Rule], evidence: Evidence) -> tuple[Verdict, ...]:
    """What becomes of each rule, in their order."""
    return tuple(_judge(rule, evidence) for rule in rules)


def overall(found: Sequence[Verdict]) -> State:
    """Not met where one rule isn't, else can't be told where one can't, else met; so it is without any rule."""
    states = {one.state for one in found}
    return next((one for one in (State.NOT_MET, State.CANT_TELL) if one in states), State.MET)


def says(found: Sequence[Verdict]) -> str:
    """`3 of 4 rules met, 1 can't be told`, or that there are no rules."""
    if not found:
        return "no rules are declared"
    met = sum(one.state is State.MET for one in found)
    open_ = sum(one.state is State.CANT_TELL for one in found)
    text = f"{met} of {len(found)} {'rule' if len(found) == 1 else 'rules'} met"
    return f"{text}, {open_} can't be told" if open_ else text


def _judge(rule: Rule, evidence: Evidence) -> Verdict:
    match rule:
        case MustBeat():
            return judge_over(rule, evidence)
        case BeatsMean():
            return judge_mean(rule, evidence)
        case Limit():
            return _limit(rule, evidence.candidate)
        case SameSignature():
            return _signature(rule, evidence)
        case RequiresTag():
            return _tag(rule, evidence.candidate)
        case CleanGit():
            git = evidence.candidate.git
            state, words = (git.state, git.says) if git is not None else (State.CANT_TELL, "its code isn't known")
            return Verdict(str(rule), state, words, declared_by=rule.declared_by)
        case Unreadable(says=why):
            return Verdict(str(rule), State.CANT_TELL, why, declared_by=rule.declared_by)


def _limit(rule: Limit, side: Side) -> Verdict:
    measure = side.measures.get(Wanted(rule.metric))
    value = measure.value if measure is not None else None
    numbers = {"metric": rule.metric, "value": value, "limit": rule.limit}
    if value is None:
        words = side.trouble or (f"its run has no {rule.metric}" if measure is not None else "it was not read")
        return Verdict(str(rule), State.CANT_TELL, words, numbers=numbers, declared_by=rule.declared_by)
    holds = value <= rule.limit if rule.is_max else value >= rule.limit  # NaN is neither
    words = f"{value:.6g}, {'at most' if rule.is_max else 'at least'} {rule.limit:g} is asked for"
    state = State.MET if holds else State.NOT_MET
    return Verdict(str(rule), state, words, numbers=numbers, declared_by=rule.declared_by)


def _tag(rule: RequiresTag, side: Side) -> Verdict:
    value = side.tags.get(rule.key)
    holds = value is not None and rule.value in (None, value)
    words = f"it is '{value}'" if value else "it is set" if value == "" else f"{side.shown} has no such tag"
    numbers = {"key": rule.key, "value": value, "wanted": rule.value}
    state = State.MET if holds else State.NOT_MET
    return Verdict(str(rule), state, words, numbers=numbers, declared_by=rule.declared_by)


def _signature(rule: SameSignature, evidence: Evidence) -> Verdict:
    mine, holder = evidence.candidate, evidence.holder
    if holder is None:
        state, words = State.MET, f"nobody holds {evidence.destination}"
    elif mine.signature is None or holder.signature is None:
        unknown = [side.shown for side in (mine, holder) if side.signature is None]
        state, words = State.CANT_TELL, f"the signature of {' and '.join(unknown)} isn't known"
    elif differs := mine.signature.differs_in(holder.signature):
        state, words = State.NOT_MET, f"{' and '.join(differs)} differ from {holder.shown}"
    else:
        state, words = State.MET, f"the same as {holder.shown}"
    numbers = {"other_version": holder.version if holder is not None else None}
    return Verdict(str(rule), state, words, True, numbers, rule.declared_by)
