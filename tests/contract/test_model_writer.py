"""Promotions and edits through a process that dies, dawdles or is left alone: each ends as done, refused or unknown,
and what was begun is finished."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.faultlink import gone, install
from support.faultsource import read_registry, write_registry
from support.memory_registry import MemoryRegistry

from runtower.acts.model_writer import ModelOutcome, ModelWriter
from runtower.domain.errors import Cancelled, Conflict, Forbidden, TowerError
from runtower.domain.model_changes import AddVersion, DeleteVersion, Describe, ModelEdit, SetTag
from runtower.domain.promotions import Promotion, destination_of
from runtower.domain.ulids import new_id
from runtower.folders import Folders
from runtower.link.commandlog import ModelEntry, read, read_all, read_models
from runtower.promote.records import all_records
from runtower.settings import Settings
from runtower.sources.port import Identity, Target

IDENTITY = Identity("fault:store", "fault://store", "")


@pytest.fixture(autouse=True)
def _fault_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable, name in (("CACHE", "cache"), ("STATE", "state"), ("CONFIG", "config")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "site"))
    return


@pytest.fixture
def control(tmp_path: Path) -> Path:
    folder = tmp_path / "control"
    folder.mkdir()
    registry = MemoryRegistry()
    registry.add("m", 4, champion="3")
    write_registry(folder, registry)
    return folder


@asynccontextmanager
async def opened(control: Path, read_only: bool = False) -> AsyncIterator[ModelWriter]:
    target = Target("fault", "fault", "", read_only, {"control": str(control)})
    writer = ModelWriter(target, Folders.of(), Settings())
    try:
        yield writer
    finally:
        writer.leave()


async def promote(writer: ModelWriter, version: str = "4", before: str = "3") -> ModelOutcome:
    wanted = Promotion(
        new_id(), time.time_ns() // 1_000_000, "ana@host", "m", version, destination_of("champion"), (before,)
    )
    return await writer.promote(wanted, f"runtower promote m {version} --to champion", IDENTITY)


def champion(control: Path) -> str:
    return read_registry(control).models["m"].aliases["champion"]


def recorded(control: Path) -> list[str]:
    return [one.record.version for one in all_records(read_registry(control).model("m"))]


def marks(control: Path) -> list[str]:
    return list(read_registry(control).tags())


def logged() -> list[ModelEntry]:
    return read_models(Folders.of().commands)


async def until(condition: Callable[[], object], within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_promotion_is_logged_before_and_after(control: Path) -> None:
    async with opened(control) as writer:
        writer.prepare()
        assert (await writer.look("m")).model.aliases == {"champion": "3"}
        assert (await writer.identity()).key == "fault:store"
        outcome = await promote(writer)
        assert (outcome.word, outcome.promoted and outcome.promoted.holders) == ("done", ("4",))
        (entry,) = logged()
        assert (entry.outcome, entry.intent.what) == ("done", "promote m v4 to @champion")
        assert entry.intent.command == "runtower promote m 4 --to champion"
        assert entry.intent.promotion is not None
        assert (champion(control), recorded(control), marks(control)) == ("4", ["4"], [])
        assert read(Folders.of().commands) == [], "no change of a run"
        assert read_all(Folders.of().commands) == [entry]
        refused = await promote(writer, "2", before="3")
        assert isinstance(refused.error, Conflict)
        assert [one.outcome for one in logged()] == ["done", "refused"]


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ("SetTag crash before", "refused"),
        ("SetTag crash after", "refused"),
        ("SetAlias crash before", "refused"),
        ("SetAlias crash after", "done"),
    ],
)
async def test_a_process_that_is_killed_is_read_back_and_what_is_missing_is_done(
    control: Path, order: str, word: str
) -> None:
    (control / "on-change").write_text(order)
    async with opened(control) as writer:
        promoting = asyncio.create_task(promote(writer))
        await until(lambda: (control / "pid").exists())
        await until(lambda: gone(int((control / "pid").read_text())))
        (control / "on-change").unlink()
        outcome = await promoting
        assert outcome.word == word
        moved = word == "done"
        assert champion(control) == ("4" if moved else "3")
        assert recorded(control) == (["4"] if moved else [])
        assert marks(control) == []
        assert [one.outcome for one in logged()] == [word]
        assert (await promote(writer, "2", before=champion(control))).word == "done"


async def test_nobody_knows_until_the_source_answers_again(control: Path) -> None:
    (control / "on-change").write_text("SetAlias silence")
    async with opened(control) as writer:
        outcome = await promote(writer)
        assert outcome.word == "unknown"
        assert outcome.entry is not None
        assert [one.outcome for one in logged()] == ["unknown"]
        assert (await writer.settle(outcome.entry)).word == "unknown"
        (control / "silent").unlink()
        settled = await writer.settle(logged()[0])
        assert (settled.word, settled.promoted and settled.promoted.holders) == ("done", ("4",))
        assert [one.outcome for one in logged()] == ["done"]
        assert (recorded(control), marks(control)) == (["4"], [])


async def test_who_leaves_during_a_promotion_leaves_it_to_be_finished_and_logged(control: Path) -> None:
    (control / "on-change").write_text("SetAlias slow")
    async with opened(control) as writer:
        waiting = asyncio.create_task(promote(writer))
        await until(lambda: (control / "begun").exists())
        writer.leave()
        with pytest.raises(Cancelled):
            await waiting
        assert [one.outcome for one in logged()] == ["open"]
        (control / "go").touch()
        await until(lambda: [one.outcome for one in logged()] == ["done"])
        assert (champion(control), recorded(control), marks(control)) == ("4", ["4"], [])
        await until(lambda: gone(int((control / "pid").read_text())))


async def test_edits_are_compared_and_read_back(control: Path) -> None:
    async with opened(control) as writer:

        async def edit(change: object, before: str | None = None) -> ModelOutcome:
            return await writer.edit(ModelEdit(change, before), "by hand", IDENTITY)  # type: ignore[arg-type]

        described = await edit(Describe("m", "4", "the best"), "")
        assert described.edited is not None
        version = described.edited.now.version("4")
        assert version is not None
        assert version.description == "the best"
        assert isinstance((await edit(Describe("m", "4", "other"), "")).error, Conflict)
        added = await edit(AddVersion("m", "runs:/x/model", "x"), "4")
        assert (added.word, added.edited and added.edited.version) == ("done", "5")
        assert (await edit(DeleteVersion("m", "5"))).word == "done"
        held = await edit(DeleteVersion("m", "3"))
        assert "v3 of m holds @champion" in str(held.error)
        assert isinstance((await edit(SetTag("m", "4", "runtower.promotion.x", "y"))).error, Forbidden)
        (control / "on-change").write_text("SetTag crash after")
        assert (await edit(SetTag("m", "4", "stage", "ready"))).word == "done"
        assert [one.outcome for one in logged()] == ["done", "refused", "done", "done", "refused", "refused", "done"]


async def test_values_that_are_redacted_never_reach_the_log(control: Path) -> None:
    async with opened(control) as writer:
        edit = ModelEdit(SetTag("m", "", "db_PASSWORD", "hunter2"))
        assert (await writer.edit(edit, "runtower models tag m db_PASSWORD=hunter2", IDENTITY)).word == "done"
    assert "hunter2" not in Folders.of().commands.read_text()
    assert logged()[0].intent.hidden


async def test_read_only_writes_nothing(control: Path) -> None:
    async with opened(control, read_only=True) as writer:
        outcome = await promote(writer)
        assert isinstance(outcome.error, Forbidden)
        assert [one.outcome for one in logged()] == ["refused"]
    assert champion(control) == "3"


async def test_what_cant_be_logged_isnt_written(control: Path) -> None:
    Folders.of().state.mkdir(parents=True, exist_ok=True)
    Folders.of().commands.mkdir()
    async with opened(control) as writer:
        with pytest.raises(TowerError, match="nothing was changed"):
            await promote(writer)
    assert (champion(control), marks(control)) == ("3", [])
