"""A lab store with artifacts on this machine, and a tower over it without a screen."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mlflow import MlflowClient
from support.labstore import artifact_of, changing, keep_artifacts

from runtower.acts.resolve import resolve
from runtower.acts.tower import Tower
from runtower.commands.opening import Asked, context, opened


class Lab:
    """A copy of the lab's store in a folder of its own; `artifacts` is where its runs' files lie."""

    def __init__(self, template: Path, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.artifacts = folder / "artifacts"
        self.store = Path(shutil.copy(template, folder / "mlflow.db"))
        keep_artifacts(self.store, self.artifacts)
        with changing(self.store) as connection:
            connection.execute("UPDATE experiments SET artifact_location = ?", (self.artifacts.as_uri(),))

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.store}"

    def put(self, name: str, file: str, content: str | bytes) -> Path:
        """A file among a run's artifacts."""
        place = artifact_of(self.store, self.artifacts, name, file)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def new_run(self, name: str, **tags: str) -> tuple[MlflowClient, str]:
        """A run that MLflow itself has begun, and the client to log with."""
        client = MlflowClient(self.uri)
        return client, client.create_run("1", run_name=name, tags=tags).info.run_id

    @asynccontextmanager
    async def tower(self) -> AsyncIterator[Tower]:
        """All its runs are known."""
        async with opened(context(Asked(tracking_uri=self.uri)), 60.0) as tower:
            yield tower


def rows_of(tower: Tower, *names: str) -> list[int]:
    return [resolve(tower.catalogue, name, {}) for name in names]
