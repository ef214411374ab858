"""Runs as a server sends them, as cells; field by field what the other paths give."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import msgspec

from runtower.domain.runs import Kind
from runtower.sources.mlflow import groups
from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.fields import RunHead, attribute_cells, logged_cell
from runtower.sources.mlflow.groups import Group
from runtower.sources.mlflow.rest_wire import Latest, Pair, Run
from runtower.sources.port import Cells

_ENCODE = msgspec.msgpack.Encoder().encode


def head_of(run: Run) -> RunHead:
    """A run's row."""
    info = run.info
    return RunHead(
        run.run_id,
        info.run_name,
        info.user_id,
        info.status,
        info.start_time,
        info.end_time,
        info.lifecycle_stage,
        info.artifact_uri,
        info.experiment_id,
    )


def digest_of(run: Run) -> int:
    """A crc32 over all that is shown of a run, whatever the order it came in."""
    data = run.data
    tags = sorted((one.key, one.value) for one in data.tags)
    params = sorted((one.key, one.value) for one in data.params)
    metrics = sorted((one.key, one.value) for one in data.metrics)
    seen: tuple[object, ...] = (head_of(run), tags, params, metrics)
    when = last_logged(run)
    # A value that is logged again as it was moves nothing but its time.
    return crc32(_ENCODE(seen if when is None else (*seen, when)))


def last_logged(run: Run) -> int | None:
    """When a RUNNING run last logged a metric, or began (UTC epoch ms); None for all others."""
    if run.info.status != RUNNING:
        return None
    return max((one.timestamp for one in run.data.metrics), default=run.info.start_time)


def cells_of(runs: Sequence[Run]) -> list[Cells]:
    """All cells of these runs, in their order."""
    tags = _grouped([run.data.tags for run in runs])
    return [
        *attribute_cells([head_of(run) for run in runs], groups.attribute_tags(tags, len(runs))),
        logged_cell([last_logged(run) for run in runs]),
        *groups.text_cells(Kind.TAG, tags),
        *groups.text_cells(Kind.PARAM, _grouped([run.data.params for run in runs])),
        *groups.metric_cells(_grouped([run.data.metrics for run in runs])),
    ]


def _grouped(rows: Sequence[Sequence[Pair | Latest]]) -> list[Group]:
    return groups.grouped(
        [place for place, row in enumerate(rows) for _ in row],
        [one.key for row in rows for one in row],
        [one.value for row in rows for one in row],
    )
