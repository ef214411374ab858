"""The terminal's handle on one source process: started at once, heard through a socket, never waited for."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from runtower.folders import private
from runtower.link.blas import ONE_THREAD
from runtower.link.wire import Frames, Hello, ToHost, ToTerminal, WireError, frame, to_terminal

_GRACE = 6.0


class Child:
    """One process. Nothing here needs an event loop before `attach`."""

    def __init__(self, hello: Hello) -> None:
        """Start it. Raises OSError where no process can be started."""
        self._transport: asyncio.Transport | None = None
        self._socket, theirs = socket.socketpair()
        output = _log(Path(hello.log))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "runtower.link.host", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                env=ONE_THREAD | os.environ,
                start_new_session=True,
            )
        except OSError:
            self._socket.close()
            raise
        finally:
            theirs.close()
            if output >= 0:
                os.close(output)
        self._socket.sendall(frame(hello))
        self._socket.setblocking(False)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def attach(self, receive: Callable[[ToTerminal], None]) -> asyncio.Future[WireError | None]:
        """Hand each message to `receive` from now on.

        The future is done when the stream has ended: with the WireError where what came made no sense.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[WireError | None] = loop.create_future()
        self._transport, _ = await loop.create_connection(lambda: _Stream(receive, ended), sock=self._socket)
        return ended

    def send(self, message: ToHost) -> None:
        """Send without waiting. Raises WireError where the message is too large."""
        data = frame(message)
        if self._transport is not None:
            self._transport.write(data)
        else:
            self._socket.setblocking(True)
            try:
                self._socket.sendall(data)
            except OSError:
                return  # it died already, which `attach` will tell
            finally:
                self._socket.setblocking(False)

    def kill(self) -> None:
        """End it now, in the middle of whatever it does."""
        self._process.kill()
        self.dispose(0.0)

    def dispose(self, grace: float = _GRACE, afterwards: Callable[[], None] = lambda: None) -> None:
        """Let it see the end of the stream; what hasn't ended after `grace` seconds is killed. Returns at once.

        The thread that sees to it isn't joined: when the terminal ends first, the kernel kills what is left.
        """
        if self._transport is not None:
            self._transport.abort()
        self._socket.close()
        threading.Thread(target=_reap, args=(self._process, grace, afterwards), name="reaper", daemon=True).start()


class _Stream(asyncio.Protocol):
    def __init__(self, receive: Callable[[ToTerminal], None], ended: asyncio.Future[WireError | None]) -> None:
        self._receive = receive
        self._ended = ended
        self._frames = Frames()

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._receive(to_terminal(body))
        except WireError as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(None)

    def _end(self, error: WireError | None) -> None:
        if not self._ended.done():
            self._ended.set_result(error)


def _log(path: Path) -> int:
    """Where it prints before it takes its log over itself."""
    try:
        return os.open(private(path.parent) / path.name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return subprocess.DEVNULL


def _reap(process: subprocess.Popen[bytes], grace: float, afterwards: Callable[[], None]) -> None:
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    afterwards()
