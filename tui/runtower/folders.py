"""Where runtower keeps things: the XDG folders, each with a private `runtower` below it.

Nothing is created before it is needed; what is created is for the user alone (0700).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folders:
    """The three roots. `cache` may be deleted at any time, `state` is remembered, `config` is the user's own."""

    cache: Path
    state: Path
    config: Path

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> Folders:
        """The folders that XDG_CACHE_HOME, XDG_STATE_HOME, XDG_CONFIG_HOME and HOME ask for.

        A relative path in one of the variables is ignored, as the XDG base directory specification says.
        """
        known = os.environ if environ is None else environ
        home = Path(known.get("HOME") or Path.home())

        def root(variable: str, otherwise: str) -> Path:
            asked = known.get(variable, "")
            return (Path(asked) if os.path.isabs(asked) else home / otherwise) / "runtower"

        return cls(
            cache=root("XDG_CACHE_HOME", ".cache"),
            state=root("XDG_STATE_HOME", ".local/state"),
            config=root("XDG_CONFIG_HOME", ".config"),
        )

    @property
    def catalog(self) -> Path:
        """Cache files of the sources' tables."""
        return self.cache / "catalog"

    @property
    def curves(self) -> Path:
        """Coarse curves that were looked at, one file a source."""
        return self.cache / "curves"

    @property
    def spool(self) -> Path:
        """Tables on their way from a source's process to the terminal; one folder a session."""
        return self.cache / "spool"

    @property
    def commands(self) -> Path:
        """The command log: every write that was asked for, and what became of it."""
        return self.state / "commands.jsonl"

    @property
    def jobs(self) -> Path:
        """The jobs that were launched: a folder for each, by host, and `slurm` for those that were given to it."""
        return self.state / "jobs"

    @property
    def logs(self) -> Path:
        """What the sources' processes print."""
        return self.state / "logs"


def put(file: Path, data: bytes) -> None:
    """Write a file for the user alone, beside it and renamed: it is never half there, and nothing else is left.

    Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(dir=private(file.parent), prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.replace(temporary, file)
    except OSError:
        os.unlink(temporary)
        raise


def private(folder: Path) -> Path:
    """The folder, created for the user alone where it wasn't there. Raises OSError."""
    if not folder.is_dir():
        if not folder.parent.is_dir():
            private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder
