"""The terminal's side of a source: its process is started, watched and replaced here, and never waited for.

Nothing here imports numpy or pyarrow; tables are decoded in daemon threads by `runtower.link.reading`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, overload

import msgspec

from runtower.domain.criteria import Criterion
from runtower.domain.errors import Broken, OutcomeUnknown, TooNew, TowerError
from runtower.domain.targets import Target
from runtower.folders import Folders
from runtower.link import reading, wire
from runtower.link.events import Event, Health, Trouble
from runtower.link.inbox import Inbox
from runtower.link.offloop import off_loop
from runtower.link.requests import Requests
from runtower.link.spool import OwnedSpool, SpoolError
from runtower.link.supervisor import Supervisor
from runtower.link.watch import Timing, Vitals
from runtower.link.wire import (
    ArtifactPart,
    Artifacts,
    Coarse,
    Curve,
    FilesOf,
    History,
    Inputs,
    Models,
    NamedRuns,
    OneModel,
    Parcel,
    Progress,
    Query,
    Stages,
)

if TYPE_CHECKING:
    from runtower.domain.artifacts import Folder, Piece
    from runtower.domain.datasets import Dataset
    from runtower.domain.models import ModelFiles, ModelList, ModelNow
    from runtower.domain.pipelines import Pipeline
    from runtower.domain.pyramid import Pyramid
    from runtower.domain.series import CoarseCurve, MetricSeries
    from runtower.link.decode import Found

_GRACE = 1.0
_MOST_SCOPE = 2000


class Link:
    """One source. `events` is to be iterated by one caller; `ask` and `operate` may be used by any number."""

    def __init__(
        self,
        target: Target,
        folders: Folders,
        *,
        interval: float = 2.0,
        redact: Sequence[str] = (),
        use_cache: bool = True,
        known: Callable[[], Sequence[str]] = tuple,
        timing: Timing | None = None,
        writes: bool = False,
    ) -> None:
        """`interval`: seconds between polls. `known` gives run ids by row id when a process has to be replaced.

        `writes`: its process changes runs, lists none, and outlives the terminal until a change that was begun is done.
        """
        self._target = target
        self._folders = folders
        self._wish = wire.Subscribe(interval)
        self._redact = tuple(redact)
        self._use_cache = use_cache
        self._known = known
        self._timing = timing or Timing()
        self._writes = writes
        self._vitals = Vitals()
        self._requests = Requests()
        self._supervisor = Supervisor(self._timing)
        self._inbox = Inbox(self._hold_back, self._lost)
        self._spool: OwnedSpool | None = None
        self._task: asyncio.Task[None] | None = None
        self._ready = False
        self._held_back = False
        self._closed = False
        self._focus: tuple[str, ...] = ()
        self._scope: tuple[str, ...] | None = None
        self._criteria: tuple[Criterion, ...] = ()
        self._seq = 0

    @property
    def health(self) -> Health:
        return self._vitals.health

    @property
    def pid(self) -> int | None:
        """The process of the source, where one runs."""
        return self._supervisor.pid

    @property
    def base_id(self) -> str | None:
        """The base that the caller has; None for none."""
        return self._inbox.base_id

    def have(self, base_id: str) -> None:
        """Say which base the caller read from the cache by itself, before `events` is iterated."""
        self._inbox.base_id = base_id

    def remember(self, known: Callable[[], Sequence[str]]) -> None:
        """Who tells run ids by row id when a process has to be replaced, where that is known only after the start."""
        self._known = known

    def spawn(self) -> None:
        """Start the process now; needs no event loop. Call it in the thread that the terminal ends with.

        Raises OSError where no process can be started.
        """
        if self._supervisor.pid is None and not self._closed:
            self._supervisor.start(self._hello(None))

    async def events(self) -> AsyncIterator[Event]:
        """What happens, in order, until `close`. Ask for the next one when the one before it is applied."""
        self._attach()
        async for event in self._inbox.events(self._open_spool, self._raise_if_broken):
            yield event

    @overload
    async def ask(self, query: History, *, topic: str = "") -> MetricSeries: ...
    @overload
    async def ask(self, query: Coarse, *, topic: str = "") -> list[CoarseCurve]: ...
    @overload
    async def ask(self, query: Curve, *, topic: str = "") -> Pyramid: ...
    @overload
    async def ask(self, query: Artifacts, *, topic: str = "") -> Folder: ...
    @overload
    async def ask(self, query: ArtifactPart, *, topic: str = "") -> Piece: ...
    @overload
    async def ask(self, query: Inputs, *, topic: str = "") -> list[Dataset]: ...
    @overload
    async def ask(self, query: Models, *, topic: str = "") -> ModelList: ...
    @overload
    async def ask(self, query: OneModel, *, topic: str = "") -> ModelNow: ...
    @overload
    async def ask(self, query: FilesOf, *, topic: str = "") -> ModelFiles: ...
    @overload
    async def ask(self, query: Stages, *, topic: str = "") -> Pipeline: ...
    @overload
    async def ask(self, query: NamedRuns, *, topic: str = "") -> list[str]: ...
    async def ask(self, query: Query, *, topic: str = "") -> Found:
        """The answer to a query. Raises TowerError; Cancelled where a newer query of the same `topic` came."""
        self._attach()
        request, answer = self._requests.ask(query, topic)
        body = await self._answer(request.request, answer, None)
        try:
            return await reading.answer(query, body, self._open_spool())
        except (SpoolError, ValueError, msgspec.MsgspecError) as error:
            raise Broken(f"An answer could not be read: {error}.") from error

    async def operate(
        self,
        name: str,
        arguments: Mapping[str, str],
        *,
        deadline: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> bytes:
        """Carry an operation out; `deadline` in seconds. Cancelling the awaiting task cancels it over there too.

        Raises TowerError; OutcomeUnknown where it did not end in time or its process died: it may have taken effect.
        """
        self._attach()
        request, answer = self._requests.operate(name, dict(arguments), deadline, progress)
        try:
            body = await self._answer(request.request, answer, None if deadline is None else deadline + _GRACE)
        except TimeoutError:
            text = f"'{name}' did not end in time; whether it took effect isn't known."
            raise OutcomeUnknown(text, "Look at its object before trying again.") from None
        spool = self._open_spool()
        try:
            return await off_loop(lambda: spool.take(body))
        except SpoolError as error:
            raise Broken(f"The result of '{name}' could not be read: {error}.") from error

    def focus(self, run_ids: Sequence[str]) -> None:
        """Which runs are on the screen (the first 200 count): they are looked at first."""
        focus = tuple(run_ids[:200])
        if focus != self._focus:
            self._focus = focus
            self._supervisor.send(wire.Focus(focus))

    def scope(self, experiment_ids: Sequence[str] | None) -> None:
        """Which experiments are looked at, None for all; a source that reads by experiment reads no others."""
        chosen = None if experiment_ids is None or len(experiment_ids) > _MOST_SCOPE else tuple(experiment_ids)
        if chosen != self._scope:
            self._scope = chosen
            self._supervisor.send(wire.Scope(chosen))

    def seek(self, criteria: Sequence[Criterion]) -> None:
        """What the runs that are wanted first must fulfil, none for no such wish; while a source isn't known whole."""
        wanted = tuple(criteria)
        if wanted != self._criteria:
            self._criteria = wanted
            self._supervisor.send(wire.Seek(wanted))

    def refresh(self) -> None:
        """Poll now; a process that waits to be started again is started now."""
        self._supervisor.retry()
        self._supervisor.send(wire.Subscribe(self._wish.interval, self._is_paused(), True))

    def pause(self) -> None:
        """No polls until `resume`; questions are answered. Before `spawn`: the source is only opened."""
        self._subscribe(self._wish.interval, True)

    def resume(self) -> None:
        self._subscribe(self._wish.interval, False)

    def set_interval(self, seconds: float) -> None:
        self._subscribe(seconds, self._wish.paused)

    def abandon(self) -> None:
        """Kill the process, in the middle of whatever it does, and leave."""
        self._supervisor.replace(Broken("The source's process was ended."))
        self.close()

    def close(self) -> None:
        """Leave. Returns at once, whatever the source does; its process ends by itself or is killed."""
        if self._closed:
            return
        self._closed = True
        self._vitals.closed()
        self._requests.close()
        if self._task is not None:
            self._task.cancel()
        self._supervisor.close(self._spool.remove if self._spool else lambda: None)
        self._inbox.close()

    def _attach(self) -> None:
        if self._closed:
            raise Broken("This source was closed.")
        if self._task is None:
            watch = self._supervisor.run(
                self._next_hello, self._send_waiting, self._receive, self._silent, self._vitals.steady, self._died
            )
            self._task = asyncio.get_running_loop().create_task(watch)
            self._task.add_done_callback(lambda _: self._inbox.wake())
        self._raise_if_broken()

    def _raise_if_broken(self) -> None:
        task = self._task
        if task is not None and task.done() and not task.cancelled() and (error := task.exception()):
            raise error

    def _open_spool(self) -> OwnedSpool:
        if self._spool is None:
            self._spool = OwnedSpool(self._folders)
        return self._spool

    def _hello(self, known: Parcel | None) -> wire.Hello:
        target = self._target
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in target.name)[:60]
        return wire.Hello(
            version=wire.VERSION,
            name=target.name,
            kind=target.kind,
            uri=target.uri,
            read_only=target.read_only,
            options=dict(target.options),
            spool=str(self._open_spool().folder),
            catalog=str(self._folders.catalog) if self._use_cache else None,
            log=str(self._folders.logs / f"{name}-{target.file_key[:8]}.log"),
            parent=os.getpid(),
            interval=self._wish.interval,
            beat=self._timing.beat,
            retry=self._timing.retry,
            paused=self._is_paused(),
            redact=self._redact,
            known=known,
            source_key=self._inbox.source_key,
            base_id=self._inbox.base_id,
            seq=self._seq,
            writes=self._writes,
            commands=str(self._folders.commands),
            held=target.held,
        )

    async def _next_hello(self) -> wire.Hello:
        """For a process that takes over, once the caller has applied all that the last one said."""
        await self._inbox.settled()
        spool, known = self._open_spool(), list(self._known())
        return self._hello(await off_loop(lambda: spool.put(msgspec.msgpack.encode(known))) if known else None)

    def _receive(self, message: wire.ToTerminal) -> None:
        match message:
            case wire.Beat():
                if message.heard is not None:
                    self._vitals.heard(message.heard, message.round_trip)
            case wire.Opened():
                if message.version != wire.VERSION:
                    self._supervisor.replace(TooNew("runtower was upgraded while it ran.", "Start it again."))
                    return
                self._inbox.put(message)
                self._vitals.heard(0.0, message.round_trip)
                self._note(self._vitals.opened())
            case wire.Rows():
                self._seq = message.seq
                self._inbox.put(message)
                self._vitals.heard(0.0)
                self._note(self._vitals.synced(message.known, message.total, message.complete))
            case wire.Base():
                self._inbox.put(message)
            case wire.Report():
                trouble = Trouble(message.name, message.tried, message.remedy) if message.name else None
                self._note(self._vitals.reported(trouble, message.next_try, message.notices))
            case wire.Started():
                self._requests.started(message.request)
            case wire.Progress():
                self._requests.progressed(message)
            case wire.Answer():
                with suppress(SpoolError, OSError):
                    self._open_spool().drop(self._requests.answered(message))
            case wire.Refused():
                self._requests.refused(message)

    def _silent(self, stale: bool) -> None:
        self._note(self._vitals.silent(stale))

    def _died(self, why: TowerError, next_in: float) -> None:
        self._ready = False
        self._note(self._vitals.died(Trouble(why.name, why.tried, why.remedy), next_in))
        self._requests.crashed()

    def _lost(self, why: str) -> None:
        # A new process begins where the last base ends and tells everything since then again.
        self._supervisor.replace(Broken(f"What the source's process sent could not be read: {why}."))

    def _note(self, changed: bool) -> None:
        if changed:
            self._inbox.put(self._vitals.health)

    async def _answer(self, request: int, answer: asyncio.Future[Parcel], patience: float | None) -> Parcel:
        try:
            if self._ready:
                self._send_requests()
            return await asyncio.wait_for(answer, patience)
        finally:
            if self._requests.forget(request):
                self._supervisor.send(wire.Cancel(request))

    def _send_waiting(self) -> None:
        self._ready = True
        self._send_requests()
        if self._focus:
            self._supervisor.send(wire.Focus(self._focus))
        if self._scope is not None:
            self._supervisor.send(wire.Scope(self._scope))
        if self._criteria:
            self._supervisor.send(wire.Seek(self._criteria))

    def _send_requests(self) -> None:
        for message in self._requests.unsent():
            self._supervisor.send(message)

    def _subscribe(self, interval: float, paused: bool) -> None:
        self._wish = wire.Subscribe(interval, paused)
        self._supervisor.send(wire.Subscribe(interval, self._is_paused()))

    def _hold_back(self, hold: bool) -> None:
        self._held_back = hold
        self._subscribe(self._wish.interval, self._wish.paused)

    def _is_paused(self) -> bool:
        return self._wish.paused or self._held_back
