"""The sources of a sitting: which are shown, one more, read-only or not, trusted or not. No Textual."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path

from runtower.acts import keep_source, trust
from runtower.acts.browse import Browser
from runtower.acts.curve_shelf import CurveShelf
from runtower.acts.discover import parts_of
from runtower.acts.tower import Tower
from runtower.acts.trust import Doubt
from runtower.domain.errors import Invalid, TowerError
from runtower.domain.targets import Target
from runtower.link.client import Link
from runtower.settings_quick import given
from runtower.starting import Starter


class OpenSources:
    """`targets` by source number; others hold the same list."""

    def __init__(
        self, targets: Sequence[Target], tower: Tower, browser: Browser, shelf: CurveShelf, starter: Starter
    ) -> None:
        self.targets = list(targets)
        self._tower = tower
        self._browser = browser
        self._shelf = shelf
        self._starter = starter
        self._at_start = len(self.targets)
        self._kept: dict[int, Path] = {}
        self._reading: asyncio.Future[None] | None = None

    # -- which are shown

    @property
    def shown(self) -> list[int]:
        """The numbers of the sources whose runs are shown."""
        return [number for number in range(len(self.targets)) if self._browser.shows(number)]

    @property
    def chosen(self) -> list[int]:
        """Those of the shown that have a chosen experiment, or all where none is chosen."""
        return [number for number in range(len(self.targets)) if self._browser.chooses(number)]

    @property
    def listed(self) -> bool:
        """Whether every source that is shown has told all it has; one that is held tells nothing."""
        return all(self._tower.has_listed(number) or bool(self.targets[number].held) for number in self.shown)

    @property
    def syncing(self) -> bool:
        """Whether a source that is shown has not yet listed all it has, and is at it."""
        return any(self._tower.is_syncing(number) and not self.targets[number].held for number in self.shown)

    @property
    def partly_known(self) -> bool:
        """Whether a source that is shown told some of its runs and not yet all that are looked at."""
        told = [self._tower.health(number) for number in self.shown]
        return any(not health.complete and health.known for health in told)

    def choose(self, chosen: frozenset[int]) -> None:
        """Show only these; an order has to follow."""
        self._browser.choose_sources(None if len(chosen) == len(self.targets) else chosen)

    # -- one more

    def found(self, text: str) -> Target:
        """The one source that a path or URI stands for, under a name that none has yet.

        Raises NotFound, and Invalid for one that is open already too.
        """
        target = keep_source.described("", text, "", False, self._starter.folder)
        known = next((one.name for one in self.targets if one.uri == target.uri), "")
        if known:
            raise Invalid(f"It is open already, as {known}.")
        host = (parts_of(target.uri).hostname or "").partition(".")[0]
        first = host if host and not host.isdecimal() and not self.wrong_name(host) else target.name
        further = (f"{first}-{number}" for number in count(2))
        return replace(target, name=next(name for name in chain([first], further) if not self.wrong_name(name)))

    def wrong_name(self, name: str) -> str:
        """What is wrong with a name for one more source; '' where nothing is."""
        return keep_source.wrong_name(name, [target.name for target in self.targets])

    def open(self, target: Target) -> int:
        """Open one more beside the others, and show it with all experiments. Gives its number. Raises TowerError."""
        target = replace(target, read_only=target.read_only or self._starter.settings.read_only)
        link = self._link(target)
        self.targets.append(target)
        self._shelf.add(target)
        number = self._tower.add(link, target.name)
        self._reading = asyncio.ensure_future(asyncio.to_thread(self._shelf.read_last))
        self.choose(frozenset({*self.shown, number}))
        self._browser.choose_experiments(None)
        return number

    def why_not_kept(self, number: int) -> str:
        """Why a source can't be named in a project's file; '' where it can."""
        return keep_source.why_not_kept(self.targets[number])

    def entries(self, number: int) -> list[str]:
        """What would be written, as `name: address`."""
        starter = self._starter
        written = keep_source.written(self._own(number), starter.settings, starter.folder, os.environ)
        return [f"{one.name}: {one.uri}" for one in written]

    async def keep(self, number: int) -> tuple[Path, list[str]]:
        """Name a source in the project's runtower.yaml; gives the file, and the names of the sources that the next
        start will open. Raises Invalid, Conflict."""
        starter, target = self._starter, self._own(number)
        file, _ = await asyncio.to_thread(keep_source.add, target, starter.folder, os.environ, starter.folders)
        self._kept[number] = file
        known = (await asyncio.to_thread(given, starter.folder, os.environ, starter.folders)).settings.sources
        for name in known.keys() - starter.settings.sources.keys():
            starter.settings.sources[name] = known[name]
        return file, list(known)

    def _own(self, number: int) -> Target:
        """A source as it is by itself, whatever the sitting forbids."""
        target = self.targets[number]
        return replace(target, read_only=target.read_only and not self._starter.settings.read_only)

    def origin(self, number: int) -> str:
        """Where a source is named, as a sentence."""
        target = self.targets[number]
        if number >= self._at_start:
            return f"Named in {self._kept[number]}." if number in self._kept else "Added in this sitting, in no file."
        origin = self._starter.origin(target.name)
        return f"Named in {origin}." if origin else "Found in the folder, or named at the start."

    # -- read-only, trust

    def why_not_writable(self, number: int) -> str:
        """Why it can't be told otherwise whether a source is read-only; '' where it can."""
        target = self.targets[number]
        if number in self._tower.identities and number not in self._tower.editable:
            return f"runs of a {target.kind} source can't be changed"
        return "all sources are read-only (flag or settings)" if self._starter.settings.read_only else ""

    def toggle_read_only(self, number: int) -> bool:
        """Whether it is read-only now, for this sitting."""
        self.targets[number] = replace(self.targets[number], read_only=not self.targets[number].read_only)
        return self.targets[number].read_only

    def doubt(self, number: int) -> Doubt | None:
        """What is to be said of a source that is held before it is trusted."""
        return self._starter.doubt(self.targets[number].name) if self.targets[number].held else None

    def trust(self, doubt: Doubt) -> None:
        """Keep that its server may be asked, and ask it. Raises TowerError."""
        trust.trust([doubt], self._starter.folders)
        self.look_again()

    def look_again(self) -> None:
        """Open what was held and is trusted by now, by whichever runtower. Raises TowerError."""
        for number, target in enumerate(self.targets):
            if target.held and self._starter.doubt(target.name) is None:
                self.targets[number] = replace(target, held="")
                self._tower.replace(number, self._link(self.targets[number]))

    def _link(self, target: Target) -> Link:
        try:
            return self._starter.link(target)
        except OSError as error:
            raise TowerError(f"No process can be started for {target.name}: {error.strerror}.", "Try again.") from error
