"""What a gate says of a version: met, not met or can't be told, each with its numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from runtower.domain.promotions import State, Verdict
from runtower.promote.comparing import pooled
from runtower.promote.evidence import Evidence, Git, Measure, Seeds, Side, Signature, Wanted, WantedSeeds
from runtower.promote.gate import overall, says, verdicts
from runtower.promote.rules import Unreadable, rules_of

DATA = ("valset@12ab",)
SIGNATURE = Signature('[{"type":"double"}]', '[{"type":"long"}]')


def side(version: str, acc: float | None, data: tuple[str, ...] = DATA, taken: str = "last", **more: object) -> Side:
    measures = {Wanted("acc"): Measure("acc", acc, taken, data)}
    return replace(Side("m", version, f"run{version}", measures), **more)  # type: ignore[arg-type]


def evidence(candidate: Side, holder: Side | None, **more: object) -> Evidence:
    known = Evidence("@champion", candidate, holder, goals={"acc": "max", "ms": "min"})
    return replace(known, **more)  # type: ignore[arg-type]


def judged(declared: Mapping[str, object], known: Evidence) -> Verdict:
    (verdict,) = verdicts(rules_of(declared, "gates.m.champion"), known)
    assert verdict.declared_by == "gates.m.champion"
    return verdict


@pytest.mark.parametrize(
    ("mine", "theirs", "by", "state"),
    [
        (0.902, 0.9, 0.002, State.MET),
        (0.3, 0.298, 0.002, State.MET),
        (0.9019, 0.9, 0.002, State.NOT_MET),
        (0.9, 0.9, 0, State.NOT_MET),
        (0.9000001, 0.9, 0, State.MET),
        (math.nan, 0.9, 0, State.NOT_MET),
        (math.inf, 0.9, 0, State.NOT_MET),
        (0.9, math.nan, 0, State.CANT_TELL),
        (None, 0.9, 0, State.CANT_TELL),
        (0.9, None, 0, State.CANT_TELL),
    ],
)
def test_must_beat(mine: float | None, theirs: float | None, by: float, state: State) -> None:
    verdict = judged({"must_beat": {"metric": "acc", "by": by}}, evidence(side("4", mine), side("3", theirs)))
    assert verdict.state is state
    assert verdict.comparative


def test_the_numbers_are_complete() -> None:
    verdict = judged({"must_beat": {"metric": "acc", "by": 0.002}}, evidence(side("4", 0.91), side("3", 0.9)))
    assert verdict.rule == "must_beat acc by 0.002"
    assert verdict.says == "0.91 over 0.9 of v3, better by 0.01"
    assert verdict.numbers == {
        "metric": "acc",
        "by": 0.002,
        "value": 0.91,
        "other": 0.9,
        "other_version": "3",
        "goal": "max",
        "taken": "last",
        "better_by": 0.01,
        "same_data": True,
    }


def test_what_should_be_small_is_better_when_it_is() -> None:
    measures = {Wanted("ms"): Measure("ms", 30.0, data=DATA)}
    known = evidence(
        Side("m", "4", measures=measures), Side("m", "3", measures={Wanted("ms"): Measure("ms", 40.0, data=DATA)})
    )
    assert judged({"must_beat": {"metric": "ms", "by": 10}}, known).state is State.MET


def test_a_gate_guesses_no_goal() -> None:
    known = evidence(side("4", 0.91), side("3", 0.9), goals={"acc": ""})
    verdict = judged({"must_beat": {"metric": "acc"}}, known)
    assert verdict.state is State.CANT_TELL
    assert "nobody said whether acc should be small or large" in verdict.says


@pytest.mark.parametrize(
    ("mine", "theirs", "why"),
    [
        (DATA, ("valset@99ff",), "evaluated on different data"),
        (DATA, (), "it isn't known what they were evaluated on"),
        ((), (), "it isn't known what they were evaluated on"),
    ],
)
def test_other_data_is_no_evidence_unless_declared_so(mine: tuple[str, ...], theirs: tuple[str, ...], why: str) -> None:
    known = evidence(side("4", 0.91, mine), side("3", 0.9, theirs))
    verdict = judged({"must_beat": {"metric": "acc"}}, known)
    assert verdict.state is State.CANT_TELL
    assert "not the same data" in verdict.says
    assert why in verdict.says
    assert judged({"must_beat": {"metric": "acc", "data": "any"}}, known).state is State.MET


def test_values_that_were_taken_differently_dont_compare() -> None:
    known = evidence(side("4", 0.91), side("3", 0.9, taken="best"))
    verdict = judged({"must_beat": {"metric": "acc", "data": "any"}}, known)
    assert verdict.state is State.CANT_TELL
    assert "one is taken best and the other last" in verdict.says


def test_over_another_alias() -> None:
    known = evidence(side("4", 0.91), side("3", 0.9), aliases={"shadow": side("2", 0.95), "free": None})
    assert judged({"must_beat": {"metric": "acc", "over": "shadow"}}, known).state is State.NOT_MET
    nobody = judged({"must_beat": {"metric": "acc", "over": "free"}}, known)
    assert (nobody.state, nobody.says) == (State.MET, "nobody holds @free")
    assert judged({"must_beat": {"metric": "acc", "over": "unread"}}, known).state is State.CANT_TELL


def test_where_nobody_is_there_is_nothing_to_beat() -> None:
    rules = rules_of({"must_beat": {"metric": "acc"}, "same_signature": True, "beats_mean": {"metric": "acc"}}, "g")
    found = verdicts(rules, evidence(side("4", 0.91), None))
    assert [(one.state, one.says) for one in found] == [(State.MET, "nobody holds @champion")] * 3


def test_a_run_that_is_gone_says_so() -> None:
    gone = Side("m", "4", "run4", trouble="the run of v4 was deleted")
    found = judged({"must_beat": {"metric": "acc"}}, evidence(gone, side("3", 0.9)))
    assert (found.state, found.says) == (State.CANT_TELL, "the run of v4 was deleted")
    assert judged({"max": {"acc": 1}}, evidence(gone, None)).says == "the run of v4 was deleted"


@pytest.mark.parametrize(
    ("declared", "value", "state"),
    [
        ({"max": {"acc": 40}}, 40.0, State.MET),
        ({"max": {"acc": 40}}, 40.1, State.NOT_MET),
        ({"min": {"acc": 40}}, 39.9, State.NOT_MET),
        ({"max": {"acc": 40}}, math.nan, State.NOT_MET),
        ({"max": {"acc": 40}}, None, State.CANT_TELL),
    ],
)
def test_limits(declared: Mapping[str, object], value: float | None, state: State) -> None:
    verdict = judged(declared, evidence(side("4", value), None))
    assert verdict.state is state
    assert (verdict.numbers["limit"], verdict.comparative) == (40, False)


def test_signatures() -> None:
    rule = {"same_signature": True}
    same = evidence(side("4", 1, signature=SIGNATURE), side("3", 1, signature=SIGNATURE))
    assert judged(rule, same).says == "the same as v3"
    other = evidence(side("4", 1, signature=Signature("[]", SIGNATURE.outputs)), side("3", 1, signature=SIGNATURE))
    assert (judged(rule, other).state, judged(rule, other).says) == (State.NOT_MET, "inputs differ from v3")
    none = evidence(side("4", 1, signature=Signature()), side("3", 1, signature=SIGNATURE))
    assert judged(rule, none).state is State.NOT_MET
    unknown = evidence(side("4", 1, signature=SIGNATURE), side("3", 1))
    assert (judged(rule, unknown).state, judged(rule, unknown).says) == (
        State.CANT_TELL,
        "the signature of v3 isn't known",
    )


def test_tags_and_git() -> None:
    tagged = evidence(side("4", 1, tags={"reviewed": "yes"}, git=Git(State.NOT_MET, "the tree had changes")), None)
    assert judged({"requires_tag": "reviewed"}, tagged).state is State.MET
    assert judged({"requires_tag": {"reviewed": "no"}}, tagged).says == "it is 'yes'"
    assert judged({"requires_tag": "approved"}, tagged).says == "v4 has no such tag"
    assert judged({"clean_git": True}, tagged).says == "the tree had changes"
    assert judged({"clean_git": True}, evidence(side("4", 1), None)).state is State.CANT_TELL


def seeds(version: str, *values: float | None, data: tuple[str, ...] = DATA) -> Side:
    wanted = WantedSeeds("acc", "last", ("seed",))
    measures = tuple(Measure("acc", value, data=data) for value in values)
    group = Seeds(wanted, tuple(f"run{n}" for n in range(len(values))), measures)
    return side(version, values[0], data, seeds={wanted: group})


MEAN = {"beats_mean": {"metric": "acc", "seeds": 3, "by_std": 1.0}}


def test_means_of_seeds_by_their_pooled_deviation() -> None:
    first, second = (0.90, 0.92, 0.94), (0.85, 0.86, 0.87)
    assert pooled(first, second) == pytest.approx(math.sqrt((2 * 0.02**2 + 2 * 0.01**2) / 4))
    verdict = judged(MEAN, evidence(seeds("4", *first), seeds("3", *second)))
    assert verdict.state is State.MET
    assert verdict.says == "mean 0.92 of 3 over 0.86 of 3 of v3, better by 0.06, +3.79 std"
    assert (verdict.numbers["has_seeds"], verdict.numbers["other_seeds"]) == (3, 3)
    assert judged(MEAN, evidence(seeds("4", *first), seeds("3", 0.91, 0.91, 0.915))).state is State.NOT_MET


def test_a_holder_without_seeds_counts_with_its_value() -> None:
    assert judged(MEAN, evidence(seeds("4", 0.90, 0.92, 0.94), side("3", 0.89))).state is State.MET
    assert judged(MEAN, evidence(seeds("4", 0.90, 0.92, 0.94), side("3", 0.91))).state is State.NOT_MET


def test_seeds_that_are_few_unknown_or_broken() -> None:
    few = judged(MEAN, evidence(seeds("4", 0.9, 0.92, None), side("3", 0.8)))
    assert (few.state, few.says) == (State.NOT_MET, "v4 has 2 of 3 seeds")
    unknown = judged(MEAN, evidence(side("4", 0.9), side("3", 0.8)))
    assert (unknown.state, unknown.says) == (State.CANT_TELL, "which runs are seeds of v4 isn't known")
    assert judged(MEAN, evidence(seeds("4", 0.9, 0.9, math.nan), side("3", 0.8))).state is State.NOT_MET
    other = judged(MEAN, evidence(seeds("4", 0.9, 0.9, 0.91), seeds("3", 0.8, 0.8, data=("else@1",))))
    assert other.state is State.CANT_TELL


def test_the_whole_gate() -> None:
    met, not_met = Verdict("a", State.MET, ""), Verdict("b", State.NOT_MET, "")
    (cant_tell,) = verdicts((Unreadable("no YAML", "tag"),), evidence(side("4", 1), None))
    assert overall(()) is State.MET
    assert overall((met, cant_tell, not_met)) is State.NOT_MET
    assert overall((met, cant_tell)) is State.CANT_TELL
    assert says(()) == "no rules are declared"
    assert says((met,)) == "1 of 1 rule met"
    assert says((met, met, not_met, cant_tell)) == "2 of 4 rules met, 1 can't be told"
