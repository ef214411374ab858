"""A registry of models through MlflowClient: file stores, databases, and whatever else MLflow knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as RawVersion
from mlflow.entities.model_registry import RegisteredModel

from runtower.domain.errors import Invalid, NotFound
from runtower.domain.models import NO_STAGE, READY, Model, ModelNow, ModelVersion
from runtower.sources.mlflow.address import Address, StoreShape
from runtower.sources.mlflow.client_errors import in_our_words
from runtower.sources.mlflow.guard import check_registry_before_mlflow
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

_MODELS_A_PAGE: Final = 200
_VERSIONS_A_PAGE: Final = 1_000
_MODELS: Final = "models"
_NO_REGISTRY: Final = "Model Registry features are not supported"


def client_of(runs: Address, registry: Address | None = None) -> MlflowClient:
    """A client of a store whose registry is at another address, or there too, whatever MLflow's environment says.
    Databricks keeps models in another place than runs, which MLflow knows."""
    known = registry.uri if registry else None if runs.uri.startswith("databricks") else runs.uri
    with in_our_words(registry or runs):
        return MlflowClient(tracking_uri=runs.uri, registry_uri=known)


def opened(address: Address, runs: Address) -> ClientRegistry:
    """A place that keeps models only. Raises as `check_registry_before_mlflow`."""
    check_registry_before_mlflow(address)
    return ClientRegistry(address, client_of(runs, address))


class ClientRegistry:
    """Satisfies Registry, for that at `address`."""

    def __init__(self, address: Address, client: MlflowClient | None = None) -> None:
        self._address = address
        self._client = client or client_of(address)

    def close(self) -> None: ...

    def models(self) -> Sequence[Model]:
        if self._is_bare():
            return []
        found: dict[str, Model] = {}
        token: str | None = None
        while True:
            with self._missing(no_registry(self._address.shown)):
                page = self._client.search_registered_models(max_results=_MODELS_A_PAGE, page_token=token)
            found |= {one.name: _model(one) for one in page if not is_prompt(one.tags)}
            token = page.token
            if not token:
                return sorted(found.values(), key=lambda one: one.name)

    def model(self, name: str) -> ModelNow:
        versions = self._versions(name)
        with self._missing(no_model(name, self._address.shown)):
            model = _model(self._client.get_registered_model(name))
        if is_prompt(model.tags):
            raise no_model(name, self._address.shown)
        return ModelNow(model, tuple(_version(one, model) for one in versions))

    def origin(self, name: str, version: str) -> Origin:
        with self._missing(no_version(name, version, self._address.shown)):
            found = self._client.get_model_version(name, version)
        return Origin(found.source or "", found.run_id or "")

    def stored(self, name: str, version: str) -> str:
        with self._missing(no_version(name, version, self._address.shown)):
            return self._client.get_model_version_download_uri(name, version) or ""

    def _versions(self, name: str) -> list[RawVersion]:
        """Those of a model, the newest first; none where there is no such model."""
        found: dict[int, RawVersion] = {}
        token: str | None = None
        while True:
            with self._missing(no_model(name, self._address.shown)):
                page = self._client.search_model_versions(
                    named(name), max_results=_VERSIONS_A_PAGE, order_by=["version_number DESC"], page_token=token
                )
            found |= {int(one.version): one for one in page if one.name == name and one.current_stage != DELETED}
            token = page.token
            if not token:
                return [found[number] for number in sorted(found, reverse=True)]

    @contextmanager
    def _missing(self, absent: NotFound) -> Iterator[None]:
        """Inside, what isn't there, and what MLflow takes for no name at all, is raised as `absent`."""
        if self._is_bare():
            raise absent
        try:
            with in_our_words(self._address):
                yield
        except (Invalid, NotFound) as error:
            if _NO_REGISTRY in error.tried:
                raise no_registry(self._address.shown, "MLflow knows none for it.") from error
            raise absent from error

    def _is_bare(self) -> bool:
        """Whether this is a file store that never held a model: to ask MLflow would make the folder for them."""
        folder = self._address.path
        return self._address.shape is StoreShape.FOLDER and folder is not None and not (folder / _MODELS).is_dir()


def _model(raw: RegisteredModel) -> Model:
    newest: dict[str, int] = {}
    for one in raw.latest_versions or ():
        stage = one.current_stage or NO_STAGE
        newest[stage] = max(int(one.version), newest.get(stage, 0))
    stages, latest = newest_by_stage(newest)
    return Model(
        raw.name,
        raw.description or "",
        dict(raw.tags),
        {alias: str(version) for alias, version in sorted(raw.aliases.items())},
        stages,
        latest,
        raw.creation_timestamp,
        raw.last_updated_timestamp,
    )


def _version(raw: RawVersion, model: Model) -> ModelVersion:
    version, source = str(raw.version), raw.source or ""
    return ModelVersion(
        model=raw.name,
        version=version,
        run_id=raw.run_id or "",
        source=source,
        status=raw.status or READY,
        status_message=raw.status_message or "",
        stage=raw.current_stage or NO_STAGE,
        description=raw.description or "",
        tags=dict(raw.tags),
        aliases=tuple(alias for alias, holder in model.aliases.items() if holder == version),
        user=raw.user_id or "",
        model_id=getattr(raw, "model_id", None) or logged_model_of(source),
        created=raw.creation_timestamp,
        updated=raw.last_updated_timestamp,
    )
