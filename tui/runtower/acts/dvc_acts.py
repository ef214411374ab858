"""What can be done with an experiment of DVC's, as the commands that do it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.domain.runs import Status

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_PATIENCE: Final = 20.0


@dataclass(frozen=True)
class Act:
    """One thing to do: `words` come after `dvc`. `asks` is what a text is asked for, which is put last; `begin` that
    text as it is offered. `overwrites`: it writes over files of the workspace."""

    id: str
    text: str
    words: tuple[str, ...]
    asks: str = ""
    begin: str = ""
    overwrites: bool = False


def acts_on(run_id: str, name: str, status: str, remotes: list[str]) -> list[Act]:
    """What can be done with a run of DVC's; `remotes` are git's."""
    kind = run_id.partition(":")[0]
    if kind == "exp":
        return [
            Act("apply", "apply it to the workspace", ("exp", "apply", name), overwrites=True),
            Act("branch", "make it a branch", ("exp", "branch", name), "the branch's name", f"{name}-branch"),
            Act("rename", "rename it", ("exp", "rename", name), "its new name", name),
            *(Act(f"push {remote}", f"push it to {remote}", ("exp", "push", remote, name)) for remote in remotes),
            Act("remove", "remove it", ("exp", "remove", name)),
        ]
    if kind == "queued" and status == Status.SCHEDULED:
        return [
            Act("start", "start the queue, one at a time", ("queue", "start")),
            Act("remove", "take it out of the queue", ("queue", "remove", name)),
        ]
    if kind == "queued" and status == Status.RUNNING:
        return [
            Act("kill", "stop it (INT)", ("queue", "kill", name)),
            Act("kill -f", "stop it by force (KILL)", ("queue", "kill", "--force", name)),
        ]
    if kind == "queued":
        return [Act("remove", "forget that it failed", ("queue", "remove", name))]
    if kind == "workspace":
        return [
            Act("run", "run an experiment here", ("exp", "run"), overwrites=True),
            Act("change", "run one with a param changed", ("exp", "run", "--set-param"), "as train.lr=0.01"),
            Act("queue", "queue one so", ("exp", "run", "--queue", "--set-param"), "as train.lr=0.01"),
            Act("save", "save what is here as an experiment", ("exp", "save")),
            *(Act(f"pull {remote}", f"pull all from {remote}", ("exp", "pull", remote)) for remote in remotes),
        ]
    return []


def wrong_text(act: Act, text: str) -> str:
    """What is wrong with a text that an act asked for, '' where nothing is."""
    if "=" in act.asks:
        key, equals, _ = text.partition("=")
        is_param = equals and key.strip() and not key.startswith("-")
        return "" if is_param else "a param and its value, such as train.lr=0.01"
    return "" if _NAME.match(text) else "letters, digits, . _ and - only"


def dirty_files(folder: Path) -> list[str]:
    """The tracked files of a project that differ from git's HEAD; none where git can't say. Blocks."""
    words = ["git", "status", "--porcelain", "--untracked-files=no", "."]
    return [line[3:] for line in _git(folder, words)]


def git_remotes(folder: Path) -> list[str]:
    """The names of git's remotes. Blocks."""
    return _git(folder, ["git", "remote"])[:4]


def _git(folder: Path, words: list[str]) -> list[str]:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
