"""Rules as they are declared: what they are read as, and what is said of those that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtower.domain.errors import Invalid
from runtower.domain.promotions import destination_of
from runtower.folders import Folders
from runtower.promote.declared import check_tag, rules_for
from runtower.promote.evidence import Wanted, WantedSeeds, needs
from runtower.promote.protection import is_protected
from runtower.promote.rules import BeatsMean, CleanGit, Limit, MustBeat, RequiresTag, SameSignature, rules_of
from runtower.settings import PromoteSettings, Settings
from runtower.settings_files import load

CHAMPION = destination_of("champion")


def test_each_rule_is_read() -> None:
    declared = {
        "must_beat": [{"metric": "val_acc", "by": 0.002}, {"metric": "loss", "over": "@shadow", "take": 300}],
        "max": {"latency_ms": 40},
        "min": {"recall": "0.8"},
        "same_signature": True,
        "requires_tag": {"reviewed": None, "approved": True},
        "beats_mean": {"metric": "val_acc", "data": "any"},
        "clean_git": True,
    }
    assert rules_of(declared, "g") == (
        MustBeat("val_acc", 0.002, declared_by="g"),
        MustBeat("loss", over="shadow", take="300", declared_by="g"),
        Limit("latency_ms", 40, True, "g"),
        Limit("recall", 0.8, False, "g"),
        SameSignature("g"),
        RequiresTag("reviewed", None, "g"),
        RequiresTag("approved", "true", "g"),
        BeatsMean("val_acc", 3, 1.0, ("seed",), any_data=True, declared_by="g"),
        CleanGit("g"),
    )
    assert [str(one) for one in rules_of(declared, "g")][:4] == [
        "must_beat val_acc by 0.002",
        "must_beat loss over @shadow (at 300)",
        "max latency_ms 40",
        "min recall 0.8",
    ]


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"must_beet": {"metric": "a"}}, "g: there is no rule 'must_beet'. Did you mean must_beat?"),
        ({"must_beat": {"metrik": "a"}}, "g.must_beat: there is no key 'metrik'. Did you mean metric?"),
        ({"must_beat": {}}, "g.must_beat names no metric."),
        ({"must_beat": {"metric": "a", "by": -1}}, "g.must_beat.by has to be 0 or more, not -1."),
        ({"must_beat": {"metric": "a", "by": "much"}}, "g.must_beat.by has to be a number, not 'much'."),
        ({"must_beat": {"metric": "a", "take": "first"}}, "g.must_beat.take can't be 'first'."),
        ({"max": 40}, "g.max has to be a map of metrics to numbers."),
        ({"max": {"latency_ms": True}}, "g.max.latency_ms has to be a number, not 'True'."),
        ({"same_signature": "yes please"}, "g.same_signature has to be true or false"),
        ({"beats_mean": {"metric": "a", "seeds": 1}}, "g.beats_mean.seeds has to be 2 or more, not 1."),
        ({"requires_tag": []}, "g.requires_tag names no tag."),
        (["must_beat"], "g has to be a map of rules"),
    ],
)
def test_what_makes_no_sense_is_named(declared: object, says: str) -> None:
    with pytest.raises(Invalid) as raised:
        rules_of(declared, "g")
    assert str(raised.value).startswith(says)


def test_rules_of_the_settings_and_of_the_model_both_hold() -> None:
    gates = {
        "detector": {"champion": {"max": {"ms": 40}}, "stage:production": {"clean_git": True}},
        "*": {"*": {"requires_tag": "reviewed"}},
        "other": {"champion": {"same_signature": True}},
    }
    tags = {"runtower.gate": '{"champion": {"min": {"acc": 0.9}}, "shadow": {"clean_git": true}}'}
    found = rules_for("detector", CHAMPION, gates, tags)
    assert [(str(one), one.declared_by) for one in found] == [
        ("max ms 40", "gates.detector.champion"),
        ("requires_tag reviewed", "gates.*.*"),
        ("min acc 0.9", "tag runtower.gate.champion"),
    ]
    stage = rules_for("detector", destination_of("stage:Production"), gates, {})
    assert [str(one) for one in stage] == ["clean_git", "requires_tag reviewed"]
    assert rules_for("ranker", CHAMPION, {}, {}) == ()


def test_a_tag_may_be_yaml_and_stand_for_all_targets() -> None:
    (rule,) = rules_for("m", CHAMPION, {}, {"runtower.gate": "max:\n  ms: 4e1\n"})
    assert rule == Limit("ms", 40, True, "tag runtower.gate")


@pytest.mark.parametrize(
    "text", ["{", "just words", "must_beet: {metric: a}", "champion: {must_beet: {}}", "[1]", "a: *b"]
)
def test_a_tag_that_makes_no_sense_is_a_rule_that_holds(text: str) -> None:
    (rule,) = rules_for("m", CHAMPION, {}, {"runtower.gate": text})
    assert str(rule) == "unreadable rules"
    with pytest.raises(Invalid):
        check_tag(text)


def test_what_has_to_be_read_is_known_beforehand() -> None:
    rules = rules_of(
        {
            "must_beat": {"metric": "acc", "over": "shadow", "take": "best"},
            "max": {"ms": 1},
            "beats_mean": {"metric": "acc"},
            "same_signature": True,
        },
        "g",
    )
    found = needs(rules)
    assert found.values == (Wanted("acc", "best"), Wanted("ms"), Wanted("acc"))
    assert found.seeds == (WantedSeeds("acc", "last", ("seed",)),)
    assert (found.aliases, found.metrics) == (("shadow",), ("acc", "ms"))
    assert (found.compares, found.signature, found.git) == (True, True, False)


@pytest.mark.parametrize(
    ("target", "protected"),
    [
        ("champion", True),
        ("Prod", True),
        ("challenger", False),
        ("stage:Production", True),
        ("stage:Staging", False),
        ("model:detector-prod", True),
        ("model:prod.detector", True),
        ("model:live", True),
        ("model:detector", False),
        ("model:reproduction", False),
    ],
)
def test_what_is_protected_by_default(target: str, protected: bool) -> None:
    assert is_protected(destination_of(target), Settings()) is protected


def test_settings_protect_more_and_never_less(tmp_path: Path) -> None:
    own, project = tmp_path / "config", tmp_path / "project"
    for folder in (own, project, project / ".git"):
        folder.mkdir()
    (own / "settings.yaml").write_text("promote: {protected: [stage:staging]}\n")
    (project / "runtower.yaml").write_text("promote: {protected: [Shadow]}\n")
    folders = Folders(tmp_path / "cache", tmp_path / "state", own)
    settings = load(project, {"RUNTOWER_PROMOTE__PROTECTED": "model:ranker"}, folders, {}).settings
    assert settings.promote.protected == ["stage:staging", "Shadow", "model:ranker"]
    protected = ["stage:Staging", "shadow", "stage:Production", "model:ranker", "model:shadow", "champion"]
    assert all(is_protected(destination_of(one), settings) for one in protected)
    assert not is_protected(destination_of("staging"), settings)
    emptied = Settings(promote=PromoteSettings(protected=[]))
    assert is_protected(CHAMPION, emptied)


def test_gates_of_files_are_merged_and_checked(tmp_path: Path) -> None:
    own, project = tmp_path / "config", tmp_path / "project"
    for folder in (own, project, project / ".git"):
        folder.mkdir()
    (own / "settings.yaml").write_text("gates: {detector: {champion: {must_beat: {metric: acc, by: 0.1}}}}\n")
    file = project / "runtower.yaml"
    file.write_text("gates: {detector: {champion: {must_beat: {by: 0.002}, max: {latency.ms: 40}, clean_git: true}}}\n")
    folders = Folders(tmp_path / "cache", tmp_path / "state", own)
    settings = load(project, {}, folders, {}).settings
    assert [str(one) for one in rules_for("detector", CHAMPION, settings.gates, {})] == [
        "must_beat acc by 0.002",
        "max latency.ms 40",
        "clean_git",
    ]
    file.write_text("gates: {detector: {champion: {must_beet: {by: 0.002}}}}\n")
    with pytest.raises(
        Invalid, match=r"yaml and .*runtower\.yaml: gates\.detector\.champion: there is no rule 'must_beet'"
    ):
        load(project, {}, folders, {})
    file.write_text("gates: {detector: 5}\n")
    with pytest.raises(Invalid, match=r"gates\.detector has to be a map"):
        load(project, {}, folders, {})
