"""The process that looks at this machine: `python -P -m runtower.link.box_host DESCRIPTOR`.

A thread a reader, each at its own pace, so that a driver that hangs or a cluster that doesn't answer stops nothing
else. It ends when the terminal does.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

from runtower.domain.box import Gpus, OutputFolder, Process
from runtower.domain.errors import TowerError
from runtower.domain.jobs import Job
from runtower.jobs import slurm_programs
from runtower.jobs.local import LocalJobs
from runtower.jobs.lookup import SLURM_RECORDS
from runtower.jobs.outputs import OutputReader
from runtower.jobs.processes import ProcessReader
from runtower.jobs.queueing import Queue
from runtower.jobs.slurm import SlurmJobs
from runtower.link import native
from runtower.link.box_wire import (
    A_FRAME,
    BoxHello,
    FolderNews,
    FromBox,
    GpuNews,
    HostNews,
    JobNews,
    Looking,
    ProcessNews,
    box_frame,
    to_box,
)
from runtower.link.sourcelog import SourceLog, note
from runtower.link.wire import Frames, WireError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_PRIVATE: Final = 64
_NICE: Final = 5


class BoxHost:
    """The readers of one terminal."""

    def __init__(self, hello: BoxHello, send: Callable[[FromBox], None]) -> None:
        self._hello = hello
        self._send = send
        self._looking = Looking()
        self._moved = threading.Condition()
        self._turn = 0
        self._pids: set[int] = set()

    def look(self, looking: Looking) -> None:
        """Somebody looks otherwise from now on: every reader takes it up at once."""
        with self._moved:
            self._looking = looking
            self._turn += 1
            self._moved.notify_all()

    def start(self) -> None:
        """A thread for each reader."""
        for pace in (self._local, self._slurm, self._gpus, self._machine, self._folders):
            threading.Thread(target=self._guarded, args=(pace,), name=pace.__name__, daemon=True).start()

    def _guarded(self, reader: Callable[[], None]) -> None:
        """A reader that fails is begun anew: what it meets is in the log."""
        while True:
            try:
                reader()
            except Exception as error:  # noqa: BLE001 - the other readers go on
                note(f"{reader.__name__} failed", error)
            time.sleep(10.0)

    def _pause(self, seconds: float) -> None:
        """Until then, or until somebody looks otherwise; while all is paused, until it isn't."""
        with self._moved:
            turn, end = self._turn, time.monotonic() + seconds
            while self._turn == turn and (time.monotonic() < end or self._looking.paused):
                self._moved.wait(max(0.0, end - time.monotonic()) if not self._looking.paused else None)

    # -- the readers

    def _local(self) -> None:
        queue = Queue(Path(self._hello.jobs))
        jobs, told = LocalJobs(queue), _Told[str, Job]()
        while True:
            queue.keep()
            found = {job.id: job for job in jobs.lap()}
            for new, gone, last in told.news(found):
                self._send(JobNews(new, gone, whole=last))
            self._pause(0.5 if self._looking.jobs else 2.0)

    def _slurm(self) -> None:
        jobs, told, said = SlurmJobs(Path(self._hello.jobs) / SLURM_RECORDS), _Told[str, Job](), ""
        while True:
            error, found = "", None
            if not slurm_programs.why_not():
                try:
                    found = {job.id: job for job in jobs.lap()}
                except slurm_programs.NotSetUp:
                    pass
                except TowerError as failed:
                    error = str(failed)
            if found is not None:
                for new, gone, last in told.news(found):
                    self._send(JobNews(new, gone, slurm=True, whole=last))
            if error != said:
                self._send(JobNews(error=error, slurm=True))
                said = error
            here = found is not None or error
            self._pause((2.0 if self._looking.jobs else 10.0) if here else 60.0)

    def _gpus(self) -> None:
        from runtower.jobs.gpus import GpuReader  # noqa: PLC0415  its library is loaded in this thread's own time

        reader, last = GpuReader(), Gpus(0.0)
        while True:
            found = reader.lap()
            self._pids = {process.pid for gpu in found.gpus for process in gpu.processes}
            if found.gpus or found.said != last.said:
                self._send(GpuNews(found))
                last = found
            self._pause(1.0 if self._looking.gpus else 5.0 if found.gpus else 60.0)

    def _machine(self) -> None:
        from runtower.jobs.host import HostReader  # noqa: PLC0415  as above

        processes, told = ProcessReader(), _Told[int, Process]()
        host = HostReader([Path(self._hello.project), Path(self._hello.state), Path("/tmp")])  # noqa: S108
        said: list[str] | None = None
        while True:
            for new, gone, _ in told.news(processes.lap(self._pids)):
                self._send(ProcessNews(new, gone))
            now = host.lap()
            full = [disk.path for disk in now.disks if disk.is_full_soon]
            if self._looking.gpus or full != said:
                self._send(HostNews(now))
                said = full
            self._pause(1.0 if self._looking.gpus else 5.0)

    def _folders(self) -> None:
        reader, told, partial = OutputReader(Path(self._hello.project)), _Told[str, OutputFolder](), False
        while True:
            found = reader.lap()
            for new, gone, _ in told.news(found):
                self._send(FolderNews(new, gone, reader.is_partial))
            if partial != reader.is_partial:
                partial = reader.is_partial
                self._send(FolderNews(is_partial=partial))
            self._pause(5.0 if self._looking.jobs else 15.0)


class _Told(Generic[K, V]):
    """What was told of a list, so that only what changed is told again."""

    def __init__(self) -> None:
        self._told: dict[K, V] = {}
        self._is_first = True

    def news(self, found: Mapping[K, V]) -> Iterator[tuple[tuple[V, ...], tuple[K, ...], bool]]:
        """What is new or other, what is gone, and whether that is all: in pieces that fit into a frame. The first time
        there is a piece even where there is nothing."""
        new = [value for key, value in found.items() if self._told.get(key) != value]
        gone = tuple(key for key in self._told if key not in found)
        self._told = dict(found)
        if not new and not gone and not self._is_first:
            return
        self._is_first = False
        pieces = [tuple(new[start : start + A_FRAME]) for start in range(0, len(new), A_FRAME)] or [()]
        for place, piece in enumerate(pieces):
            yield piece, (gone if place == 0 else ()), place == len(pieces) - 1


def main() -> None:
    private = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD_CLOEXEC, _PRIVATE)
    os.close(int(sys.argv[1]))
    connection = socket.socket(fileno=private)
    sending = threading.Lock()

    def send(message: FromBox) -> None:
        data = box_frame(message)
        with sending, suppress(OSError):  # the receiving thread sees the end of the stream and ends the process
            connection.sendall(data)

    try:
        _serve(connection, send)
    except WireError as error:
        note("the terminal can't be understood", error)
    finally:
        os._exit(0)  # a thread may be inside a driver that never returns


def _serve(connection: socket.socket, send: Callable[[FromBox], None]) -> None:
    frames, host, log = Frames(), None, None
    while data := connection.recv(65536):
        for body in frames.feed(data):
            message = to_box(body)
            if isinstance(message, BoxHello):
                native.die_with(message.parent)
                log = SourceLog(Path(message.log))
                log.take_over()
                native.nice(_NICE)
                host = BoxHost(message, send)
                host.start()
            elif host is not None:
                host.look(message)
        if log is not None:
            log.bound()


if __name__ == "__main__":
    main()
