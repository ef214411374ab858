"""A proxy before a real tracking server that goes wrong with its writes on request, and is slow with what is read.

`fault` names what happens to the next write; '' passes it on. `between` is called once, right before the next write
is passed on: what another client does at that moment. `slow` picks the searches for runs, by their filter, that wait
until `let` passes so many of them on, or `release` all.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_WRITES = ("runs/update", "runs/set-tag", "runs/delete-tag", "runs/delete", "runs/restore")
_REGISTRY = ("registered-models/", "model-versions/")
_REFUSALS = {
    "forbidden": (403, b'{"error_code": "PERMISSION_DENIED", "message": "not yours"}'),
    "conflict": (409, b'{"error_code": "RESOURCE_CONFLICT", "message": "somebody else is at it"}'),
    "busy": (429, b"slow down"),
    "login": (200, b"<!doctype html><title>Sign in</title>"),
    "internal": (500, b'{"error_code": "INTERNAL_ERROR", "message": "the database is on fire"}'),
}


@dataclass
class FaultProxy:
    """`writes` are the paths of those that came here, whatever became of them. `dead`: reads get no answer either.
    `keeps`: whether a connection is kept for the next question. `leave` takes no connection any more."""

    target: str
    fault: str = ""
    dead: bool = False
    keeps: bool = True
    leave: Callable[[], None] = lambda: None
    slow: Callable[[str], bool] = lambda _: False
    searches: list[str] = field(default_factory=list)
    held: int = 0
    connections: list[socket.socket] = field(default_factory=list)
    _turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def let(self, searches: int) -> None:
        self._turns.release(searches)

    def cut(self) -> None:
        """Every connection that is open is gone, as after a night."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self.slow = lambda _: False
        self.let(1000)

    between: Callable[[], object] | None = None
    url: str = ""
    writes: list[str] = field(default_factory=list)

    def answer(self, handler: _Handler, body: bytes) -> None:
        path = urlsplit(handler.path).path
        is_write = path.endswith(_WRITES) or (handler.command != "GET" and any(part in path for part in _REGISTRY))
        if path.endswith("runs/search"):
            self.searches.append(json.loads(body)["filter"])
            if self.slow(self.searches[-1]):
                self.held += 1
                self._turns.acquire(timeout=60)
        fault = ""
        if is_write:
            self.writes.append(path.rsplit("/", 1)[1])
            fault, self.fault = self.fault, ""
        if self.dead or fault == "lost before":
            handler.hang_up()
        elif fault in _REFUSALS:
            handler.say(*_REFUSALS[fault])
        else:
            if is_write and self.between is not None:
                meanwhile, self.between = self.between, None
                meanwhile()
            status, answer = self._passed_on(handler, body)
            if fault == "dies after":
                self.dead = True
            if fault in ("lost after", "dies after"):
                handler.hang_up()
            elif fault == "internal after":
                handler.say(*_REFUSALS["internal"])
            else:
                handler.say(status, answer, self.keeps)

    def _passed_on(self, handler: _Handler, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=30)
        try:
            connection.request(handler.command, handler.path, body or None, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def setup(self) -> None:
        super().setup()
        self.proxy.connections.append(self.connection)

    def do_GET(self) -> None:
        self.proxy.answer(self, b"")

    def do_POST(self) -> None:
        self.proxy.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def say(self, status: int, body: bytes, keep: bool = True) -> None:
        self.send_response(status)
        if not keep:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.send_header("Content-Length", str(len(body)))
        with suppress(OSError):  # who asked may have left
            self.end_headers()
            self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def proxied(target: str) -> Iterator[FaultProxy]:
    """A proxy before the server at `target` while the block runs."""
    proxy = FaultProxy(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def leave() -> None:
        server.shutdown()
        server.server_close()

    proxy.leave = leave
    try:
        yield proxy
    finally:
        proxy.release()
        leave()
