"""MLflow's Run objects as cells, field by field what the SQL path gives."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeVar
from zlib import crc32

import msgspec
import numpy as np
from mlflow.entities import Run

from runtower.domain.runs import Kind
from runtower.sources.mlflow.contract import RUNNING
from runtower.sources.mlflow.fields import ATTRIBUTE_TAGS, RunHead, attribute_cells, logged_cell, with_infinities
from runtower.sources.port import Cells, Numbers, Texts

_ENCODE = msgspec.msgpack.Encoder().encode
_Value = TypeVar("_Value")


def head_of(run: Run) -> RunHead:
    """A run's row."""
    info = run.info
    return RunHead(
        info.run_id,
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
    """A crc32 over all that is shown of a run."""
    data = run.data
    metrics = [(key, struct.pack("<d", value)) for key, value in sorted(data.metrics.items())]
    seen: tuple[object, ...] = (head_of(run), sorted(data.tags.items()), sorted(data.params.items()), metrics)
    when = last_logged(run)
    # A value that is logged again as it was moves nothing but its time.
    return crc32(_ENCODE(seen if when is None else (*seen, when)))


def last_logged(run: Run) -> int | None:
    """When a RUNNING run last logged a metric, or began (UTC epoch ms); None for all others."""
    if run.info.status != RUNNING:
        return None
    # `data.metrics` are the values alone; MLflow offers their times nowhere else without a request a key.
    return max((one.timestamp for one in run.data._metric_objs), default=run.info.start_time)


def cells_of(runs: Sequence[Run]) -> list[Cells]:
    """All cells of these runs, in their order."""
    tags = {key: [run.data.tags.get(key) for run in runs] for key in ATTRIBUTE_TAGS}
    cells = attribute_cells([head_of(run) for run in runs], tags)
    cells.append(logged_cell([last_logged(run) for run in runs]))
    for kind, rows in (
        (Kind.TAG, [run.data.tags for run in runs]),
        (Kind.PARAM, [run.data.params for run in runs]),
    ):
        for key, (places, texts) in _columns(rows).items():
            cells.append(Texts(kind, key, np.array(places, dtype=np.int32), texts))
    for key, (places, numbers) in _columns([run.data.metrics for run in runs]).items():
        values = with_infinities(np.array(numbers, dtype=np.float64))
        cells.append(Numbers(Kind.METRIC, key, np.array(places, dtype=np.int32), values))
    return cells


def _columns(rows: Sequence[Mapping[str, _Value]]) -> dict[str, tuple[list[int], list[_Value]]]:
    columns: dict[str, tuple[list[int], list[_Value]]] = {}
    for place, row in enumerate(rows):
        for key, value in row.items():
            places, values = columns.setdefault(key, ([], []))
            places.append(place)
            values.append(value)
    return columns
