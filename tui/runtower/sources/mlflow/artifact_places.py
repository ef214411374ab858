"""Where the artifacts of a run lie, for stores that are read without a server: on this machine, or elsewhere.

What lies on this machine is read from its disk, without MLflow; a location elsewhere (s3, gs, wasbs ...) through
MLflow's own repositories, which are imported then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from runtower.domain.artifacts import Folder, Piece, artifact_path
from runtower.domain.errors import Forbidden, NotFound
from runtower.domain.targets import without_credentials
from runtower.sources import disk

PROXIED: Final = "mlflow-artifacts"
_DEFAULT_FOLDERS: Final = ("mlruns", "mlartifacts", ".")
RUN_PARTS: Final = 3  # EXPERIMENT/RUN/artifacts
MODEL_PARTS: Final = 4  # EXPERIMENT/models/MODEL/artifacts


class Elsewhere(Protocol):
    """A location that only MLflow can read. All calls raise as `ReadsArtifacts`."""

    def listed(self, folder: str) -> Folder: ...

    def part(self, path: str, offset: int, most: int) -> Piece: ...

    def pieces(self, path: str) -> Iterator[Piece]: ...


class StoredArtifacts:
    """Satisfies ReadsArtifacts.

    `uri_of` gives a run's artifact URI and raises NotFound; `home` is the folder that the store lies in, None for one
    that isn't on this machine; `elsewhere` opens a location of another scheme for a run; `parts`: how many parts
    at the end of a location are MLflow's own.
    """

    def __init__(
        self,
        uri_of: Callable[[str], str],
        home: Path | None,
        elsewhere: Callable[[str, str], Elsewhere],
        parts: int = RUN_PARTS,
    ) -> None:
        self._uri_of = uri_of
        self._home = home
        self._elsewhere = elsewhere
        self._parts = parts
        self._places: dict[str, Path | Elsewhere] = {}

    def artifacts(self, run_id: str, folder: str) -> Folder:
        place, below = self._place(run_id), artifact_path(folder)
        return disk.listed(place, below) if isinstance(place, Path) else place.listed(below)

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        place, below = self._place(run_id), artifact_path(path)
        return disk.part(place, below, offset, most) if isinstance(place, Path) else place.part(below, offset, most)

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        place, below = self._place(run_id), artifact_path(path)
        return disk.pieces(place, below) if isinstance(place, Path) else place.pieces(below)

    def _place(self, run_id: str) -> Path | Elsewhere:
        found = self._places.get(run_id)
        if found is None or (isinstance(found, Path) and not found.exists()):
            found = self._places[run_id] = self._look(run_id)
        return found

    def _look(self, run_id: str) -> Path | Elsewhere:
        uri = self._uri_of(run_id)
        scheme = urlsplit(uri).scheme.lower()
        if not uri:
            raise NotFound(f"The store doesn't say where the artifacts of run {run_id} are.")
        if scheme in ("", "file"):
            path = _local(uri, self._home)
            return path if path.exists() else self._moved(uri, run_id) or path
        if scheme == PROXIED and self._home is not None:
            moved = self._moved(uri, run_id)
            if moved is None:
                raise NotFound(
                    f"The artifacts of this run are kept by an MLflow server ({without_credentials(uri)}).",
                    "Open that server instead of its store: runtower http://HOST:PORT",
                )
            return moved
        if scheme in ("http", "https"):
            # MLflow would send the user's credentials to whatever host a store names.
            raise Forbidden(
                f"The artifacts of this run are kept by a web server ({without_credentials(uri)}).",
                "Open that server instead of the store: runtower http://HOST:PORT",
            )
        return self._elsewhere(uri, run_id)

    def _moved(self, uri: str, run_id: str) -> Path | None:
        """Where they lie in a store that was copied or is a server's own: below its folder, by MLflow's habit."""
        parts = Path(unquote(urlsplit(uri).path)).parts[-self._parts :]
        if self._home is None or run_id not in parts or ".." in parts:
            return None
        below = Path(*(part for part in parts if part != "/"))
        found = (self._home / folder / below for folder in _DEFAULT_FOLDERS)
        return next((path for path in found if path.is_dir()), None)


def repository(uri: str, run_id: str) -> Elsewhere:
    """A location of a scheme of MLflow's. Raises TowerError."""
    # Deferred: it imports mlflow, which takes three seconds.
    module = importlib.import_module("runtower.sources.mlflow.artifact_repository")
    opened: Elsewhere = module.of_location(uri)
    return opened


def _local(uri: str, home: Path | None) -> Path:
    """The path of a URI or a path, relative ones to the store's folder."""
    path = Path(unquote(urlsplit(uri).path) if uri.lower().startswith("file:") else uri)
    return path if path.is_absolute() or home is None else home / path
