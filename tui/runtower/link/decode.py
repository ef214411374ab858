"""What came from a source's process, made into tables. Imports numpy and pyarrow: only ever in a worker thread."""

from __future__ import annotations

import msgspec
import numpy as np

from runtower.catalog import cache
from runtower.catalog.segment import Segment
from runtower.domain.artifacts import Folder, Piece
from runtower.domain.datasets import Dataset
from runtower.domain.models import ModelFiles, ModelList, ModelNow
from runtower.domain.pipelines import Pipeline
from runtower.domain.pyramid import Pyramid
from runtower.domain.runs import Experiment
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.domain.targets import RowError
from runtower.link import events, wire
from runtower.link.answers import unpack_curves, unpack_pyramid, unpack_series
from runtower.link.spool import Spool

Registered = ModelList | ModelNow | ModelFiles
Found = MetricSeries | list[CoarseCurve] | Pyramid | Folder | Piece | list[Dataset] | Registered | list[str] | Pipeline


def rows(message: wire.Rows, spool: Spool) -> events.Rows:
    """Raises SpoolError or ValueError where the child sent something else than it said."""
    return events.Rows(
        seq=message.seq,
        segment=None if message.table is None else Segment.read(spool.take(message.table)),
        gone=np.frombuffer(b"" if message.gone is None else spool.take(message.gone), np.int32),
        experiments=None if message.experiments is None else cache.unpack_experiments(spool.take(message.experiments)),
        complete=message.complete,
        known=message.known,
        total=message.total,
        errors=tuple(RowError(*error) for error in message.errors),
    )


def base(parcel: wire.Parcel, spool: Spool) -> tuple[Segment, tuple[Experiment, ...]]:
    """Raises SpoolError or ValueError."""
    cached = cache.parse(spool.take_file(parcel))
    return Segment.read(cached.segment), cached.experiments


def answer(query: wire.Query, body: wire.Parcel, spool: Spool) -> Found:
    """Raises SpoolError, ValueError or msgspec.MsgspecError."""
    if isinstance(query, wire.Curve):
        return unpack_pyramid(spool.take_file(body))
    data = spool.take(body)
    if isinstance(query, wire.Artifacts):
        return msgspec.msgpack.decode(data, type=Folder)
    if isinstance(query, wire.ArtifactPart):
        return msgspec.msgpack.decode(data, type=Piece)
    if isinstance(query, wire.Inputs):
        return msgspec.msgpack.decode(data, type=list[Dataset])
    if isinstance(query, wire.Models):
        return msgspec.msgpack.decode(data, type=ModelList)
    if isinstance(query, wire.OneModel):
        return msgspec.msgpack.decode(data, type=ModelNow)
    if isinstance(query, wire.FilesOf):
        return msgspec.msgpack.decode(data, type=ModelFiles)
    if isinstance(query, wire.NamedRuns):
        return msgspec.msgpack.decode(data, type=list[str])
    if isinstance(query, wire.Stages):
        return msgspec.msgpack.decode(data, type=Pipeline)
    if isinstance(query, wire.History):
        return unpack_series(query.run_id, query.key, data)
    return unpack_curves(data)
