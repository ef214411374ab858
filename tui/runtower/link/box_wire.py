"""What the terminal and the process that looks at this machine say to each other: frames as in `wire`, of the structs
below. Each piece of news carries what changed since the last; a list that is too long for a frame comes in several."""

from __future__ import annotations

from typing import Final

import msgspec

from runtower.domain.box import Gpus, Host, OutputFolder, Process
from runtower.domain.jobs import Job
from runtower.link.wire import MAX_FRAME, WireError

A_FRAME: Final = 100


class BoxHello(msgspec.Struct, tag="hello"):
    """The first word. `jobs` is the folder of all jobs, `project` the one that runtower was started in, `log` where to
    print, `state` the folder of what is remembered; `parent` a pid, `limits` those of the queue."""

    jobs: str
    project: str
    state: str
    log: str
    parent: int


class Looking(msgspec.Struct, tag="looking"):
    """How closely somebody looks: at jobs, at GPUs, or at neither. `again`: read everything now."""

    jobs: bool = False
    gpus: bool = False
    again: bool = False
    paused: bool = False


class JobNews(msgspec.Struct, tag="jobs", omit_defaults=True):
    """Jobs that are new or other than they were, and the ids of those that are gone. `error` says why Slurm's are
    missing, '' where they aren't; `slurm` whether there is a cluster; `whole`: everything was told by now."""

    jobs: tuple[Job, ...] = ()
    gone: tuple[str, ...] = ()
    error: str = ""
    slurm: bool = False
    whole: bool = False


class GpuNews(msgspec.Struct, tag="gpus"):
    """The GPUs as they are now."""

    gpus: Gpus


class HostNews(msgspec.Struct, tag="host"):
    """The machine as it is now."""

    host: Host


class ProcessNews(msgspec.Struct, tag="processes", omit_defaults=True):
    """Processes that are new or other than they were, and the pids of those that are gone."""

    processes: tuple[Process, ...] = ()
    gone: tuple[int, ...] = ()


class FolderNews(msgspec.Struct, tag="folders", omit_defaults=True):
    """Output folders of the project that are new or other than they were, and the paths of those that are gone.
    `is_partial`: the project holds more than is looked at."""

    folders: tuple[OutputFolder, ...] = ()
    gone: tuple[str, ...] = ()
    is_partial: bool = False


ToBox = BoxHello | Looking
FromBox = JobNews | GpuNews | HostNews | ProcessNews | FolderNews

_encoder = msgspec.msgpack.Encoder()
_to_box: msgspec.msgpack.Decoder[ToBox] = msgspec.msgpack.Decoder(ToBox)
_from_box: msgspec.msgpack.Decoder[FromBox] = msgspec.msgpack.Decoder(FromBox)


def box_frame(message: ToBox | FromBox) -> bytes:
    """The message as one frame. Raises WireError where it is larger than a frame may be."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise WireError(f"a message of {len(body)} bytes doesn't fit into a frame")
    return len(body).to_bytes(4, "little") + body


def to_box(body: bytes) -> ToBox:
    """What the terminal said. Raises WireError."""
    try:
        return _to_box.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(f"not a message: {error}") from error


def from_box(body: bytes) -> FromBox:
    """What the process said. Raises WireError."""
    try:
        return _from_box.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(f"not a message: {error}") from error
