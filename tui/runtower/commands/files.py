"""`artifacts`, `download` and `logs`: the files of a run, without a screen."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.acts.find_log import LogPlace, Search
from runtower.acts.run_files import RunFiles
from runtower.acts.run_log import HOW_TO
from runtower.acts.tower import Tower
from runtower.commands.listing import resolved, write
from runtower.commands.opening import Asked, Context, context, opened
from runtower.commands.tables import json_array, plain_lines
from runtower.domain.artifacts import MOST_BYTES
from runtower.domain.errors import Conflict, Invalid, NotFound
from runtower.link.wire import Progress
from runtower.present.console import KEPT_BYTES, ConsoleText
from runtower.present.sizes import size_text
from runtower.present.spans import inert

STDOUT: Final = "-"
_FAR: Final = 5.0
_STATUS_EVERY: Final = 5.0


@dataclass(frozen=True)
class LogWish:
    """`lines` from the end, None for all; `follow` until the run is over; `file`: which of several, '' the first."""

    lines: int | None = None
    follow: bool = False
    file: str = ""


@asynccontextmanager
async def _run(work: Context, asked: Asked, text: str, where: str) -> AsyncIterator[tuple[Tower, RunFiles]]:
    """The run that a text names. Raises TowerError."""
    async with opened(work, asked.patience) as tower:
        yield tower, RunFiles(tower, resolved(tower.catalogue, text, where, work.settings.metrics))


def list_artifacts(asked: Asked, text: str, folder: str, where: str, form: str) -> None:
    """Print what lies in a folder of a run's artifacts. Raises TowerError."""
    asyncio.run(_list_artifacts(asked, text, folder, where, form))


async def _list_artifacts(asked: Asked, text: str, folder: str, where: str, form: str) -> None:
    async with _run(context(asked), asked, text, where) as (_, files):
        found = await files.folder(folder)
    if found.left_out:
        sys.stderr.write(f"{len(found.entries)} are listed; there are {found.left_out} more\n")
    if form == "json":
        write(json_array({"path": one.path, "is_dir": one.is_dir, "size": one.size} for one in found.entries))
        return
    rows = [
        (size_text(one.size) if one.size is not None else "", f"{one.path}/" if one.is_dir else one.path)
        for one in found.entries
    ]
    write(plain_lines(("size", "path"), rows, (True, False), None))


def download(asked: Asked, text: str, path: str, where: str, output: str, replace: bool) -> None:
    """Bring one artifact here: to a file, into a folder, or to stdout (`-`). Raises TowerError."""
    asyncio.run(_download(asked, text, path, where, output, replace))


async def _download(asked: Asked, text: str, path: str, where: str, output: str, replace: bool) -> None:
    async with _run(context(asked), asked, text, where) as (_, files):
        if output == STDOUT:
            with tempfile.TemporaryDirectory(prefix="runtower-") as folder:
                target = Path(folder) / "artifact"
                await files.download(path, target, progress=_told)
                _copy_out(target)
            return
        target = _target(output, path)
        try:
            await files.download(path, target, replace, _told)
        except Conflict as error:
            raise Conflict(error.tried, "--force replaces it; -o FILE names another one.") from error
    sys.stderr.write(f"{inert(str(target))}\n")


def _target(output: str, path: str) -> Path:
    name = path.rstrip("/").rpartition("/")[2]
    if not name:
        raise Invalid("No file is named.", "runtower artifacts RUN lists them.")
    place = Path(output or name).expanduser().absolute()
    return place / name if place.is_dir() else place


def _copy_out(file: Path) -> None:
    with file.open("rb") as source:
        shutil.copyfileobj(source, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _told(progress: Progress) -> None:
    """How far it is, for somebody who looks."""
    if sys.stderr.isatty():
        of = f" of {size_text(progress.total)}" if progress.total else ""
        end = "\n" if progress.done == progress.total else ""
        sys.stderr.write(f"\r\x1b[K{size_text(progress.done)}{of}{end}")
        sys.stderr.flush()


def print_log(asked: Asked, text: str, where: str, wish: LogWish) -> None:
    """Print a run's console output, as a terminal would have left it. Raises TowerError: NotFound for none."""
    asyncio.run(_print_log(asked, text, where, wish))


async def _print_log(asked: Asked, text: str, where: str, wish: LogWish) -> None:
    work = context(asked)
    async with _run(work, asked, text, where) as (tower, files):
        place = _chosen(await files.find_log(), files.run_id, wish.file)
        held = ConsoleText(keep=KEPT_BYTES if wish.lines is not None else 2 * MOST_BYTES)
        end = await _print_so_far(files, place, held, wish)
        if wish.follow:
            interval = max(_FAR, work.settings.interval) if files.is_far else work.settings.interval
            await _follow(tower, files, place, held, end, interval)
        _print(held.take(rest=True))


def _chosen(search: Search, run_id: str, file: str) -> LogPlace:
    if not search.found:
        looked = "; ".join(search.looked)
        raise NotFound(f"No log of run {run_id} was found. Looked at {looked}.", f"{HOW_TO[0]} gives it one.")
    if not file:
        if len(search.found) > 1:
            others = ", ".join(inert(one.path) for one in search.found[1:])
            sys.stderr.write(f"{inert(search.found[0].path)}; --file chooses another: {others}\n")
        return search.found[0]
    found = next((one for one in search.found if file in (one.path, one.path.rpartition("/")[2])), None)
    if found is None:
        there = ", ".join(one.path for one in search.found)
        raise NotFound(f"Run {run_id} has no log '{file}'.", f"There is {there}.")
    return found


async def _print_so_far(files: RunFiles, place: LogPlace, held: ConsoleText, wish: LogWish) -> int:
    """Print what there is, or its last lines; gives where it ended."""
    if wish.lines is not None:
        piece = await files.log_part(place, -KEPT_BYTES, KEPT_BYTES)
        held.feed(piece.data)
        shown = held.take(rest=not wish.follow)
        _print(shown[max(0, len(shown) - wish.lines) :])
        return piece.offset + len(piece.data)
    end = 0
    while (piece := await files.log_part(place, end, MOST_BYTES)).data:
        held.feed(piece.data)
        _print(held.take())
        end = piece.offset + len(piece.data)
    return end


async def _follow(tower: Tower, files: RunFiles, place: LogPlace, held: ConsoleText, end: int, interval: float) -> None:
    """Print what comes, until the run is over and nothing more did."""
    asked_status = time.monotonic()
    while True:
        was_over = files.is_over
        piece = await files.log_part(place, end, MOST_BYTES)
        if piece.total is not None and piece.total < end:
            end = 0  # it was begun anew
            continue
        held.feed(piece.data)
        _print(held.take())
        end = piece.offset + len(piece.data)
        if was_over and not piece.data:
            return
        if time.monotonic() - asked_status >= _STATUS_EVERY:
            tower.refresh()
            asked_status = time.monotonic()
        await asyncio.sleep(interval)


def _print(lines: list[str]) -> None:
    write(f"{line}\n" for line in lines)
