"""The versions of a registered model as rows of a table, each with the run it came from and that run's metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from runtower.acts import choose
from runtower.acts.listed import EMPTY, Cell, Head, ListedRow
from runtower.acts.registry_words import in_order, state_of, tags_of, version_name, when
from runtower.acts.tower import Tower
from runtower.domain import runs
from runtower.domain.models import NO_STAGE, PRODUCTION, READY, ModelNow, ModelVersion
from runtower.domain.runs import ColumnKey, RunKey
from runtower.domain.values import is_missing
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import NumberFormat, format_for

_METRICS: Final = 4
_METRIC_WIDTH: Final = 10
_ROOM_FOR_METRICS: Final = 60  # what the other columns take of the screen


class VersionRows:
    """The rows and the heads of a model's versions. `metrics` are those of their runs that tell most."""

    def __init__(self, tower: Tower, number: int, now: ModelNow, glyphs: Glyphs) -> None:
        self.now = now
        self._glyphs = glyphs
        self._tower = tower
        self.runs = runs_of(tower, number, now.versions)
        self.metrics = metrics_of(tower, list(self.runs.values()))[:_METRICS]
        self._formats = {key: format_for(self._values(key)) for key in self.metrics}
        self.rows = [ListedRow(one.version, self._cells(one), _words(one)) for one in now.versions]

    def heads(self, width: int) -> list[Head]:
        """The columns that tell something: aliases and stages where the model has them."""
        count = max(1, min(len(self.metrics), (width - _ROOM_FOR_METRICS) // (_METRIC_WIDTH + 1)))
        shown = [Head("version", "version", 7)]
        if any(one.aliases for one in self.now.versions):
            longest = max(len(_aliases(one)) for one in self.now.versions)
            shown.append(Head("aliases", "aliases", max(8, min(24, longest))))
        if any(one.stage != NO_STAGE for one in self.now.versions):
            shown.append(Head("stage", "stage", 10))
        shown += [Head("run", "run", 12, grows=True)]
        shown += [Head(key.value, key.key, _METRIC_WIDTH, right=True) for key in self.metrics[:count]]
        if any(one.status != READY for one in self.now.versions):
            shown.append(Head("state", "state", 9))
        shown.append(Head("created", "created", 9, right=True))
        if any(one.user for one in self.now.versions):
            shown.append(Head("who", "who", 8, least=90))
        shown += [Head("tags", "tags", 16, least=130), Head("description", "description", 16, grows=True, least=150)]
        return shown

    def _values(self, key: ColumnKey) -> list[float]:
        column = self._tower.catalogue.numbers(key)
        found = [column.number(row) for row in self.runs.values()]
        return [value for value in found if value is not None and not is_missing(value)]

    def _cells(self, one: ModelVersion) -> dict[str, Cell]:
        row = self.runs.get(one.version)
        state, tone = state_of(one, self._glyphs)
        first = one.description.strip().split("\n")[0]
        number = float(one.version) if one.version.isdecimal() else None
        stage = one.stage if one.stage != NO_STAGE else ""
        cells = {
            "version": Cell(version_name(one.version), "bright", number),
            "aliases": Cell(_aliases(one), "hit", _aliases(one) or None),
            "stage": Cell(stage, "hit" if stage == PRODUCTION else "", stage or None),
            "run": self._run(one, row),
            "state": Cell(state, tone),
            "created": Cell(when(one.created), "dim", float(one.created) if one.created else None),
            "who": Cell(one.user, "dim", one.user or None),
            "tags": Cell(tags_of(one.tags), "dim", tags_of(one.tags) or None),
            "description": Cell(first, "dim", first or None),
        }
        return cells if row is None else cells | {key.value: self._metric(key, row) for key in self.metrics}

    def _run(self, one: ModelVersion, row: int | None) -> Cell:
        if not one.run_id:
            return Cell("no run", "dim", None)
        if row is None:
            return Cell(f"{one.run_id[:8]} (not here)", "dim", one.run_id)
        return Cell(self._tower.catalogue.texts(runs.NAME).text(row) or one.run_id[:8], "")

    def _metric(self, key: ColumnKey, row: int) -> Cell:
        value = self._tower.catalogue.numbers(key).number(row)
        if value is None or is_missing(value):
            return EMPTY
        numbers: NumberFormat = self._formats[key]
        return Cell(numbers.text(value), "", None if value != value else value)


def runs_of(tower: Tower, number: int, versions: Sequence[ModelVersion]) -> Mapping[str, int]:
    """By version the global row of its run, where it is in the catalogue."""
    name = tower.catalogue.sources[number].name
    keys = [RunKey(name, one.run_id) for one in versions]
    rows = tower.catalogue.rows_of(keys).tolist()
    return {one.version: row for one, row in zip(versions, rows, strict=True) if row >= 0 and one.run_id}


def metrics_of(tower: Tower, rows: Sequence[int]) -> list[ColumnKey]:
    """The metrics of some runs, the most telling first."""
    return choose.metrics_in_order(tower.catalogue, np.array(rows, np.int32)) if rows else []


def _aliases(one: ModelVersion) -> str:
    return " ".join(f"@{alias}" for alias in in_order(one.aliases))


def _words(one: ModelVersion) -> str:
    return "\n".join([one.description, one.run_id, *(f"{key}={value}" for key, value in one.tags.items())])
