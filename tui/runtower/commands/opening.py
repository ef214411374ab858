"""From a command's options to the complete list of runs, through the same links and tower as the screen."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from runtower.acts.discover import discover, target_of
from runtower.acts.saved_views import experiments_of
from runtower.acts.tower import Tower
from runtower.acts.trust import configured
from runtower.domain.errors import Invalid, NotFound, Unreachable, from_name
from runtower.domain.targets import Target
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.settings import Settings
from runtower.settings_quick import Given, given
from runtower.starting import only_named

_INTERVAL: Final = 3600.0  # a command looks once


@dataclass(frozen=True)
class Asked:
    """The options that every command has; `patience` is seconds without any news; `read_only` refuses every write."""

    source: str | None = None
    tracking_uri: str | None = None
    patience: float = 60.0
    read_only: bool = False


@dataclass(frozen=True)
class Context:
    """What a command works in. `defined` says by the name of a source where it is named, `origins` by dotted key where
    a setting is."""

    settings: Settings
    folders: Folders
    targets: tuple[Target, ...]
    looked: tuple[str, ...]
    defined: Mapping[str, str]
    origins: Mapping[str, str]


def context(asked: Asked, folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Context:
    """The settings and targets of a folder, under an environment: the working folder and ours. Raises TowerError."""
    folder, environ, folders = folder or Path.cwd(), os.environ if environ is None else environ, Folders.of()
    found = given(folder, environ, folders)
    known = found.settings
    targets, looked, defined = _targets(asked, folder, environ, found)
    targets = only_named(targets, asked.source or "")
    if asked.read_only or known.read_only:
        targets = tuple(replace(target, read_only=True) for target in targets)
    return Context(known, folders, targets, looked, defined, found.origins)


def _targets(
    asked: Asked, folder: Path, environ: Mapping[str, str], known: Given
) -> tuple[tuple[Target, ...], tuple[str, ...], Mapping[str, str]]:
    """Targets, what was looked for, and where each target is named."""
    if asked.tracking_uri is not None:
        found, origin = target_of(asked.tracking_uri, folder), "--tracking-uri"
    elif known.settings.sources:
        targets = configured(known, folder, environ, Folders.of())
        defined = {name: known.origins.get(f"sources.{name}.uri", "") for name in known.settings.sources}
        return targets, ("the sources of the settings",), defined
    else:
        found, origin = discover(folder, environ), "found in the folder"
    from_variable = any(looked == "MLFLOW_TRACKING_URI" for looked in found.looked)
    defined = {
        target.name: "MLFLOW_TRACKING_URI" if from_variable and target.kind == "mlflow" else origin
        for target in found.targets
    }
    return found.targets, found.looked, defined


@asynccontextmanager
async def opened(work: Context, patience: float, experiments: Sequence[str] = ()) -> AsyncIterator[Tower]:
    """A tower with all runs of all sources, or at least those of these experiments (names or ids).

    Raises the first source's error, Unreachable where nothing comes, NotFound for an experiment that nobody has.
    """
    async with listening(having_targets(work)) as tower:
        await complete(tower, work.targets, patience, experiments)
        yield tower


def having_targets(work: Context) -> Context:
    """The same. Raises NotFound where there is nothing to open."""
    if not work.targets:
        raise NotFound(
            f"No runs were found; looked for {', '.join(work.looked)}.",
            "Name a store with --tracking-uri, or set MLFLOW_TRACKING_URI.",
        )
    return work


@asynccontextmanager
async def listening(work: Context, interval: float = _INTERVAL, paused: bool = False) -> AsyncIterator[Tower]:
    """A tower that listens, whatever its sources have to say; `interval` is seconds between polls. `paused`: they are
    opened and asked, and list no runs until they are told to go on."""
    links = [
        Link(target, work.folders, interval=interval, redact=work.settings.redact, use_cache=False)
        for target in work.targets
    ]
    for link in links:
        if paused:
            link.pause()
        link.spawn()
    tower = Tower(links, [target.name for target in work.targets])
    try:
        tower.start()
        yield tower
    finally:
        tower.stop()


async def complete(
    tower: Tower,
    targets: Sequence[Target],
    patience: float,
    experiments: Sequence[str] = (),
    numbers: Sequence[int] | None = None,
) -> None:
    """Wait for all runs of all sources (or those of `numbers`), or of these experiments; `patience` is seconds without
    any news. Raises as `opened` does."""
    wanted = range(len(tower.links)) if numbers is None else numbers
    news = asyncio.Event()
    tower.on_change(lambda _: news.set())
    heard = time.monotonic()
    is_narrow = not experiments
    while any(not has_all(tower, number) for number in wanted):
        for number, health in tower.troubles():
            error = health.error if number in wanted else None
            # A locked file is free again in a moment; all else is said at once.
            if error is not None and error.name != "busy":
                raise from_name(error.name, f"{targets[number].name}: {error.tried}", error.remedy)
        if not is_narrow and all(table.experiments for table in tower.catalogue.sources):
            is_narrow = True
            tower.scope(experiments_of(tower.catalogue, experiments))
        try:
            await asyncio.wait_for(news.wait(), min(1.0, patience))
            news.clear()
            heard = time.monotonic()
        except TimeoutError:
            if time.monotonic() - heard >= patience:
                slow = ", ".join(targets[number].name for number in wanted if not tower.health(number).complete)
                text = f"{slow}: no complete answer within {patience:g} seconds."
                raise Unreachable(text, "Is the server up? --timeout waits longer.") from None


def has_all(tower: Tower, number: int) -> bool:
    """Whether the list is complete and in the catalogue: a link knows of rows a moment before they are decoded."""
    health = tower.health(number)
    return health.complete and tower.catalogue.sources[number].size >= health.known


def chosen_format(json: bool, csv: bool, md: bool = False) -> str:
    """The one format that was asked for; '' for people. Raises Invalid for two."""
    wanted = [name for name, on in (("json", json), ("csv", csv), ("md", md)) if on]
    if len(wanted) > 1:
        raise Invalid(f"--{wanted[0]} and --{wanted[1]} can't both be.", "Choose one.")
    return wanted[0] if wanted else ""
