"""Starts and stops what runs: jobs of this machine and of Slurm, and processes behind runs. Asks nobody; says how it
went."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from runtower.acts.box import Box
from runtower.acts.edit_process import who
from runtower.acts.editing import Editor
from runtower.acts.joins import Joins
from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.box import Process
from runtower.domain.errors import TowerError
from runtower.domain.jobs import Job, JobState, Where
from runtower.domain.runs import RunKey, Status
from runtower.folders import Folders
from runtower.jobs import local, proofs, submit
from runtower.jobs.lookup import SLURM_RECORDS
from runtower.jobs.queueing import Queue, Request
from runtower.jobs.stopping import send, stop_job
from runtower.jobs.submit import Resources
from runtower.jobs.tails import last_line
from runtower.link.offloop import off_loop
from runtower.present.console import console_lines
from runtower.settings import Settings

_LOOK: Final = 0.3
_PATIENCE: Final = 120.0
_QUIET: Final = {"DVC_NO_ANALYTICS": "1"}
_NOT_KEPT: Final = "(not kept)"
# What each signal asks of a program, as people know it.
SIGNALS: Final = {
    "INT": "as ctrl+c: most programs tidy up and leave",
    "TERM": "asks it to end; a program may tidy up, or not",
    "KILL": "ends it at once; nothing is tidied up",
}


@dataclass(frozen=True)
class Running:
    """What can be stopped: a job, else the process behind a run. `runs` are those that end with it."""

    name: str
    job: Job | None = None
    process: Process | None = None
    runs: Sequence[RunKey] = ()
    sure: bool = True


class JobControl:
    """`tell` says to the user how something ended that nobody waits for. Lives on one event loop."""

    def __init__(
        self,
        tower: Tower,
        box: Box,
        joins: Joins,
        editor: Editor,
        folders: Folders,
        settings: Settings,
        tell: Callable[[str], None],
    ) -> None:
        self._tower = tower
        self._box = box
        self._joins = joins
        self._editor = editor
        self._settings = settings
        self._jobs = folders.jobs
        self._queue = Queue(folders.jobs)
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what can be stopped

    def of_job(self, job: Job) -> Running:
        """A job, with the runs that it is logging now."""
        members = self._members(job) if job.is_array else [job]
        keys = [key for one in members for key, _, sure in self._joins.runs_of_job(one) if sure]
        return Running(job.name, job, None, [key for key in dict.fromkeys(keys) if self._is_running(key)])

    def _members(self, array: Job) -> list[Job]:
        return [job for job in self._box.jobs.values() if job.array == array.array]

    def of_run(self, row: int) -> Running | None:
        """What a run lives in, as far as it can be stopped from here; None where nothing is known."""
        links, key = self._joins.of_run(row), self._tower.catalogue.run_key(row)
        name = self._tower.catalogue.texts(runs.NAME).text(row) or key.run_id[:8]
        for link in links:
            job = self._box.jobs.get(link.target) if link.relation == "job" else None
            if job is not None and not job.state.is_over:
                return Running(name, job, None, [key], link.sure)
        process = self._joins.process_of(row)
        if process is None:
            return None
        sure = next((link.sure for link in links if link.relation == "process"), False)
        return Running(name, None, process, [key], sure)

    def why_not(self, running: Running | None) -> str:
        """Why it can't be stopped, '' where it can."""
        if self._settings.read_only:
            return "runtower is read-only (flag or settings)"
        if running is None:
            return "nothing on this machine or in Slurm is known to run it"
        if running.job is not None:
            if running.job.state.is_over:
                return f"{running.job.id} is over"
            return "" if running.job.ours else f"it is {running.job.user}'s"
        assert running.process is not None
        return "" if running.process.is_ours else f"process {running.process.pid} is {running.process.user}'s"

    def question(self, running: Running, signal: str) -> list[tuple[str, str]]:
        """What is said before: what is met, how it is known, and what becomes of the run."""
        job, process, lines = running.job, running.process, []
        if job is not None and job.state is JobState.WAIT:
            lines.append((f"{job.id} waits: it is taken back and never begun", "bright"))
        elif job is not None and job.where is Where.SLURM:
            lines.append((f"scancel {'' if signal == 'TERM' else f'--signal={signal} '}{job.id}", "bright"))
            if job.is_array:
                lines.append((f"all members of the array: {job.reason}; those that wait are taken back", ""))
        elif job is not None:
            lines.append((f"{signal} to the process group {job.pid} of {job.id}", "bright"))
        else:
            assert process is not None
            lines.append((f"{signal} to the process group {process.group} of process {process.pid}", "bright"))
            lines.append((" ".join(process.command)[:300], ""))
            others = [one for one in self._box.processes.values() if one.group == process.group and one != process]
            lines += [(f"and {one.pid} {' '.join(one.command)[:120]}", "") for one in others[:4]]
        if job is not None:
            lines.append((" ".join(job.command)[:300] or job.name, ""))
        if job is None or job.state is not JobState.WAIT:
            lines.append((SIGNALS[signal], "dim"))
        if not running.sure:
            lines.append(("that it belongs to this run is guessed: same user, script and time", "warning"))
        if running.runs:
            count = len(running.runs)
            what = "its run is" if count == 1 else f"its {count} runs are"
            lines.append((f"afterwards {what} marked KILLED, once the process is gone", ""))
        return lines

    # -- stopping

    async def stop(self, running: Running, signal: str) -> str:
        """Do it; gives what is said of it. Its runs are marked KILLED once it is gone. Raises TowerError."""
        job, process = running.job, running.process
        if job is not None and job.state is JobState.WAIT:
            await off_loop(lambda: self._cancel(job))
            self._box.refresh()
            return f"{job.id} is taken back"
        if job is not None and job.where is Where.SLURM:
            await off_loop(lambda: submit.stop(job.id, signal, is_array=job.is_array))
        elif job is not None:
            await off_loop(lambda: stop_job(Path(job.log).parent, signal, who()))
        else:
            assert process is not None
            send(process.pid, str(process.start_ticks), signal)
        self._box.refresh()
        self._start(self._afterwards(running))
        name = job.id if job is not None else f"process {process.pid}" if process is not None else ""
        return f"{signal} was sent to {name}"

    def _cancel(self, job: Job) -> None:
        if job.where is Where.SLURM:
            submit.stop(job.id, "TERM", waits=True)
        else:
            self._queue.cancel(job.id)

    async def _afterwards(self, running: Running) -> None:
        """Once it is gone its runs are marked KILLED; where it goes on, that is said."""
        end = asyncio.get_running_loop().time() + _PATIENCE
        while not await self._is_gone(running):
            if asyncio.get_running_loop().time() > end:
                return  # it was asked and goes on, as its row shows
            await asyncio.sleep(_LOOK)
        self._box.refresh()
        if not running.runs:
            return
        try:
            await self._editor.kill_stopped(running.runs)
        except TowerError as error:
            self._tell(f"{running.name} was stopped, but its run could not be marked KILLED: {error}")

    async def _is_gone(self, running: Running) -> bool:
        job, process = running.job, running.process
        if job is not None and job.where is Where.LOCAL:
            now = await off_loop(lambda: local.read(Path(job.log).parent))
            return now is None or now.state.is_over
        if job is not None:
            known = self._members(job) if job.is_array else [self._box.jobs[job.id]] if job.id in self._box.jobs else []
            return all(one.state.is_over for one in known)
        assert process is not None
        return not proofs.is_start(process.pid, str(process.start_ticks))

    # -- starting

    async def launch(self, request: Request, on: Where, resources: Resources) -> str:
        """Start a command; gives its id. Raises TowerError."""
        begin: Callable[[], str]
        if on is Where.SLURM:
            begin = lambda: submit.submit(request, resources, self._jobs / SLURM_RECORDS)  # noqa: E731
        else:
            begin = lambda: self._queue.add(replace(request, gpus=resources.gpus), self._settings.jobs)  # noqa: E731
        name = await off_loop(begin)
        self._box.refresh()
        return name

    async def carry_out(self, command: Sequence[str], folder: Path, called: str) -> str:
        """Run a short command as a job of this machine, at once; gives its id. How it ended is told later, under what
        it is `called`. Raises TowerError."""
        request = self.request(command, folder, dict(os.environ) | _QUIET, now=True)
        name = await self.launch(request, Where.LOCAL, Resources())
        self._start(self._tell_end(name, called))
        return name

    async def _tell_end(self, name: str, called: str) -> None:
        job = await off_loop(lambda: self._ended(name))
        self._box.refresh()
        if job.state is JobState.OK:
            self._tell(f"{called}: done")
        else:
            last = console_lines(last_line(job.log))[-1:]
            self._tell(f"{called} failed: {last[0] if last else job.reason} ({name}: L on the jobs, 5, shows all)")

    def _ended(self, name: str) -> Job:
        """A job once it is over. Blocks."""
        place = self._queue.place(name)
        while (job := local.read(place)) is None or not job.state.is_over:
            time.sleep(_LOOK)  # another process ends; there is nothing else to wait on
        return job

    def request(
        self, command: Sequence[str], folder: Path, environ: dict[str, str], name: str = "", now: bool = False
    ) -> Request:
        """What is to be run, under this sitting's rules of what is secret; `now`: beside the queue's limit."""
        return Request(command, folder, environ, name, now=now, redact=tuple(self._settings.redact))

    def why_not_again(self, job: Job) -> str:
        """Why a job can't be run again, '' where it can."""
        if self._settings.read_only:
            return "runtower is read-only (flag or settings)"
        if job.where is Where.SLURM and not job.command and job.state.is_over:
            return "its command isn't known, and Slurm doesn't requeue what is over"
        return "" if job.ours else f"it is {job.user}'s"

    async def again(self, job: Job) -> str:
        """The same command in its folder and environment as a new job; one that Slurm still has is requeued there."""
        if job.where is Where.SLURM and not job.state.is_over:
            await off_loop(lambda: submit.requeue(job.id))
            self._box.refresh()
            return f"{job.id} is queued again"
        environ = dict(os.environ) if job.where is Where.SLURM else await off_loop(lambda: _environ(Path(job.log)))
        request = self.request(job.command, Path(job.folder), environ, job.name)
        resources = Resources(job.partition if job.where is Where.SLURM else "", job.wants_gpus)
        return f"{await self.launch(request, job.where, resources)} runs the same command"

    def _is_running(self, key: RunKey) -> bool:
        row = int(self._tower.catalogue.rows_of([key])[0])
        return row >= 0 and self._tower.catalogue.texts(runs.STATUS).text(row) in (Status.RUNNING, Status.SCHEDULED)

    def close(self) -> None:
        """What was begun goes on; only nobody waits for it here any more."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _environ(log: Path) -> dict[str, str]:
    """What the job was started with; what was not kept is taken from here, where it is set."""
    kept: dict[str, str] = json.loads((log.parent / "environ.json").read_text())
    return {key: value if value != _NOT_KEPT else os.environ.get(key, "") for key, value in kept.items()}
