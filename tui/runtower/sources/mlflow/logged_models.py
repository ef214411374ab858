"""The models of a run among its artifacts: since MLflow 3 `log_model` keeps them apart, below the experiment.

As on MLflow's own page each is a folder of its name beside what the run logged itself; of several models of one name,
as of a model that was logged at each checkpoint, it is the newest. The others are folders too, of their ids, which no
list shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final, TypeVar

from runtower.domain.artifacts import Artifact, Folder, Piece, artifact_path, in_order
from runtower.domain.errors import Invalid, NotFound
from runtower.sources.mlflow.database import Database
from runtower.sources.mlflow.registry_files import MODEL_ID, Logged
from runtower.sources.port import ReadsArtifacts

_HAS_MODELS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'logged_models'"
_MODELS: Final = (
    "SELECT name, model_id FROM logged_models WHERE source_run_id = ? AND lifecycle_stage = 'active'"
    " ORDER BY creation_timestamp_ms, model_id"
)
_LOCATION: Final = "SELECT source_run_id, name, artifact_location FROM logged_models WHERE model_id = ?"

T = TypeVar("T")


class WithModels:
    """Satisfies ReadsArtifacts. `own` reads what runs logged themselves, `models` the files of a model by its id, and
    `models_of` gives the ids of a run's models by name; it may raise TowerError."""

    def __init__(
        self, own: ReadsArtifacts, models: ReadsArtifacts, models_of: Callable[[str], Mapping[str, str]]
    ) -> None:
        self._own = own
        self._models = models
        self._models_of = models_of
        self._apart: dict[str, dict[str, str]] = {}

    def artifacts(self, run_id: str, folder: str) -> Folder:
        below = artifact_path(folder)
        if below:
            return self._either(run_id, below, _listed)
        found, apart = self._top(run_id)
        return in_order([*found.entries, *(Artifact(name, True) for name in apart)], found.left_out) if apart else found

    def folder_of(self, run_id: str, model_id: str) -> str:
        """The folder that a model of a run is: of its name, or of its id where something else has that name."""
        return next((name for name, one in self._top(run_id)[1].items() if one == model_id), model_id)

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        def read(source: ReadsArtifacts, owner: str, below: str, name: str) -> Piece:
            _check_file(below, name)
            return source.artifact(owner, below, offset, most)

        return self._either(run_id, artifact_path(path), read)

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        return self._either(run_id, artifact_path(path), _begun)

    def _top(self, run_id: str) -> tuple[Folder, Mapping[str, str]]:
        """What the run logged itself, and its models that are listed beside that, by name."""
        found = self._own.artifacts(run_id, "")
        taken = {one.name for one in found.entries}
        apart = {name: one for name, one in self._named(run_id).items() if name not in taken}
        if apart:
            self._apart[run_id] = apart
        else:
            self._apart.pop(run_id, None)
        return found, apart

    def _either(self, run_id: str, path: str, work: Callable[[ReadsArtifacts, str, str, str], T]) -> T:
        """What `work` gives of the run's own files, or of its model's of that name."""
        name, _, below = path.partition("/")
        model = self._apart.get(run_id, {}).get(name)
        if model is None:
            try:
                return work(self._own, run_id, path, "")
            except NotFound:
                model = self._named(run_id).get(name) or (name if MODEL_ID.match(name) else None)
                if model is None:
                    raise
        return work(self._models, model, below, name)

    def _named(self, run_id: str) -> Mapping[str, str]:
        try:
            found = self._models_of(run_id)
        except (Invalid, NotFound):
            return {}  # what records the run knows of no models
        return {name: model for name, model in found.items() if _is_plain(name)}


def read_models(database: Database, run_id: str) -> dict[str, str]:
    """The models of a run by name; none in a store of before MLflow 3."""
    with database.reading() as connection:
        if connection.execute(_HAS_MODELS).fetchone() is None:
            return {}
        return dict(connection.execute(_MODELS, (run_id,)).fetchall())


def read_logged(database: Database, model_id: str) -> Logged:
    """A model, and where its files lie. Raises NotFound."""
    with database.reading() as connection:
        has_models = connection.execute(_HAS_MODELS).fetchone() is not None
        found = connection.execute(_LOCATION, (model_id,)).fetchone() if has_models else None
    if found is None:
        raise NotFound(f"There is no model {model_id} in this store.", "Look again after the next refresh.")
    return Logged(*(one or "" for one in found))


def _listed(source: ReadsArtifacts, owner: str, below: str, name: str) -> Folder:
    found = source.artifacts(owner, below)
    if not name:
        return found
    return replace(found, entries=tuple(replace(one, path=f"{name}/{one.path}") for one in found.entries))


def _begun(source: ReadsArtifacts, owner: str, below: str, name: str) -> Iterator[Piece]:
    """The first piece is there, so that what isn't found is raised now."""
    _check_file(below, name)
    pieces = source.artifact_pieces(owner, below)
    return chain([next(pieces)], pieces)


def _check_file(below: str, name: str) -> None:
    if name and not below:
        raise Invalid(f"'{name}' is a folder.", "Name one of the files in it.")


def _is_plain(name: str) -> bool:
    """Whether a folder can have that name."""
    try:
        return bool(name) and "/" not in name and artifact_path(name) == name
    except Invalid:
        return False
