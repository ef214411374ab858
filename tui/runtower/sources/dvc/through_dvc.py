"""DVC's own library opened on a project, and what only it can tell: which files templates, foreach and matrix declare.

Of DVC only this, the stages' objects (`stages.py`) and its parsers (`values.py`) are imported, at the first question;
it takes a second. It reads the project's files and git, and asks no remote.
"""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from runtower.sources.dvc.declared import Declared, Plot
from runtower.sources.leaves import Unreadable

_ONE_AT_A_TIME: Final = threading.Lock()  # DVC's repositories share state that threads break
_LONGEST: Final = 300


@contextmanager
def opened(root: Path, revision: str = "") -> Iterator[Any]:
    """DVC's `Repo` at a revision ('' for the workspace), for one thread at a time.

    Raises Unreadable with DVC's words for whatever goes wrong within; what is Unreadable already passes as it is.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.repo import Repo  # noqa: PLC0415  a second

    with _ONE_AT_A_TIME:
        try:
            with Repo(str(root), rev=revision or None) as repo:
                yield repo
        except Unreadable:
            raise
        except Exception as error:  # DVC's parsers raise many kinds
            # DVC's paths are relative to the folder of whoever asks.
            said = " ".join(str(error).split()).replace(f"{os.path.relpath(root)}/", "")[:_LONGEST]
            raise Unreadable(f"DVC can't read the pipeline: {said}") from error


def resolve(root: Path, revision: str, found: Declared) -> None:
    """Add what the project declares at a revision ('' for the workspace). Raises Unreadable with DVC's words."""
    with opened(root, revision) as repo:
        _read(repo, found)


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
