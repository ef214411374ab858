"""From what was asked to running sources: targets, their links, and the folder whose view is remembered.

Imports no Textual: the sources' processes start first, and the screen's own imports go on meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from runtower.acts import hook_trust, trust
from runtower.acts.discover import discover, target_of
from runtower.acts.trust import Doubt
from runtower.domain.errors import NotFound
from runtower.domain.targets import Target
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.settings import Settings
from runtower.settings_quick import Given, given, project_file


@dataclass
class Start:
    """What to open. `view` names a saved view to begin with, `looked` says what was searched for, `steps` are the
    demo's lines, `begun_ms` is when the sources' processes started, `ended` is called at the end."""

    targets: Sequence[Target]
    links: Sequence[Link]
    folder: Path
    looked: Sequence[str] = ()
    steps: Sequence[tuple[str, tuple[str, ...]]] = ()
    experiment: str = ""
    view: str = ""
    begun_ms: float = field(default_factory=lambda: time.time() * 1000)
    ended: Callable[[], None] = lambda: None


class Starter:
    """Makes starts under one set of settings."""

    def __init__(
        self, settings: Settings, folders: Folders, folder: Path, origins: Mapping[str, str] | None = None
    ) -> None:
        """`origins` says by dotted key where the sources are defined; what nobody defined is the user's own word."""
        self.settings = settings
        self.folders = folders
        self.folder = folder
        self._given = Given(settings, dict(origins or {}))

    @property
    def project_file(self) -> Path:
        """The settings file of the project that was started in."""
        return project_file(self.folder)

    def named(self, what: str, only: str = "") -> Start:
        """A path or URI that the user named. Raises NotFound or Invalid."""
        found = target_of(what, self.folder)
        return self.opening(only_named(found.targets, only), found.root, found.looked)

    def here(self, only: str = "") -> Start:
        """The sources of the settings, else what the folder holds; `only` one of them, '' for all. Raises NotFound."""
        if self.settings.sources:
            targets = trust.configured(self._given, self.folder, os.environ, self.folders)
            return self.opening(only_named(targets, only), self.folder)
        found = discover(self.folder, os.environ)
        return self.opening(only_named(found.targets, only), found.root, found.looked)

    def demo(self, folder: Path | None) -> Start:
        """The demo project, made while one looks. Raises Invalid for a folder that holds something."""
        from runtower.acts import demo  # noqa: PLC0415  only the demo needs it

        made = demo.start(folder)
        found, read_only = given(made.folder, os.environ, self.folders), self.settings.read_only
        self.settings, self._given = found.settings, found  # it is a project with a file of its own
        self.settings.read_only |= read_only
        start = self.opening(made.targets, made.folder)
        start.steps, start.experiment, start.ended = demo.STEPS, demo.FIRST_EXPERIMENT, made.close
        return start

    def opening(self, targets: Sequence[Target], folder: Path | None = None, looked: Sequence[str] = ()) -> Start:
        """These targets, each with its process started; the view is remembered for `folder`."""
        targets = [replace(target, read_only=target.read_only or self.settings.read_only) for target in targets]
        links = [self.link(target) for target in targets]
        return Start(targets, links, folder or self.folder, looked)

    def link(self, target: Target) -> Link:
        """A target's link, its process started. Raises OSError where none can be started."""
        settings = self.settings
        link = Link(target, self.folders, interval=settings.interval, redact=settings.redact, use_cache=settings.cache)
        link.spawn()
        return link

    def origin(self, name: str) -> str:
        """The file or variable that names a source; '' where none does."""
        return self._given.origins.get(f"sources.{name}.uri", "")

    def doubt(self, name: str) -> Doubt | None:
        """What is to be said of a source before it is trusted; None where nothing is."""
        return trust.doubts(self._given, self.folder, os.environ, self.folders).get(name)

    def held_hook(self, rule: str) -> str:
        """Why the hook of a rule of alerts isn't run, as a sentence; '' where it may be."""
        return hook_trust.held(self._given, self.folder, self.folders, f"alerts.{rule}")

    def held_on_promote(self) -> str:
        """Why the hook of promotions isn't run, as a sentence; '' where it may be."""
        return hook_trust.held(self._given, self.folder, self.folders, hook_trust.ON_PROMOTE)


def only_named(targets: Sequence[Target], name: str) -> tuple[Target, ...]:
    """The one of that name, all of them for ''. Raises NotFound."""
    chosen = tuple(target for target in targets if name in ("", target.name))
    if name and not chosen:
        raise NotFound(
            f"There is no source '{name}'.", f"Sources here: {', '.join(one.name for one in targets) or 'none'}."
        )
    return chosen
