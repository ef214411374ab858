"""MLflow's REST API of its registry of models, as it is on the wire: the answers that are read, and the changes.

Source of the format: `mlflow/protos/model_registry.proto` of MLflow 3.17.2; see `rest_wire` for how it is spelled.

    GET    /api/2.0/mlflow/registered-models/search            SearchRegisteredModels; a page token is an offset
    GET    /api/2.0/mlflow/registered-models/get               GetRegisteredModel
    GET    /api/2.0/mlflow/model-versions/search               SearchModelVersions; says nothing of aliases
    GET    /api/2.0/mlflow/model-versions/get                  GetModelVersion
    GET    /api/2.0/mlflow/model-versions/get-download-uri     GetModelVersionDownloadUri
    GET    /api/2.0/mlflow/logged-models/ID                    GetLoggedModel, since 3.0
    POST   /api/2.0/mlflow/registered-models/create, set-tag   CreateRegisteredModel, SetRegisteredModelTag
    PATCH  /api/2.0/mlflow/registered-models/update            UpdateRegisteredModel
    DELETE /api/2.0/mlflow/registered-models/delete-tag        DeleteRegisteredModelTag
    POST, DELETE /api/2.0/mlflow/registered-models/alias       SetRegisteredModelAlias, DeleteRegisteredModelAlias
    POST   /api/2.0/mlflow/model-versions/create, set-tag, transition-stage
    PATCH  /api/2.0/mlflow/model-versions/update               UpdateModelVersion
    DELETE /api/2.0/mlflow/model-versions/delete, delete-tag   DeleteModelVersion, DeleteModelVersionTag
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from runtower.domain.models import NO_STAGE, READY
from runtower.sources.mlflow.rest_wire import Pair

# The largest that a server takes are 1,000 and 200,000; it needs about a millisecond for each.
MODELS_A_PAGE: Final = 200
VERSIONS_A_PAGE: Final = 1_000


class RawAlias(msgspec.Struct, gc=False):
    alias: str
    version: str = ""


class RawVersion(msgspec.Struct):
    """Times are UTC epoch ms."""

    name: str = ""
    version: str = ""
    creation_timestamp: int | None = None
    last_updated_timestamp: int | None = None
    user_id: str = ""
    current_stage: str = NO_STAGE
    description: str = ""
    source: str = ""
    run_id: str = ""
    status: str = READY
    status_message: str = ""
    tags: list[Pair] = []
    model_id: str = ""


class RawModel(msgspec.Struct):
    """`latest_versions` are the newest in each stage."""

    name: str
    creation_timestamp: int | None = None
    last_updated_timestamp: int | None = None
    description: str = ""
    latest_versions: list[RawVersion] = []
    tags: list[Pair] = []
    aliases: list[RawAlias] = []


class ModelsPage(msgspec.Struct):
    registered_models: list[RawModel] = []
    next_page_token: str = ""


class OneModel(msgspec.Struct):
    registered_model: RawModel


class VersionsPage(msgspec.Struct):
    model_versions: list[RawVersion] = []
    next_page_token: str = ""


class OneVersion(msgspec.Struct):
    model_version: RawVersion


class DownloadUri(msgspec.Struct):
    artifact_uri: str = ""


class LoggedInfo(msgspec.Struct):
    name: str = ""
    artifact_uri: str = ""
    source_run_id: str = ""


class LoggedModel(msgspec.Struct):
    info: LoggedInfo


class OneLogged(msgspec.Struct):
    model: LoggedModel


# -- the changes


class OfModel(msgspec.Struct):
    name: str


class OfVersion(msgspec.Struct):
    name: str
    version: str


class OfAlias(msgspec.Struct):
    name: str
    alias: str


class Alias(msgspec.Struct):
    name: str
    alias: str
    version: str


class Tag(msgspec.Struct, omit_defaults=True):
    """A tag to set, or to delete where it has no value; of a model where no version is named."""

    name: str
    key: str
    value: str | None = None
    version: str = ""


class Description(msgspec.Struct, omit_defaults=True):
    """Of a model where no version is named."""

    name: str
    description: str
    version: str = ""


class Stage(msgspec.Struct):
    name: str
    version: str
    stage: str
    archive_existing_versions: bool


class NewVersion(msgspec.Struct, omit_defaults=True):
    name: str
    source: str
    run_id: str = ""
    tags: Sequence[Pair] = ()
    description: str = ""
    model_id: str = ""


models_page = msgspec.json.Decoder(ModelsPage, strict=False)
one_model = msgspec.json.Decoder(OneModel, strict=False)
versions_page = msgspec.json.Decoder(VersionsPage, strict=False)
one_version = msgspec.json.Decoder(OneVersion, strict=False)
download_uri = msgspec.json.Decoder(DownloadUri, strict=False)
one_logged = msgspec.json.Decoder(OneLogged, strict=False)
