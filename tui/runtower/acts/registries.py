"""The registries of a sitting's sources: read while somebody looks, and read anew every 20 s.

Aliases and tags that are set move no time in MLflow, so nothing tells what changed: all is read again, and what stands
already is sent as a digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from runtower.acts.tower import Tower
from runtower.domain.errors import NotFound, TowerError
from runtower.domain.models import Model, ModelNow
from runtower.domain.targets import Target
from runtower.link.wire import Models, OneModel

EVERY: Final = 20.0
_SOON: Final = 2.0
_MOST_RUNS: Final = 200


@dataclass
class Registry:
    """What is known of one source's registry: None before it answered; `error` stands beside what was known before."""

    models: Sequence[Model] | None = None
    digest: str = ""
    error: TowerError | None = None
    is_reading: bool = False

    @property
    def is_none(self) -> bool:
        """Whether the source has no registry."""
        return isinstance(self.error, NotFound) and self.models is None


class Registries:
    """`changed` is called on the loop after news. Lives on one event loop."""

    def __init__(self, tower: Tower, targets: Sequence[Target], changed: Callable[[], None]) -> None:
        """`targets` may grow while this lives."""
        self.version = 0
        self._tower = tower
        self._targets = targets
        self._changed = changed
        self._registries: dict[int, Registry] = {}
        self._models: dict[tuple[int, str], ModelNow] = {}
        self._errors: dict[tuple[int, str], TowerError] = {}
        self._watched: list[tuple[int, str] | None] = []
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._paused = False

    def pause(self, paused: bool) -> None:
        """Stop or go on reading by itself; `refresh` reads all the same."""
        self._paused = paused
        if not paused:
            self.refresh()

    def of(self, number: int) -> Registry:
        """The registry of a source."""
        return self._registries.setdefault(number, Registry())

    @property
    def known(self) -> list[tuple[int, Model]]:
        """All models that are known, with the number of their source."""
        return [(n, model) for n, registry in sorted(self._registries.items()) for model in registry.models or ()]

    @property
    def numbers(self) -> list[int]:
        """The sources that may be asked."""
        return [number for number, target in enumerate(self._targets) if not target.held]

    def model(self, number: int, name: str) -> ModelNow | None:
        """A model as it was read last."""
        return self._models.get((number, name))

    def error(self, number: int, name: str) -> TowerError | None:
        """Why it couldn't be read the last time."""
        return self._errors.get((number, name))

    # -- watching

    def watch(self, model: tuple[int, str] | None = None) -> Callable[[], None]:
        """Somebody looks at all models, or at one of them (source and name); gives what ends it."""
        self._watched.append(model)
        self.refresh()

        def end() -> None:
            with suppress(ValueError):
                self._watched.remove(model)

        return end

    def refresh(self) -> None:
        """Read again at once, where somebody looks."""
        if not self._watched:
            return
        self._wanted.set()
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        while self._watched:
            self._wanted.clear()
            await self._read()
            seconds = EVERY if not self._waits else _SOON
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), seconds)
            if self._paused and not self._wanted.is_set():
                await self._wanted.wait()

    @property
    def _waits(self) -> bool:
        """Whether a source that is being opened couldn't answer yet."""
        return any(self._tower.health(n).heard is None and not self.of(n).is_none for n in self.numbers)

    async def _read(self) -> None:
        wanted = {one for one in self._watched if one is not None}
        numbers = self.numbers if None in self._watched else []
        await asyncio.gather(*(self._read_all(n) for n in numbers), *(self.read(n, name) for n, name in wanted))

    async def _read_all(self, number: int) -> None:
        registry = self.of(number)
        registry.is_reading = registry.models is None and registry.error is None
        try:
            found = await self._tower.links[number].ask(Models(registry.digest))
        except TowerError as error:
            is_news = str(registry.error) != str(error)
            registry.error = error
        else:
            is_news = found.models is not None or registry.error is not None or registry.is_reading
            registry.error = None
            registry.digest = found.digest
            if found.models is not None:
                registry.models = found.models
        registry.is_reading = False
        if is_news:
            self._told()

    async def read(self, number: int, name: str) -> ModelNow | None:
        """One model, read now; the runs of its newest versions come into the catalogue. None where that fails."""
        key = (number, name)
        try:
            now = await self._tower.links[number].ask(OneModel(name))
        except TowerError as error:
            is_news = str(self._errors.get(key)) != str(error)
            self._errors[key] = error
            if isinstance(error, NotFound):
                self._models.pop(key, None)
            if is_news:
                self._told()
            return None
        is_news = self._models.get(key) != now or key in self._errors
        self._models[key] = now
        self._errors.pop(key, None)
        if is_news:
            self._told()
        await self._bring(number, now)
        return now

    async def _bring(self, number: int, now: ModelNow) -> None:
        ids = list(dict.fromkeys(one.run_id for one in now.versions if one.run_id))[:_MOST_RUNS]
        before = self._tower.catalogue.size
        try:
            await self._tower.bring(number, ids)
        except TowerError:
            return  # a run that can't be read leaves its cells empty; the source's line says what is wrong
        if self._tower.catalogue.size != before:
            self._told()

    def _told(self) -> None:
        self.version += 1
        self._changed()
