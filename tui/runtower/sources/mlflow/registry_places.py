"""Where the models of a source are kept where that isn't the store of its runs, and how that is opened.

The option `registry_uri` says it, and for a source that has no address of its own MLflow's variable. The credentials of
the source are those of its registry too, as MLflow has it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from runtower.domain.errors import Forbidden, TooNew, TooOld
from runtower.sources.mlflow.address import Address, StoreShape, address_of
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.ways import check_presence, needs_client, prepare_for_mlflow, variables
from runtower.sources.port import Target

if TYPE_CHECKING:
    from runtower.sources.mlflow.registry import Registry
    from runtower.sources.mlflow.registry_changes import ModelWrites

_OPTION: Final = "registry_uri"
_VARIABLE: Final = "MLFLOW_REGISTRY_URI"


def reading(target: Target, runs: Address, environ: Mapping[str, str]) -> Later[Registry] | None:
    """Another registry than that of the store `runs`, to read; None where there is none. All that is wrong with it is
    raised with the first question."""
    place = _place(target, runs, environ)
    return Later(lambda: _to_read(place, runs, target.options)) if place is not None else None


def writing(target: Target, runs: Address, environ: Mapping[str, str]) -> Later[ModelWrites] | None:
    """As `reading`, to change it; Forbidden where it is a file that may not be written."""
    place = _place(target, runs, environ)
    return Later(lambda: _to_write(place, runs, target.options)) if place is not None else None


def _place(target: Target, runs: Address, environ: Mapping[str, str]) -> Address | None:
    said = target.options.get(_OPTION, "").strip()
    uri = said or ("" if target.uri else environ.get(_VARIABLE, "").strip())
    found = address_of(uri) if uri else None
    return None if found is None or found.shown == runs.shown else found


def _to_read(place: Address, runs: Address, options: Mapping[str, str]) -> Registry:
    check_presence(place)
    # Deferred, all of them: each way brings a library in that the others don't need.
    if _is_for_rest(place):
        return _opened("registry_rest", place, options)
    if place.shape is not StoreShape.SQLITE:
        return _through_client(place, runs, options)
    try:
        return _opened("registry_sql", place.path)
    except (TooNew, TooOld) as refusal:
        try:
            return _through_client(place, runs, options)
        except (TooNew, TooOld):
            raise refusal from None


def _to_write(place: Address, runs: Address, options: Mapping[str, str]) -> ModelWrites:
    check_presence(place)
    if _is_for_rest(place):
        rest = importlib.import_module("runtower.sources.mlflow.registry_rest_changes")
        over_rest: ModelWrites = rest.opened(place, options)
        return over_rest
    if place.path is not None and not os.access(place.path, os.W_OK):
        raise Forbidden(f"{place.shown} can be read by you and not written.", "Ask its owner for permission.")
    _prepare(place, runs, options)
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a write that is sent twice may be done twice
    client = importlib.import_module("runtower.sources.mlflow.registry_client_changes")
    through_client: ModelWrites = client.opened(place, runs)
    return through_client


def _through_client(place: Address, runs: Address, options: Mapping[str, str]) -> Registry:
    _prepare(place, runs, options)
    return _opened("registry_client", place, runs)


def _opened(module: str, *arguments: object) -> Registry:
    registry: Registry = importlib.import_module(f"runtower.sources.mlflow.{module}").opened(*arguments)
    return registry


def _prepare(place: Address, runs: Address, options: Mapping[str, str]) -> None:
    os.environ.update(variables(options))
    prepare_for_mlflow(place)
    prepare_for_mlflow(runs)


def _is_for_rest(place: Address) -> bool:
    return place.shape is StoreShape.SERVER and not needs_client()
