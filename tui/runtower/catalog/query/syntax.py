"""What a query says, before anybody knows which names there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtower.catalog.query.misread import Place
from runtower.domain.runs import Kind

Op = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike", "~"]
State = Literal["set", "missing", "nan"]


@dataclass(frozen=True, slots=True)
class Field:
    """A name; `family` is None where none was given."""

    family: Kind | None
    key: str
    place: Place


@dataclass(frozen=True, slots=True)
class Value:
    """What a name is compared with, without its quotes."""

    text: str
    quoted: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Comparison:
    field: Field
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class Membership:
    field: Field
    values: tuple[Value, ...]
    inverted: bool


@dataclass(frozen=True, slots=True)
class Presence:
    field: Field
    state: State
    inverted: bool


@dataclass(frozen=True, slots=True)
class Negation:
    part: Syntax


@dataclass(frozen=True, slots=True)
class Joined:
    """`parts` that must all hold, or (`either`) at least one of them."""

    parts: tuple[Syntax, ...]
    either: bool


Syntax = Comparison | Membership | Presence | Negation | Joined
