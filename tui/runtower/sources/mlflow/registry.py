"""What the ways to a registry of models share: the port between them, and how MLflow's words become ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote

from runtower.domain.errors import NotFound
from runtower.domain.models import ARCHIVED, PRODUCTION, STAGING, Model, ModelNow
from runtower.sources.mlflow.rest_filter import quoted

# A version that was deleted keeps its row, and its number is never given again.
DELETED: Final = "Deleted_Internal"
# Since 2.21 prompts lie in the registry too, as models with this tag; MLflow's own lists leave them out.
PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
_SHOWN_STAGES: Final = (STAGING, PRODUCTION, ARCHIVED)
_COPIED: Final = re.compile(r"models:/+([^/]+)/(\d+)\Z")
_LOGGED: Final = re.compile(r"models:/+(m-[^/@]+)\Z")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version came from: `source` as MLflow spells it, '' where no run is known."""

    source: str
    run_id: str


class Registry(Protocol):
    """A way to a registry. All calls raise TowerError, NotFound where there is none or not that model in it."""

    def models(self) -> Sequence[Model]:
        """All models, by name; their versions aren't read one by one."""
        ...

    def model(self, name: str) -> ModelNow:
        """One model, its versions the newest first."""
        ...

    def origin(self, name: str, version: str) -> Origin:
        """Where a version came from."""
        ...

    def stored(self, name: str, version: str) -> str:
        """Where MLflow finds the files of a version, whatever its source says; '' where it doesn't tell."""
        ...

    def close(self) -> None: ...


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether what has these tags is a prompt and no model."""
    return tags.get(PROMPT_TAG, "").lower() == "true"


def no_model(name: str, where: str) -> NotFound:
    """There is no model of that name."""
    return NotFound(f"There is no model {name!r} in {where}.", "Look again after the next refresh.")


def no_version(name: str, version: str, where: str) -> NotFound:
    """The model has no such version."""
    return NotFound(f"There is no version {version} of {name!r} in {where}.", "Look again after the next refresh.")


def no_registry(where: str, why: str = "") -> NotFound:
    """Nobody keeps models there."""
    text = f"There is no registry of models at {where}" + (f": {why}" if why else ".")
    return NotFound(text, "MLflow keeps one in databases, on its servers and in file stores; see registry_uri.")


def logged_model_of(source: str) -> str:
    """The id of the LoggedModel of MLflow 3 that a source names, '' where it is something else."""
    found = _LOGGED.match(source)
    return found[1] if found else ""


def copied_version_of(source: str) -> tuple[str, str] | None:
    """(model, version) of the version that a source says was copied, None where it is something else."""
    found = _COPIED.match(source)
    return (unquote(found[1]), found[2]) if found else None


def newest_by_stage(versions: Mapping[str, int]) -> tuple[Mapping[str, str], str]:
    """(versions by stage as `Model.stages`, the newest version of all), from the newest number in each stage."""
    latest = max(versions.values(), default=0)
    stages = {stage: str(versions[stage]) for stage in _SHOWN_STAGES if stage in versions}
    return stages, str(latest) if latest else ""


def named(name: str) -> str:
    """The filter for a model's versions. One that can't be said exactly finds more, and never less."""
    if said := quoted(name):
        return f"name = {said}"
    vague = "".join(letter if letter.isprintable() and letter not in "'\"\\" else "_" for letter in name)
    return f"name LIKE '{vague}'"
