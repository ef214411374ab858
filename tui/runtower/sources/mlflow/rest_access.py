"""How a server is reached: address, credentials, certificates and headers, out of a source's options and MLflow's own
environment.

What the options of a source say wins over its URI, and that over the environment and ~/.mlflow/credentials. Secrets in
settings can come from a variable: `token: ${oc.env:TEAM_TOKEN}`. Where user and password are known they are used
rather than a token, as MLflow does. Names and meaning of the variables: `mlflow/utils/credentials.py`, MLflow 3.17.2.
"""

from __future__ import annotations

import base64
import configparser
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from runtower import __version__
from runtower.domain.errors import Invalid
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.contract import DEFAULT_WORKSPACE, WORKSPACE_VARIABLE
from runtower.sources.mlflow.rest_wire import WORKSPACE_HEADER

HEADERS: Final = "headers."
OPTIONS: Final = (
    "path",
    "username",
    "password",
    "token",
    "server_cert",
    "client_cert",
    "insecure_tls",
    "workspace",
    "registry_uri",
    "interval",
    "timeout",
)
_INTERVAL: Final = 5.0
# A server that takes 5 s an answer is slow; one that takes longer is taken for dead.
_TIMEOUT: Final = 8.0
_TRUE: Final = ("true", "1", "yes", "on")
_FALSE: Final = ("false", "0", "no", "off", "")
_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Access:
    """`base` is the address without credentials and without a slash at its end, `interval` and `timeout` are seconds.

    `server_cert` is a file or a folder of certificates to trust, `client_cert` a file with certificate and key.
    """

    base: str
    shown: str
    workspace: str
    interval: float = _INTERVAL
    timeout: float = _TIMEOUT
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    server_cert: str = ""
    client_cert: str = ""
    insecure_tls: bool = False


def access_of(address: Address, options: Mapping[str, str], environ: Mapping[str, str]) -> Access:
    """The access to a server. Raises Invalid for options that make no sense, never with a secret in it."""
    _check_names(options)
    parts = urlsplit(address.uri)
    is_insecure = _truth(options.get("insecure_tls") or environ.get("MLFLOW_TRACKING_INSECURE_TLS", ""))
    workspace = options.get("workspace", environ.get(WORKSPACE_VARIABLE, "")).strip()
    headers = {"User-Agent": f"runtower/{__version__}", "Accept": "application/json"}
    if workspace:
        headers[WORKSPACE_HEADER] = workspace
    if authorization := _authorization(options, address.uri, environ):
        headers["Authorization"] = authorization
    for name, value in options.items():
        if name.startswith(HEADERS):
            headers[_header_name(name.removeprefix(HEADERS))] = _header_value(name, value)
    return Access(
        base=urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", "")),
        shown=address.shown,
        workspace=workspace or DEFAULT_WORKSPACE,
        interval=_seconds("interval", options.get("interval", ""), _INTERVAL),
        timeout=_seconds("timeout", options.get("timeout") or environ.get("MLFLOW_HTTP_REQUEST_TIMEOUT", ""), _TIMEOUT),
        headers=headers,
        server_cert=_file(options.get("server_cert") or _bundle(environ, is_insecure), "server_cert"),
        client_cert=_file(
            options.get("client_cert") or environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH", ""), "client_cert"
        ),
        insecure_tls=is_insecure,
    )


def _check_names(options: Mapping[str, str]) -> None:
    for name in options:
        if name not in OPTIONS and not name.startswith(HEADERS):
            near = difflib.get_close_matches(name, OPTIONS, 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(OPTIONS)} and {HEADERS}NAME."
            raise Invalid(f"An MLflow server has no option {name!r}.", hint)


def _authorization(options: Mapping[str, str], uri: str, environ: Mapping[str, str]) -> str:
    if options.get("username") or options.get("password") or options.get("token"):
        return _basic_or_bearer(options.get("username", ""), options.get("password", ""), options.get("token", ""))
    parts = urlsplit(uri)
    if parts.username or parts.password:
        return _basic(unquote(parts.username or ""), unquote(parts.password or ""))
    user, password = _credentials_file(Path(environ.get("HOME", "~")).expanduser() / ".mlflow" / "credentials")
    return _basic_or_bearer(
        environ.get("MLFLOW_TRACKING_USERNAME") or user,
        environ.get("MLFLOW_TRACKING_PASSWORD") or password,
        environ.get("MLFLOW_TRACKING_TOKEN", ""),
    )


def _basic_or_bearer(user: str, password: str, token: str) -> str:
    if user and password:
        return _basic(user, password)
    return f"Bearer {_header_value('token', token)}" if token else ""


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.standard_b64encode(f"{user}:{password}".encode()).decode()


def _credentials_file(path: Path) -> tuple[str, str]:
    """(user, password) out of MLflow's own file; empty texts where there is none."""
    if not path.is_file():
        return "", ""
    found = configparser.RawConfigParser()
    try:
        found.read(path, encoding="utf-8")
        section = dict(found["mlflow"]) if found.has_section("mlflow") else {}
    except (configparser.Error, UnicodeDecodeError, OSError):
        raise Invalid(f"{path} can't be read as MLflow's credentials.", "`mlflow` shows its form.") from None
    return section.get("mlflow_tracking_username", ""), section.get("mlflow_tracking_password", "")


def _bundle(environ: Mapping[str, str], is_insecure: bool) -> str:
    if chosen := environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH", ""):
        return chosen
    return "" if is_insecure else next((environ[name] for name in _BUNDLES if environ.get(name)), "")


def _file(path: str, what: str) -> str:
    whole = os.path.expanduser(path)
    if whole and not os.path.exists(whole):
        raise Invalid(f"There is no certificate at {whole} ({what}).", "Check the path.")
    return whole


def _truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE + _FALSE:
        raise Invalid(f"insecure_tls can't be {text!r}.", "Give true or false.")
    return word in _TRUE


def _seconds(name: str, text: str, otherwise: float) -> float:
    try:
        seconds = float(text) if text else otherwise
    except ValueError:
        seconds = -1.0
    if not 0.1 <= seconds <= 86_400:
        raise Invalid(f"{name} can't be {text!r}.", "Give seconds, such as 5.")
    return seconds


def _header_name(name: str) -> str:
    if not name or not all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name):
        raise Invalid(f"A header can't be called {name!r}.", "Letters, digits and '-' are allowed.")
    return name


def _header_value(name: str, value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise Invalid(f"The value of {name} holds letters that no header may have.", "Check it for a line's end.")
    return value
