"""What has to be known and done before a store may be opened in one way or another; light, for every start asks it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from runtower.domain.errors import Invalid, NotFound
from runtower.sources.mlflow.address import Address, StoreShape, has_sqlite_magic

# What MLflow takes from its environment only; the process of a source is its own.
_VARIABLES: Final = {
    "username": "MLFLOW_TRACKING_USERNAME",
    "password": "MLFLOW_TRACKING_PASSWORD",
    "token": "MLFLOW_TRACKING_TOKEN",
    "server_cert": "MLFLOW_TRACKING_SERVER_CERT_PATH",
    "client_cert": "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "insecure_tls": "MLFLOW_TRACKING_INSECURE_TLS",
    "timeout": "MLFLOW_HTTP_REQUEST_TIMEOUT",
    "workspace": "MLFLOW_WORKSPACE",
}

# MLflow asks a dead server for four minutes by default, a PostgreSQL that is silent for two, and reports its use to its
# makers.
_POLITE: Final = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "PGCONNECT_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def check_presence(address: Address) -> None:
    """Refuse what isn't there, before a library makes it: opening a missing store through MLflow creates one."""
    if address.path is None:
        return
    is_there = address.path.is_dir() if address.shape is StoreShape.FOLDER else address.path.is_file()
    if not is_there:
        raise NotFound(
            f"There is no MLflow store at {address.path}.",
            "Check the path; a store is made by the first run that logs there, never by runtower.",
        )
    try:
        if address.shape is StoreShape.SQLITE and not has_sqlite_magic(address.path):
            raise Invalid(f"{address.path} is not an SQLite file.", "Give the path of the file that MLflow writes.")
    except OSError as error:
        raise NotFound(f"{address.path} can't be read: {error.strerror}.", "Check its permissions.") from error


def needs_client() -> bool:
    """Whether requests have to be signed in a way that only MLflow and its plugins know."""
    signed = os.environ.get("MLFLOW_TRACKING_AWS_SIGV4", "").strip().lower() in ("true", "1")
    return signed or bool(os.environ.get("MLFLOW_TRACKING_AUTH", "").strip())


def variables(options: Mapping[str, str]) -> dict[str, str]:
    """The options of a source as MLflow reads them."""
    return {_VARIABLES[name]: text for name, text in options.items() if name in _VARIABLES}


def prepare_for_mlflow(address: Address) -> None:
    """The variables that MLflow reads when it is imported."""
    for name, value in _POLITE.items():
        os.environ.setdefault(name, value)
    if address.shape is StoreShape.FOLDER:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
