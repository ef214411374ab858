"""The typed tree of a query: every name a column, every value what that column compares with."""

from __future__ import annotations

from dataclasses import dataclass

from runtower.catalog.query.moments import Moment
from runtower.catalog.query.syntax import Op, State
from runtower.domain.runs import ColumnKey


@dataclass(frozen=True, slots=True)
class Word:
    """A text, and the number it stands for where it was written without quotes and is one."""

    text: str
    number: float | None = None


Operand = float | Word | Moment


@dataclass(frozen=True, slots=True)
class Compare:
    """`operand` is a float for a column of numbers, a Moment for a time, a Word for texts."""

    key: ColumnKey
    op: Op
    operand: Operand


@dataclass(frozen=True, slots=True)
class Among:
    key: ColumnKey
    operands: tuple[Operand, ...]
    inverted: bool


@dataclass(frozen=True, slots=True)
class Is:
    key: ColumnKey
    state: State
    inverted: bool


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class Group:
    """All of `parts`, or (`either`) one at least."""

    parts: tuple[Condition, ...]
    either: bool


Condition = Compare | Among | Is | Not | Group


@dataclass(frozen=True)
class Where:
    """A query that was understood. `text` is what was typed, `whole` the same with every name's family written out, so
    that it means the same when other keys become known; `keys` the columns it reads; `doubts` what is odd about it."""

    text: str
    whole: str
    condition: Condition
    keys: tuple[ColumnKey, ...]
    doubts: tuple[str, ...] = ()
