"""The commits of a repository that are runs: HEAD, branches, tags, and experiments with their baselines."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pygit2

from runtower.sources.dvc.contract import EXPERIMENT, EXPS
from runtower.sources.dvc.places import stamp

_MOST_NAMED: Final = 300


@dataclass(frozen=True)
class Experiment:
    """An experiment: the commit `sha` on top of `baseline`."""

    name: str
    baseline: str
    sha: str


@dataclass
class Refs:
    """`commits`: by sha the names of its branches and tags, HEAD's first; those with experiments may have none."""

    head: str = ""
    branch: str = ""
    commits: dict[str, list[str]] = field(default_factory=dict)
    experiments: list[Experiment] = field(default_factory=list)


def read_refs(repository: pygit2.Repository, more: Iterable[str] = ()) -> Refs:
    """All that is there now; `more` are commits that are wanted too. Of branches and tags the newest 300 count."""
    found = Refs()
    if not repository.head_is_unborn:
        found.head = str(repository.head.target)
        found.branch = "" if repository.head_is_detached else repository.head.shorthand
        found.commits[found.head] = [found.branch] if found.branch else []
    named: list[tuple[int, str, str]] = []
    for name in repository.references:
        if (parts := EXPERIMENT.match(name)) is not None:
            target = repository.references[name].target
            found.experiments.append(Experiment(parts[3], parts[1] + parts[2], str(target)))
        elif name.startswith(("refs/heads/", "refs/tags/")) and (commit := _commit(repository, name)) is not None:
            named.append((commit.commit_time, str(commit.id), name.split("/", 2)[2]))
    for _, sha, name in sorted(named, reverse=True)[:_MOST_NAMED]:
        names = found.commits.setdefault(sha, [])
        if name not in names:
            names.append(name)
    for sha in [*(one.baseline for one in found.experiments), *more]:
        found.commits.setdefault(sha, [])
    return found


def _commit(repository: pygit2.Repository, name: str) -> Any:
    """The commit that a reference names, through a tag; None where it names something else."""
    try:
        return repository.references[name].peel(pygit2.Commit)
    except (pygit2.GitError, KeyError, ValueError):
        return None


def fingerprint(repository: pygit2.Repository) -> list[object]:
    """What changes whenever a reference does: times of the folders of loose ones, and of packed-refs and HEAD.

    A loose reference is written beside and renamed, which moves its folder's time.
    """
    private = Path(repository.path)
    common = _common(private)
    stamps: list[object] = [stamp(private / "HEAD"), stamp(common / "packed-refs")]
    todo = [common / "refs/heads", common / "refs/tags", common / EXPS]
    while todo:
        folder = todo.pop()
        stamps.append((str(folder), stamp(folder)))
        try:
            with os.scandir(folder) as entries:
                todo += [Path(one.path) for one in entries if one.is_dir() and one.name != "exec"]
        except OSError:
            continue
    return stamps


def _common(folder: Path) -> Path:
    """Where a worktree's shared references are (gitrepository-layout(5), commondir)."""
    try:
        return (folder / (folder / "commondir").read_text().strip()).resolve()
    except OSError:
        return folder
