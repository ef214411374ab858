"""What each source answers, good or bad: the question that `doctor` and `sources` ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runtower.acts.tower import Tower
from runtower.commands.opening import Context, has_all, listening
from runtower.domain.errors import TowerError, Unreachable, from_name
from runtower.domain.targets import Identity, Target
from runtower.link.events import Health


@dataclass(frozen=True)
class Answer:
    """What came of asking one source. `identity` is None where it didn't answer; `runs` and `experiments` are those
    that are known by now; `row_errors` by run id what could not be read of a run; `waited` is in seconds."""

    target: Target
    health: Health
    identity: Identity | None
    runs: int
    experiments: int
    row_errors: Mapping[str, str]
    waited: float

    @property
    def address(self) -> str:
        """Where it is, as it says itself; '' before it answered."""
        return self.identity.address if self.identity is not None else ""

    @property
    def error(self) -> TowerError | None:
        """Why there is no answer; None where there is one."""
        if self.health.error is not None:
            error = self.health.error
            return from_name(error.name, error.tried, error.remedy)
        if self.identity is None:
            return Unreachable(f"There was no answer in {self.waited:g} seconds.", "Is the server up?")
        return None


def ask(work: Context, patience: float, counting: float | None = None) -> list[Answer]:
    """Ask all sources at once, at most `patience` seconds. Each is let go once it has told all its runs or an error;
    with `counting` also so many seconds after it answered, however many runs there still are."""
    return asyncio.run(_ask(work, patience, counting))


async def _ask(work: Context, patience: float, counting: float | None) -> list[Answer]:
    async with listening(work) as tower:
        began = time.monotonic()
        answered: dict[int, float] = {}

        def is_done(number: int) -> bool:
            if number in tower.identities:
                answered.setdefault(number, time.monotonic())
                if counting is not None and time.monotonic() - answered[number] >= counting:
                    return True
            return has_all(tower, number) or tower.health(number).error is not None

        waiting = list(range(len(tower.links)))
        while waiting and time.monotonic() < began + patience:
            waiting = [number for number in waiting if not is_done(number)]
            await asyncio.sleep(0.05)
        return [_answer(tower, number, target, patience) for number, target in enumerate(work.targets)]


def _answer(tower: Tower, number: int, target: Target, patience: float) -> Answer:
    table, health = tower.catalogue.sources[number], tower.health(number)
    errors = {key.run_id: what for key, what in tower.errors.items() if key.source == target.name}
    experiments = sum(not one.deleted for one in table.experiments.values())
    return Answer(target, health, tower.identities.get(number), health.known, experiments, errors, patience)


def first_error(answers: Sequence[Answer]) -> TowerError | None:
    """The first source's that didn't answer, with its name."""
    for answer in answers:
        if answer.error is not None:
            return from_name(answer.error.name, f"{answer.target.name}: {answer.error.tried}", answer.error.remedy)
    return None
