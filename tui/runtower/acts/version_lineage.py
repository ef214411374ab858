"""Where a version came from: its run, the run's config, data and code, as far as they are recorded."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from runtower.acts.run_code import code_of
from runtower.acts.run_config import configs_of
from runtower.acts.sides import Fact
from runtower.acts.tower import Tower
from runtower.config.tree import leaves
from runtower.domain.datasets import Dataset
from runtower.domain.errors import TowerError
from runtower.link.wire import Inputs


@dataclass(frozen=True, slots=True)
class Lineage:
    """Of one run: where its config was read from and how many values it has, its datasets, what is known of its code.

    Each with why it couldn't be read, '' where it was.
    """

    config: str
    params: int
    data: tuple[Dataset, ...]
    no_data: str
    code: tuple[Fact, ...]


async def lineage_of(tower: Tower, row: int) -> Lineage:
    """All of it, of the run in a global row. Never raises."""
    config, (data, no_data), code = await asyncio.gather(
        _config(tower, row), datasets_of(tower, row), code_of(tower, [row])
    )
    return Lineage(*config, data, no_data, code.facts.rows)


async def _config(tower: Tower, row: int) -> tuple[str, int]:
    try:
        found = (await configs_of(tower, [row]))[0]
    except TowerError as error:
        return error.tried, 0
    return found.origin, sum(1 for _ in leaves(found.tree)) if found.tree else 0


async def datasets_of(tower: Tower, row: int) -> tuple[tuple[Dataset, ...], str]:
    """The datasets that a run was given, and why they can't be told."""
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    try:
        return tuple(await link.ask(Inputs(tower.catalogue.run_key(row).run_id))), ""
    except TowerError as error:
        return (), error.tried.rstrip(".")
