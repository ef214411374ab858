"""The artifacts and the log of one run: asked for, read on, brought here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from runtower.acts.find_log import Facts, LogPlace, Search, find_log
from runtower.acts.tower import Tower
from runtower.catalog.segment import RunCell
from runtower.domain import runs
from runtower.domain.artifacts import Artifact, Folder, Piece
from runtower.domain.errors import TowerError
from runtower.domain.runs import Kind, Status
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.link.offloop import off_loop
from runtower.link.wire import ArtifactPart, Artifacts, Progress
from runtower.sources import disk

_BEGINNING: Final = 16 * 1024
_OVER: Final = frozenset({Status.FINISHED, Status.FAILED, Status.KILLED})


class RunFiles:
    """One run of a tower; what is asked of it goes to its source, whichever process that has by then."""

    def __init__(self, tower: Tower, row: int) -> None:
        """`row` is a global one; the run stays the same one when rows become others."""
        self._tower = tower
        self._number = int(tower.catalogue.source_numbers()[row])
        self._row = row
        self.key = tower.catalogue.run_key(row)
        self.run_id = self.key.run_id
        cells = list(tower.catalogue.cells(row))
        self.name = _text(cells, runs.NAME.key) or self.run_id[:8]
        self.uri = _text(cells, runs.ARTIFACT_URI.key)
        self.facts = Facts(
            {cell.key.key: cell.text for cell in cells if cell.key.kind in (Kind.PARAM, Kind.TAG) and cell.text},
            self.uri,
            _text(cells, runs.SOURCE_NAME.key),
            str(Folders.of().jobs),
        )

    @property
    def _link(self) -> Link:
        return self._tower.links[self._number]

    @property
    def is_far(self) -> bool:
        """Whether its source is behind a line."""
        return self._link.health.round_trip is not None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, as far as is known."""
        catalogue = self._tower.catalogue
        if self._row >= catalogue.size or catalogue.run_key(self._row).run_id != self.run_id:
            return False
        return catalogue.texts(runs.STATUS).text(self._row) in _OVER

    # -- artifacts

    async def folder(self, path: str) -> Folder:
        """What lies in a folder of its artifacts, '' for their own. Raises TowerError."""
        return await self._link.ask(Artifacts(self.run_id, path))

    async def part(self, path: str, offset: int, most: int, topic: str = "") -> Piece:
        """A piece of an artifact; see `ReadsArtifacts`. Raises TowerError; Cancelled where a newer one of its topic
        was asked for."""
        return await self._link.ask(ArtifactPart(self.run_id, path, offset, most), topic=topic)

    async def download(
        self, path: str, target: Path, replace: bool = False, progress: Callable[[Progress], None] | None = None
    ) -> None:
        """Bring an artifact to an absolute path. Cancelling the task stops it; then nothing is left there.

        Raises TowerError: Conflict where a file is there and may not be replaced.
        """
        arguments = {"run_id": self.run_id, "path": path, "target": str(target), "replace": "1" if replace else ""}
        await self._link.operate("download", arguments, progress=progress)

    # -- the log

    async def find_log(self) -> Search:
        """Where its console output is, and where it was looked for."""
        return await find_log(self.facts, self)

    async def log_part(self, place: LogPlace, offset: int, most: int) -> Piece:
        """A piece of a log; as `part`. Raises TowerError."""
        if place.is_artifact:
            return await self.part(place.path, offset, most)
        root, path = Path("/"), place.path.lstrip("/")
        return await off_loop(lambda: disk.part(root, path, offset, most))

    async def beginning(self, path: str) -> str:
        """The first 16 KB of an artifact as text. Raises TowerError."""
        return (await self.part(path, 0, _BEGINNING)).data.decode("utf-8", "replace")

    async def files(self, folder: Path) -> Sequence[Artifact] | None:
        """What lies in a folder of this machine; None where there is none that could be read."""

        def look() -> Sequence[Artifact] | None:
            try:
                return disk.listed(folder, "").entries if folder.is_dir() else None
            except (TowerError, OSError):
                return None

        return await off_loop(look)


def _text(cells: Sequence[RunCell], attribute: str) -> str:
    return next((c.text or "" for c in cells if c.key.kind is Kind.ATTRIBUTE and c.key.key == attribute), "")
