"""All files of a version brought to a folder of this machine, whole or not at all."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from runtower.acts.run_files import RunFiles
from runtower.acts.tower import Tower
from runtower.acts.version_files import files_of
from runtower.domain.errors import Conflict, Invalid, NotFound
from runtower.domain.models import ModelVersion


def into(version: ModelVersion, folder: Path) -> Path:
    """The folder that a version gets in another one: `detector-v3`."""
    name = re.sub(r"[^\w.-]+", "-", version.model).strip(".-") or "model"
    return folder.expanduser().absolute() / f"{name}-v{version.version}"


async def download(
    tower: Tower, number: int, version: ModelVersion, target: Path, told: Callable[[int, int, str], None]
) -> int:
    """Bring the files to a folder that isn't there yet; gives how many. `told`: which of how many comes now.

    They come into a folder beside it, which takes its name once all are there. Raises TowerError; then, and where it
    is cancelled, nothing is left.
    """
    found = await files_of(tower, number, version)
    if found.row is None or not found.files:
        raise NotFound(
            f"{version.model} v{version.version} has no files to download: {found.trouble or 'none is listed'}."
        )
    if not found.whole:
        raise Invalid(f"{version.model} v{version.version} has more files than are listed.", "Use mlflow artifacts.")
    if await asyncio.to_thread(target.exists):
        raise Conflict(f"{target} is there already.", "Choose another folder.")
    files = RunFiles(tower, found.row)
    beside = target.with_name(f".{target.name}.part")
    try:
        for place, one in enumerate(found.files, 1):
            path = PurePosixPath(found.path_of(one))
            told(place, len(found.files), str(path))
            if path.is_absolute() or ".." in path.parts:
                raise Invalid(f"The file {path} would lie outside of {target}.", "Nothing was kept.")
            here = beside / path
            await asyncio.to_thread(here.parent.mkdir, parents=True, exist_ok=True)
            await files.download(one.path, here, True)
        if await asyncio.to_thread(target.exists):
            raise Conflict(f"{target} was made meanwhile.", "Choose another folder.")
        await asyncio.to_thread(beside.rename, target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return len(found.files)
