"""The process that looks at this machine, as the terminal hears it: all there is, then only what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from support.jobs import Bench

from runtower.acts.box import Box
from runtower.domain.jobs import JobState
from runtower.folders import Folders
from runtower.jobs.queueing import Queue


async def until(look: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not look():
        assert asyncio.get_running_loop().time() < end, what
        await asyncio.sleep(0.02)


async def test_more_folders_than_fit_into_a_frame_come_and_go(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for number in range(250):
        (project / f"outputs/{number}/.hydra").mkdir(parents=True)
    box = Box(Folders(tmp_path / "c", tmp_path / "s", tmp_path / "d"), project, lambda: None)
    end = box.watch("jobs")
    try:
        await until(lambda: len(box.folders) == 250, "not all folders came")
        assert not box.is_partial
        (project / "outputs/7/.hydra").rmdir()
        (project / "outputs/7").rmdir()
        box.refresh()
        await until(lambda: len(box.folders) == 249, "the folder that is gone was kept")
        assert str(project / "outputs/7") not in box.folders
    finally:
        end()
        box.close()


async def test_a_job_is_told_from_its_start_to_its_end_and_nothing_while_all_is_paused(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "c", tmp_path / "s", tmp_path / "d")
    bench = Bench(tmp_path)
    bench.queue = Queue(folders.jobs)
    box = Box(folders, tmp_path, lambda: None)
    end = box.watch("jobs")
    try:
        await until(lambda: box.is_told, "an empty queue was never told")
        name = bench.add("sh", "-c", "echo up; sleep 0.3; echo done; exit 3")
        await until(lambda: name in box.jobs and box.jobs[name].state is JobState.FAIL, "its end was never told")
        assert (box.jobs[name].last_line, box.jobs[name].reason) == ("done", "exit code 3")
        box.pause(True)
        await asyncio.sleep(1.0)  # what was under way is over
        second = bench.add("true")
        await asyncio.to_thread(bench.over, second)
        await asyncio.sleep(0.7)  # longer than a lap
        assert second not in box.jobs
        box.pause(False)
        await until(lambda: second in box.jobs, "it was never taken up again")
    finally:
        end()
        box.close()
