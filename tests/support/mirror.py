"""What a caller of a source would know: deltas folded into plain dictionaries."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from runtower.domain.runs import Experiment
from runtower.domain.values import is_missing
from runtower.sources.port import Delta, KeepsPace, ListsRuns, Numbers, RowError, Texts

Fields = dict[str, object]
_MOST_POLLS = 12
_MOST_PARTS = 100


@dataclass
class Mirror:
    """The runs as {run id: {'kind.key': value}}; NaN is the text 'nan', so that dictionaries compare."""

    runs: dict[str, Fields] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    cursor: bytes = b""
    is_complete: bool = False
    errors: list[RowError] = field(default_factory=list)
    deltas: list[Delta] = field(default_factory=list)

    def apply(self, delta: Delta) -> None:
        if delta.whole:
            for run_id in delta.run_ids:
                self.runs[run_id] = {}
        for run_id in delta.run_ids:
            assert run_id in self.runs, "cells of a run that was never given whole"
        assert len(set(delta.run_ids)) == len(delta.run_ids)
        for cells in delta.cells:
            places = range(len(delta.run_ids)) if cells.at is None else cells.at.tolist()
            values = cells.values if isinstance(cells.values, list | tuple) else cells.values.tolist()
            if isinstance(cells, Numbers | Texts):
                keys = [cells.key] * len(places)
            else:
                keys = [cells.keys[key] for key in cells.key.tolist()]
                assert len(set(zip(keys, places, strict=True))) == len(keys), "a cell given twice"
            for place, key, value in zip(places, keys, values, strict=True):
                self._set(delta.run_ids[place], f"{cells.kind}.{key}", value)
        for run_id in delta.gone:
            self.runs.pop(run_id, None)
        if delta.experiments is not None:
            self.experiments = {one.experiment_id: one for one in delta.experiments}
        self.cursor, self.is_complete = delta.cursor, delta.complete
        self.errors.extend(delta.errors)
        self.deltas.append(delta)

    def poll(self, source: ListsRuns, focus: Sequence[str] = ()) -> list[Delta]:
        """One look."""
        before = len(self.deltas)
        for delta in source.changes(self.cursor, focus):
            self.apply(delta)
        return self.deltas[before:]

    def poll_until(self, source: ListsRuns, holds: Callable[[], bool], focus: Sequence[str] = ()) -> None:
        """Look again, a dozen times at most, until something holds."""
        for _ in range(_MOST_POLLS):
            self.poll(source, focus)
            if holds():
                return
        raise AssertionError("not seen within a dozen looks")

    def run_of(self, name: str) -> str:
        """The id of the only run of that name."""
        (found,) = [run_id for run_id, fields in self.runs.items() if fields.get("attribute.name") == name]
        return found

    def _set(self, run_id: str, key: str, value: object) -> None:
        if value is None or (isinstance(value, float) and is_missing(value)):
            self.runs[run_id].pop(key, None)
        elif isinstance(value, float) and math.isnan(value):
            self.runs[run_id][key] = "nan"
        else:
            self.runs[run_id][key] = value


def drained(source: ListsRuns) -> Mirror:
    """Everything that a source has now; one that keeps a pace gives a part at each look."""
    mirror = Mirror()
    mirror.poll(source)
    for _ in range(_MOST_PARTS if isinstance(source, KeepsPace) else 0):
        if mirror.is_complete:
            break
        mirror.poll(source)
    return mirror
