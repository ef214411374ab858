"""The runs that are seeds of another one: finished, of its experiment, with the same params but for a few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.acts.tower import Tower
from runtower.catalog.columns import TextColumn
from runtower.config.flat import path_of
from runtower.config.rules import Rules
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind, Status

MOST = 100


def seeds_of(tower: Tower, row: int, same_except: Sequence[str]) -> list[int]:
    """Global rows, that of the run itself first; of the others the newest ones, at most 99. Only runs that are known by
    now are found."""
    catalogue = tower.catalogue
    rules = Rules(same_except)
    wanted = _params(tower, row, rules)
    alike = (catalogue.source_numbers() == catalogue.source_numbers()[row]) & catalogue.alive()
    alike &= _has(catalogue.texts(runs.EXPERIMENT_ID), catalogue.texts(runs.EXPERIMENT_ID).text(row) or "")
    alike &= _has(catalogue.texts(runs.STATUS), Status.FINISHED)
    for key, text in wanted.items():  # few are left for a look at all of their params
        column = catalogue.column(ColumnKey(Kind.PARAM, key))
        if isinstance(column, TextColumn):
            alike &= _has(column, text)
    found = [row]
    for other in np.flatnonzero(alike)[::-1].tolist():
        if len(found) == MOST:
            break
        if other != row and _params(tower, other, rules) == wanted:
            found.append(other)
    return found


def _has(column: TextColumn, text: str) -> NDArray[np.bool_]:
    """By global row whether it has that text there; a text may stand twice among a column's words."""
    codes = np.flatnonzero(pc.equal(column.words, text).to_numpy(zero_copy_only=False))
    return np.isin(column.codes, codes)


def _params(tower: Tower, row: int, rules: Rules) -> dict[str, str]:
    """Its params but for those that may differ."""
    cells = (cell for cell in tower.catalogue.cells(row) if cell.key.kind is Kind.PARAM)
    return {cell.key.key: cell.text or "" for cell in cells if not _may_differ(cell.key.key, rules)}


def _may_differ(key: str, rules: Rules) -> bool:
    """Whether a pattern fits the param, or what it lies below."""
    path = path_of(key)
    return any(rules.rule_of(path[: depth + 1]) is not None for depth in range(len(path)))
