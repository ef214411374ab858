"""The command log: one line for each write before it happens, one for what became of it.

`commands.jsonl` in the state folder, for the user alone. A line is written whole, by one write to a file that is opened
for appending; what a crash or a full disk left of one is closed off by the next writer and skipped by readers. A full
file becomes `commands.jsonl.1`; readers see both.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from runtower.domain.edits import Edit
from runtower.domain.model_changes import ModelEdit
from runtower.domain.promotions import Promotion
from runtower.domain.ulids import new_id as new_id
from runtower.folders import private

VERSION: Final = 1
LIMIT: Final = 4_000_000


class Intent(msgspec.Struct, tag="intent", tag_field="line", kw_only=True, omit_defaults=True):
    """What is about to be written. `time` is UTC epoch ms; `command` does the same by hand; `deadline` in seconds.

    `who` is user@host, `pid` and `boot` tell whether the process that this was given to still lives. `hidden`: the
    values are left out, as `redact` asks for.
    """

    id: str
    time: int
    who: str
    source: str
    address: str
    source_key: str
    run_name: str
    edit: Edit
    what: str
    command: str
    deadline: float
    pid: int
    boot: str = ""
    hidden: bool = False
    v: int = VERSION


class ModelIntent(msgspec.Struct, tag="model_intent", tag_field="line", kw_only=True, omit_defaults=True):
    """What is about to be written to a registry of models: a promotion or an edit. All else as in `Intent`; an older
    runtower passes over such a line."""

    id: str
    time: int
    who: str
    source: str
    address: str
    source_key: str
    what: str
    command: str
    deadline: float
    pid: int
    promotion: Promotion | None = None
    edit: ModelEdit | None = None
    boot: str = ""
    hidden: bool = False
    v: int = VERSION


class Result(msgspec.Struct, tag="result", tag_field="line", kw_only=True, omit_defaults=True):
    """What became of it: done, refused (nothing was changed) or unknown. `error` is a name of the taxonomy."""

    id: str
    time: int
    outcome: str
    error: str = ""
    says: str = ""
    v: int = VERSION


@dataclass
class Entry:
    """A write and what is known of its end; None while it isn't settled."""

    intent: Intent
    result: Result | None = None

    @property
    def outcome(self) -> str:
        """done, refused, unknown, or open."""
        return _outcome(self.result)


@dataclass
class ModelEntry:
    """The same of a write to a registry of models."""

    intent: ModelIntent
    result: Result | None = None

    @property
    def outcome(self) -> str:
        """done, refused, unknown, or open."""
        return _outcome(self.result)


_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Intent | ModelIntent | Result] = msgspec.json.Decoder(Intent | ModelIntent | Result)


def append(file: Path, line: Intent | ModelIntent | Result) -> None:
    """Write one line. Raises OSError: what can't be logged must not be done."""
    data = _encode(line) + b"\n"
    with _opened(file) as descriptor:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # a torn line stays one line
        if os.write(descriptor, data) != len(data):
            raise OSError(f"{file} could not be written in full")


def result(file: Path, intent_id: str, outcome: str, error: str = "", says: str = "") -> None:
    """Write what became of a write. Raises OSError."""
    now = time.time_ns() // 1_000_000
    append(file, Result(id=intent_id, time=now, outcome=outcome, error=error, says=says[:2000]))


def read(file: Path) -> list[Entry]:
    """All writes to runs, the oldest first. A result counts over an earlier 'unknown' one. Never raises."""
    return [entry for entry in read_all(file) if isinstance(entry, Entry)]


def read_models(file: Path) -> list[ModelEntry]:
    """All writes to registries of models, the oldest first. Never raises."""
    return [entry for entry in read_all(file) if isinstance(entry, ModelEntry)]


def read_all(file: Path) -> list[Entry | ModelEntry]:
    """Both, the oldest first. Never raises."""
    entries: dict[str, Entry | ModelEntry] = {}
    for line in _lines(file):
        if isinstance(line, Intent):
            entries[line.id] = Entry(line)
        elif isinstance(line, ModelIntent):
            entries[line.id] = ModelEntry(line)
        elif (entry := entries.get(line.id)) is not None and entry.outcome in ("open", "unknown"):
            entry.result = line
    return list(entries.values())


def _outcome(result: Result | None) -> str:
    return result.outcome if result is not None else "open"


def _lines(file: Path) -> Iterator[Intent | ModelIntent | Result]:
    for one in (file.with_name(file.name + ".1"), file):
        try:
            data = one.read_bytes()
        except OSError:
            continue
        for line in data.splitlines():
            with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                yield _decoder.decode(line)


@contextmanager
def _opened(file: Path) -> Iterator[int]:
    """The file for appending, alone; a full one is set aside first."""
    private(file.parent)
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            with suppress(OSError):  # a network home may have no locks; appending still is one write
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_size > LIMIT and _is(file, descriptor):
                file.rename(file.with_name(file.name + ".1"))
            if _is(file, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is(file: Path, descriptor: int) -> bool:
    """Whether the name still stands for the open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False
