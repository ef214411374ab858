"""What a registry of models holds: registered models, their versions, and who has which alias or stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

READY: Final = "READY"
PENDING: Final = "PENDING_REGISTRATION"
FAILED: Final = "FAILED_REGISTRATION"

NO_STAGE: Final = "None"
STAGING: Final = "Staging"
PRODUCTION: Final = "Production"
ARCHIVED: Final = "Archived"
STAGES: Final = (NO_STAGE, STAGING, PRODUCTION, ARCHIVED)


@dataclass(frozen=True, slots=True)
class Model:
    """A registered model. `aliases` maps an alias to the version that has it, `stages` the stages Staging, Production
    and Archived to their newest version, where there is one. `latest`: the newest version, '' where there is none.

    `created` and `updated` are UTC epoch ms; an alias or a tag that is set doesn't move `updated` in MLflow.
    """

    name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    latest: str = ""
    created: int | None = None
    updated: int | None = None


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a registered model. `source` is where its files came from, as MLflow spells it; `run_id` is '' where
    no run is known; `model_id` that of the LoggedModel of MLflow 3, '' before. `status` is READY,
    PENDING_REGISTRATION or FAILED_REGISTRATION. Times are UTC epoch ms.
    """

    model: str
    version: str
    run_id: str = ""
    source: str = ""
    status: str = READY
    status_message: str = ""
    stage: str = NO_STAGE
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    user: str = ""
    model_id: str = ""
    created: int | None = None
    updated: int | None = None


@dataclass(frozen=True, slots=True)
class ModelNow:
    """A registered model with all its versions, the newest first, as its registry has them now."""

    model: Model
    versions: tuple[ModelVersion, ...] = ()

    def version(self, number: str) -> ModelVersion | None:
        """The version of that number, None where there is none."""
        return next((one for one in self.versions if one.version == number), None)

    def in_stage(self, stage: str) -> tuple[str, ...]:
        """The versions in a stage, the newest first."""
        return tuple(one.version for one in self.versions if one.stage == stage)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where the files of a version lie: in this folder of that run's artifacts, '' for all of them."""

    run_id: str
    folder: str


@dataclass(frozen=True, slots=True)
class ModelList:
    """All models of a registry, None where they are those that `digest` stands for already."""

    digest: str
    models: tuple[Model, ...] | None
