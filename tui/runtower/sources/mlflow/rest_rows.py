"""Runs as a server sends them, as cells; field by field what the other paths give."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from zlib import crc32

import msgspec

from runtower.domain.runs import Kind
from runtower.sources.mlflow import groups
from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.fields import RunHead, attribute_cells, logged_cell
from runtower.sources.mlflow.rest_wire import Run
from runtower.sources.port import Cells

_ENCODE = msgspec.msgpack.Encoder().encode
_KEY = attrgetter("key")


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
    """A crc32 over all that was read of a run, whatever the order it came in; puts it in order."""
    data = run.data
    data.tags.sort(key=_KEY)
    data.params.sort(key=_KEY)
    data.metrics.sort(key=_KEY)
    return crc32(_ENCODE(run))


def last_logged(run: Run) -> int | None:
    """When a RUNNING run last logged a metric, or began (UTC epoch ms); None for all others."""
    if run.info.status != RUNNING:
        return None
    return max((one.timestamp for one in run.data.metrics), default=run.info.start_time)


def cells_of(runs: Sequence[Run]) -> list[Cells]:
    """All cells of these runs, in their order."""
    tags = groups.grouped_runs(run.data.tags for run in runs)
    return [
        *attribute_cells([head_of(run) for run in runs], groups.attribute_tags(tags, len(runs))),
        logged_cell([last_logged(run) for run in runs]),
        *groups.text_cells(Kind.TAG, tags),
        *groups.text_cells(Kind.PARAM, groups.grouped_runs(run.data.params for run in runs)),
        *groups.metric_cells(groups.grouped_runs(run.data.metrics for run in runs)),
    ]
