"""MLflow: by read-only SQL where the store is an SQLite file of a known schema, by REST where it is a server, by
MlflowClient everywhere else."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Final

from runtower.domain.errors import Invalid, TooNew, TooOld
from runtower.sources.mlflow import registry_places
from runtower.sources.mlflow.address import Address, StoreShape, address_of
from runtower.sources.mlflow.ways import check_presence, needs_client, prepare_for_mlflow, variables
from runtower.sources.port import API, Editable, Known, Source, Target

if TYPE_CHECKING:
    from runtower.sources.mlflow.client import ClientSource
    from runtower.sources.mlflow.later import Later
    from runtower.sources.mlflow.registry import Registry

_DEFAULT_URI: Final = "sqlite:///mlflow.db"
_PATH_OPTION: Final = "path"
_PATHS: Final = ("auto", "sql", "rest", "client")


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
        check_presence(address)
        models = registry_places.reading(target, address, os.environ)
        if _is_for_rest(address, target):
            return _by_rest(address, target, known, models)
        os.environ.update(variables(target.options))
        if wanted == "rest":
            raise Invalid(f"{address.shown} is no server that could be read by REST.", "Leave the option 'path' away.")
        if address.shape is not StoreShape.SQLITE or wanted == "client":
            return _through_client(address, known, models)
        try:
            return _by_sql(address, known, models)
        except (TooNew, TooOld) as refusal:
            if wanted == "sql":
                raise
            # A schema that wasn't tried here may be exactly the one of the mlflow that is installed.
            try:
                return _through_client(address, known, models)
            except (TooNew, TooOld):
                raise refusal from None

    def open_for_edits(self, target: Target) -> Editable:
        """Open a store for changes of its runs and models: a server by REST, all else by MlflowClient.

        Raises as `open`, and Forbidden.
        """
        address = address_of(target.uri or os.environ.get("MLFLOW_TRACKING_URI") or _DEFAULT_URI)
        check_presence(address)
        models = registry_places.writing(target, address, os.environ)
        if _is_for_rest(address, target):
            by_rest = importlib.import_module("runtower.sources.mlflow.rest_edits")  # deferred as in _by_rest
            edits: Editable = by_rest.opened(address, target.options, models)
        else:
            os.environ.update(variables(target.options))
            os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a write that is sent twice may be done twice
            prepare_for_mlflow(address)
            through_client = importlib.import_module("runtower.sources.mlflow.client_edits")
            edits = through_client.opened(address, models)
        return edits


def _by_sql(address: Address, known: Known, models: Later[Registry] | None) -> Source:
    # Deferred: it takes numpy, and a store elsewhere doesn't need it.
    module = importlib.import_module("runtower.sources.mlflow.sqlite")
    assert address.path is not None
    source: Source = module.SqliteSource(address.path, known, models)
    return source


def _is_for_rest(address: Address, target: Target) -> bool:
    wanted = target.options.get(_PATH_OPTION, "auto")
    return address.shape is StoreShape.SERVER and (wanted == "rest" or (wanted != "client" and not needs_client()))


def _by_rest(address: Address, target: Target, known: Known, models: Later[Registry] | None) -> Source:
    # Deferred: httpx takes a tenth of a second, and a store on this machine doesn't need it.
    module = importlib.import_module("runtower.sources.mlflow.rest")
    source: Source = module.RestSource(address, target.options, known, models)
    return source


def _through_client(address: Address, known: Known, models: Later[Registry] | None) -> Source:
    prepare_for_mlflow(address)
    # Deferred: importing mlflow takes three seconds, and it reads its environment then.
    module = importlib.import_module("runtower.sources.mlflow.client")
    source: ClientSource = module.ClientSource(address, known, models)
    return source


SOURCE = MlflowKind()
