"""Whether overrides make one config of the other: Hydra composes the first one with them, and that is compared."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.acts.config_diff import ConfigDiff, compared
from runtower.config.tree import Config, ConfigSource, dotted
from runtower.config.yaml_text import read_text
from runtower.domain.errors import TowerError

_PATIENCE: Final = 60.0  # seconds; a cold disk and a large environment
_SHOWN: Final = 5
# Reads the files of a config and nothing else: the application itself isn't run.
_PROGRAM: Final = """
import json, sys
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
folder, name, overrides = json.load(sys.stdin)
with initialize_config_dir(folder, version_base=None):
    print(OmegaConf.to_yaml(compose(name, overrides), resolve=False))
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """Of a composed config what differs from the one that was wanted; None where it couldn't be composed, `why` says
    why."""

    found: ConfigDiff | None
    why: str = ""

    def __str__(self) -> str:
        if self.found is None:
            return f"not checked: {self.why}"
        if not self.found.is_different:
            return "checked: composed with them it is the second config"
        names = [dotted(row.path) for row in self.found.rows[:_SHOWN]] + [one.group for one in self.found.choices]
        more = len(self.found.rows) - _SHOWN
        return f"checked: composed with them it still differs in {', '.join(names)}" + (f", {more} more" * (more > 0))


async def checked(found: ConfigDiff, folder: Path, ignore: Sequence[str], redact: Sequence[str]) -> Checked:
    """Compose the first config with its own overrides and those that make the second one of it.

    `folder`: where the project's environment is looked for (`.venv`). Never raises for what can't be composed.
    """
    source = found.a.source
    if source is None:
        return Checked(None, "nothing says of which files the first config was composed")
    if not is_at_hand(source):
        return Checked(None, f"{source.folder} isn't on this machine")
    python = _python(folder)
    asked = json.dumps([source.folder, source.name, [*found.a.overrides, *found.overrides.texts]])
    try:
        process = await asyncio.create_subprocess_exec(
            python, "-I", "-c", _PROGRAM, cwd=folder, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                text, said = await process.communicate(asked.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    except (OSError, TimeoutError) as error:
        return Checked(None, f"{python} gave no answer ({error or 'it took too long'})")
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        return Checked(None, f"{python}: {lines[-1] if lines else f'it ended with {process.returncode}'}")
    try:
        tree = read_text(text.decode(), "what Hydra composed")
    except (TowerError, UnicodeDecodeError) as error:
        return Checked(None, str(error))
    wanted = Config(found.b.tree, found.b.origin)
    return Checked(compared(Config(tree, "what Hydra composed"), wanted, ignore, redact, False))


def is_at_hand(source: ConfigSource | None) -> bool:
    """Whether the files of which a config was composed are on this machine."""
    return source is not None and Path(source.folder).is_dir()


def _python(folder: Path) -> str:
    """The project's: of its own environment, of the one that is active, or the first on the path."""
    for environment in (str(folder / ".venv"), os.environ.get("VIRTUAL_ENV", ""), os.environ.get("CONDA_PREFIX", "")):
        python = Path(environment, "bin", "python")
        if environment and python.exists():
            return str(python)
    return shutil.which("python3") or sys.executable
