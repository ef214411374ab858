"""Changes of registries from the screen: which may be made, carrying them out, what is still open from earlier."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from runtower.acts.edit_process import is_at_work
from runtower.acts.model_writer import ModelOutcome, ModelWriter
from runtower.acts.promote_hook import PromoteHook
from runtower.acts.promotion_words import by_hand, told
from runtower.acts.registries import Registries
from runtower.acts.tower import News, Tower
from runtower.domain.errors import TowerError
from runtower.domain.model_changes import ModelEdit
from runtower.domain.promotions import Promotion
from runtower.link import commandlog
from runtower.link.commandlog import ModelEntry
from runtower.link.offloop import off_loop
from runtower.sources.port import Target
from runtower.starting import Starter

_LOOK_WHETHER_AT_WORK: Final = 1.0
_LOOK_AGAIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a change ended, as a sentence; `is_done`: it took effect, as read back."""

    says: str
    is_done: bool


class Registrar:
    """Of one sitting; lives on one event loop. `changed` is called after news; `tell` is for what nobody waits for."""

    def __init__(
        self,
        tower: Tower,
        targets: Sequence[Target],
        starter: Starter,
        registries: Registries,
        changed: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        """`targets` may grow while this lives."""
        self._tower = tower
        self._targets = targets
        self._starter = starter
        self._registries = registries
        self._changed = changed
        self._writers: dict[int, ModelWriter] = {}
        self._under_way: dict[int, str] = {}
        self._answered: set[int] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.hook = PromoteHook(starter, tell)
        self._tell = tell
        tower.on_change(self._heard)

    # -- what may be done

    @property
    def under_way(self) -> str:
        """What is being written now, '' for nothing."""
        return next(iter(self._under_way.values()), "")

    def why_not(self, number: int) -> str:
        """Why a source's registry can't be changed now, '' where it can."""
        target = self._targets[number]
        if target.read_only:
            return f"{target.name} is read-only"
        if number not in self._tower.identities:
            return f"{target.name} hasn't answered yet"
        return f"still busy: {self._under_way[number]}" if number in self._under_way else ""

    def login(self, number: int) -> str:
        """The login at the server, '' where it has none."""
        return login_of(self._targets[number], os.environ)

    def command(self, number: int, promotion: Promotion) -> str:
        """What does the same by hand: by the name of the source where the settings have it, else by its address."""
        target, identity = self._targets[number], self._tower.identities.get(number)
        if target.name in self._starter.settings.sources:
            return by_hand(promotion, target.name if len(self._targets) > 1 else "")
        return by_hand(promotion, "", identity.address if identity is not None else target.uri)

    def prepare(self, number: int) -> None:
        """A question is being asked: the process that would write opens its source meanwhile."""
        self._writer(number).prepare()

    def _writer(self, number: int) -> ModelWriter:
        """The one of a source, made when it is first needed, and anew where its target is another by now."""
        writer, target = self._writers.get(number), self._targets[number]
        if writer is None or writer.target != target:
            if writer is not None:
                writer.leave()
            writer = ModelWriter(target, self._starter.folders, self._starter.settings)
            self._writers[number] = writer
        return writer

    # -- carrying out

    async def promote(self, number: int, promotion: Promotion) -> Ended:
        """Carry it out; whoever waits may go away meanwhile. Never raises."""
        what = f"{promotion.model} v{promotion.version} to {promotion.to.shown}"
        writer, identity = self._writer(number), self._tower.identities[number]

        async def write() -> Ended:
            outcome = await writer.promote(promotion, self.command(number, promotion), identity)
            if outcome.word == "done" and outcome.promoted is not None:
                self.hook.run(promotion, outcome.promoted, self._targets[number].name)
                return Ended(" ".join([told(promotion, outcome.promoted), *outcome.promoted.warnings]), True)
            return _not_done(outcome)

        return await self._carry_out(number, what, write)

    async def edit(self, number: int, edit: ModelEdit, what: str, done: str) -> Ended:
        """Carry out a plain edit; `done` is what is said once it took effect. Never raises."""
        writer, identity = self._writer(number), self._tower.identities[number]

        async def write() -> Ended:
            outcome = await writer.edit(edit, "", identity)
            return Ended(done, True) if outcome.word == "done" else _not_done(outcome)

        return await self._carry_out(number, what, write)

    async def _carry_out(self, number: int, what: str, write: Callable[[], Coroutine[Any, Any, Ended]]) -> Ended:
        """As a task of its own: a screen that goes away doesn't end it."""
        self._under_way[number] = what
        self._idle.clear()
        self._changed()

        async def work() -> Ended:
            try:
                ended = await write()
            except TowerError as error:
                ended = Ended(str(error), False)
            finally:
                self._under_way.pop(number, None)
                if not self._under_way:
                    self._idle.set()
            self._registries.refresh()
            self._changed()
            return ended

        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    # -- what isn't settled

    def _heard(self, news: News) -> None:
        """Once a source has answered: what an earlier sitting began there and didn't see the end of is read back."""
        number = news.source
        if number in self._tower.identities and number not in self._answered:
            self._answered.add(number)
            if not self._targets[number].read_only:
                self._start(self._settle_open(number))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle_open(self, number: int) -> None:
        file = self._starter.folders.commands
        identity = self._tower.identities[number]
        for entry in await off_loop(lambda: commandlog.read_models(file)):
            intent = entry.intent
            is_mine = intent.address == identity.address and intent.source_key in ("", identity.key)
            if entry.outcome in ("open", "unknown") and not intent.hidden and is_mine:
                self._start(self._settle(number, entry))

    async def _settle(self, number: int, entry: ModelEntry) -> None:
        """Until it is known what became of a write."""
        intent = entry.intent
        while is_at_work(intent):  # noqa: ASYNC110 - another process works, and nobody tells its end
            await asyncio.sleep(_LOOK_WHETHER_AT_WORK)
        file = self._starter.folders.commands
        known = {one.intent.id: one for one in await off_loop(lambda: commandlog.read_models(file))}
        logged = known.get(intent.id)
        word, says = (logged.outcome if logged is not None else "open"), ""
        while word not in ("done", "refused"):
            outcome = await self._writer(number).settle(entry)
            word, says = outcome.word, outcome.says
            if word == "unknown":
                self._tell(f"Whether '{intent.what}' took effect isn't known yet. {says}")
                await asyncio.sleep(_LOOK_AGAIN)
        took = "took effect" if word == "done" else "did not take effect"
        at = time.strftime("%H:%M", time.localtime(intent.time / 1000))
        self._tell(f"A change of {at}, '{intent.what}', {took}. {says}".strip())
        self._registries.refresh()

    # -- the end

    async def settled(self, seconds: float) -> bool:
        """Wait until no write is under way; False where the time was over first."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Leave at once; what was begun is finished and logged by its own process."""
        for task in self._tasks:
            task.cancel()
        for writer in self._writers.values():
            writer.leave()


def login_of(target: Target, environ: Mapping[str, str]) -> str:
    """The name by which a server knows who asks, as far as the source's options, its address or MLflow's variable have
    it; '' else."""
    if not target.uri.startswith(("http://", "https://")):
        return ""
    given = target.options.get("username") or urlsplit(target.uri).username
    return given or environ.get("MLFLOW_TRACKING_USERNAME", "")


def _not_done(outcome: ModelOutcome) -> Ended:
    return Ended(str(outcome.error) if outcome.error is not None else "It did not take effect.", False)
