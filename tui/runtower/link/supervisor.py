"""Keeps one source's process running: starts it, watches its heartbeat, replaces it with a back-off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from runtower.domain.errors import Broken, TowerError
from runtower.link.backoff import Backoff
from runtower.link.child import Child
from runtower.link.watch import Pulse, Timing
from runtower.link.wire import Hello, ToHost, ToTerminal


class Supervisor:
    """`start` may come before any event loop; `run` is the task that watches."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._pulse = Pulse(timing)
        self._child: Child | None = None
        self._retry_now = asyncio.Event()
        self._fault: TowerError | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self, hello: Hello) -> None:
        """Raises OSError."""
        self._child = Child(hello)

    def send(self, message: ToHost) -> None:
        """Say something to the process, where there is one. Raises WireError."""
        if self._child is not None:
            self._child.send(message)

    def retry(self) -> None:
        """Don't wait any longer before the next start."""
        self._retry_now.set()

    def replace(self, why: TowerError) -> None:
        """This process can't be trusted any more."""
        self._fault = why
        if self._child is not None:
            self._child.kill()
            self._child = None

    def close(self, afterwards: Callable[[], None]) -> None:
        """Let the process end; `afterwards` is called when it has. Returns at once."""
        if self._child is not None:
            self._child.dispose(afterwards=afterwards)
            self._child = None
        else:
            afterwards()

    async def run(
        self,
        hello: Callable[[], Awaitable[Hello]],
        ready: Callable[[], None],
        receive: Callable[[ToTerminal], None],
        silent: Callable[[bool], None],
        steady: Callable[[], bool],
        died: Callable[[TowerError, float], None],
    ) -> None:
        """For ever. `steady`: whether what lived for two beats did its work; `died`: why, and the wait in seconds."""
        backoff = Backoff(self._timing.retry)

        def lives() -> None:
            if steady():
                backoff.reset()

        while True:
            self._fault = None
            try:
                if self._child is None:
                    self.start(await hello())
                why = await self._watch(ready, receive, silent, lives)
            except OSError as error:
                why = TowerError(f"The source's process could not be started: {error}.", "Is there space and memory?")
            self._retry_now.clear()
            pause = backoff.next()
            died(why, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._retry_now.wait(), pause)

    async def _watch(
        self,
        ready: Callable[[], None],
        receive: Callable[[ToTerminal], None],
        silent: Callable[[bool], None],
        lives: Callable[[], None],
    ) -> TowerError:
        child, pulse, timing = self._child, Pulse(self._timing), self._timing
        assert child is not None

        def hear(message: ToTerminal) -> None:
            if child is self._child:
                pulse.heard()
                silent(False)
                receive(message)

        ended = await child.attach(hear)
        ready()
        age = 0.0
        while not ended.done():
            await asyncio.wait({ended}, timeout=timing.tick)
            if ended.done():
                break
            pulse.tick()
            silent(pulse.is_stale)
            if pulse.hangs:
                self.replace(Broken("The source's process hung and was replaced.", "The source's log may say why."))
            age += timing.tick
            if age >= 2 * timing.beat:
                lives()
        garbage, fault = ended.result(), self._fault
        remedy = "The source's log has the details."
        if garbage is not None:
            fault = Broken(f"The source's process was replaced: {garbage}.", remedy)
        why = fault or Broken("The source's process ended unexpectedly.", remedy)
        self.replace(why)
        return why
