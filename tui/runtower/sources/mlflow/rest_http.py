"""The connection to a server: one question, one answer, bounded in time and size, and never another host."""

from __future__ import annotations

import os
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

import msgspec

from runtower.domain.errors import Busy, Invalid, TowerError, Unreachable
from runtower.sources.mlflow.rest_access import Access
from runtower.sources.mlflow.rest_errors import TimedOut, cut_off, in_our_words, refusal, web_page
from runtower.sources.mlflow.rest_httpx import httpx
from runtower.sources.mlflow.rest_wire import API

T = TypeVar("T")
Params = Mapping[str, str | int | Sequence[str]]

_CONNECT: Final = 3.0
# MLflow's own server closes an idle connection after 5 s; one that is just being closed must not be used again.
_KEEP: Final = 4.0
_LOOKED_BACK: Final = 8
_STREAMED: Final = (200, 206, 416)
_LARGEST: Final = 256 * 1024 * 1024


class Connection:
    """May be used by several threads. Every question may raise TowerError; none goes out before a server wants it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._not_before = 0.0
        self._took: deque[float] = deque(maxlen=_LOOKED_BACK)
        self._client = httpx.Client(
            headers=dict(access.headers),
            verify=_trust(access),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=_KEEP),
        )

    def get(self, path: str, params: Params, decoder: msgspec.json.Decoder[T], patience: float = 0.0) -> T:
        """Ask for `path` below the API; `patience` in seconds, 0: the usual."""
        request = self._client.build_request("GET", f"{self._access.base}{API}{path}", params=params)
        return self._decoded(self._answer(request, patience or self._access.timeout), decoder)

    def post(self, path: str, question: msgspec.Struct, decoder: msgspec.json.Decoder[T], patience: float = 0.0) -> T:
        """As `get`, with a body. Only searches go this way: asking twice does no harm."""
        return self._decoded(self._answer(self._posting(path, question), patience or self._access.timeout), decoder)

    @contextmanager
    def streaming(
        self, path: str, params: Params, headers: Mapping[str, str], patience: float
    ) -> Iterator[httpx.Response]:
        """The answer for `path` beside the API, while it comes in; its status is 200, 206 (a part) or 416 (no such
        part). `patience` is for each piece of it."""
        self._wait_if_asked()
        request = self._client.build_request(
            "GET", f"{self._access.base}{path}", params=params, headers={"Accept-Encoding": "identity", **headers}
        )
        request.extensions["timeout"] = httpx.Timeout(patience, connect=min(_CONNECT, patience)).as_dict()
        with in_our_words(self._access, patience):
            response = self._sent(request)
            try:
                if response.status_code not in _STREAMED:
                    body = self._body(response, time.monotonic() + patience)
                    raise self._refusal(response, body)
                yield response
            finally:
                response.close()

    def write(self, path: str, question: msgspec.Struct, decoder: msgspec.json.Decoder[T], method: str = "POST") -> T:
        """A change, sent once: what was sent may have been done, whatever became of the answer. Raises NoConnection
        where it wasn't sent."""
        body = self._answer(self._posting(path, question, method), self._access.timeout, once=True)
        return self._decoded(body, decoder)

    def version(self) -> str:
        """What MLflow runs there, as it says; '' where it doesn't."""
        try:
            request = self._client.build_request("GET", f"{self._access.base}/version")
            text = self._answer(request, _CONNECT).decode("ascii").strip()
        except (TowerError, UnicodeDecodeError):
            return ""
        return text if text[:1].isdecimal() and len(text) < 30 else ""

    def round_trip(self) -> float | None:
        """Seconds from a question to its whole answer: the least of the last few, which were about the least."""
        return min(tuple(self._took), default=None)

    def close(self) -> None:
        self._client.close()

    def _posting(self, path: str, question: msgspec.Struct, method: str = "POST") -> httpx.Request:
        return self._client.build_request(
            method,
            f"{self._access.base}{API}{path}",
            content=msgspec.json.encode(question),
            headers={"Content-Type": "application/json"},
        )

    def _answer(self, request: httpx.Request, patience: float, once: bool = False) -> bytes:
        self._wait_if_asked()
        request.extensions["timeout"] = httpx.Timeout(patience, connect=min(_CONNECT, patience)).as_dict()
        began = time.monotonic()
        until = began + patience
        with in_our_words(self._access, patience):
            response = self._client.send(request, stream=True) if once else self._sent(request)
            try:
                body = self._body(response, until)
            finally:
                response.close()
        if response.status_code == 200:
            self._took.append(time.monotonic() - began)
            return body
        raise self._refusal(response, body)

    def _wait_if_asked(self) -> None:
        left = self._not_before - time.monotonic()
        if left > 0:
            raise Busy(f"{self._access.shown} asked for patience.", f"It is asked again in {left:.0f} s.", left)

    def _refusal(self, response: httpx.Response, body: bytes) -> TowerError:
        error = refusal(self._access, response.status_code, response.headers, body)
        if isinstance(error, Busy) and error.after is not None:
            self._not_before = time.monotonic() + error.after
        return error

    def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._client.send(request, stream=True)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A connection that lay idle and was closed over there; a laptop that slept finds all of them so.
            pass
        try:
            return self._client.send(request, stream=True)
        except httpx.RemoteProtocolError as error:
            raise Unreachable(
                f"{self._access.shown} closes the connection without an answer ({error}).",
                "Check the address: http or https, and the port; it is asked again.",
            ) from error

    def _body(self, response: httpx.Response, until: float) -> bytes:
        pieces, size = [], 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST:
                raise cut_off(self._access, f"more than {_LARGEST >> 20} MiB")
            if time.monotonic() > until:
                raise TimedOut(
                    f"{self._access.shown} began to answer and didn't end in time ({size} bytes came).",
                    "It may be overloaded, or the line slow; it is asked for less.",
                )
        return b"".join(pieces)

    def _decoded(self, body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            raise Invalid(
                f"{self._access.shown} answers in another form than MLflow's API: {error}.",
                "Check the address; if it is an MLflow server, please report it with this message.",
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if body.lstrip()[:1] in (b"{", b"["):
                raise cut_off(self._access, f"{len(body)} bytes of JSON: {error}") from error
            raise web_page(self._access, body) from error


def _trust(access: Access) -> ssl.SSLContext | bool:
    """What httpx verifies with. Raises Invalid for a certificate that can't be read."""
    if not access.base.startswith("https:"):
        return False
    try:
        if access.server_cert:
            is_folder = os.path.isdir(access.server_cert)
            trust = ssl.create_default_context(
                cafile=None if is_folder else access.server_cert, capath=access.server_cert if is_folder else None
            )
        else:
            trust = httpx.create_ssl_context()
        if access.insecure_tls and not access.server_cert:
            trust.check_hostname = False
            trust.verify_mode = ssl.CERT_NONE
        if access.client_cert:
            trust.load_cert_chain(access.client_cert)
    except (ssl.SSLError, OSError) as error:
        raise Invalid(
            f"A certificate for {access.shown} can't be read: {error}.",
            "server_cert has to be PEM; client_cert a PEM file with the certificate and its key, without a passphrase.",
        ) from error
    return trust
