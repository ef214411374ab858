"""MLflow: by read-only SQL where the store is an SQLite file of a known schema, by REST where it is a server, by
MlflowClient everywhere else."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Final

from runtower.domain.errors import Invalid, NotFound, TooNew, TooOld
from runtower.sources.mlflow.address import Address, StoreShape, address_of, has_sqlite_magic
from runtower.sources.port import API, Editable, Known, Source, Target

if TYPE_CHECKING:
    from runtower.sources.mlflow.client import ClientSource

_DEFAULT_URI: Final = "sqlite:///mlflow.db"
_PATH_OPTION: Final = "path"
_PATHS: Final = ("auto", "sql", "rest", "client")

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


class MlflowKind:
    """The kind 'mlflow'. The option `path` (auto, sql, rest, client) settles how an SQLite file or a server is read."""

    kind = "mlflow"
    api = API

    def begin(self, target: Target) -> None:
        """Ask a server for its first answers while other things are imported; of all other stores nothing."""
        address = address_of(target.uri or os.environ.get("MLFLOW_TRACKING_URI") or _DEFAULT_URI)
        if _is_for_rest(address, target):
            importlib.import_module("runtower.sources.mlflow.rest_begin").begin(address, target.options)

    def open(self, target: Target, known: Known) -> Source:
        """Open a store. Raises NotFound, Invalid, TooNew, TooOld, Forbidden, Busy, Unreachable, Unauthorised."""
        wanted = target.options.get(_PATH_OPTION, "auto")
        if wanted not in _PATHS:
            raise Invalid(
                f"The option 'path' of the source {target.name!r} is {wanted!r}.", f"Give one of {', '.join(_PATHS)}."
            )
        address = address_of(target.uri or os.environ.get("MLFLOW_TRACKING_URI") or _DEFAULT_URI)
        _check_presence(address)
        if _is_for_rest(address, target):
            return _by_rest(address, target, known)
        os.environ.update(_variables(target))
        if wanted == "rest":
            raise Invalid(f"{address.shown} is no server that could be read by REST.", "Leave the option 'path' away.")
        if address.shape is not StoreShape.SQLITE or wanted == "client":
            return _through_client(address, known)
        try:
            return _by_sql(address, known)
        except (TooNew, TooOld) as refusal:
            if wanted == "sql":
                raise
            # A schema that wasn't tried here may be exactly the one of the mlflow that is installed.
            try:
                return _through_client(address, known)
            except (TooNew, TooOld):
                raise refusal from None

    def open_for_edits(self, target: Target) -> Editable:
        """Open a store for changes of its runs: a server by REST, all else by MlflowClient. Raises as `open`, and
        Forbidden."""
        address = address_of(target.uri or os.environ.get("MLFLOW_TRACKING_URI") or _DEFAULT_URI)
        _check_presence(address)
        if _is_for_rest(address, target):
            by_rest = importlib.import_module("runtower.sources.mlflow.rest_edits")  # deferred as in _by_rest
            edits: Editable = by_rest.opened(address, target.options)
        else:
            os.environ.update(_variables(target))
            os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a write that is sent twice may be done twice
            _prepare_for_mlflow(address)
            through_client = importlib.import_module("runtower.sources.mlflow.client_edits")
            edits = through_client.opened(address)
        return edits


def _check_presence(address: Address) -> None:
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


def _by_sql(address: Address, known: Known) -> Source:
    # Deferred: it takes numpy, and a store elsewhere doesn't need it.
    module = importlib.import_module("runtower.sources.mlflow.sqlite")
    assert address.path is not None
    source: Source = module.SqliteSource(address.path, known)
    return source


def _is_for_rest(address: Address, target: Target) -> bool:
    wanted = target.options.get(_PATH_OPTION, "auto")
    return address.shape is StoreShape.SERVER and (wanted == "rest" or (wanted != "client" and not _needs_client()))


def _variables(target: Target) -> dict[str, str]:
    """The options of a source as MLflow reads them."""
    return {_VARIABLES[name]: text for name, text in target.options.items() if name in _VARIABLES}


def _needs_client() -> bool:
    """Whether requests have to be signed in a way that only MLflow and its plugins know."""
    signed = os.environ.get("MLFLOW_TRACKING_AWS_SIGV4", "").strip().lower() in ("true", "1")
    return signed or bool(os.environ.get("MLFLOW_TRACKING_AUTH", "").strip())


def _by_rest(address: Address, target: Target, known: Known) -> Source:
    # Deferred: httpx takes a tenth of a second, and a store on this machine doesn't need it.
    module = importlib.import_module("runtower.sources.mlflow.rest")
    source: Source = module.RestSource(address, target.options, known)
    return source


def _through_client(address: Address, known: Known) -> Source:
    _prepare_for_mlflow(address)
    # Deferred: importing mlflow takes three seconds, and it reads its environment then.
    module = importlib.import_module("runtower.sources.mlflow.client")
    source: ClientSource = module.ClientSource(address, known)
    return source


def _prepare_for_mlflow(address: Address) -> None:
    """The variables that MLflow reads when it is imported."""
    for name, value in _POLITE.items():
        os.environ.setdefault(name, value)
    if address.shape is StoreShape.FOLDER:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")


SOURCE = MlflowKind()
