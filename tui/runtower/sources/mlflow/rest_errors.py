"""What goes wrong between us and a server, in our words."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec

from runtower.domain.errors import (
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooOld,
    TowerError,
    Unauthorised,
    Unreachable,
)
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.address import short
from runtower.sources.mlflow.outcomes import Failed
from runtower.sources.mlflow.rest_access import Access
from runtower.sources.mlflow.rest_httpx import httpx

_TITLE: Final = re.compile(r"(?is)<title[^>]*>(.*?)</title>")
_LONGEST_WAIT: Final = 3600.0
_BUSY_WAIT: Final = 30.0
_WRONG_HOST: Final = "Invalid Host header"
_OLD_SCHEMA: Final = "out-of-date database schema"


class CutOff(Unreachable):
    """An answer that ended in its middle: asking for less may help."""


class TimedOut(Unreachable):
    """No whole answer in time: asking for less may help."""


class NoConnection(Unreachable):
    """Nobody took the connection, so that nothing was sent."""


class Refused(Invalid):
    """The server read the question and says no."""


@contextmanager
def in_our_words(access: Access, patience: float) -> Iterator[None]:
    """Inside, what httpx raises leaves as a TowerError; `patience` in seconds."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise _no_connection(
            access, "takes no connection", "Check the address, and the way there (VPN, proxy)."
        ) from error
    except httpx.TimeoutException as error:
        raise TimedOut(
            f"{access.shown} takes connections but gave no answer within {patience:g} s.",
            "It may be overloaded or hang; it is asked again. The option 'timeout' of the source sets the seconds.",
        ) from error
    except httpx.RemoteProtocolError as error:
        raise cut_off(access, str(error)) from error
    except httpx.ConnectError as error:
        raise _of_connecting(access, error) from error
    except httpx.TransportError as error:
        raise _no_answer(
            access, f"broke the connection off ({short(str(error)) or type(error).__name__})", "It is asked again."
        ) from error


def cut_off(access: Access, how: str) -> CutOff:
    """The answer ended too early."""
    return CutOff(
        f"An answer of {access.shown} broke off in its middle ({short(how)}).",
        "A proxy before it may cut long answers: runtower asks for less at once; raise the proxy's limit.",
    )


def web_page(access: Access, body: bytes) -> Invalid:
    """A page for people where the API was expected."""
    found = _TITLE.search(body[:20_000].decode("utf-8", "replace"))
    title = f" ('{short(found[1])}')" if found else ""
    return Invalid(
        f"{access.shown} answers with a web page{title} and not with MLflow's API.",
        "Check the address and its path. Where a login stands before the server, give it a token"
        " (MLFLOW_TRACKING_TOKEN) or a header (the source's option headers.NAME).",
    )


def refusal(access: Access, status: int, headers: Mapping[str, str], body: bytes) -> TowerError:
    """The error that a status other than 200 stands for."""
    said = _failure(body)
    text = short(said.message) or _plain(headers, body)
    if 300 <= status < 400:
        return _of_redirect(access, headers.get("location", ""))
    if status == 401 or said.error_code == "UNAUTHENTICATED":
        return Unauthorised(
            f"The MLflow server {access.shown} wants other credentials" + (f": {text}" if text else "."),
            "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    if status == 403 or said.error_code == "PERMISSION_DENIED":
        return _of_forbidden(access, body, text)
    wait = _retry_after(headers)
    if status == 429 or said.error_code == "REQUEST_LIMIT_EXCEEDED" or (status == 503 and wait is not None):
        wait = _BUSY_WAIT if wait is None else wait
        return Busy(f"{access.shown} asks for patience (status {status}).", f"It is asked again in {wait:.0f} s.", wait)
    if status == 404:
        return _of_missing(access, said, text)
    if status == 409 or said.error_code in ("RESOURCE_CONFLICT", "RESOURCE_ALREADY_EXISTS"):
        what = f"{access.shown} says that this conflicts with what is there (status {status})"
        return Conflict(what + (f": {text}" if text else "."), "Look again, then decide.")
    if _OLD_SCHEMA in said.message:
        return TooOld(
            f"The database behind {access.shown} has another schema than its MLflow.",
            "Who runs the server has to make a backup and run: mlflow db upgrade URI",
        )
    if status >= 500:
        what = f"{access.shown} fails with status {status}" + (f": {text}" if text else ".")
        if said.error_code:
            return Failed(what, "The server's log says why; it is asked again.")
        return Unreachable(what, "A proxy answers and the server behind it doesn't, or it failed: its log says why.")
    return Refused(f"{access.shown} refuses the question ({status}): {text}", "Please report it with this message.")


def _of_connecting(access: Access, error: httpx.ConnectError) -> TowerError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _of_tls(access, cause)
        cause = cause.__cause__ or cause.__context__
    what = str(error)
    if "refused" in what:
        return _no_connection(access, "isn't there: nothing listens at this address", "Check that the server runs.")
    if "Name or service" in what or "nodename" in what or "name resolution" in what:
        return _no_connection(access, "isn't known by that name", "Check the address, and the way there (VPN, DNS).")
    return _no_connection(access, f"can't be reached ({short(what)})", "Check that it runs, and the way there.")


def _of_tls(access: Access, error: ssl.SSLError) -> TowerError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = short(error.verify_message or str(error))
        fix = (
            "Use the name that its certificate is for."
            if "match" in why.lower()
            else "Give its authority's certificate by MLFLOW_TRACKING_SERVER_CERT_PATH or the option server_cert."
        )
        return _no_connection(access, f"can't prove who it is: {why}", fix)
    hint = "Is it https? Perhaps the address begins with http://, or a client certificate is wanted (client_cert)."
    return _no_connection(access, f"speaks no TLS that we understand ({short(str(error.reason or error))})", hint)


def _no_answer(access: Access, what: str, remedy: str) -> Unreachable:
    return Unreachable(f"{access.shown} {what}.", remedy)


def _no_connection(access: Access, what: str, remedy: str) -> NoConnection:
    return NoConnection(f"{access.shown} {what}.", remedy)


def _of_redirect(access: Access, location: str) -> TowerError:
    here, there = urlsplit(access.base), urlsplit(urljoin(access.base + "/", location))
    if there.hostname != here.hostname:
        return Unauthorised(
            f"{access.shown} sends us on to {there.hostname or 'nowhere'}, most likely to log in.",
            "runtower takes no credentials there: give a token (MLFLOW_TRACKING_TOKEN) or a header"
            " (the source's option headers.NAME) that the server's proxy accepts.",
        )
    place = short(f"{there.scheme}://{there.netloc}{there.path}")
    return Invalid(
        f"{access.shown} sends us on to {place}.",
        "If that is a page to log in, give a token or a header; if the server moved, give its new address.",
    )


def _of_forbidden(access: Access, body: bytes, text: str) -> Forbidden:
    if _WRONG_HOST.encode() in body:
        host = urlsplit(access.base).netloc
        return Forbidden(
            f"The MLflow server at {access.shown} refuses the name {host!r}: {_WRONG_HOST}.",
            f"Start it with --allowed-hosts {host} (MLFLOW_SERVER_ALLOWED_HOSTS), or use a name that it allows.",
        )
    return Forbidden(
        f"The MLflow server {access.shown} doesn't allow this" + (f": {text}" if text else "."),
        "Ask who runs it for permission.",
    )


def _of_missing(access: Access, said: rest_wire.Failure, text: str) -> NotFound:
    if said.error_code:
        return NotFound(f"{access.shown} has no such thing: {text}", "Look again after the next refresh.")
    return NotFound(
        f"There is no MLflow API at {access.shown}.",
        "Check the address; the path before /api, if the server has one, belongs to it.",
    )


def _failure(body: bytes) -> rest_wire.Failure:
    try:
        return rest_wire.failure.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return rest_wire.Failure()


def _plain(headers: Mapping[str, str], body: bytes) -> str:
    is_plain = headers.get("content-type", "").startswith("text/plain")
    return short(body[:2000].decode("utf-8", "replace")) if is_plain else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form of the header; None where there is none that makes sense."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        wait = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 1.0), _LONGEST_WAIT)
