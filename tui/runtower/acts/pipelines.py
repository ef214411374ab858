"""The pipelines of a sitting's sources: read while somebody looks, and again a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from runtower.acts.tower import Tower
from runtower.domain.errors import TowerError
from runtower.domain.pipelines import Pipeline, Stage
from runtower.domain.targets import Target
from runtower.link.wire import Stages

_EVERY: Final = 2.0
_SHARE: Final = 20.0  # a reading may take a twentieth of the time


@dataclass
class Read:
    """What is known of one source's pipeline: None before it answered; `error` stands beside what was known before."""

    pipeline: Pipeline | None = None
    error: TowerError | None = None


class Pipelines:
    """`changed` is called on the loop after news. Lives on one event loop."""

    def __init__(self, tower: Tower, targets: Sequence[Target], changed: Callable[[], None]) -> None:
        """`targets` may grow while this lives."""
        self._tower = tower
        self._targets = targets
        self._changed = changed
        self._read: dict[int, Read] = {}
        self._watching = 0
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._paused = False

    @property
    def numbers(self) -> list[int]:
        """The sources that may have one."""
        return [n for n, target in enumerate(self._targets) if target.kind == "dvc" and not target.held]

    def of(self, number: int) -> Read:
        """The pipeline of a source."""
        return self._read.setdefault(number, Read())

    @property
    def known(self) -> list[tuple[int, Stage]]:
        """All stages that are known, with the number of their source."""
        read = [(number, self.of(number).pipeline) for number in self.numbers]
        return [(number, stage) for number, found in read if found is not None for stage in found.stages]

    def folder(self, number: int) -> str:
        """Where the project of a source is."""
        return self._targets[number].uri

    def watch(self) -> Callable[[], None]:
        """Somebody looks; gives what ends it."""
        self._watching += 1
        self.refresh()

        def end() -> None:
            self._watching -= 1

        return end

    def pause(self, paused: bool) -> None:
        """Stop or go on reading by itself; `refresh` reads all the same."""
        self._paused = paused
        if not paused:
            self.refresh()

    def refresh(self) -> None:
        """Read again at once, where somebody looks."""
        if not self._watching:
            return
        self._wanted.set()
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._watching:
            self._wanted.clear()
            begun = loop.time()
            await asyncio.gather(*(self._ask(number) for number in self.numbers))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), max(_EVERY, _SHARE * (loop.time() - begun)))
            if self._paused and not self._wanted.is_set():
                await self._wanted.wait()

    async def _ask(self, number: int) -> None:
        read = self.of(number)
        found: Pipeline | None = None
        error: TowerError | None = None
        try:
            found = await self._tower.links[number].ask(Stages())
        except TowerError as failed:
            found, error = read.pipeline, failed
        same = read.pipeline is not None and found is not None and _told(found) == _told(read.pipeline)
        if not same or str(error) != str(read.error):
            read.pipeline, read.error = found, error
            self._changed()


def _told(found: Pipeline) -> tuple[object, ...]:
    return found.stages, found.holders, found.problems
