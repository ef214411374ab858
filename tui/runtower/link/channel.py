"""The source process's end of the stream of frames."""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Iterator

from runtower.link.wire import Frames, ToHost, ToTerminal, frame, to_host

_PRIVATE = 64


class Channel:
    """Sends from any thread, receives in one."""

    def __init__(self, descriptor: int) -> None:
        # A library that closes or prints to low descriptors doesn't meet this one, and no grandchild inherits it.
        private = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _PRIVATE)
        os.close(descriptor)
        self._socket = socket.socket(fileno=private)
        self._sending = threading.Lock()

    def send(self, message: ToTerminal) -> None:
        """Send, waiting for the terminal to read. Once the terminal is gone nothing happens any more."""
        data = frame(message)
        with self._sending:
            try:
                self._socket.sendall(data)
            except OSError:
                return  # the receiving thread sees the end of the stream and ends the process

    def receive(self) -> Iterator[ToHost]:
        """What the terminal says, until it closes. Raises WireError."""
        frames = Frames()
        while True:
            try:
                data = self._socket.recv(65536)
            except ConnectionError:
                return
            if not data:
                return
            for body in frames.feed(data):
                yield to_host(body)
