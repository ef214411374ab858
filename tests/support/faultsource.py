"""A source that goes wrong on request, for the link to survive.

`Target.uri` says how: words separated by spaces (`rows:N` and one fault). Run names are `run-<n>`, the metric `loss`.
`Target.options["control"]` names a folder: what lies in it steers the source while it runs.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from support.memory_registry import MemoryRegistry

from runtower.domain import errors
from runtower.domain.artifacts import Artifact, Folder, Piece
from runtower.domain.criteria import Criterion
from runtower.domain.edits import Edit, RunNow
from runtower.domain.model_changes import Change
from runtower.domain.models import ModelNow
from runtower.domain.runs import NAME, Experiment, Kind
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.sources.port import Delta, Identity, Known, Numbers, Target, Texts


class FaultKind:
    kind = "fault"
    api = 1

    def open(self, target: Target, known: Known) -> FaultSource:
        source = (PacedSource if "paced" in target.uri.split() else FaultSource)(target, known)
        source.misbehave("open")
        return source

    def open_for_edits(self, target: Target) -> FaultEdits:
        return FaultEdits(target)


class FaultSource:
    def __init__(self, target: Target, known: Known) -> None:
        self._words = target.uri.split()
        self._rows = int(next((word[5:] for word in self._words if word.startswith("rows:")), "3"))
        self._control = Path(target.options.get("control", "/nonexistent"))
        self._known = known

    def identity(self) -> Identity:
        key = (self._control / "key").read_text() if (self._control / "key").exists() else "fault:store"
        return Identity(key, "fault://store", f"known={len(self._known.run_ids)}")

    def close(self) -> None: ...

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        self._note("polls", f"{cursor.decode()} {','.join(focus)}")
        self.misbehave("poll")
        step = int(cursor or b"0")
        if step == 0:
            yield self._delta(range(self._rows), b"1", [Experiment("0", "Default")])
            step = 1
        news = self._control / f"news-{step}"
        if news.exists():
            ids, _, gone = news.read_text().partition("|")
            yield self._delta([int(i) for i in ids.split()], str(step + 1).encode(), None, gone.split())
        self.misbehave("polled")

    def history(self, run_id: str, key: str) -> MetricSeries:
        self._note("asked", f"{run_id} {key}")
        if key == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if key == "never":
            threading.Event().wait()
        if key == "slow":
            while not (self._control / "go").exists():
                time.sleep(0.01)
        if key in errors.ALL:
            raise errors.ALL[key](f"tried {key}", f"remedy {key}")
        if key == "bug":
            raise KeyError("a bug")
        points = 200_000 if key == "large" else 5
        steps = np.arange(points, dtype=np.int64)
        return MetricSeries(run_id, key, steps, steps + 1000, steps * 0.5)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = 32) -> Sequence[CoarseCurve]:
        low = np.arange(buckets, dtype=np.float32)
        return [CoarseCurve(run_id, low, low + 1, 0, 31, 32, 0) for run_id in run_ids]

    def operate(self, name: str, arguments: Mapping[str, str], tell: Callable[[int, int | None, str], None]) -> bytes:
        if name == "count":
            for step in range(int(arguments["to"])):
                tell(step, int(arguments["to"]), "counting")
            return b"counted"
        if name == "endless":
            while True:
                try:
                    tell(0, None, "")
                except errors.Cancelled as error:
                    self._note("cancelled", error.tried)
                    raise
                time.sleep(0.01)
        if name == "deaf":
            threading.Event().wait()
        if name == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        raise errors.Invalid(f"no operation {name}")

    def artifacts(self, run_id: str, folder: str) -> Folder:
        self._note("asked", f"{run_id} {folder}")
        if folder:
            return Folder((Artifact("logs", True), Artifact("train.log", False, 300_000)), left_out=7)
        return Folder((Artifact("endless", False, 10**9),))

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        return Piece(b"x" * most, offset, 10**9)

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        if path == "short":
            yield Piece(b"half", 0, 8)
        elif path == "endless":
            for number in itertools.count():
                yield Piece(b"x" * 1000, number * 1000, None)
                time.sleep(0.001)
        elif path in errors.ALL:
            yield Piece(b"begun", 0, None)
            raise errors.ALL[path](f"tried {path}")
        else:
            for number in range(3):
                yield Piece(b"123", number * 3, 9)

    def misbehave(self, when: str) -> None:
        for word in self._words:
            at, _, fault = word.partition(":")
            if at == when:
                getattr(self, f"_{fault.partition('=')[0]}")(fault.partition("=")[2])
        order = self._control / f"raise-{when}"
        if order.exists():
            raise errors.ALL[order.read_text()](f"tried to {when}", "wait")

    def _delta(self, runs: Sequence[int], cursor: bytes, experiments: object, gone: Sequence[str] = ()) -> Delta:
        step = float(cursor)
        cells = [
            Texts(*NAME, None, [f"run-{i}" for i in runs]),
            Texts(Kind.PARAM, "lr", None, [f"0.{i}" for i in runs]),
            Texts(Kind.PARAM, "api_key", None, ["hidden" for _ in runs]),
            Numbers(Kind.METRIC, "loss", None, np.array([i + step for i in runs], np.float64)),
        ]
        ids = [f"id{i}" for i in runs]
        return Delta(ids, cells, cursor, gone=gone, experiments=experiments, known=len(ids), total=self._rows)  # type: ignore[arg-type]

    def _note(self, name: str, text: str) -> None:
        if self._control.is_dir():
            with (self._control / name).open("a") as out:
                out.write(f"{text}\n")

    # -- faults ------------------------------------------------------------------------------------------------------

    def _raise(self, name: str) -> None:
        raise errors.ALL[name](f"tried {name}", f"remedy {name}")

    def _wait(self, seconds: str) -> None:
        raise errors.Busy("tried too often", "wait", float(seconds))

    def _bug(self, _: str) -> None:
        raise ZeroDivisionError("a bug in a library")

    def _never(self, _: str) -> None:
        threading.Event().wait()

    def _crash(self, _: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _once(self, fault: str) -> None:
        if not (self._control / "once").exists():
            (self._control / "once").touch()
            getattr(self, f"_{fault}")("")

    def _print(self, _: str) -> None:
        print("printed to stdout", flush=True)
        os.write(1, b"written to 1\n")
        os.write(2, b"written to 2\n")
        ctypes.CDLL(None).puts(b"put by C")
        ctypes.CDLL(None).fflush(None)

    def _garbage(self, _: str) -> None:
        _frames().sendall(b"\xff\xff\x00\x00" + b"garbage" * 20_000)

    def _oversize(self, _: str) -> None:
        _frames().sendall((1 << 30).to_bytes(4, "little"))

    def _half(self, _: str) -> None:
        _frames().sendall((1000).to_bytes(4, "little") + b"\x81")
        os.kill(os.getpid(), signal.SIGKILL)


class PacedSource(FaultSource):
    """Says itself how soon it is polled again: an hour after twice what was wished."""

    def pace(self, interval: float) -> float:
        self._note("wishes", f"{interval}")
        return 3600.0 + 2 * interval

    def scope(self, experiment_ids: Sequence[str] | None) -> None:
        self._note("scopes", repr(experiment_ids))

    def seek(self, criteria: Sequence[Criterion]) -> None:
        self._note("sought", ", ".join(f"{one.column} {one.comparator} {one.value}" for one in criteria) or "nothing")


class FaultEdits:
    """One run whose name lies in the control folder; what it is to be called says what goes wrong.

    And a registry of models, in its file `registry`; `on-change` there names a kind of change and what goes wrong then:
    `SetAlias crash before`, `crash after`, `silence` or `slow`.
    """

    def __init__(self, target: Target) -> None:
        self._control = Path(target.options["control"])

    def identity(self) -> Identity:
        return Identity("fault:store", "fault://store", "")

    def close(self) -> None: ...

    def look(self, run_id: str) -> RunNow:
        if (self._control / "silent").exists():
            raise errors.Unreachable("no answer", "wait")
        return RunNow(run_id, (self._control / "name").read_text(), "active", "RUNNING")

    def edit(self, edit: Edit, ready: Callable[[], None]) -> RunNow:
        after = edit.after or ""
        (self._control / "pid").write_text(str(os.getpid()))
        if after == "conflict":
            raise errors.Conflict("changed since", "look")
        if after == "late":
            self._wait_for("go")
        ready()
        if after == "crash before":
            os.kill(os.getpid(), signal.SIGKILL)
        if after == "slow":
            (self._control / "begun").touch()
            self._wait_for("go")
        if after == "silence":
            (self._control / "silent").touch()
            raise errors.OutcomeUnknown("sent, no answer", "wait")
        (self._control / "name").write_text(after)
        if after == "crash after":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.look(edit.run_id)

    def model(self, name: str) -> ModelNow:
        if (self._control / "silent").exists():
            raise errors.Unreachable("no answer", "wait")
        return read_registry(self._control).model(name)

    def change(self, change: Change) -> str:
        (self._control / "pid").write_text(str(os.getpid()))
        order = self._control / "on-change"
        kind, _, how = (order.read_text() if order.exists() else "").partition(" ")
        how = how if kind == type(change).__name__ else ""
        if how == "crash before":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "slow":
            (self._control / "begun").touch()
            self._wait_for("go")
        registry = read_registry(self._control)
        number = registry.change(change)
        write_registry(self._control, registry)
        if how == "crash after":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "silence":
            (self._control / "silent").touch()
            raise errors.OutcomeUnknown("sent, no answer", "wait")
        return number

    def _wait_for(self, name: str) -> None:
        while not (self._control / name).exists():
            time.sleep(0.01)


def read_registry(control: Path) -> MemoryRegistry:
    """As it is in the control folder."""
    registry = MemoryRegistry()
    registry.models, registry.versions = pickle.loads((control / "registry").read_bytes())
    return registry


def write_registry(control: Path, registry: MemoryRegistry) -> None:
    """Keep it there."""
    (control / "registry").write_bytes(pickle.dumps((registry.models, registry.versions)))


def _frames() -> socket.socket:
    """The private socket, found as a library that writes to any descriptor would hit it."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                return socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
    raise AssertionError("no socket")


SOURCE = FaultKind()
