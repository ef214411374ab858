"""Artifacts that only MLflow can reach: listed by it, and fetched a whole file at a time.

The one that was fetched last is kept, without a name on the disk, so that reading on in it costs a look at its size.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from mlflow import MlflowClient
from mlflow.entities import FileInfo
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from runtower.domain.artifacts import Artifact, Folder, Piece, artifact_path, in_order
from runtower.domain.errors import Invalid, NotFound, TowerError
from runtower.sources.disk import PIECE
from runtower.sources.mlflow.address import Address, StoreShape, short
from runtower.sources.mlflow.client_errors import in_our_words

# What is fetched whole for a look at a part of it.
_LARGEST_LOOK: Final = 64 * 1024 * 1024


@dataclass
class _Kept:
    path: str
    size: int | None
    file: BinaryIO


class Fetching:
    """Satisfies Elsewhere. `ls` lists a folder, '' for the root; `fetch` writes a file into a folder and says where."""

    def __init__(self, shown: str, ls: Callable[[str], Sequence[FileInfo]], fetch: Callable[[str, str], str]) -> None:
        self._address = Address(StoreShape.OTHER, shown, shown)
        self._ls = ls
        self._fetch = fetch
        self._kept: _Kept | None = None

    def listed(self, folder: str) -> Folder:
        with _failures(self._address):
            found = list(self._ls(folder))
        if not found and folder and not self._entry(folder).is_dir:
            raise Invalid(f"'{folder}' is no folder.", "It is a file.")
        return in_order([Artifact(artifact_path(one.path), one.is_dir, _size(one)) for one in found])

    def part(self, path: str, offset: int, most: int) -> Piece:
        file, size = self._opened(path, _LARGEST_LOOK)
        start = min(max(0, size + offset), size) if offset < 0 else offset
        file.seek(start)
        return Piece(file.read(most), start, size)

    def pieces(self, path: str) -> Iterator[Piece]:
        file, size = self._opened(path, None)
        file.seek(0)
        offset = 0
        while data := file.read(PIECE):
            yield Piece(data, offset, size)
            offset += len(data)
        if not offset:
            yield Piece(b"", 0, 0)

    def _opened(self, path: str, most: int | None) -> tuple[BinaryIO, int]:
        """The whole file on this machine, and its size. Raises Invalid where it is larger than `most` bytes."""
        entry = self._entry(path)
        if entry.is_dir:
            raise Invalid(f"'{path}' is a folder.", "Name one of the files in it.")
        if most is not None and entry.size is not None and entry.size > most:
            raise Invalid(
                f"'{path}' has {entry.size >> 20:,} MiB, and only whole files come from {self._address.shown}.",
                "Download it to look into it.",
            )
        kept = self._kept
        if kept is None or (kept.path, kept.size) != (path, entry.size) or entry.size is None:
            if kept is not None:
                self._kept = None
                kept.file.close()
            with tempfile.TemporaryDirectory(prefix="runtower-") as folder, _failures(self._address):
                file = Path(self._fetch(path, folder)).open("rb")  # noqa: SIM115  closed with what takes its place
            kept = self._kept = _Kept(path, entry.size, file)
        return kept.file, os.fstat(kept.file.fileno()).st_size

    def _entry(self, path: str) -> Artifact:
        """What its folder says of a file. Raises NotFound."""
        with _failures(self._address):
            found = list(self._ls(path.rpartition("/")[0]))
        for one in found:
            if one.path.strip("/") == path:
                return Artifact(path, one.is_dir, _size(one))
        raise NotFound(f"There is no '{path}' among the run's artifacts.", "Refresh, and look again.")


def of_location(uri: str) -> Fetching:
    """A location by its URI. Raises TowerError for a scheme that MLflow doesn't know."""
    shown = short(uri)
    with _failures(Address(StoreShape.OTHER, shown, shown)):
        found = get_artifact_repository(uri)
    return Fetching(shown, found.list_artifacts, found.download_artifacts)


def of_run(client: MlflowClient, run_id: str, uri: str) -> Fetching:
    """A run's, by the client that reads its store."""
    return Fetching(
        short(uri),
        lambda folder: client.list_artifacts(run_id, folder or None),
        lambda path, folder: client.download_artifacts(run_id, path, folder),
    )


def _size(found: FileInfo) -> int | None:
    return None if found.is_dir or found.file_size is None else int(found.file_size)


@contextmanager
def _failures(address: Address) -> Iterator[None]:
    """What MLflow and the libraries of other systems raise becomes a TowerError."""
    try:
        with in_our_words(address):
            yield
    except TowerError:
        raise
    except ImportError as error:
        raise Invalid(
            f"{address.shown} can't be read: {short(str(error))}.",
            "Install what MLflow needs for it beside runtower, such as boto3 for s3://.",
        ) from error
    except Exception as error:
        raise TowerError(
            f"{address.shown} can't be read: {short(str(error)) or type(error).__name__}.",
            "Check its credentials, as MLflow wants them, and the way there.",
        ) from error
