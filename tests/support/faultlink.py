"""Links to the fault source, and a caller that applies what they say as the catalogue does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from runtower.catalog.segment import Segment
from runtower.domain.runs import ColumnKey, Kind
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.link.events import Base, Event, Health, Opened, Rows
from runtower.link.watch import Timing
from runtower.sources.port import Target

QUICK = Timing(beat=0.2, stale=0.5, hang=30.0, tick=0.1, retry=0.05)
LOSS = ColumnKey(Kind.METRIC, "loss")


def install(folder: Path) -> str:
    """A distribution whose entry point is the fault source; what PYTHONPATH has to be."""
    info = folder / "faultsource-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faultsource\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[runtower.sources]\nfault = support.faultsource:SOURCE\n")
    return os.pathsep.join((str(folder), str(Path(__file__).parents[1])))


class Watcher:
    """One link, the events it gave so far, and the rows they add up to."""

    def __init__(self, folder: Path, uri: str, *, timing: Timing = QUICK, have: str = "", **options: object) -> None:
        self.control = folder / "control"
        self.control.mkdir(exist_ok=True, parents=True)
        self.folders = Folders.of()
        self.target = Target("fault", "fault", uri, options={"control": str(self.control)})
        self.link = Link(self.target, self.folders, interval=0.05, timing=timing, known=self.known, **options)  # type: ignore[arg-type]
        if have:
            self.link.have(have)
        self.link.spawn()
        self.events: list[Event] = []
        self.run_ids: dict[int, str] = {}
        self.losses: dict[int, float] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watcher:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task
        if not self._task.done():
            self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self.link.close()

    def known(self) -> list[str]:
        return [self.run_ids.get(row, "") for row in range(1 + max(self.run_ids, default=-1))]

    async def until(self, condition: Callable[[], object], within: float = 20.0) -> None:
        """Wait for news until the condition holds."""
        end = time.monotonic() + within
        while not condition():
            assert time.monotonic() < end, f"not within {within} s: {self.link.health}\n{self.events[-6:]}"
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), 0.05)
            if self._task and self._task.done():
                self._task.result()

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def log(self) -> str:
        return "".join(path.read_text() for path in self.folders.logs.glob("*.log"))

    async def _watch(self) -> None:
        async for event in self.link.events():
            self._apply(event)
            self.events.append(event)
            self._news.set()

    def _apply(self, event: Event) -> None:
        match event:
            case Opened():
                if event.reset:
                    self.run_ids, self.losses = {}, {}
                if event.base is not None:
                    self._take(event.base)
            case Rows():
                if event.segment is not None:
                    self._take(event.segment)
                for row in event.gone.tolist():
                    self.losses.pop(row, None)
            case Base():
                before = dict(self.losses)
                if event.upto_seq == max((e.seq for e in self.events if isinstance(e, Rows)), default=0):
                    self.losses = {}
                    self._take(event.segment)
                    assert self.losses == before, "a base says the same as what it replaces"
            case Health():
                pass

    def _take(self, segment: Segment) -> None:
        for row, run_id in zip(segment.rows.tolist(), segment.run_ids.to_pylist(), strict=True):
            assert self.run_ids.setdefault(row, run_id) == run_id, "a row id means one run"
        if segment.count(LOSS):
            cells = segment.numbers(LOSS)
            self.losses.update(zip(cells.rows.tolist(), cells.values.tolist(), strict=True))


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
