"""Where runs come from besides their configs: environment, code and data, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runtower.acts.git_changes import CodeChange, changes_between
from runtower.acts.run_code import code_of
from runtower.acts.run_data import data_of
from runtower.acts.run_environment import environments_of
from runtower.acts.sides import Facts
from runtower.acts.tower import Tower


@dataclass(frozen=True, slots=True)
class Origins:
    """Of runs, in their order; `changes`: what lies between the first one's commit and the others'."""

    environment: tuple[Facts, ...]
    code: tuple[Facts, ...]
    data: tuple[Facts, ...]
    changes: tuple[CodeChange, ...]

    @property
    def sections(self) -> tuple[tuple[str, tuple[Facts, ...]], ...]:
        """All facts, by the section they belong to."""
        return ("environment", self.environment), ("code", self.code), ("data", self.data)


async def origins_of(tower: Tower, rows: Sequence[int], folder: Path) -> Origins:
    """All that is recorded of runs (global rows); the repository, if any, is that of a folder.

    Never raises for what can't be read: a note says so.
    """
    code = await code_of(tower, rows)
    environment, data = await environments_of(tower, rows), await data_of(tower, rows)
    return Origins(environment, (code.facts,), data, await changes_between(folder, code.commits))
