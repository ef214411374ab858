"""A run's attributes, from MLflow's columns and tags, in one way for the SQL path and the client path.

- name: the run's name, or where that is empty the tag mlflow.runName (as MLflow itself does).
- user: the tag mlflow.user, which MLflow's own pages show, or where it is absent the run's user_id.
- parent, source_name, git_commit: the tags; the columns of those names have been unused since MLflow 1.0.
- An empty text is no value, in all of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.domain.values import MISSING
from runtower.sources.mlflow import contract
from runtower.sources.port import Cells, Numbers, Texts

ATTRIBUTE_TAGS = (
    contract.TAG_NAME,
    contract.TAG_USER,
    contract.TAG_PARENT,
    contract.TAG_SOURCE_NAME,
    contract.TAG_GIT_COMMIT,
)


class RunHead(NamedTuple):
    """One run without its params, tags and metrics, as MLflow stores it. Times are UTC epoch ms."""

    run_id: str
    name: str | None
    user_id: str | None
    status: str | None
    start_time: int | None
    end_time: int | None
    lifecycle: str | None
    artifact_uri: str | None
    experiment_id: int | str | None


TagColumns = dict[str, list[str | None]]


def empty_tag_columns(count: int) -> TagColumns:
    """A dense column for each tag that attributes come from."""
    return {key: [None] * count for key in ATTRIBUTE_TAGS}


def attribute_cells(heads: Sequence[RunHead], tags: TagColumns) -> list[Cells]:
    """All attributes of `heads`, dense: `at` is None in each of the cells."""

    def texts(column: ColumnKey, values: Sequence[str | None]) -> Texts:
        return Texts(column.kind, column.key, None, values)

    def times(column: ColumnKey, values: Sequence[int | None]) -> Numbers:
        return Numbers(column.kind, column.key, None, _time_array(values))

    names, users, parents, sources, commits = (tags[key] for key in ATTRIBUTE_TAGS)
    return [
        texts(runs.NAME, [head.name or tag or None for head, tag in zip(heads, names, strict=True)]),
        texts(runs.STATUS, [head.status for head in heads]),
        texts(
            runs.EXPERIMENT_ID,
            [None if head.experiment_id is None else str(head.experiment_id) for head in heads],
        ),
        texts(runs.USER, [tag or head.user_id or None for head, tag in zip(heads, users, strict=True)]),
        texts(runs.LIFECYCLE, [head.lifecycle for head in heads]),
        texts(runs.PARENT, [tag or None for tag in parents]),
        texts(runs.SOURCE_NAME, [tag or None for tag in sources]),
        texts(runs.GIT_COMMIT, [tag or None for tag in commits]),
        texts(runs.ARTIFACT_URI, [head.artifact_uri or None for head in heads]),
        times(runs.START_TIME, [head.start_time for head in heads]),
        times(runs.END_TIME, [head.end_time for head in heads]),
    ]


def logged_cell(times: Sequence[int | None]) -> Numbers:
    """When RUNNING runs last logged, None for all others; dense."""
    return Numbers(runs.LAST_LOGGED.kind, runs.LAST_LOGGED.key, None, _time_array(times))


def with_infinities(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metric values in which the largest doubles are the infinities they were logged as."""
    clamped = np.abs(values) >= contract.INFINITY_FROM
    if clamped.any():
        values[clamped] = np.copysign(np.inf, values[clamped])
    return values


def _time_array(values: Sequence[int | None]) -> NDArray[np.float64]:
    return np.array([MISSING if value is None else value for value in values], dtype=np.float64)
