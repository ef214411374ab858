"""Changes of a server's registry of models over its REST API."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

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
from runtower.sources.mlflow import registry_wire as wire
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.registry import Origin, logged_model_of
from runtower.sources.mlflow.registry_rest import RestRegistry
from runtower.sources.mlflow.rest_access import access_of
from runtower.sources.mlflow.rest_http import Connection
from runtower.sources.mlflow.rest_sending import sent_once
from runtower.sources.mlflow.rest_wire import Pair

Asked = tuple[str, str, msgspec.Struct]


def opened(address: Address, options: Mapping[str, str]) -> RestModelWrites:
    """A server that keeps models only. Raises Invalid for options that make no sense."""
    access = access_of(address, options, os.environ)
    return RestModelWrites(Connection(access), access.shown, owns=True)


class RestModelWrites:
    """Satisfies ModelWrites. `owns`: whether the connection is closed with it."""

    def __init__(self, connection: Connection, shown: str, owns: bool = False) -> None:
        self._connection = connection
        self._registry = RestRegistry(connection, shown, owns)

    def close(self) -> None:
        self._registry.close()

    def model(self, name: str) -> ModelNow:
        return self._registry.model(name)

    def origin(self, name: str, version: str) -> Origin:
        return self._registry.origin(name, version)

    def write(self, change: Change) -> str:
        method, path, question = _question(change)
        with sent_once():
            if isinstance(change, AddVersion):
                added = self._connection.write(path, question, wire.one_version, method)
                return added.model_version.version
            self._connection.write(path, question, rest_wire.anything, method)
            return ""


def _question(change: Change) -> Asked:
    match change:
        case SetAlias(version=str(version)):
            return "POST", "registered-models/alias", wire.Alias(change.model, change.alias, version)
        case SetAlias():
            return "DELETE", "registered-models/alias", wire.OfAlias(change.model, change.alias)
        case SetStage():
            question = wire.Stage(change.model, change.version, change.stage, change.archive)
            return "POST", "model-versions/transition-stage", question
        case SetTag(value=None):
            return "DELETE", f"{_what(change)}/delete-tag", _tag(change)
        case SetTag():
            return "POST", f"{_what(change)}/set-tag", _tag(change)
        case Describe():
            description = wire.Description(change.model, change.text, change.version)
            return "PATCH", f"{_what(change)}/update", description
        case AddModel():
            return "POST", "registered-models/create", wire.OfModel(change.model)
        case DeleteVersion():
            return "DELETE", "model-versions/delete", wire.OfVersion(change.model, change.version)
        case AddVersion():
            tags = tuple(Pair(key, value) for key, value in change.tags.items())
            # A server compares what is given with what it knows of a copied version, and knows no LoggedModel of it.
            model_id = logged_model_of(change.source)
            added = wire.NewVersion(change.model, change.source, change.run_id, tags, change.description, model_id)
            return "POST", "model-versions/create", added


def _what(change: SetTag | Describe) -> str:
    return "model-versions" if change.version else "registered-models"


def _tag(change: SetTag) -> wire.Tag:
    return wire.Tag(change.model, change.key, change.value, change.version)
