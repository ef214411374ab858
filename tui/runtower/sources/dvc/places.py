"""Where a project's files are read from: a commit's tree, or a folder on the disk."""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import pygit2

from runtower.sources.dvc.contract import DVC_FOLDER, PIPELINE_FILE

LARGEST: Final = 32 * 1024 * 1024
_DEEPEST: Final = 12
_SKIPPED: Final = frozenset({".git", DVC_FOLDER, "node_modules", "__pycache__", ".venv", "venv"})


class Content:
    """A file's bytes, read when they are asked for. `id` is the same for the same bytes."""

    def __init__(self, id: str, read: Any) -> None:
        self.id = id
        self._read = read

    def read(self) -> bytes:
        """Its bytes. Raises OSError."""
        data: bytes = self._read()
        return data


class Place(Protocol):
    """One state of a project. Paths are relative to the project, with '/' between their parts."""

    def pipeline_files(self) -> list[str]:
        """The dvc.yaml files of this project, not of those below it."""
        ...

    def content(self, path: str) -> Content | None:
        """A file; None where there is none."""
        ...

    def below(self, path: str) -> list[str] | None:
        """The files below a folder, in order; None where it is no folder."""
        ...


class Trees:
    """The trees of a repository, each looked through once."""

    def __init__(self, repository: pygit2.Repository) -> None:
        self._repository = repository
        self._pipelines: dict[pygit2.Oid, list[str]] = {}

    def at(self, commit: pygit2.Commit, prefix: str) -> Tree | None:
        """A commit's state of the project at `prefix` ('' for the repository's root); None where it isn't there."""
        tree: Any = commit.tree
        try:
            tree = tree / prefix if prefix else tree
        except KeyError:
            return None
        return Tree(tree, self) if isinstance(tree, pygit2.Tree) else None

    def pipelines(self, tree: pygit2.Tree, depth: int = 0) -> list[str]:
        """The dvc.yaml files below a tree. Subtrees that commits share are looked through once."""
        known = self._pipelines.get(tree.id)
        if known is not None:
            return known
        found: list[str] = []
        for entry in tree:
            name = entry.name or ""
            if name == PIPELINE_FILE and entry.type_str == "blob":
                found.append(name)
            elif entry.type_str == "tree" and name not in _SKIPPED and depth < _DEEPEST:
                below = self._repository[entry.id]
                if isinstance(below, pygit2.Tree) and DVC_FOLDER not in below:
                    found += [f"{name}/{path}" for path in self.pipelines(below, depth + 1)]
        self._pipelines[tree.id] = found
        return found


class Tree:
    """A `Place` in git."""

    def __init__(self, tree: pygit2.Tree, trees: Trees) -> None:
        self._tree = tree
        self._trees = trees

    def pipeline_files(self) -> list[str]:
        return self._trees.pipelines(self._tree)

    def content(self, path: str) -> Content | None:
        found = self._object(path)
        return Content(str(found.id), lambda: found.data) if isinstance(found, pygit2.Blob) else None

    def below(self, path: str) -> list[str] | None:
        found = self._object(path)
        return sorted(_files(found, path)) if isinstance(found, pygit2.Tree) else None

    def _object(self, path: str) -> Any:
        path = posixpath.normpath(path)
        if path.startswith(("..", "/")):
            return None
        try:
            return self._tree / path
        except (KeyError, ValueError):
            return None


def _files(tree: pygit2.Tree, path: str) -> Iterator[str]:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _files(entry, f"{path}/{entry.name}")
        elif isinstance(entry, pygit2.Blob):
            yield f"{path}/{entry.name}"


class Disk:
    """A `Place` in a folder: the workspace, or the folder that an experiment runs in.

    Its folders are walked for dvc.yaml files once; a look that wants to see new ones makes a new `Disk`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def pipeline_files(self) -> list[str]:
        return self._pipelines

    @cached_property
    def _pipelines(self) -> list[str]:
        found: list[str] = []
        todo = [("", 0)]
        while todo:
            folder, depth = todo.pop()
            try:
                with os.scandir(self.root / folder) as entries:
                    for entry in entries:
                        path = f"{folder}{entry.name}"
                        if entry.name == PIPELINE_FILE:
                            found.append(path)
                        elif depth < _DEEPEST and entry.name not in _SKIPPED and entry.is_dir(follow_symlinks=False):
                            inner = os.path.join(entry.path, DVC_FOLDER)
                            if not entry.name.startswith(".") and not os.path.isdir(inner):
                                todo.append((f"{path}/", depth + 1))
            except OSError:
                continue
        return sorted(found)

    def content(self, path: str) -> Content | None:
        file = self._inside(path)
        if file is None or not file.is_file():
            return None
        return disk_content(file)

    def below(self, path: str) -> list[str] | None:
        folder = self._inside(path)
        if folder is None or not folder.is_dir():
            return None
        return sorted(file.relative_to(self.root).as_posix() for file in folder.rglob("*") if file.is_file())

    def _inside(self, path: str) -> Path | None:
        """A dvc.yaml may name any path: only those in the project are read."""
        plain = posixpath.normpath(path)
        return None if plain.startswith(("..", "/")) else self.root / plain


def disk_content(file: Path) -> Content | None:
    """A file on the disk; None where there is none, or one that is no text of a sane size."""
    try:
        stat = file.stat()
    except OSError:
        return None
    if stat.st_size > LARGEST:
        return None
    words = f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}"
    return Content(hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest(), file.read_bytes)


def stamp(path: Path) -> tuple[int, int] | None:
    """What moves when a file or a folder changes; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
