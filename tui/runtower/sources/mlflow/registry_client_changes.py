"""Changes of a registry of models through MlflowClient, in any store that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow import MlflowClient

from runtower.domain.errors import Broken, Unreachable
from runtower.domain.model_changes import (
    AddModel,
    AddVersion,
    Change,
    DeleteVersion,
    Describe,
    SetAlias,
    SetStage,
    SetTag,
)
from runtower.domain.models import ModelNow
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.client_errors import in_our_words
from runtower.sources.mlflow.guard import check_registry_before_mlflow
from runtower.sources.mlflow.outcomes import Failed
from runtower.sources.mlflow.registry import Origin, logged_model_of
from runtower.sources.mlflow.registry_client import ClientRegistry, client_of


def opened(address: Address, runs: Address) -> ClientModelWrites:
    """A place that keeps models only. Raises as `check_registry_before_mlflow`."""
    check_registry_before_mlflow(address)
    return ClientModelWrites(runs, address)


class ClientModelWrites:
    """Satisfies ModelWrites, for the registry of the store `address`, or that at `registry`."""

    def __init__(self, address: Address, registry: Address | None = None) -> None:
        self._runs = address
        self._address = registry or address
        self._client = client_of(address, registry)
        self._registry = ClientRegistry(self._address, self._client)

    def close(self) -> None: ...

    def model(self, name: str) -> ModelNow:
        return self._registry.model(name)

    def origin(self, name: str, version: str) -> Origin:
        return self._registry.origin(name, version)

    def write(self, change: Change) -> str:
        with _done_with(self._address), in_our_words(self._address):
            return _written(self._client, change, self._runs.uri)


@contextmanager
def _done_with(address: Address) -> Iterator[None]:
    """What fails in this process has ended; only a database elsewhere may be at it still."""
    try:
        yield
    except Broken as error:
        raise Failed(error.tried, error.remedy) from error
    except Unreachable as error:
        if address.path is None:
            raise
        raise Failed(error.tried, error.remedy) from error


def _written(client: MlflowClient, change: Change, runs_uri: str) -> str:
    match change:
        case SetAlias(version=str(version)):
            client.set_registered_model_alias(change.model, change.alias, version)
        case SetAlias():
            client.delete_registered_model_alias(change.model, change.alias)
        case SetStage():
            client.transition_model_version_stage(change.model, change.version, change.stage, change.archive)
        case SetTag(value=None) if change.version:
            client.delete_model_version_tag(change.model, change.version, change.key)
        case SetTag(value=None):
            client.delete_registered_model_tag(change.model, change.key)
        case SetTag() if change.version:
            client.set_model_version_tag(change.model, change.version, change.key, change.value)
        case SetTag():
            client.set_registered_model_tag(change.model, change.key, change.value)
        case Describe() if change.version:
            client.update_model_version(change.model, change.version, change.text)
        case Describe():
            client.update_registered_model(change.model, change.text)
        case AddModel():
            client.create_registered_model(change.model)
        case DeleteVersion():
            client.delete_model_version(change.model, change.version)
        case AddVersion():
            return _added(client, change, runs_uri)
    return ""


def _added(client: MlflowClient, change: AddVersion, runs_uri: str) -> str:
    # MLflow looks a LoggedModel up in its default store, whatever store the client is of.
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(runs_uri)
    try:
        made = client.create_model_version(
            change.model,
            change.source,
            change.run_id or None,
            dict(change.tags),
            description=change.description or None,
            await_creation_for=0,  # whether it is READY is looked at by who wants to know
            model_id=logged_model_of(change.source) or None,
        )
    finally:
        mlflow.set_tracking_uri(before)
    return str(made.version)
