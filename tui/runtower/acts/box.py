"""This machine as a sitting knows it: jobs, GPUs, processes, output folders, as its own process tells them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtower.domain.box import Gpu, Gpus, Host, OutputFolder, Process
from runtower.domain.jobs import Job
from runtower.folders import Folders
from runtower.link.box import BoxLink
from runtower.link.box_wire import FolderNews, FromBox, GpuNews, HostNews, JobNews, Looking, ProcessNews

_KEPT: Final = 240
_LATER: Final = 1.0


class Box:
    """`changed` is called on the loop after what somebody may want to redraw. `version` counts news of jobs, processes
    and folders, `seen` those of GPUs and the machine too."""

    def __init__(self, folders: Folders, project: Path, changed: Callable[[], None]) -> None:
        self.jobs: dict[str, Job] = {}
        self.processes: dict[int, Process] = {}
        self.folders: dict[str, OutputFolder] = {}
        self.gpus: Gpus | None = None
        self.host: Host | None = None
        self.slurm_error = ""
        self.has_slurm = False
        self.is_partial = False  # the project holds more folders than are looked at
        self.is_told = False  # the jobs of this machine were told at least once
        self.version = 0
        self.seen = 0
        self.uses: dict[int, deque[float | None]] = {}
        self.memories: dict[int, deque[float | None]] = {}
        self._changed = changed
        self._watching: list[str] = []
        self._paused = False
        self._soon: asyncio.TimerHandle | None = None
        self._link = BoxLink(folders, project, self._heard, self._forget)

    def start(self) -> None:
        """Begin to look at the machine in a moment: the runs come first. On the loop."""
        self._soon = asyncio.get_running_loop().call_later(_LATER, self._link.start)

    def close(self) -> None:
        """Ends the process behind it. Returns at once."""
        if self._soon is not None:
            self._soon.cancel()
        self._link.close()

    @property
    def pid(self) -> int | None:
        """The process that looks."""
        return self._link.pid

    def watch(self, what: str) -> Callable[[], None]:
        """Somebody looks at `jobs` or `gpus`, which is read more often then; gives what ends it."""
        self._link.start()
        self._watching.append(what)
        self._tell(again=True)

        def end() -> None:
            with suppress(ValueError):
                self._watching.remove(what)
            self._tell()

        return end

    def pause(self, paused: bool) -> None:
        """Stop or go on looking."""
        self._paused = paused
        self._tell()

    def refresh(self) -> None:
        """Look at everything now."""
        self._tell(again=True)

    def _tell(self, again: bool = False) -> None:
        self._link.look(Looking("jobs" in self._watching, "gpus" in self._watching, again, self._paused))

    # -- what is known

    def gpus_of(self, pids: set[int]) -> list[tuple[Gpu, int | None]]:
        """The GPUs that one of these processes is on, with the bytes that they hold there."""
        found = []
        for gpu in self.gpus.gpus if self.gpus is not None else ():
            mine = [process for process in gpu.processes if process.pid in pids]
            if mine:
                known = [process.memory for process in mine if process.memory is not None]
                found.append((gpu, sum(known) if known else None))
        return found

    def family(self, pid: int) -> set[int]:
        """A process, those of its group, and those that they started."""
        known = self.processes
        group = known[pid].group if pid in known else pid
        found = {pid} | {one.pid for one in known.values() if one.group == group}
        grows = True
        while grows:
            more = {one.pid for one in known.values() if one.parent in found} - found
            found |= more
            grows = bool(more)
        return found

    # -- news

    def _heard(self, message: FromBox) -> None:
        busy = self.gpus.busy if self.gpus is not None else -1
        match message:
            case JobNews():
                self._heard_jobs(message)
            case ProcessNews():
                for pid in message.gone:
                    self.processes.pop(pid, None)
                self.processes.update((one.pid, one) for one in message.processes)
                self.version += 1
            case FolderNews():
                for path in message.gone:
                    self.folders.pop(path, None)
                self.folders.update((one.path, one) for one in message.folders)
                self.is_partial = message.is_partial
                self.version += 1
            case GpuNews():
                self._heard_gpus(message.gpus)
            case HostNews():
                self.host = message.host
        self.seen += 1
        is_shown = not isinstance(message, GpuNews | HostNews) or "gpus" in self._watching
        if is_shown or (self.gpus is not None and self.gpus.busy != busy):
            self._changed()

    def _heard_jobs(self, message: JobNews) -> None:
        for name in message.gone:
            self.jobs.pop(name, None)
        self.jobs.update((job.id, job) for job in message.jobs)
        if message.slurm:
            self.has_slurm = True
            self.slurm_error = message.error
        else:
            self.is_told = self.is_told or message.whole
        self.version += 1

    def _heard_gpus(self, gpus: Gpus) -> None:
        self.gpus = gpus
        for gpu in gpus.gpus:
            share = gpu.memory_used / gpu.memory_total if gpu.memory_used is not None and gpu.memory_total else None
            self.uses.setdefault(gpu.index, deque(maxlen=_KEPT)).append(gpu.use)
            self.memories.setdefault(gpu.index, deque(maxlen=_KEPT)).append(share)

    def _forget(self) -> None:
        """Another process tells everything anew."""
        self.processes.clear()
        self.folders.clear()
        self.jobs.clear()
        self.version += 1
