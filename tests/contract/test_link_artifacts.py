"""Artifacts over the link: lists, parts and downloads, which are whole or not there."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from support.faultlink import Watcher, gone, install

from runtower.domain import errors
from runtower.domain.artifacts import MOST_BYTES, Artifact, Folder, Piece
from runtower.link.wire import ArtifactPart, Artifacts, Progress


@pytest.fixture(autouse=True)
def on_path(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source's process finds the fault source."""
    monkeypatch.setenv("PYTHONPATH", install(tmp_path_factory.mktemp("site")))


def asked(path: str, target: Path, **more: str) -> dict[str, str]:
    return {"run_id": "id1", "path": path, "target": str(target), **more}


def data_of(target: Path) -> bytes:
    return target.read_bytes()


def put(target: Path, text: str) -> None:
    target.write_text(text)


def dangle(target: Path) -> None:
    """A link to nowhere in the place of a file."""
    target.unlink()
    target.symlink_to(target.parent / "gone")


def as_new_files_are(target: Path) -> bool:
    """Whether a file may be read and written by whom the user's mask lets."""
    mask = os.umask(0o022)
    os.umask(mask)
    return target.stat().st_mode & 0o777 == 0o666 & ~mask


def in_folder(target: Path) -> list[str]:
    """Everything beside a target, hidden files too."""
    return sorted(os.listdir(target.parent))


async def test_a_folder_and_a_part_come_as_they_are(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        folder = await w.link.ask(Artifacts("id1", "sub"))
        assert folder == Folder((Artifact("logs", True), Artifact("train.log", False, 300_000)), left_out=7)
        assert await w.link.ask(ArtifactPart("id1", "train.log", 5, 300_000)) == Piece(b"x" * 300_000, 5, 10**9)
        assert len((await w.link.ask(ArtifactPart("id1", "train.log", 0, 10**12))).data) == MOST_BYTES


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A place in a folder of its own."""
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "train.log"


async def test_a_download_tells_how_far_it_is_and_is_whole(tmp_path: Path, target: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        seen: list[Progress] = []
        assert await w.link.operate("download", asked("a", target), progress=seen.append) == os.fsencode(target)
        assert data_of(target) == b"123123123"
        assert in_folder(target) == ["train.log"]
        assert (seen[0].done, seen[-1].done, seen[-1].total) == (3, 9, 9)
        assert as_new_files_are(target)


async def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path: Path, target: Path) -> None:
    put(target, "mine")
    async with Watcher(tmp_path, "rows:4") as w:
        with pytest.raises(errors.Conflict, match="already"):
            await w.link.operate("download", asked("a", target))
        assert data_of(target) == b"mine"
        await w.link.operate("download", asked("a", target, replace="1"))
        assert data_of(target) == b"123123123"
        dangle(target)
        with pytest.raises(errors.Conflict, match="already"):
            await w.link.operate("download", asked("a", target))


async def test_a_download_that_fails_leaves_nothing(tmp_path: Path, target: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        with pytest.raises(errors.Unreachable, match="came short"):
            await w.link.operate("download", asked("short", target))
        with pytest.raises(errors.NotFound, match="tried not_found"):
            await w.link.operate("download", asked("not_found", target))
        assert in_folder(target) == []
        with pytest.raises(errors.NotFound, match="no folder"):
            await w.link.operate("download", asked("a", tmp_path / "none" / "file"))
        with pytest.raises(errors.Invalid, match="absolute"):
            await w.link.operate("download", asked("a", Path("relative")))
        with pytest.raises(errors.Invalid, match="is a folder"):
            await w.link.operate("download", asked("a", tmp_path))


async def test_a_download_that_is_cancelled_leaves_nothing(tmp_path: Path, target: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        seen: list[Progress] = []
        running = asyncio.create_task(w.link.operate("download", asked("endless", target), progress=seen.append))
        await w.until(lambda: len(seen) > 1)
        assert len(in_folder(target)) == 1
        assert in_folder(target) != ["train.log"]
        running.cancel()
        await w.until(lambda: in_folder(target) == [])


async def test_leaving_during_a_download_leaves_nothing(tmp_path: Path, target: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        seen: list[Progress] = []
        running = asyncio.create_task(w.link.operate("download", asked("endless", target), progress=seen.append))
        await w.until(lambda: len(seen) > 1)
        pid = w.link.pid
        assert pid is not None
        w.link.close()
        with pytest.raises(errors.Cancelled):
            await running
        await w.until(lambda: gone(pid))
        assert in_folder(target) == []
