"""What only DVC can tell of dvc.yaml files: which files templates, foreach and matrix stages declare.

Of DVC only this and its parsers (`values.py`) are imported, at the first question; it takes a second. It reads the
project's files and git, and asks no remote.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import Any

from runtower.sources.dvc.declared import Declared, Plot
from runtower.sources.leaves import Unreadable


def resolve(root: Path, revision: str, found: Declared) -> None:
    """Add what the project declares at a revision ('' for the workspace). Raises Unreadable with DVC's words."""
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.repo import Repo  # noqa: PLC0415  a second

    try:
        with Repo(str(root), rev=revision or None) as repo:
            _read(repo, found)
    except Exception as error:  # DVC's parsers raise many kinds
        said = " ".join(str(error).split())[:300]
        raise Unreadable(f"DVC can't read the pipeline: {said}") from error


def _read(repo: Any, found: Declared) -> None:
    for dep in repo.index.params:
        found.want(_relative(repo, dep.fs_path), tuple(str(key) for key in dep.params))
    for out in repo.index.metrics:
        found.metrics[_relative(repo, out.fs_path)] = None
    for out in repo.index.outs:
        path = _relative(repo, out.fs_path)
        if out.is_plot:
            told = out.plot if isinstance(out.plot, dict) else {}
            columns = told.get("y")
            names = (columns,) if isinstance(columns, str) else tuple(columns or ())
            found.plots[path] = Plot(path, str(told.get("x") or ""), names)


def _relative(repo: Any, path: str) -> str:
    relative: str = repo.fs.relpath(path, repo.root_dir)
    return posixpath.normpath(relative.replace(os.sep, "/"))
