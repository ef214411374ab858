"""A source of which another object reads the artifacts."""

from __future__ import annotations

from collections.abc import Iterator

from runtower.domain.artifacts import Folder, Piece
from runtower.sources.port import ReadsArtifacts


class WithArtifacts:
    """Satisfies ReadsArtifacts as `_artifacts` does, which a source sets when it is opened."""

    _artifacts: ReadsArtifacts

    def artifacts(self, run_id: str, folder: str) -> Folder:
        return self._artifacts.artifacts(run_id, folder)

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        return self._artifacts.artifact(run_id, path, offset, most)

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        return self._artifacts.artifact_pieces(run_id, path)
