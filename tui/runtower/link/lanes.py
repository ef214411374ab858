"""Queries and operations of a source, beside its polls: a few lanes, and a thread for each operation.

A history is small and somebody waits for it: the fast lane. Coarse curves come by the hundred: the slow lane. Artifacts
may lie behind another server than the runs do, and so may a registry: lanes of their own.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import msgspec

from runtower.domain.artifacts import MOST_BYTES
from runtower.domain.errors import Broken, Cancelled, Invalid, NotFound, TowerError
from runtower.domain.models import ModelList
from runtower.link import downloading
from runtower.link.answers import pack_curves, pack_pyramid, pack_series
from runtower.link.channel import Channel
from runtower.link.drawing import Drawing
from runtower.link.sourcelog import note
from runtower.link.spool import Spool
from runtower.link.wire import (
    Answer,
    ArtifactPart,
    Artifacts,
    Ask,
    Coarse,
    Curve,
    FilesOf,
    History,
    Inputs,
    Models,
    OneModel,
    Operate,
    Progress,
    Query,
    Refused,
    Stages,
    Started,
)
from runtower.sources.port import ReadsArtifacts, ReadsHistory, ReadsInputs, ReadsModels, ReadsPipeline, Source

Tell = Callable[[int, int | None, str], None]


@runtime_checkable
class Operates(Protocol):
    """A source that can do more than read."""

    def operate(self, name: str, arguments: Mapping[str, str], tell: Tell) -> bytes:
        """Carry the operation out and give its result back. Raises Invalid where there is none of that name.

        `tell(done, total, text)` is to be called between steps: it reports progress, and raises Cancelled once
        nobody waits any more or the deadline has passed.
        """
        ...


class Lanes:
    """Runs what the terminal asks for, and answers."""

    def __init__(self, channel: Channel, spool: Spool, source: Callable[[], Source]) -> None:
        """`source` waits until the source is open and gives it back, or raises why it isn't."""
        self._channel = channel
        self._spool = spool
        self._source = source
        self._lanes: dict[str, queue.SimpleQueue[Ask]] = {}
        self._newest: dict[str, int] = {}
        self._cancelled: set[int] = set()
        self._running: dict[int, threading.Event] = {}
        self._idle = threading.Condition()
        self._drawing = Drawing()

    def ask(self, ask: Ask) -> None:
        """Put a query into its lane; an older one of its topic that hasn't begun is forgotten."""
        if ask.topic:
            self._newest[ask.topic] = ask.generation
        name = _lane(ask.query)
        if name not in self._lanes:
            lane = self._lanes[name] = queue.SimpleQueue()
            threading.Thread(target=self._serve, args=(lane,), name=f"{name} lane", daemon=True).start()
        self._lanes[name].put(ask)

    def operate(self, operation: Operate) -> None:
        """Begin an operation."""
        self._running[operation.request] = threading.Event()
        threading.Thread(target=self._carry_out, args=(operation,), name=operation.name, daemon=True).start()

    def cancel(self, request: int) -> None:
        """Tell an operation to stop; a query that hasn't begun never will."""
        if request in self._running:
            self._running[request].set()
        else:
            self._cancelled.add(request)

    def cancel_all(self) -> None:
        """Tell every operation to stop."""
        for cancelled in list(self._running.values()):
            cancelled.set()

    def finish(self, seconds: float) -> None:
        """Wait until no operation runs any more, or the time is over."""
        until = time.monotonic() + seconds
        with self._idle:
            while self._running and (left := until - time.monotonic()) > 0:
                self._idle.wait(left)

    def _serve(self, lane: queue.SimpleQueue[Ask]) -> None:
        while True:
            ask = lane.get()
            if ask.request in self._cancelled or self._newest.get(ask.topic, 0) > ask.generation:
                self._cancelled.discard(ask.request)
                continue
            self._answer(ask.request, ask.generation, lambda source, query=ask.query: self._asked(source, query))  # type: ignore[misc]
            self._cancelled.discard(ask.request)

    def _carry_out(self, operation: Operate) -> None:
        cancelled = self._running[operation.request]
        until = None if operation.deadline is None else time.monotonic() + operation.deadline

        def tell(done: int, total: int | None = None, text: str = "") -> None:
            if cancelled.is_set():
                raise Cancelled(f"{operation.name} was cancelled.")
            if until is not None and time.monotonic() > until:
                raise Cancelled(f"{operation.name} did not end in time.")
            self._channel.send(Progress(operation.request, done, total, text[:1000]))

        def carry_out(source: Source) -> bytes:
            if operation.name == downloading.NAME and isinstance(source, ReadsArtifacts):
                return downloading.download(source, operation.arguments, tell)
            if not isinstance(source, Operates):
                raise Invalid(f"This source can't carry out '{operation.name}'.")
            return source.operate(operation.name, operation.arguments, tell)

        self._answer(operation.request, 0, carry_out)
        with self._idle:
            self._running.pop(operation.request, None)
            self._idle.notify_all()

    def _answer(self, request: int, generation: int, work: Callable[[Source], bytes]) -> None:
        try:
            source = self._source()
            self._channel.send(Started(request))
            body = self._spool.put(work(source))
        except TowerError as error:
            self._channel.send(Refused(request, generation, error.name, error.tried[:2000], error.remedy[:2000]))
        except Exception as error:  # noqa: BLE001 - a library may fail in any way; its asker is told
            note("a request failed", error)
            broken = Broken(f"The source failed: {error!r}."[:2000], "The source's log has the details.")
            self._channel.send(Refused(request, generation, broken.name, broken.tried, broken.remedy))
        else:
            self._channel.send(Answer(request, generation, body))

    def _asked(self, source: Source, query: Query) -> bytes:
        if isinstance(query, Artifacts | ArtifactPart):
            return _artifacts(source, query)
        if isinstance(query, Inputs):
            return _inputs(source, query)
        if isinstance(query, Models | OneModel | FilesOf):
            return _models(source, query)
        if isinstance(query, Stages):
            return _stages(source)
        if not isinstance(source, ReadsHistory):
            raise TowerError("This source offers no metric histories.")
        if isinstance(query, History):
            return pack_series(source.history(query.run_id, query.key))
        if isinstance(query, Curve):
            return pack_pyramid(self._drawing.curve(source, query))
        assert isinstance(query, Coarse), "single runs are given by the polls"
        return pack_curves(source.coarse(query.run_ids, query.key, query.buckets))


def _lane(query: Query) -> str:
    if isinstance(query, Artifacts | ArtifactPart):
        return "artifacts"
    if isinstance(query, Models | OneModel | FilesOf):
        return "models"
    if isinstance(query, Stages):
        return "pipeline"
    return "slow" if isinstance(query, Coarse) else "fast"


def _inputs(source: Source, query: Inputs) -> bytes:
    if not isinstance(source, ReadsInputs):
        raise TowerError("This source doesn't tell what data a run was given.")
    return msgspec.msgpack.encode(source.inputs(query.run_id))


def _stages(source: Source) -> bytes:
    if not isinstance(source, ReadsPipeline):
        raise NotFound("This source has no pipeline.")
    return msgspec.msgpack.encode(source.pipeline())


def _artifacts(source: Source, query: Artifacts | ArtifactPart) -> bytes:
    if not isinstance(source, ReadsArtifacts):
        raise TowerError("This source offers no artifacts.")
    if isinstance(query, Artifacts):
        return msgspec.msgpack.encode(source.artifacts(query.run_id, query.folder))
    most = min(max(query.most, 0), MOST_BYTES)
    return msgspec.msgpack.encode(source.artifact(query.run_id, query.path, query.offset, most))


def _models(source: Source, query: Models | OneModel | FilesOf) -> bytes:
    if not isinstance(source, ReadsModels):
        raise NotFound("This source has no registry of models.")
    if isinstance(query, OneModel):
        return msgspec.msgpack.encode(source.model(query.name))
    if isinstance(query, FilesOf):
        return msgspec.msgpack.encode(source.model_files(query.name, query.version))
    found = tuple(source.models())
    digest = hashlib.blake2b(msgspec.msgpack.encode(found), digest_size=16).hexdigest()
    return msgspec.msgpack.encode(ModelList(digest, None if digest == query.known else found))
