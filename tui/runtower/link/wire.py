"""What the terminal and a source's process say to each other.

A frame is a little-endian uint32 length and that many bytes of msgpack: one of the tagged structs below. Three shapes:
a query and its answer, a subscription and its deltas, an operation with its progress and its result. Unknown fields
are ignored, missing optional ones have defaults, an unknown tag is an error of the sender. What doesn't fit into a
frame travels as a file that a `Parcel` names (see `spool`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

import msgspec

from runtower.domain.criteria import Criterion

T = TypeVar("T")

VERSION: Final = 1
MAX_FRAME: Final = 256 * 1024
INLINE: Final = 48 * 1024


class WireError(Exception):
    """The other side sent something that no version of this page knows, or too much of it."""


class Parcel(msgspec.Struct, omit_defaults=True):
    """Bytes, or the name, length and crc32 of a file in the session's spool that holds them.

    `crc` is None for a file that carries checksums of its own.
    """

    inline: bytes | None = None
    file: str = ""
    length: int = 0
    crc: int | None = None


class History(msgspec.Struct, tag="history", frozen=True):
    """Asks for the whole history of one metric: a `MetricSeries`."""

    run_id: str
    key: str


class Coarse(msgspec.Struct, tag="coarse", frozen=True):
    """Asks for the coarse curves of at most 200 runs: a list of `CoarseCurve`."""

    run_ids: tuple[str, ...]
    key: str
    buckets: int = 32


class Curve(msgspec.Struct, tag="curve", frozen=True):
    """Asks for one metric of one run to draw: a `Pyramid` over `x`.

    `x` is `step`, `time` (UTC epoch seconds), `relative` (seconds since the first point) or `metric:NAME`, what
    another metric was at that step. `smooth`: the weight of an exponential moving average, 0 for none. A source may
    give a sample of a long history: of all of it, or of these `steps` (first, last); never where `whole` is asked for.
    """

    run_id: str
    key: str
    x: str = "step"
    smooth: float = 0.0
    steps: tuple[int, int] | None = None
    whole: bool = False


class Artifacts(msgspec.Struct, tag="artifacts", frozen=True):
    """Asks for what lies in a folder of a run's artifacts, '' for the run's own: a `Folder`."""

    run_id: str
    folder: str = ""


class ArtifactPart(msgspec.Struct, tag="artifact_part", frozen=True):
    """Asks for at most `most` bytes of an artifact, from `offset` on or so many before its end: a `Piece`."""

    run_id: str
    path: str
    offset: int
    most: int


class Inputs(msgspec.Struct, tag="inputs", frozen=True):
    """Asks for the datasets that a run was given: a list of `Dataset`."""

    run_id: str


class Models(msgspec.Struct, tag="models", frozen=True):
    """Asks for all registered models: a `ModelList`, which names none where they are those of the digest `known`."""

    known: str = ""


class OneModel(msgspec.Struct, tag="one_model", frozen=True):
    """Asks for a registered model with its versions: a `ModelNow`."""

    name: str


class FilesOf(msgspec.Struct, tag="files_of", frozen=True):
    """Asks where the files of a version of a model lie: a `ModelFiles`."""

    name: str
    version: str


class Stages(msgspec.Struct, tag="stages", frozen=True):
    """Asks for the pipeline that a project's runs come from, looked at now: a `Pipeline`."""


class NamedRuns(msgspec.Struct, tag="named_runs", frozen=True):
    """Asks for single runs (at most 200), which come as `Rows` where they haven't come yet: the ids of those that there
    are."""

    run_ids: tuple[str, ...]


Query = History | Coarse | Curve | Artifacts | ArtifactPart | Inputs | Models | OneModel | FilesOf | NamedRuns | Stages


class Hello(msgspec.Struct, tag="hello", omit_defaults=True):
    """The first frame: what to open, and what the terminal knows of it.

    `interval`, `beat` and `retry` (the first of the back-off) are seconds. `known`: run ids by row id, a msgpack
    list, with the source key and the base they belong to; `seq` is the last one that was
    received from an earlier process. `writes`: the process changes runs and lists none; what became of each change goes
    into the file `commands` (see `commandlog`). `held`: why the source may not be opened, '' where it may.
    """

    version: int
    name: str
    kind: str
    uri: str
    read_only: bool
    options: dict[str, str]
    spool: str
    catalog: str | None
    log: str
    parent: int
    interval: float
    beat: float
    retry: float = 1.0
    paused: bool = False
    redact: tuple[str, ...] = ()
    known: Parcel | None = None
    source_key: str | None = None
    base_id: str | None = None
    seq: int = 0
    writes: bool = False
    commands: str = ""
    held: str = ""


class Subscribe(msgspec.Struct, tag="subscribe"):
    """How often to poll (seconds), whether at all, and whether to do it right now."""

    interval: float
    paused: bool = False
    now: bool = False


class Focus(msgspec.Struct, tag="focus"):
    """The runs on the screen, at most 200."""

    run_ids: tuple[str, ...]


class Scope(msgspec.Struct, tag="scope"):
    """The experiments that are looked at; None: all."""

    experiment_ids: tuple[str, ...] | None


class Seek(msgspec.Struct, tag="seek"):
    """What the runs that are given first must fulfil, while not all are known; none: whatever comes next."""

    criteria: tuple[Criterion, ...]


class Ask(msgspec.Struct, tag="ask"):
    """A query. Within a topic only the highest generation is worth an answer; topic '' has none."""

    request: int
    generation: int
    topic: str
    query: Query


class Operate(msgspec.Struct, tag="operate"):
    """An operation, by its name; `deadline` in seconds from now."""

    request: int
    name: str
    arguments: dict[str, str]
    deadline: float | None = None


class Cancel(msgspec.Struct, tag="cancel"):
    """Nobody waits for this query or operation any more."""

    request: int


class Opened(msgspec.Struct, tag="opened", omit_defaults=True):
    """The source answers. `base` is a cache file; `agreed`: row ids go on where the terminal's `known` ended; `edits`:
    its runs can be changed; `round_trip` as in `Beat`."""

    version: int
    key: str
    address: str
    how: str
    base_id: str | None = None
    base: Parcel | None = None
    agreed: bool = False
    edits: bool = False
    round_trip: float | None = None


class Rows(msgspec.Struct, tag="rows", omit_defaults=True):
    """A delta. `table` is a segment, `gone` int32 row ids, `experiments` a msgpack list of (id, name, deleted)."""

    seq: int
    table: Parcel | None = None
    gone: Parcel | None = None
    experiments: Parcel | None = None
    complete: bool = True
    known: int = 0
    total: int | None = None
    errors: tuple[tuple[str, str], ...] = ()


class Base(msgspec.Struct, tag="base"):
    """A new base, as a cache file, that stands for all rows up to and including `seq`."""

    seq: int
    base_id: str
    table: Parcel


class Beat(msgspec.Struct, tag="beat"):
    """Sent every `Hello.beat` seconds; `heard` is how many seconds ago the source answered, `round_trip` how many
    seconds an answer takes, None where the source doesn't tell."""

    heard: float | None
    round_trip: float | None = None


class Report(msgspec.Struct, tag="report", omit_defaults=True):
    """How the source is: an error (name '' where there is none), when it is tried again (seconds), and notices."""

    name: str = ""
    tried: str = ""
    remedy: str = ""
    next_try: float | None = None
    notices: tuple[str, ...] = ()


class Started(msgspec.Struct, tag="started"):
    """Work on a request began; what crashes now is that request's doing."""

    request: int


class Answer(msgspec.Struct, tag="answer"):
    """The answer of a query, or the result of an operation (generation 0)."""

    request: int
    generation: int
    body: Parcel


class Refused(msgspec.Struct, tag="refused"):
    """A query or an operation that ended in an error of the taxonomy."""

    request: int
    generation: int
    name: str
    tried: str
    remedy: str = ""


class Progress(msgspec.Struct, tag="progress", frozen=True, omit_defaults=True):
    """How far an operation is."""

    request: int
    done: int
    total: int | None = None
    text: str = ""


ToHost = Hello | Subscribe | Focus | Scope | Seek | Ask | Operate | Cancel
ToTerminal = Opened | Rows | Base | Beat | Report | Started | Answer | Refused | Progress

_encoder = msgspec.msgpack.Encoder()
_to_host: msgspec.msgpack.Decoder[ToHost] = msgspec.msgpack.Decoder(ToHost)
_to_terminal: msgspec.msgpack.Decoder[ToTerminal] = msgspec.msgpack.Decoder(ToTerminal)


def frame(message: ToHost | ToTerminal) -> bytes:
    """The message as one frame. Raises WireError where it is larger than a frame may be."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise WireError(f"a message of {len(body)} bytes doesn't fit into a frame")
    return len(body).to_bytes(4, "little") + body


def to_host(body: bytes) -> ToHost:
    """What the terminal said. Raises WireError."""
    return _decoded(_to_host, body)


def to_terminal(body: bytes) -> ToTerminal:
    """What a source's process said. Raises WireError."""
    return _decoded(_to_terminal, body)


def _decoded(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"not a message: {error}") from error


class Frames:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole now. Raises WireError at a length over MAX_FRAME."""
        self._rest += data
        start = 0
        try:
            while len(self._rest) - start >= 4:
                length = int.from_bytes(self._rest[start : start + 4], "little")
                if length > MAX_FRAME:
                    raise WireError(f"a frame claims {length} bytes")
                if len(self._rest) - start - 4 < length:
                    break
                body = bytes(self._rest[start + 4 : start + 4 + length])
                start += 4 + length
                yield body
        finally:
            del self._rest[:start]
