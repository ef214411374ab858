"""A state of a DVC project as a row: attributes, params, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from runtower.domain import runs
from runtower.domain.runs import Kind, Status
from runtower.domain.values import MISSING
from runtower.sources.dvc.states import State
from runtower.sources.gathered import metric_cells, param_cells, tag_cells
from runtower.sources.port import Cells, Numbers, RowError, Texts


@dataclass
class Row:
    """One run. `time_ms`: when its commit was made (UTC epoch ms), None for none. `said`: DVC's word for its state."""

    run_id: str
    name: str
    status: Status
    said: str
    state: State
    parent: str = ""
    user: str = ""
    commit: str = ""
    time_ms: float | None = None
    folder: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def signature(self) -> tuple[object, ...]:
        """Equal for two rows that say the same."""
        return (
            self.name, self.status, self.said, self.parent, self.user, self.commit, self.time_ms, self.folder,
            tuple(self.tags.items()), self.problems, self.state.signature,
        )  # fmt: skip


def cells_of(rows: Sequence[Row], experiment: str) -> list[Cells]:
    """All cells of these runs, in their order."""

    def texts(key: runs.ColumnKey, values: Sequence[str | None]) -> Texts:
        return Texts(Kind.ATTRIBUTE, key.key, None, values)

    times = [MISSING if row.time_ms is None else row.time_ms for row in rows]
    cells: list[Cells] = [
        texts(runs.NAME, [row.name for row in rows]),
        texts(runs.STATUS, [str(row.status) for row in rows]),
        texts(runs.SOURCE_STATUS, [row.said for row in rows]),
        texts(runs.EXPERIMENT_ID, [experiment] * len(rows)),
        texts(runs.LIFECYCLE, ["active"] * len(rows)),
        texts(runs.PARENT, [row.parent or None for row in rows]),
        texts(runs.USER, [row.user or None for row in rows]),
        texts(runs.GIT_COMMIT, [row.commit or None for row in rows]),
        texts(runs.ARTIFACT_URI, [row.folder or None for row in rows]),
        Numbers(Kind.ATTRIBUTE, runs.START_TIME.key, None, np.array(times, np.float64)),
    ]
    cells += param_cells([row.state.params for row in rows])
    cells += metric_cells([row.state.metrics for row in rows])
    cells += tag_cells([row.tags for row in rows])
    return cells


def errors_of(rows: Sequence[Row]) -> list[RowError]:
    """What could not be read of these runs."""
    return [RowError(row.run_id, text) for row in rows for text in (*row.problems, *row.state.problems)]
