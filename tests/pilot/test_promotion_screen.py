"""`P`, `B`, `e`, `X` on models: the evidence is shown, the question asked, what was written is read back."""

from __future__ import annotations

import json
import sys
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from support.labregistry import DETECTOR, RANKER, Registry
from support.towerapp import Tower, settings_for, tower

from runtower.acts.edit_process import boot
from runtower.domain.promotions import Promotion, destination_of
from runtower.domain.ulids import new_id
from runtower.folders import Folders
from runtower.link import commandlog
from runtower.link.commandlog import ModelIntent
from runtower.settings import MetricSettings, PromoteSettings, Settings

SIZE = (120, 40)
WRITTEN = 40  # seconds: the process that writes imports MLflow first
MINUTES_AGO = time.time_ns() // 1_000_000 - 600_000
GATE = {
    "must_beat": {"metric": "val_acc", "by": 0.002},
    "max": {"latency_ms": 40},
    "same_signature": True,
    "requires_tag": ["reviewed"],
    "beats_mean": {"metric": "val_acc", "seeds": 3, "by_std": 1.0, "same_except": ["seed"]},
}
GOALS = {"val_acc": MetricSettings("max"), "latency_ms": MetricSettings("min")}


@pytest.fixture
def settings(registry: Registry) -> Settings:
    return settings_for(registry.store, metrics=GOALS, gates={DETECTOR: {"champion": GATE}})


def opened(settings: Settings, folder: Path) -> AbstractAsyncContextManager[Tower]:
    return tower(settings, folder, SIZE)


async def to_version(t: Tower, version: str) -> None:
    await t.settles()
    await t.press("2")
    await t.sees("5 models")
    await t.stands_on(DETECTOR)
    await t.press("enter")
    await t.sees("6 versions")
    await t.stands_on(version)


async def to_promotion(t: Tower, version: str, to: str) -> None:
    await to_version(t, version)
    await t.press("P")
    await t.sees(f"promote detector {version} to")
    await t.type(to)
    await t.press("enter")
    await t.sees("by hand: runtower")
    await t.rests()


def records(registry: Registry, version: str) -> list[dict[str, object]]:
    tags = registry.client.get_model_version(DETECTOR, version).tags
    return [json.loads(text) for key, text in sorted(tags.items()) if key.startswith("runtower.promotion.")]


def holder(registry: Registry, alias: str) -> str:
    return str(registry.client.get_registered_model(DETECTOR).aliases.get(alias, ""))


async def test_a_promotion_shows_its_evidence_is_recorded_and_taken_back(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v3", "champion")
        await t.sees("now v2", "then v3", "0.9210 last, street-val@9c8b7a65", "+0.0102 better", "+3.7 worse")
        await t.sees("5 of 5 rules met", "✓ beats_mean", "signature   same", "torch 2.5.1 to 2.6.0")
        await t.sees("detector has to be typed", "--if-holder 2")
        await t.press("P")
        await t.sees("type detector to choose")
        await t.type("detector")
        await t.press("enter", "y")
        await t.sees("models › detector", within=WRITTEN)
        await t.hears("detector: @champion is v3 now; before it was v2, as read back.", within=WRITTEN)
        await t.until(lambda: "@champion" in next(line for line in t.lines if line[4:].startswith("v3")))
        await t.press("right_square_bracket")
        await t.sees("[history]", "v2 → v3", "5 of 5 met", "promoted")
        assert holder(registry, "champion") == "3"
        (record,) = records(registry, "3")
        assert record["from"] == ["2"]
        assert [line["state"] for line in record["gate"]] == ["met"] * 5  # type: ignore[attr-defined]
        (entry,) = commandlog.read_models(Folders.of().commands)
        assert entry.outcome == "done"
        assert entry.intent.command.startswith("runtower promote detector 3 --to champion --if-holder 2")
        assert not [key for key in registry.client.get_registered_model(DETECTOR).tags if "intent" in key]

        await t.press("B")
        await t.sees("bring back detector v2 to @champion", "by hand: runtower rollback detector --to champion")
        await t.rests()
        await t.sees("✗ must_beat", "no obstacle")
        await t.press("B")
        await t.sees("why is detector v2 brought back?")
        await t.type("v3 is too slow")
        await t.press("enter")
        await t.sees("reason: v3 is too slow", "type detector to choose")
        await t.type("detector")
        await t.press("enter", "y")
        await t.hears("@champion is v2 now; before it was v3", within=WRITTEN)
        await t.sees("brought back: v3 is too slow", "v3 → v2", "v2 → v3")
    assert holder(registry, "champion") == "2"
    assert [(one["way"], one.get("reason", "")) for one in records(registry, "2")] == [("rollback", "v3 is too slow")]


async def test_nothing_is_written_where_the_word_isnt_typed(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v3", "champion")
        await t.press("P")
        await t.sees("type detector to choose")
        await t.type("detectr")
        await t.press("enter", "y")
        await t.sees("that isn't detector")
        await t.press("escape")
        await t.hears("all is left as it was")
    assert holder(registry, "champion") == "2"
    assert records(registry, "3") == []


async def test_an_unmet_gate_wants_a_reason_that_is_kept(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v4", "champion")
        await t.sees("✗ max latency_ms 40", "✗ same_signature", "inputs differ")
        await t.press("P")
        await t.sees("why is the gate overridden?")
        await t.type("it sees masks")
        await t.press("enter")
        await t.sees("overridden: it sees masks", "type detector to choose")
        await t.type("detector")
        await t.press("enter", "y")
        await t.hears("@champion is v4 now", within=WRITTEN)
    (record,) = records(registry, "4")
    assert record["override"] == "it sees masks"


async def test_other_data_is_no_evidence(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v1", "champion")
        await t.sees("not the same data", "? must_beat val_acc by 0.002")


async def test_who_moved_it_meanwhile_is_told_and_nothing_is_written(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v3", "champion")
        registry.client.set_registered_model_alias(DETECTOR, "champion", "1")
        await t.press("P")
        await t.sees("type detector to choose")
        await t.type("detector")
        await t.press("enter", "y")
        await t.sees("v1", "now v1", within=WRITTEN)
    assert holder(registry, "champion") == "1"
    assert records(registry, "3") == []


async def test_a_version_goes_to_a_stage_and_into_another_model(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v3", "stage prod")
        await t.sees("no rules are declared", "v2 goes to Archived (a changes that)")
        await t.press("P")
        await t.sees("type detector to choose")
        await t.type("detector")
        await t.press("enter", "y")
        await t.hears("stage Production is v3 now", within=WRITTEN)
        versions = registry.client.search_model_versions("name='detector'")
        stages = {str(one.version): one.current_stage for one in versions}
        assert (stages["2"], stages["3"]) == ("Archived", "Production")

        await t.sees("models › detector")
        await t.press("P")
        await t.sees("a copy into another model ...")
        await t.type("a copy into")
        await t.press("enter")
        await t.sees("into which model?")
        await t.type("detector-staged")
        await t.press("enter")
        await t.sees("There is no model detector-staged yet")
        await t.rests()
        await t.press("P")
        await t.sees("copy it")
        await t.press("y")
        await t.hears("detector v3 is detector-staged v1 now.", within=WRITTEN)
    copy = registry.client.get_model_version("detector-staged", "1")
    assert copy.run_id == registry.run_id("vit-low-s1")


async def test_a_version_is_described_tagged_loses_its_alias_and_is_deleted(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await to_version(t, "v4")
        await t.press("e")
        await t.sees("change detector v4")
        await t.type("add a tag")
        await t.press("enter")
        await t.sees("KEY=VALUE")
        await t.type("reviewed=bo")
        await t.press("enter")
        await t.sees("set the tag reviewed of detector v4?")
        await t.press("y")
        await t.hears("detector v4: reviewed is 'bo' now.", within=WRITTEN)
        await t.press("e")
        await t.sees("description")
        await t.press("enter")
        await t.sees("enter next")
        await t.type("Sees masks.")
        await t.press("enter")
        await t.sees("Sees masks.")
        await t.press("y")
        await t.hears("has the new description", within=WRITTEN)
        version = registry.client.get_model_version(DETECTOR, "4")
        assert version.tags["reviewed"] == "bo"
        assert version.description == "Sees masks."

        await t.stands_on("v1")
        await t.press("X")
        await t.sees("the alias @baseline", "it still has @baseline")
        await t.press("enter")
        await t.sees("take @baseline away from detector v1?")
        await t.press("y")
        await t.hears("nobody has @baseline now", within=WRITTEN)
        await t.sees_no("@baseline")
        await t.press("X")
        await t.sees("delete v1 for good")
        await t.press("enter")
        await t.sees("type detector to choose")
        await t.type("detector")
        await t.press("enter", "y")
        await t.hears("detector v1 is deleted.", within=WRITTEN)
        await t.sees("5 versions")
    assert {str(one.version) for one in registry.client.search_model_versions("name='detector'")} == set("23456")


async def test_a_runs_model_becomes_a_version_that_keeps_its_id(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    async with opened(settings, tmp_path) as t:
        await t.settles()
        await t.goes_to("vit-low-s1")
        await t.press("P")
        await t.sees("register vit-low-s1 as a version of")
        await t.type("ranker")
        await t.press("enter")
        await t.sees("it keeps the run's id")
        await t.press("y")
        await t.sees("models › ranker", "2 versions", within=WRITTEN)
        await t.hears("it keeps the run's id", within=WRITTEN)
    version = registry.client.get_model_version(RANKER, "2")
    assert version.run_id == registry.run_id("vit-low-s1")
    assert version.status == "READY"


async def test_read_only_offers_no_change(registry: Registry, tmp_path: Path, user: str) -> None:
    settings = settings_for(registry.store)
    settings.sources["lab"].read_only = True
    async with opened(settings, tmp_path) as t:
        await to_version(t, "v3")
        for key in ("P", "e", "X"):
            await t.press(key)
            await t.hears("lab is read-only")
        assert "P promote" not in t.screen


async def test_the_hook_gets_the_record(registry: Registry, tmp_path: Path, user: str) -> None:
    out = tmp_path / "hook.json"
    script = f"import pathlib, sys; pathlib.Path({str(out)!r}).write_text(sys.stdin.read())"
    settings = settings_for(
        registry.store, metrics=GOALS, promote=PromoteSettings(on_promote=[sys.executable, "-c", script])
    )
    async with opened(settings, tmp_path) as t:
        await to_promotion(t, "v3", "baseline")
        await t.press("P")
        await t.sees("promote it")
        await t.press("y")
        await t.hears("@baseline is v3 now", within=WRITTEN)
        await t.until(lambda: out.exists() and out.read_text())
    told = json.loads(out.read_text())
    assert (told["model"], told["version"], told["to"], told["from"]) == (DETECTOR, "3", "baseline", ["1"])


async def test_what_an_earlier_sitting_left_open_is_read_back(
    settings: Settings, registry: Registry, tmp_path: Path, user: str
) -> None:
    """Its process was killed before it wrote anything."""
    promotion = Promotion(new_id(), MINUTES_AGO, "ana@gpu", DETECTOR, "3", destination_of("champion"), ("2",))
    intent = ModelIntent(
        id=new_id(),
        time=promotion.at,
        who="ana@gpu",
        source="lab",
        address=registry.uri.replace("sqlite:///", "sqlite:////", 1).replace("/////", "////"),
        source_key="",
        what="promote detector v3 to @champion",
        command="",
        deadline=1.0,
        pid=2**22 + 1,  # no process has such a number
        boot=boot(),
        promotion=promotion,
    )
    commandlog.append(Folders.of().commands, intent)
    async with opened(settings, tmp_path) as t:
        await t.settles()
        await t.hears("'promote detector v3 to @champion', did not take effect", within=WRITTEN)
    (entry,) = commandlog.read_models(Folders.of().commands)
    assert entry.outcome == "refused"
    assert holder(registry, "champion") == "2"
