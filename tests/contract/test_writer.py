"""Writes through a process of their own that dies, dawdles or is left alone: each ends as done, refused or unknown."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.faultlink import gone, install

from runtower.acts import writer as writing
from runtower.acts.writer import Outcome, Writer
from runtower.domain.edits import Edit, Field
from runtower.domain.errors import Cancelled, Forbidden, TowerError
from runtower.folders import Folders
from runtower.link.commandlog import Entry, read
from runtower.settings import Settings
from runtower.sources.port import Identity, Target

IDENTITY = Identity("fault:store", "fault://store", "")


@pytest.fixture(autouse=True)
def _fault_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable, name in (("CACHE", "cache"), ("STATE", "state"), ("CONFIG", "config")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "site"))
    monkeypatch.setattr(writing, "_LOOK_AGAIN", 0.01)
    return


@pytest.fixture
def control(tmp_path: Path) -> Path:
    folder = tmp_path / "control"
    folder.mkdir()
    (folder / "name").write_text("old")
    return folder


def target(control: Path, read_only: bool = False) -> Target:
    return Target("fault", "fault", "", read_only, {"control": str(control)})


@asynccontextmanager
async def opened(control: Path, deadline: float = 20.0, read_only: bool = False) -> AsyncIterator[Writer]:
    writer = Writer(target(control, read_only), Folders.of(), Settings(), deadline)
    try:
        yield writer
    finally:
        writer.leave()


async def rename(writer: Writer, name: str) -> Outcome:
    return await writer.write(Edit("id", Field.NAME, "old", name), "old", IDENTITY)


def logged() -> list[Entry]:
    return read(Folders.of().commands)


async def until(condition: Callable[[], object], within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_write_is_logged_before_and_after(control: Path) -> None:
    async with opened(control) as writer:
        outcome = await rename(writer, "new")
        assert (outcome.word, outcome.now and outcome.now.name) == ("done", "new")
        (entry,) = logged()
        assert (entry.outcome, entry.intent.what) == ("done", "rename old to new")
        assert entry.intent.command.startswith("runtower rename --tracking-uri fault://store --if=old --yes id new")
        assert entry.intent.pid == writer.pid
        pid = writer.pid or 0
    await until(lambda: gone(pid))


async def test_a_refusal_is_logged_as_one(control: Path) -> None:
    async with opened(control) as writer:
        outcome = await rename(writer, "conflict")
        assert (outcome.word, outcome.error and outcome.error.name) == ("refused", "conflict")
        assert [(entry.outcome, entry.result and entry.result.error) for entry in logged()] == [("refused", "conflict")]


@pytest.mark.parametrize(
    ("how", "word", "name"), [("crash after", "done", "crash after"), ("crash before", "refused", "old")]
)
async def test_a_process_that_is_killed_during_a_write_is_read_back(
    control: Path, how: str, word: str, name: str
) -> None:
    async with opened(control) as writer:
        outcome = await rename(writer, how)
        assert outcome.word == word
        assert (control / "name").read_text() == name
        assert [entry.outcome for entry in logged()] == [word]
        assert (await rename(writer, "new")).word == "done" or name != "old"


async def test_nobody_knows_until_the_source_answers_again(control: Path) -> None:
    async with opened(control) as writer:
        outcome = await rename(writer, "silence")
        assert outcome.word == "unknown"
        assert [entry.outcome for entry in logged()] == ["unknown"]
        assert outcome.entry is not None
        assert (await writer.settle(outcome.entry)).word == "unknown"
        (control / "silent").unlink()
        assert (await writer.settle(outcome.entry)).word == "refused"
        assert [entry.outcome for entry in logged()] == ["refused"]


async def test_a_write_whose_time_is_over_doesnt_begin(control: Path) -> None:
    async with opened(control) as writer:
        await writer.identity()
        writer._deadline = 0.2
        waiting = asyncio.create_task(rename(writer, "late"))
        await until(lambda: (control / "pid").exists())
        end = time.monotonic() + 0.3
        await until(lambda: time.monotonic() > end)
        (control / "go").touch()
        outcome = await waiting
        assert (outcome.word, outcome.error and outcome.error.name) == ("refused", "cancelled")
        assert (control / "name").read_text() == "old"


async def test_a_write_that_takes_too_long_is_ended_and_read_back(control: Path) -> None:
    async with opened(control) as writer:
        await writer.identity()
        writer._deadline = 0.2
        outcome = await rename(writer, "slow")
        assert outcome.word == "refused"
        assert gone(int((control / "pid").read_text()))
        (control / "go").touch()
        assert (control / "name").read_text() == "old", "nothing writes after it was read back"


async def test_who_leaves_during_a_write_leaves_it_to_be_finished_and_logged(control: Path) -> None:
    writer = Writer(target(control), Folders.of(), Settings())
    waiting = asyncio.create_task(rename(writer, "slow"))
    await until(lambda: (control / "begun").exists())
    writer.leave()
    with pytest.raises(Cancelled):
        await waiting
    assert [entry.outcome for entry in logged()] == ["open"]
    (control / "go").touch()
    await until(lambda: [entry.outcome for entry in logged()] == ["done"])
    assert (control / "name").read_text() == "slow"
    await until(lambda: gone(int((control / "pid").read_text())))
    with pytest.raises(Cancelled):
        await rename(writer, "more")


async def test_a_terminal_that_is_killed_leaves_the_write_to_be_finished(control: Path, tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from contract.test_writer import Writer, Folders, Settings, rename, target\n"
        "async def main():\n"
        "    await rename(Writer(target(Path(sys.argv[1])), Folders.of(), Settings()), 'slow')\n"
        "asyncio.run(main())\n"
    )
    tests = str(Path(__file__).parents[1])
    terminal = subprocess.Popen([sys.executable, "-c", code, str(control), tests])  # noqa: ASYNC220 - it is to be killed
    try:
        await until(lambda: (control / "begun").exists(), 60)
    finally:
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.wait()
    (control / "go").touch()
    await until(lambda: [entry.outcome for entry in logged()] == ["done"])
    await until(lambda: gone(int((control / "pid").read_text())))


async def test_read_only_writes_nothing(control: Path) -> None:
    async with opened(control, read_only=True) as writer:
        outcome = await rename(writer, "new")
        assert isinstance(outcome.error, Forbidden)
        assert (control / "name").read_text() == "old"
        assert [entry.outcome for entry in logged()] == ["refused"]


async def test_what_cant_be_logged_isnt_written(control: Path) -> None:
    Folders.of().state.mkdir(parents=True, exist_ok=True)
    Folders.of().commands.mkdir()
    async with opened(control) as writer:
        with pytest.raises(TowerError, match="nothing was changed"):
            await rename(writer, "new")
        assert (control / "name").read_text() == "old"


async def test_values_that_are_redacted_never_reach_the_log(control: Path) -> None:
    async with opened(control) as writer:
        await writer.write(Edit("id", Field.TAG, None, "hunter2", "db_PASSWORD"), "old", IDENTITY)
    assert "hunter2" not in Folders.of().commands.read_text()
    assert logged()[0].intent.hidden
