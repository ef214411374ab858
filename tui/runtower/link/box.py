"""The terminal's handle on the process that looks at this machine: started late, heard through a socket, begun anew."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtower.folders import Folders, private
from runtower.link.backoff import Backoff
from runtower.link.blas import ONE_THREAD
from runtower.link.box_wire import BoxHello, FromBox, Looking, box_frame, from_box
from runtower.link.wire import Frames, WireError

_STEADY: Final = 30.0
_GRACE: Final = 2.0


class BoxLink:
    """`receive` gets each piece of news on the loop, `restarted` is called before those of another process come."""

    def __init__(
        self, folders: Folders, project: Path, receive: Callable[[FromBox], None], restarted: Callable[[], None]
    ) -> None:
        self._folders = folders
        self._project = project
        self._receive = receive
        self._restarted = restarted
        self._looking = Looking()
        self._process: subprocess.Popen[bytes] | None = None
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def _log(self) -> Path:
        return private(self._folders.logs) / "box.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin to look; on the loop."""
        if self._task is None and not self._is_closed:
            self._task = asyncio.ensure_future(self._run())

    def look(self, looking: Looking) -> None:
        """Somebody looks otherwise from now on."""
        again, looking.again = looking.again, False
        if looking == self._looking and not again:
            return
        self._looking = looking
        self._say(Looking(looking.jobs, looking.gpus, again, looking.paused))

    def close(self) -> None:
        """It sees the end of the stream, and ends. Returns at once."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
        self._drop()

    async def _run(self) -> None:
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while not self._is_closed:
            begun = loop.time()
            with suppress(OSError):  # no process, no memory: later
                await self._once()
            self._drop()
            self._restarted()
            if loop.time() - begun > _STEADY:
                backoff.reset()
            await asyncio.sleep(backoff.next())

    def _spawn(self) -> socket.socket:
        """Start it; gives our end. Raises OSError where none can be started."""
        ours, theirs = socket.socketpair()
        try:
            with self._log.open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "runtower.link.box_host", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=(theirs.fileno(),),
                    env=ONE_THREAD | os.environ,
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    async def _once(self) -> None:
        """One process, until its end. Raises OSError where none can be started."""
        ours = self._spawn()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        self._transport, _ = await loop.create_connection(lambda: _Stream(self._receive, ended), sock=ours)
        hello = BoxHello(
            jobs=str(self._folders.jobs),
            project=str(self._project),
            state=str(self._folders.state),
            log=str(self._log),
            parent=os.getpid(),
        )
        self._say(hello)
        self._say(self._looking)
        await ended

    def _say(self, message: BoxHello | Looking) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(box_frame(message))

    def _drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if self._process is not None:
            threading.Thread(target=_reap, args=(self._process,), name="box reaper", daemon=True).start()
            self._process = None


class _Stream(asyncio.Protocol):
    def __init__(self, receive: Callable[[FromBox], None], ended: asyncio.Future[None]) -> None:
        self._receive = receive
        self._ended = ended
        self._frames = Frames()

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._receive(from_box(body))
        except WireError:
            self._end()  # it is begun anew

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
