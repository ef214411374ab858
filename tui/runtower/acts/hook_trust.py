"""Which programs a project's file wants run as hooks of alerts that nobody has trusted yet. Kept with `trust`'s record.

What is trusted is the words of the command and, where they name files of the project, those files as they are: a
script that changed is asked for again. Standard library and msgspec only.
"""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import msgspec

from runtower.acts.trust import Doubt, record_of
from runtower.folders import Folders
from runtower.settings_quick import Given, project_file


def questionable(known: Given, folder: Path) -> list[Doubt]:
    """The hooks that the project's file of `folder` defines, whether they are trusted or not."""
    file = project_file(folder)
    found = []
    for rule, alert in known.settings.alerts.items():
        if not alert.hook or known.origins.get(f"alerts.{rule}.hook") != str(file):
            continue
        command = shlex.join(alert.hook)
        mark = hashlib.sha256(msgspec.json.encode(("hook", rule, alert.hook, _files(file.parent, alert.hook))))
        found.append(Doubt(f"alerts.{rule}", command, file, (f"hook: {command}",), (), mark.hexdigest(), True))
    return found


def doubts(known: Given, folder: Path, folders: Folders) -> dict[str, Doubt]:
    """By `alerts.RULE` the hooks that aren't trusted yet."""
    found = questionable(known, folder)
    trusted = record_of(found[0].file.parent, folders).trusted if found else {}
    return {doubt.name: doubt for doubt in found if doubt.mark not in trusted}


def held(known: Given, folder: Path, folders: Folders, rule: str) -> str:
    """Why the hook of a rule isn't run, as a sentence; '' where it may be."""
    doubt = doubts(known, folder, folders).get(f"alerts.{rule}")
    return f"{doubt.held} 'runtower trust' shows and allows it." if doubt is not None else ""


def _files(folder: Path, words: list[str]) -> list[str]:
    """For each word that names a file, from the project's folder, what stands for its content."""
    found = []
    for word in words:
        try:
            found.append(hashlib.sha256((folder / word).read_bytes()).hexdigest())
        except (OSError, ValueError):
            found.append("")  # no file, or one that can't be read: only its name is trusted
    return found
