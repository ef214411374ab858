"""A registry of models as MLflow writes it, and what MlflowClient says of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as RawVersion
from mlflow.entities.model_registry import RegisteredModel
from support.mlflow_stores import log_model

from runtower.domain.models import Model, ModelNow, ModelVersion
from runtower.sources.mlflow import SOURCE as MLFLOW
from runtower.sources.port import EditsModels, Known, ReadsArtifacts, ReadsModels, Source, Target

ODD_NAMES = (
    "modèle 試験 🚀",
    "it's",
    'the "best"',
    'it\'s "both" _ \\',
    "UPPER",
    "upper",
    "ends with a dot.",
)


@dataclass(frozen=True)
class Made:
    """The ids of what `write_registry` made: a run with files, and its two LoggedModels of one name, older first."""

    run_id: str
    logged: tuple[str, str]


class AnyRegistry(ReadsArtifacts, ReadsModels, Source, Protocol):
    """What these sources offer here."""


class AnyEdits(EditsModels, Source, Protocol):
    """What changes a registry."""


@dataclass
class RegistryLab:
    """A store with a registry. `options` are those of its source."""

    uri: str
    made: Made
    options: Mapping[str, str] = field(default_factory=dict)
    opened: list[Source] = field(default_factory=list)

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(self.uri, self.uri)

    def open(self) -> AnyRegistry:
        source = MLFLOW.open(Target("lab", "mlflow", self.uri, options=dict(self.options)), Known())
        assert isinstance(source, ReadsModels)
        assert isinstance(source, ReadsArtifacts)
        self.opened.append(source)
        return source  # type: ignore[return-value]

    def edits(self) -> AnyEdits:
        source = MLFLOW.open_for_edits(Target("lab", "mlflow", self.uri, options=dict(self.options)))
        assert isinstance(source, EditsModels)
        self.opened.append(source)
        return source  # type: ignore[return-value]


def write_registry(client: MlflowClient, work: Path) -> Made:
    """Models with one of everything. Files of runs lie below `work`; `client` is also MLflow's own default store."""
    experiment = client.create_experiment("models", (work / "models").as_uri())
    run_id = client.create_run(experiment, run_name="trained").info.run_id
    for path in ("model/MLmodel", "model/data/w.txt", "other/MLmodel"):
        (work / "logged" / path).parent.mkdir(parents=True, exist_ok=True)
        (work / "logged" / path).write_text(path)
        client.log_artifact(run_id, str(work / "logged" / path), path.rpartition("/")[0])
    logged = tuple(log_model(client, run_id, "net", work / "m", {"MLmodel": name}) for name in ("older", "newer"))
    root = client.get_run(run_id).info.artifact_uri
    client.create_registered_model("resnet", {"team": "vision", "empty": ""}, "Sees cats.\n\nAnd *dogs*.")
    for number in range(1, 12):
        tags = {"seed": str(number), "note": "試験"} if number % 2 else {}
        add(client, "resnet", f"runs:/{run_id}/model", run_id, tags, f"try {number}" if number > 2 else "")
    for version, stage in (
        ("2", "Production"),
        ("3", "Staging"),
        ("4", "Archived"),
        ("5", "Archived"),
        ("9", "Staging"),
    ):
        client.transition_model_version_stage("resnet", version, stage)
    for alias, version in (("zeta", "10"), ("champion", "10"), ("challenger", "9"), ("gone", "11")):
        client.set_registered_model_alias("resnet", alias, version)
    client.delete_model_version("resnet", "11")
    client.delete_model_version("resnet", "6")
    client.create_registered_model("files")
    add(client, "files", f"{root}/model", run_id)
    add(client, "files", f"runs:/{run_id}", run_id)
    for model_id in logged:
        add(client, "files", f"models:/{model_id}", run_id, model_id=model_id)
    add(client, "files", "s3://bucket/elsewhere/model", "")
    client.copy_model_version("models:/files/1", "copies")
    client.copy_model_version("models:/copies/1", "copies")
    client.copy_model_version("models:/files/5", "copies")
    client.create_registered_model("empty")
    client.create_registered_model("a prompt")
    client.set_registered_model_tag("a prompt", "mlflow.prompt.is_prompt", "true")
    for name in ODD_NAMES:
        client.create_registered_model(name, {"a / tag": name})
        add(client, name, f"runs:/{run_id}/model", run_id)
        client.set_registered_model_alias(name, "latest-one", "1")
    return Made(run_id, (logged[0], logged[1]))


@contextmanager
def default_store(uri: str) -> Iterator[MlflowClient]:
    """A client of a store that is MLflow's own default while the block runs: there it looks LoggedModels up."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        yield MlflowClient(uri, uri)
    finally:
        mlflow.set_tracking_uri(before)


def add(
    client: MlflowClient,
    name: str,
    source: str,
    run_id: str,
    tags: Mapping[str, str] = {},
    description: str = "",
    model_id: str | None = None,
) -> str:
    """One more version; its number."""
    made = client.create_model_version(
        name, source, run_id or None, dict(tags), None, description or None, await_creation_for=0, model_id=model_id
    )
    return str(made.version)


def models_by_client(client: MlflowClient) -> list[Model]:
    """All models as MlflowClient lists them."""
    return sorted((_model(one) for one in client.search_registered_models()), key=lambda one: one.name)


def model_by_client(client: MlflowClient, name: str) -> ModelNow:
    """A model as MlflowClient gives it, each version asked for by itself."""
    model = _model(client.get_registered_model(name))
    versions = []
    for number in range(int(model.latest or 0), 0, -1):
        found = [one for one in client.search_model_versions(f"version_number = {number}") if one.name == name]
        versions += [_version(client.get_model_version(name, one.version)) for one in found]
    return ModelNow(model, tuple(versions))


def _model(raw: RegisteredModel) -> Model:
    newest = _newest(raw.latest_versions)
    return Model(
        name=raw.name,
        description=raw.description or "",
        tags=raw.tags,
        aliases={alias: str(version) for alias, version in raw.aliases.items()},
        stages={stage: str(number) for stage, number in newest.items() if stage != "None"},
        latest=str(max(newest.values())) if newest else "",
        created=raw.creation_timestamp,
        updated=raw.last_updated_timestamp,
    )


def _newest(versions: Iterable[RawVersion]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in versions:
        found[one.current_stage] = max(int(one.version), found.get(one.current_stage, 0))
    return found


def _version(raw: RawVersion) -> ModelVersion:
    return ModelVersion(
        model=raw.name,
        version=str(raw.version),
        run_id=raw.run_id or "",
        source=raw.source or "",
        status=raw.status,
        status_message=raw.status_message or "",
        stage=raw.current_stage,
        description=raw.description or "",
        tags=raw.tags,
        aliases=tuple(sorted(raw.aliases)),
        user=raw.user_id or "",
        model_id=raw.model_id or (raw.source.removeprefix("models:/") if raw.source.startswith("models:/m-") else ""),
        created=raw.creation_timestamp,
        updated=raw.last_updated_timestamp,
    )
