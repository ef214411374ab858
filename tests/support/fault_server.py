"""A little tracking server that goes wrong on request: MLflow's REST API over a list of runs, by http.server.

`fault` names what happens to the questions that come next; '' answers them. It counts what it was asked, with which
headers, and how many questions were under way at once.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

_UPTO = re.compile(r"start_time <= (\d+)")
_AFTER = re.compile(r"(start|end)_time > (-?\d+)")
_IDS = re.compile(r"'(run\w+)'")


def a_run(number: int, *, status: str = "FINISHED", start: int | None = None, **tags: str) -> dict[str, Any]:
    """A run as the API sends it."""
    begun = 1_700_000_000_000 + number * 10_000 if start is None else start
    info = {
        "run_id": f"run{number:05d}",
        "experiment_id": "1",
        "run_name": f"name-{number}",
        "user_id": "ana",
        "status": status,
        "start_time": begun,
        "end_time": begun + 500,
        "lifecycle_stage": "active",
    }
    if status == "RUNNING":
        del info["end_time"]
    own = [{"key": key, "value": value} for key, value in tags.items()]
    metrics = [{"key": "loss", "value": number / 10, "timestamp": begun, "step": 0}]
    return {"info": info, "data": {"tags": own, "params": [], "metrics": metrics}}


@dataclass
class FaultServer:
    """`prefix` is the path before /api. `took`: seconds to wait with each answer. `files` are the artifacts of any run,
    `listed` more entries that it lists, `sent` how many bytes of artifacts went out."""

    runs: list[dict[str, Any]]
    prefix: str = ""
    fault: str = ""
    took: float = 0.0
    cut_at: int = 0
    experiments: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"experiment_id": "1", "name": "alpha", "lifecycle_stage": "active", "creation_time": 7}
        ]
    )
    files: dict[str, bytes] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    tells_length: bool = True
    sent: int = 0
    questions: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def searches(self) -> list[dict[str, Any]]:
        """The searches for runs so far."""
        return [question for question in self.questions if question["path"].endswith("runs/search")]

    def answer(self, handler: _Handler, body: bytes) -> None:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            asked = json.loads(body) if body else {}
            self.questions.append({"path": urlsplit(handler.path).path, **asked})
            self.headers.append(dict(handler.headers.items()))
            self.released.wait(self.took)
            if self.fault:
                getattr(self, f"_{self.fault}")(handler, asked)
            else:
                self._well(handler, asked)
        finally:
            with self._lock:
                self._at_once -= 1

    # -- what it says

    def _well(self, handler: _Handler, asked: dict[str, Any]) -> None:
        path = urlsplit(handler.path).path
        if not path.startswith(self.prefix):
            handler.say(404, b"<!doctype html><title>404 Not Found</title>", "text/html")
            return
        match path.removeprefix(self.prefix):
            case "/api/2.0/mlflow/experiments/search":
                handler.say(200, json.dumps({"experiments": self.experiments}).encode(), cut=self.cut_at)
            case "/api/2.0/mlflow/runs/search":
                handler.say(200, json.dumps(self._search(asked)).encode(), cut=self.cut_at)
            case "/api/2.0/mlflow/artifacts/list":
                entries = [{"path": path, "is_dir": False, "file_size": len(data)} for path, data in self.files.items()]
                handler.say(200, json.dumps({"files": [*self.listed, *entries]}).encode())
            case "/get-artifact":
                self._artifact(handler)
            case "/version":
                handler.say(200, b"9.9.9", "text/plain")
            case _:
                handler.say(404, b"<!doctype html><title>404 Not Found</title>", "text/html")

    def _artifact(self, handler: _Handler) -> None:
        """The whole file, whatever part was asked for; without its length where the server doesn't tell it."""
        data = self.files[parse_qs(urlsplit(handler.path).query)["path"][0]]
        handler.begin(200, "application/octet-stream", len(data) if self.tells_length else None)
        handler.close_connection = not self.tells_length
        for start in range(0, len(data), 64 * 1024):
            try:
                handler.wfile.write(data[start : start + 64 * 1024])
            except OSError:
                handler.close_connection = True
                return
            self.sent += len(data[start : start + 64 * 1024])

    def _search(self, asked: dict[str, Any]) -> dict[str, Any]:
        runs, words = (
            [run for run in self.runs if run["info"]["experiment_id"] in asked["experiment_ids"]],
            asked["filter"],
        )
        if "status = 'RUNNING'" in words:
            runs = [run for run in runs if run["info"]["status"] == "RUNNING"]
        if "run_id IN" in words:
            runs = [run for run in runs if run["info"]["run_id"] in _IDS.findall(words)]
        for name, after in _AFTER.findall(words):
            runs = [run for run in runs if run["info"].get(f"{name}_time", -1) > int(after)]
        upto = int(_UPTO.findall(words)[-1])
        runs = [run for run in runs if run["info"]["start_time"] <= upto]
        runs.sort(key=lambda run: (-run["info"]["start_time"], run["info"]["run_id"]))
        begin = json.loads(base64.b64decode(asked["page_token"]))["offset"] if "page_token" in asked else 0
        end = begin + asked["max_results"]
        token = base64.b64encode(json.dumps({"offset": end}).encode()).decode() if end < len(runs) else ""
        return {"runs": runs[begin:end]} | ({"next_page_token": token} if token else {})

    # -- faults

    def _silent(self, handler: _Handler, _: object) -> None:
        self.released.wait(60)

    def _hangs_up(self, handler: _Handler, _: object) -> None:
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    def _trickles(self, handler: _Handler, _: object) -> None:
        handler.begin(200, "application/json", 1_000_000)
        while not self.released.wait(0.1):
            handler.wfile.write(b" ")

    def _internal(self, handler: _Handler, _: object) -> None:
        handler.say(500, b'{"error_code": "INTERNAL_ERROR", "message": "the database is on fire"}')

    def _bad_gateway(self, handler: _Handler, _: object) -> None:
        handler.say(502, b"<html><title>502 Bad Gateway</title></html>", "text/html")

    def _old_schema(self, handler: _Handler, _: object) -> None:
        text = "Detected out-of-date database schema (found version a, but expected b)."
        handler.say(500, json.dumps({"error_code": "INTERNAL_ERROR", "message": text}).encode())

    def _unauthorised(self, handler: _Handler, _: object) -> None:
        handler.say(401, b"You are not authenticated.", "text/plain", {"WWW-Authenticate": "Basic"})

    def _wrong_host(self, handler: _Handler, _: object) -> None:
        handler.say(403, b"Invalid Host header - possible DNS rebinding attack detected", "text/plain")

    def _forbidden(self, handler: _Handler, _: object) -> None:
        handler.say(403, b'{"error_code": "PERMISSION_DENIED", "message": "not yours"}')

    def _page(self, handler: _Handler, _: object) -> None:
        handler.say(200, b"<!DOCTYPE html><html><head><title>Sign in\n here</title></head>", "text/html")

    def _half(self, handler: _Handler, asked: dict[str, Any]) -> None:
        whole = json.dumps({"experiments": self.experiments, **self._search_or_nothing(asked)}).encode()
        handler.say(200, whole[: len(whole) // 2])

    def _other_form(self, handler: _Handler, _: object) -> None:
        handler.say(200, b'{"experiments": 7, "runs": {}}')

    def _to_login(self, handler: _Handler, _: object) -> None:
        handler.say(302, b"", "text/html", {"Location": "http://login.example.org/oauth?client=1"})

    def _moved(self, handler: _Handler, _: object) -> None:
        handler.say(308, b"", "text/html", {"Location": "/new/api"})

    def _too_many(self, handler: _Handler, _: object) -> None:
        handler.say(429, b"slow down", "text/plain", {"Retry-After": "40"})

    def _maintenance(self, handler: _Handler, _: object) -> None:
        handler.say(503, b"", "text/html", {"Retry-After": "Wed, 21 Oct 2100 07:28:00 GMT"})

    def _refuses_tokens(self, handler: _Handler, asked: dict[str, Any]) -> None:
        if "page_token" in asked:
            handler.say(400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid page token"}')
        else:
            self._well(handler, asked)

    def _search_or_nothing(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._search(asked) if "filter" in asked else {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: FaultServer

    def do_GET(self) -> None:
        self.faults.answer(self, b"")

    def do_POST(self) -> None:
        self.faults.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

    def begin(self, status: int, kind: str, length: int | None, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        known = {"Content-Length": str(length)} if length is not None else {"Connection": "close"}
        for name, value in {"Content-Type": kind, **known, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def say(
        self, status: int, body: bytes, kind: str = "application/json", more: dict[str, str] | None = None, cut: int = 0
    ) -> None:
        self.begin(status, kind, len(body), more)
        if cut and len(body) > cut:
            self.wfile.write(body[:cut])
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def faulty(runs: list[dict[str, Any]], prefix: str = "", certificate: Path | None = None) -> Iterator[FaultServer]:
    """A server while the block runs; over TLS where there is a certificate (PEM, with its key)."""
    faults = FaultServer(runs, prefix)
    handler = type("Handler", (_Handler,), {"faults": faults})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that trusts nobody hangs up
    faults.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}{prefix}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield faults
    finally:
        faults.released.set()
        server.shutdown()
        server.server_close()
