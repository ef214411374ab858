"""Which programs a project's file wants run as hooks that nobody has trusted yet. Kept with `trust`'s record.

What is trusted is the words of the command and, where they name files of the project, those files as they are: a
script that changed is asked for again. Standard library and msgspec only.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from runtower.acts.trust import Doubt, record_of
from runtower.folders import Folders
from runtower.settings_quick import Given, project_file

ON_PROMOTE: Final = "promote.on_promote"


def questionable(known: Given, folder: Path) -> list[Doubt]:
    """The hooks that the project's file of `folder` defines, whether they are trusted or not."""
    file = project_file(folder)
    found = []
    for name, kind, setting, words in _hooks(known):
        if not words or known.origins.get(setting) != str(file):
            continue
        command = shlex.join(words)
        mark = hashlib.sha256(msgspec.json.encode((*kind, words, _files(file.parent, words))))
        line = f"{setting.rpartition('.')[2]}: {command}"
        found.append(Doubt(name, command, file, (line,), (), mark.hexdigest(), True))
    return found


def doubts(known: Given, folder: Path, folders: Folders) -> dict[str, Doubt]:
    """By `alerts.RULE`, or ON_PROMOTE, the hooks that aren't trusted yet."""
    found = questionable(known, folder)
    trusted = record_of(found[0].file.parent, folders).trusted if found else {}
    return {doubt.name: doubt for doubt in found if doubt.mark not in trusted}


def held(known: Given, folder: Path, folders: Folders, name: str) -> str:
    """Why a hook (`alerts.RULE` or ON_PROMOTE) isn't run, as a sentence; '' where it may be."""
    doubt = doubts(known, folder, folders).get(name)
    return f"{doubt.held} 'runtower trust' shows and allows it." if doubt is not None else ""


def _hooks(known: Given) -> Iterator[tuple[str, tuple[str, ...], str, list[str]]]:
    """Of each hook its name, what its mark begins with, its setting, and its words."""
    for rule, alert in known.settings.alerts.items():
        yield f"alerts.{rule}", ("hook", rule), f"alerts.{rule}.hook", alert.hook
    yield ON_PROMOTE, (ON_PROMOTE,), ON_PROMOTE, known.settings.promote.on_promote


def _files(folder: Path, words: list[str]) -> list[str]:
    """For each word that names a file, from the project's folder, what stands for its content."""
    found = []
    for word in words:
        try:
            found.append(hashlib.sha256((folder / word).read_bytes()).hexdigest())
        except (OSError, ValueError):
            found.append("")  # no file, or one that can't be read: only its name is trusted
    return found
