"""DVC projects: experiments, commits and the workspace as runs, read from git's objects and DVC's own files."""

from __future__ import annotations

import importlib
from pathlib import Path

from runtower.domain.errors import NotFound
from runtower.sources.port import API, Known, Source, Target


class DvcKind:
    """The kind 'dvc'; a target's uri is the folder that has `.dvc` in it."""

    kind = "dvc"
    api = API

    def open(self, target: Target, known: Known) -> Source:
        """Open a project. Raises NotFound."""
        root = Path(target.uri).expanduser().absolute().resolve()
        if not (root / ".dvc").is_dir():
            raise NotFound(f"{root} is no DVC project: it has no folder .dvc.", "Name the folder where `dvc init` ran.")
        # Deferred: it takes numpy and libgit2.
        module = importlib.import_module("runtower.sources.dvc.source")
        source: Source = module.DvcSource(root, known)
        return source


SOURCE = DvcKind()
