"""`2`: the registered models, their versions, and one version in full."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from support.labregistry import DETECTOR, Registry
from support.towerapp import Tower, settings_for, tower

from runtower.settings import MetricSettings, Settings

SIZE = (120, 36)


@pytest.fixture
def settings(registry: Registry) -> Settings:
    return settings_for(registry.store, metrics={"val_acc": MetricSettings("max"), "latency_ms": MetricSettings("min")})


def opened(settings: Settings, folder: Path, size: tuple[int, int] = SIZE) -> AbstractAsyncContextManager[Tower]:
    return tower(settings, folder, size)


async def to_models(t: Tower) -> None:
    await t.settles()
    await t.press("2")
    await t.sees("[2 models]", "5 models", "detector")


async def to_detector(t: Tower) -> None:
    await to_models(t)
    await t.stands_on(DETECTOR)
    await t.press("enter")
    await t.sees("models › detector", "6 versions")


def row(t: Tower, name: str) -> str:
    return next((line for line in t.lines if line[4:].startswith(name)), "")


async def test_models_stand_with_their_aliases_and_stages(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path) as t:
        await to_models(t)
        assert "@champion v2" in row(t, "detector")
        assert "Production v2" in row(t, "detector")
        assert "none" in row(t, "never-versioned")
        await t.stands_on("detector")
        await t.sees("Finds what is on a street.", "models:/detector@champion", "owner=ana")
        await t.press("1")
        await t.sees("[1 runs]", "vit-low-s1")


async def test_models_are_filtered_sorted_and_marked(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path) as t:
        await to_models(t)
        await t.press("slash")
        await t.type("owner=bo")
        await t.sees("1 of 5 models")
        assert "detector" not in "\n".join(t.lines[1:8])
        await t.press("escape")
        await t.sees("5 models", "detector")
        await t.press("s")
        await t.until(lambda: "detector" in t.lines[2] and "model▴" in t.lines[1])
        await t.press("s")
        await t.until(lambda: "model▾" in t.lines[1] and "detector" in t.lines[6])
        await t.press("g", "g", "space", "space")
        await t.sees("2 marked")


async def test_what_another_client_changes_is_seen_by_itself(
    settings: Settings, registry: Registry, tmp_path: Path, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtower.acts.registries.EVERY", 0.2)
    async with opened(settings, tmp_path) as t:
        await to_models(t)
        registry.client.set_registered_model_alias(DETECTOR, "champion", "3")
        await t.until(lambda: "@champion v3" in row(t, "detector"))
        await t.stands_on(DETECTOR)
        await t.press("enter")
        await t.until(lambda: "@challenger @champion" in row(t, "v3") or "@champion" in row(t, "v3"))
        registry.client.set_model_version_tag(DETECTOR, "3", "reviewed", "nobody")
        await t.stands_on("v3")
        await t.sees("reviewed=nobody")


async def test_versions_stand_with_run_metrics_and_state(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path, (140, 36)) as t:
        await to_detector(t)
        await t.until(lambda: "0.9312" in row(t, "v3"))
        assert "@challenger" in row(t, "v3")
        assert "vit-low-s1" in row(t, "v3")
        assert "pending" in row(t, "v5")
        assert "failed" in row(t, "v6")
        await t.stands_on("v6")
        await t.sees("no space left on device")
        await t.stands_on("v3")
        await t.sees("commit aaaaaaaa", "models:/detector@challenger", "quantized=no")


async def test_a_version_shows_what_it_is_and_came_from(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path, (120, 50)) as t:
        await to_detector(t)
        await t.stands_on("v3")
        await t.press("enter")
        await t.sees("detector › v3", "signature", "image: string", "scale: double", "python_function")
        await t.sees("MLmodel", "requirements.txt", "street-val (eval)", "9c8b7a65", "a LoggedModel of MLflow 3")
        await t.press("enter")
        await t.sees("runs › vit-low-s1")
        await t.press("escape")
        await t.sees("detector › v3")
        await t.press("1")
        await t.sees("[1 runs]")


async def test_two_versions_are_compared_with_their_signatures(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path) as t:
        await to_detector(t)
        await t.stands_on("v4")
        await t.press("space")
        await t.stands_on("v2")
        await t.press("space", "c")
        await t.sees("compare › v2 → v4", "[metrics]", "val_acc")
        await t.press("comma", "comma")
        await t.sees("[signature]", "mask")
        await t.press("escape")
        await t.sees("models › detector")


async def test_a_version_alone_is_compared_with_the_champion(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path) as t:
        await to_detector(t)
        await t.stands_on("v3")
        await t.press("c")
        await t.sees("compare › v2 → v3")


async def test_a_models_uri_is_copied(settings: Settings, tmp_path: Path, user: str) -> None:
    async with opened(settings, tmp_path) as t:
        await to_detector(t)
        await t.stands_on("v3")
        await t.press("y")
        await t.hears("models:/detector@challenger: ")
        await t.press("Y")
        await t.sees("URI by its number", "id of its run")
        await t.press("enter")
        await t.hears("models:/detector/3: ")


async def test_a_version_is_downloaded_whole(
    settings: Settings, registry: Registry, tmp_path: Path, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    async with opened(settings, tmp_path) as t:
        await to_detector(t)
        await t.stands_on("v3")
        await t.press("D")
        await t.sees("into which folder?")
        await t.press("enter")
        await t.sees("files are in")
    there = registry.files_of(DETECTOR, 3)
    files = {path.relative_to(there): path.read_bytes() for path in there.rglob("*") if path.is_file()}
    brought = here / "detector-v3"
    assert {path.relative_to(brought): path.read_bytes() for path in brought.rglob("*") if path.is_file()} == files
    assert [path.name for path in here.iterdir()] == ["detector-v3"]


async def test_a_source_without_models_says_how_one_comes(store: Path, tmp_path: Path, user: str) -> None:
    async with opened(settings_for(store), tmp_path) as t:
        await t.settles()
        await t.press("2")
        await t.sees("No model is registered yet.", "P on a run")
