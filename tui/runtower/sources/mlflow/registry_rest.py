"""A registry of models on an MLflow server, over its REST API."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from runtower.domain.errors import NotFound
from runtower.domain.models import Model, ModelNow, ModelVersion
from runtower.sources.mlflow import registry_wire as wire
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.registry import (
    DELETED,
    Origin,
    is_prompt,
    logged_model_of,
    named,
    newest_by_stage,
    no_model,
    no_registry,
    no_version,
)
from runtower.sources.mlflow.registry_files import Logged
from runtower.sources.mlflow.registry_wire import RawModel, RawVersion
from runtower.sources.mlflow.rest_access import access_of
from runtower.sources.mlflow.rest_errors import Refused
from runtower.sources.mlflow.rest_http import Connection
from runtower.sources.mlflow.rest_wire import Pair

_UNAVAILABLE: Final = "registry functionality is unavailable"
_BY_NUMBER: Final = ("version_number DESC",)


def opened(address: Address, options: Mapping[str, str]) -> RestRegistry:
    """A server that keeps models only. Raises Invalid for options that make no sense."""
    access = access_of(address, options, os.environ)
    return RestRegistry(Connection(access), access.shown, owns=True)


class RestRegistry:
    """Satisfies Registry. `owns`: whether the connection is closed with it."""

    def __init__(self, connection: Connection, shown: str, owns: bool = False) -> None:
        self._connection = connection
        self._shown = shown
        self._owns = owns

    def close(self) -> None:
        if self._owns:
            self._connection.close()

    def models(self) -> Sequence[Model]:
        found: dict[str, Model] = {}
        params: dict[str, str | int | Sequence[str]] = {"max_results": wire.MODELS_A_PAGE}
        while True:
            with self._missing(no_registry(self._shown)):
                page = self._connection.get("registered-models/search", params, wire.models_page)
            models = (_model(one) for one in page.registered_models)
            found |= {one.name: one for one in models if not is_prompt(one.tags)}
            if not page.next_page_token:
                return sorted(found.values(), key=lambda one: one.name)
            params["page_token"] = page.next_page_token

    def model(self, name: str) -> ModelNow:
        # The aliases come with the model: it is asked for last, so that they are as new as they can be.
        versions = self._versions(name)
        with self._missing(no_model(name, self._shown)):
            raw = self._connection.get("registered-models/get", {"name": name}, wire.one_model).registered_model
        model = _model(raw)
        if is_prompt(model.tags):
            raise no_model(name, self._shown)
        return ModelNow(model, tuple(_version(one, model) for one in versions))

    def origin(self, name: str, version: str) -> Origin:
        with self._missing(no_version(name, version, self._shown)):
            params = {"name": name, "version": version}
            found = self._connection.get("model-versions/get", params, wire.one_version).model_version
        return Origin(found.source, found.run_id)

    def stored(self, name: str, version: str) -> str:
        with self._missing(no_version(name, version, self._shown)):
            params = {"name": name, "version": version}
            return self._connection.get("model-versions/get-download-uri", params, wire.download_uri).artifact_uri

    def _versions(self, name: str) -> list[RawVersion]:
        """Those of a model, the newest first; none where there is no such model."""
        found: dict[int, RawVersion] = {}
        params: dict[str, str | int | Sequence[str]] = {
            "filter": named(name),
            "max_results": wire.VERSIONS_A_PAGE,
            "order_by": _BY_NUMBER,
        }
        while True:
            with self._missing(no_registry(self._shown), no_model(name, self._shown)):
                page = self._connection.get("model-versions/search", params, wire.versions_page)
            found |= {
                int(one.version): one
                for one in page.model_versions
                if one.name == name and one.current_stage != DELETED
            }
            if not page.next_page_token:
                return [found[number] for number in sorted(found, reverse=True)]
            params["page_token"] = page.next_page_token

    @contextmanager
    def _missing(self, absent: NotFound, refused: NotFound | None = None) -> Iterator[None]:
        """Inside, what isn't there is raised as `absent`, and what MLflow takes for no name at all as `refused`."""
        try:
            yield
        except NotFound as error:
            raise absent from error
        except Refused as error:
            if _UNAVAILABLE in error.tried:
                raise no_registry(self._shown, "its server was started without one.") from error
            raise refused or absent from error


def logged_model(connection: Connection, model_id: str) -> Logged:
    """A LoggedModel of MLflow 3. Raises NotFound."""
    info = connection.get(f"logged-models/{quote(model_id, safe='')}", {}, wire.one_logged).model.info
    return Logged(info.source_run_id, info.name, info.artifact_uri)


def _model(raw: RawModel) -> Model:
    newest: dict[str, int] = {}
    for one in raw.latest_versions:
        newest[one.current_stage] = max(int(one.version), newest.get(one.current_stage, 0))
    stages, latest = newest_by_stage(newest)
    aliases = dict(sorted((one.alias, one.version) for one in raw.aliases))
    return Model(
        raw.name,
        raw.description,
        _texts(raw.tags),
        aliases,
        stages,
        latest,
        raw.creation_timestamp,
        raw.last_updated_timestamp,
    )


def _version(raw: RawVersion, model: Model) -> ModelVersion:
    return ModelVersion(
        model=raw.name,
        version=raw.version,
        run_id=raw.run_id,
        source=raw.source,
        status=raw.status,
        status_message=raw.status_message,
        stage=raw.current_stage,
        description=raw.description,
        tags=_texts(raw.tags),
        aliases=tuple(alias for alias, holder in model.aliases.items() if holder == raw.version),
        user=raw.user_id,
        model_id=raw.model_id or logged_model_of(raw.source),
        created=raw.creation_timestamp,
        updated=raw.last_updated_timestamp,
    )


def _texts(pairs: Sequence[Pair]) -> dict[str, str]:
    return {one.key: one.value for one in pairs}
