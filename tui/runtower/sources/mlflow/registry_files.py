"""Among which run's artifacts the files of a model's version lie.

A version holds no files: its source names those of a run, of a LoggedModel of MLflow 3 or of another version, or any
location. Where a copied version was deleted the location that MLflow noted for the copy is looked at instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from runtower.domain.artifacts import artifact_path
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.models import ModelFiles
from runtower.sources.mlflow.address import short
from runtower.sources.mlflow.registry import Registry, copied_version_of, logged_model_of

_OF_RUN: Final = re.compile(r"runs:/+([^/]+)(?:/(.*))?\Z", re.DOTALL)
# A copy of a copy ... of a copy: MLflow lets nobody make a circle, but a registry may be anybody's.
_MOST_COPIES: Final = 20
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
MODEL_ID: Final = re.compile(r"m-[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Logged:
    """A LoggedModel: '' where it is no run's; `location` is where its files lie."""

    run_id: str
    name: str
    location: str


@dataclass(frozen=True, slots=True)
class Runs:
    """What the store of the runs knows. All may raise TowerError, NotFound for what isn't there.

    `artifact_uri` gives where a run's artifacts lie, `logged` a LoggedModel by its id, and `folder_of` the folder of a
    run's artifacts that shows one, by the ids of both.
    """

    artifact_uri: Callable[[str], str]
    logged: Callable[[str], Logged]
    folder_of: Callable[[str, str], str]


def files_of(registry: Registry, runs: Runs, name: str, version: str) -> ModelFiles:
    """Where `ReadsArtifacts` finds them. Raises NotFound, which says where they lie."""
    first = origin = registry.origin(name, version)
    for _ in range(_MOST_COPIES):
        copied = copied_version_of(origin.source)
        if copied is None:
            break
        try:
            origin = registry.origin(*copied)
        except NotFound:
            break
    found = _among(runs, origin.source, origin.run_id)
    if found is None:
        stored = registry.stored(name, version)
        found = _among(runs, stored, first.run_id) if stored != origin.source else None
        if found is None:
            where = short(origin.source if stored in ("", first.source) else stored) or "a place that isn't told"
            raise NotFound(
                f"The files of version {version} of {name!r} lie at {where}, among no run's artifacts of this store.",
                "Read them where they are.",
            )
    return found


def _among(runs: Runs, uri: str, run_id: str) -> ModelFiles | None:
    """The run whose artifacts hold what lies at a URI; None where none is known to."""
    try:
        if of_run := _OF_RUN.match(uri):
            runs.artifact_uri(of_run[1])
            return ModelFiles(of_run[1], artifact_path(of_run[2] or ""))
        if model_id := logged_model_of(uri):
            return _of_logged(runs, model_id, "")
    except (Invalid, NotFound):
        return None
    parts = _plain(uri).split("/")
    for candidate in dict.fromkeys([*([run_id] if run_id else ()), *(part for part in parts if _RUN_ID.match(part))]):
        try:
            folder = _below(uri, runs.artifact_uri(candidate))
        except (Invalid, NotFound):
            continue
        if folder is not None:
            return ModelFiles(candidate, folder)
    for candidate in (part for part in parts if MODEL_ID.match(part)):
        try:
            folder = _below(uri, runs.logged(candidate).location)
            found = None if folder is None else _of_logged(runs, candidate, folder)
        except (Invalid, NotFound):
            continue
        if found is not None:
            return found
    return None


def _of_logged(runs: Runs, model_id: str, below: str) -> ModelFiles | None:
    logged = runs.logged(model_id)
    if not logged.run_id:
        return None
    folder = runs.folder_of(logged.run_id, model_id)
    return ModelFiles(logged.run_id, f"{folder}/{below}" if below else folder)


def _below(uri: str, root: str) -> str | None:
    """The path of a URI below another, None where it isn't there. Raises Invalid for one that leads out again."""
    inner, outer = _plain(uri), _plain(root)
    if not outer or not (inner == outer or inner.startswith(f"{outer}/")):
        return None
    return artifact_path(inner[len(outer) + 1 :])


def _plain(uri: str) -> str:
    """A URI in the one of its spellings that can be compared: files by their path, without a slash at the end."""
    is_file = urlsplit(uri).scheme.lower() == "file"
    return (unquote(urlsplit(uri).path) if is_file else uri).rstrip("/")
