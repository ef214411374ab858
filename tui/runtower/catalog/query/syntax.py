"""What a query says, before anybody knows which names there are; and the error that marks its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtower.domain.errors import Invalid
from runtower.domain.runs import Kind

Place = tuple[int, int]  # first character and the one after the last, from 0
Op = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike", "~"]
State = Literal["set", "missing", "nan"]


class Misread(Invalid):
    """A query that can't be read or makes no sense. `place` is the part that is wrong, in `text`."""

    def __init__(self, what: str, remedy: str, text: str, place: Place) -> None:
        super().__init__(f"The query can't be read at character {place[0] + 1}: {what}.", remedy)
        self.what = what
        self.text = text
        self.place = place

    def pointed(self) -> tuple[str, str]:
        """The query, each control character as a space, and a line of carets to stand below it."""
        shown = "".join(letter if letter.isprintable() else " " for letter in self.text)
        start, end = self.place
        return shown, " " * start + "^" * max(1, end - start)


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
