"""The source that has a model: each is opened and asked for that model alone, and none lists its runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from runtower.acts.tower import Tower
from runtower.commands.opening import Context, having_targets, listening
from runtower.domain.errors import Invalid, NotFound, TowerError, Unreachable, from_name
from runtower.domain.models import ModelNow
from runtower.domain.targets import Identity, Target
from runtower.link.wire import OneModel

_T = TypeVar("_T")


@dataclass(frozen=True)
class Found:
    """A model as its registry has it now, in the source of that number."""

    tower: Tower
    target: Target
    number: int
    now: ModelNow

    async def identity(self) -> Identity:
        """Who answered."""
        news = asyncio.Event()
        self.tower.on_change(lambda _: news.set())
        while self.number not in self.tower.identities:  # it is told before the first answer, and applied soon after
            await news.wait()
            news.clear()
        return self.tower.identities[self.number]


@asynccontextmanager
async def asking(work: Context) -> AsyncIterator[Tower]:
    """A tower whose sources are opened and list nothing. Raises NotFound where there is none."""
    async with listening(having_targets(work), paused=True) as tower:
        yield tower


@asynccontextmanager
async def found(work: Context, name: str, patience: float) -> AsyncIterator[Found]:
    """The model in the one source that has it; `patience` is in seconds.

    Raises NotFound where none has it or several have, and the first error of a source that couldn't say.
    """
    async with asking(work) as tower:
        there = await models_named(work, tower, name, patience)
        if len(there) > 1:
            names = ", ".join(work.targets[number].name for number, _ in there)
            raise NotFound(f"Several sources have a model {name}: {names}.", "Say which one is meant: --source NAME.")
        number, now = there[0]
        yield Found(tower, work.targets[number], number, now)


async def models_named(work: Context, tower: Tower, name: str, patience: float) -> list[tuple[int, ModelNow]]:
    """The model of that name in each source that has one. Raises as `found` does, but not for several."""
    answers = await asked_all(work, [link.ask(OneModel(name)) for link in tower.links], patience)
    if not answers:
        raise NotFound(f"There is no model {name} in {_names(work.targets)}.", "runtower models lists what there is.")
    return answers


async def asked_all(work: Context, questions: Sequence[Awaitable[_T]], patience: float) -> list[tuple[int, _T]]:
    """What each source answered that has something of the sort, by number. Raises the first error but NotFound."""

    async def one(question: Awaitable[_T]) -> _T | TowerError:
        try:
            return await asyncio.wait_for(question, patience)
        except TimeoutError:
            return Unreachable(f"There was no answer within {patience:g} seconds.", "--timeout waits longer.")
        except TowerError as error:
            return error

    answers = await asyncio.gather(*map(one, questions))
    for target, answer in zip(work.targets, answers, strict=True):
        if isinstance(answer, TowerError) and not isinstance(answer, NotFound):
            remedy = answer.remedy if len(answers) == 1 else f"{answer.remedy} --source asks one source only.".strip()
            raise from_name(answer.name, f"{target.name}: {answer.tried}", remedy)
    return [(number, answer) for number, answer in enumerate(answers) if not isinstance(answer, TowerError)]


def number_of(now: ModelNow, text: str) -> str:
    """The version that a number or `@alias` stands for. Raises Invalid for neither, NotFound for what isn't there."""
    name = now.model.name
    if text.startswith("@"):
        version = now.model.aliases.get(text[1:])
        if version is None:
            there = ", ".join(f"@{alias}" for alias in sorted(now.model.aliases)) or "none"
            raise NotFound(f"{name} has no alias {text}.", f"Its aliases: {there}.")
        return version
    if not (text.isascii() and text.isdecimal()):
        raise Invalid(f"'{text}' is no version.", "Give its number, or @ALIAS for who has an alias.")
    if now.version(text) is None:
        there = ", ".join(one.version for one in now.versions[:10]) or "none"
        raise NotFound(f"{name} has no version {text}.", f"It has {there}.")
    return text


def _names(targets: Sequence[Target]) -> str:
    return ", ".join(target.name for target in targets)
