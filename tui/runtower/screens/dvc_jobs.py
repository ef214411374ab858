"""DVC's commands as jobs, from whichever screen: why not, what is asked before, what is said after."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from runtower.acts.repro import check_free, program
from runtower.domain.errors import TowerError
from runtower.present.glyphs import Glyphs
from runtower.present.spans import inert

if TYPE_CHECKING:
    from runtower.acts.desk import Desk


def why_no_dvc(desk: Desk, number: int, folder: Path, glyphs: Glyphs) -> str:
    """Why no command of DVC's can be run in the project of a source now, '' where one can."""
    if desk.settings.read_only or desk.targets[number].read_only:
        return "runtower is read-only (flag or settings)"
    try:
        check_free(desk.box.jobs.values(), folder)
        program(folder, os.environ)
    except TowerError as error:
        return inert(error.tried, glyphs)
    return ""


def dvc_question(command: Sequence[str], folder: Path, warning: str = "") -> list[tuple[str, str]]:
    """The lines that stand before a yes, with their tones."""
    lines = [(shlex.join(command), "bright"), (f"in {folder}", "")]
    if warning:
        lines.append((warning, "warning"))
    return [*lines, ("as a job of this machine, at once (5)", "dim")]


async def start_dvc(app: App[object], desk: Desk, command: list[str], folder: Path, title: str, glyphs: Glyphs) -> str:
    """Start it; what to say, or '' where a notice has said why it can't be."""
    try:
        check_free(desk.box.jobs.values(), folder)
        name = await desk.control.carry_out(command, folder, title)
    except TowerError as error:
        app.notify(inert(str(error), glyphs), severity="warning", markup=False)
        return ""
    return f"{name} runs dvc {' '.join(command[1:])[:60]}"
