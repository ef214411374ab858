"""The files of a version of a model: where they lie among a run's artifacts, and what its MLmodel says."""

from __future__ import annotations

from dataclasses import dataclass

from runtower.acts.model_card import FILE, ModelCard, card_of
from runtower.acts.run_artifacts import RunArtifacts, few_at_a_time
from runtower.acts.tower import Tower
from runtower.domain.artifacts import Artifact
from runtower.domain.errors import NotFound, TowerError
from runtower.domain.models import ModelVersion
from runtower.link.offloop import off_loop
from runtower.link.wire import FilesOf

_MOST_FOLDERS = 50


@dataclass(frozen=True)
class VersionFiles:
    """Of one version: its MLmodel, and all its files by their paths below `folder`; `trouble`: why that isn't known.

    `row` is the run whose artifacts they are, None where that isn't known. `whole`: no file was left out.
    """

    card: ModelCard | None = None
    files: tuple[Artifact, ...] = ()
    folder: str = ""
    row: int | None = None
    whole: bool = True
    trouble: str = ""

    @property
    def size(self) -> int | None:
        """Bytes of all files together, None where one of them isn't known."""
        sizes = [one.size for one in self.files]
        if not sizes or not self.whole or any(size is None for size in sizes):
            return self.card.size if self.card is not None else None
        return sum(size for size in sizes if size is not None)

    def path_of(self, one: Artifact) -> str:
        """The path of a file below the version's folder."""
        return one.path.removeprefix(f"{self.folder}/") if self.folder else one.path


async def card_of_version(tower: Tower, number: int, version: ModelVersion) -> VersionFiles:
    """What the MLmodel of a version says, without a look at the other files. Never raises: `trouble` says why not."""
    try:
        artifacts, folder = await place_of(tower, number, version)
        card = await _card(artifacts, folder)
    except TowerError as error:
        return VersionFiles(trouble=error.tried.rstrip("."))
    return VersionFiles(card, folder=folder, row=artifacts.row)


async def files_of(tower: Tower, number: int, version: ModelVersion) -> VersionFiles:
    """The MLmodel and the list of all files. Never raises: `trouble` says what isn't known."""
    try:
        artifacts, folder = await place_of(tower, number, version)
        files, whole = await _walk(artifacts, folder)
    except TowerError as error:
        return VersionFiles(trouble=error.tried.rstrip("."))
    try:
        card = await _card(artifacts, folder)
    except TowerError as error:
        return VersionFiles(None, files, folder, artifacts.row, whole, error.tried.rstrip("."))
    return VersionFiles(card, files, folder, artifacts.row, whole)


async def files_of_all(tower: Tower, number: int, versions: list[ModelVersion]) -> list[VersionFiles]:
    """The MLmodels of several versions, in their order."""
    return list(await few_at_a_time(lambda one: card_of_version(tower, number, one), versions))


async def place_of(tower: Tower, number: int, version: ModelVersion) -> tuple[RunArtifacts, str]:
    """The artifacts among which the files lie, and their folder there. Raises TowerError."""
    found = await tower.links[number].ask(FilesOf(version.model, version.version))
    rows = await tower.bring(number, [found.run_id])
    if found.run_id not in rows:
        raise NotFound(f"The run {found.run_id} of {version.model} v{version.version} isn't there any more.")
    return RunArtifacts(tower, rows[found.run_id]), found.folder


async def _card(artifacts: RunArtifacts, folder: str) -> ModelCard:
    text = await artifacts.text(f"{folder}/{FILE}" if folder else FILE)
    return await off_loop(lambda: card_of(text))


async def _walk(artifacts: RunArtifacts, top: str) -> tuple[tuple[Artifact, ...], bool]:
    """All files below a folder, and whether that is all."""
    found: list[Artifact] = []
    waiting, whole, looked = [top], True, 0
    while waiting:
        if looked >= _MOST_FOLDERS:
            return tuple(found), False
        looked += 1
        folder = await artifacts.folder(waiting.pop(0))
        whole = whole and not folder.left_out
        waiting += [one.path for one in folder.entries if one.is_dir]
        found += [one for one in folder.entries if not one.is_dir]
    return tuple(found), whole
