"""What a pipeline is: stages that make outputs of dependencies, and whether what they made is still true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StageState(StrEnum):
    """`CHANGED`: something of its own differs from its last run; `UPSTREAM`: only something that it builds on does;
    `MISSING`: only that what it made isn't there. `FROZEN`: its dependencies aren't looked at, on request."""

    FRESH = "fresh"
    CHANGED = "changed"
    UPSTREAM = "upstream changed"
    MISSING = "missing"
    NEVER = "never run"
    FROZEN = "frozen"
    RUNNING = "running"

    @property
    def is_stale(self) -> bool:
        """Whether its outputs aren't what running it now would make."""
        return self not in (StageState.FRESH, StageState.FROZEN)


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for a state. `kind`: dep, param, command, out, upstream or always; `what` is a path, a file with a
    param's key (`params.yaml train.lr`), or a stage. `old` and `new` as texts, '' where there is none."""

    kind: str
    what: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `name` as commands take it, `file` the dvc.yaml that declares it, `group` the foreach or matrix stage
    that it is one of, '' for none. Paths are relative to the project; `upstream` are the names of those that it builds
    on."""

    name: str
    file: str
    command: str
    state: StageState
    why: tuple[Why, ...] = ()
    deps: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    group: str = ""
    is_frozen: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds a project's lock: what it is and what it does to which paths."""

    pid: int
    command: str
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All stages at one time (UTC epoch ms), each after those that it builds on. `problems`: what can't be read."""

    at_ms: float
    stages: tuple[Stage, ...] = ()
    holders: tuple[Holder, ...] = ()
    problems: tuple[str, ...] = ()
