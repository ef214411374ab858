"""What a run is made of, whichever system recorded it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """The four families of a run's values."""

    ATTRIBUTE = "attribute"
    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"


class ColumnKey(NamedTuple):
    """One column: a family and the key in it, as the source spells it."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        return self.key if self.kind is Kind.ATTRIBUTE else f"{self.kind}s.{self.key}"

    @property
    def value(self) -> str:
        """`kind:key`, of which `of` makes the same key."""
        return f"{self.kind}:{self.key}"

    @classmethod
    def of(cls, value: str) -> ColumnKey:
        """From `kind:key`, as menus and tables carry it. Raises ValueError for another kind."""
        kind, _, key = value.partition(":")
        return cls(Kind(kind), key)


class RunKey(NamedTuple):
    """The identity of a run: which source, and the source's own id."""

    source: str
    run_id: str


class Status(StrEnum):
    """MLflow's words, which every source's own states are brought to."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    UNKNOWN = "UNKNOWN"


class ValueType(IntEnum):
    """What a param or tag was before it became text; MLflow's are always TEXT."""

    TEXT = 0
    INTEGER = 1
    FLOAT = 2
    BOOLEAN = 3
    NULL = 4
    JSON = 5


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named group of runs in one source."""

    experiment_id: str
    name: str
    deleted: bool = False


# Attributes, by the one name that columns, queries, --json and settings use.
NAME: Final = ColumnKey(Kind.ATTRIBUTE, "name")
STATUS: Final = ColumnKey(Kind.ATTRIBUTE, "status")
SOURCE_STATUS: Final = ColumnKey(Kind.ATTRIBUTE, "source_status")
EXPERIMENT_ID: Final = ColumnKey(Kind.ATTRIBUTE, "experiment_id")
USER: Final = ColumnKey(Kind.ATTRIBUTE, "user")
START_TIME: Final = ColumnKey(Kind.ATTRIBUTE, "start_time")
END_TIME: Final = ColumnKey(Kind.ATTRIBUTE, "end_time")
# When a RUNNING run last logged a metric, or began where it has logged none yet; of no other run.
LAST_LOGGED: Final = ColumnKey(Kind.ATTRIBUTE, "last_logged")
LIFECYCLE: Final = ColumnKey(Kind.ATTRIBUTE, "lifecycle")
PARENT: Final = ColumnKey(Kind.ATTRIBUTE, "parent")
SOURCE_NAME: Final = ColumnKey(Kind.ATTRIBUTE, "source_name")
GIT_COMMIT: Final = ColumnKey(Kind.ATTRIBUTE, "git_commit")
ARTIFACT_URI: Final = ColumnKey(Kind.ATTRIBUTE, "artifact_uri")

# Derived by the catalogue; no source sends them.
RUN_ID: Final = ColumnKey(Kind.ATTRIBUTE, "run_id")
EXPERIMENT: Final = ColumnKey(Kind.ATTRIBUTE, "experiment")
SOURCE: Final = ColumnKey(Kind.ATTRIBUTE, "source")
DURATION: Final = ColumnKey(Kind.ATTRIBUTE, "duration")

TEXT_ATTRIBUTES: Final = (
    NAME,
    STATUS,
    SOURCE_STATUS,
    EXPERIMENT_ID,
    USER,
    LIFECYCLE,
    PARENT,
    SOURCE_NAME,
    GIT_COMMIT,
    ARTIFACT_URI,
)
TIME_ATTRIBUTES: Final = (START_TIME, END_TIME, LAST_LOGGED)
