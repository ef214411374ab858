"""When two values are the same: `1e-3`, `0.001` and `'0.001'` are, and 1 and 1.0; strictly they are not. True is never
1, NaN is always NaN."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from typing import Final

from runtower.config.tree import Tree
from runtower.domain.values import number_of

_INT: Final = re.compile(r"[+-]?[0-9]{1,1000}\Z")
_NUMERIC: Final = frozenset("+-.0123456789iInN")
_NAN: Final = ("number", "nan")


def canonical(value: Tree, strict: bool) -> Hashable:
    """Equal for what is the same, else not; can be hashed."""
    kind = type(value)
    if isinstance(value, str):
        if not strict and value[:1] in _NUMERIC and (number := _spelt(value)) is not None:
            return _NAN if number != number else ("number", number)
        return value
    if kind is bool or value is None:
        return (kind.__name__, value)
    if kind is float or kind is int:
        if value != value:
            return _NAN
        return (kind.__name__ if strict else "number", value)
    if kind is list:
        return ("list", tuple([canonical(one, strict) for one in value]))
    return ("map", frozenset([(key, canonical(one, strict)) for key, one in value.items()]))


def _spelt(text: str) -> float | None:
    """The number that a text spells, as an exact whole number where it is one."""
    if _INT.match(text):
        return int(text)
    number = number_of(text)
    if number is not None and math.isinf(number) and any(letter.isdigit() for letter in text):
        return None
    return number


def is_same(a: Tree, b: Tree, strict: bool) -> bool:
    kind = type(a)
    if kind is type(b) and kind is not dict and kind is not list and a == b:
        return True
    return canonical(a, strict) == canonical(b, strict)


def is_retyped(a: Tree, b: Tree) -> bool:
    """Whether two different values are also of different types. All numbers are of one; null is of none, so that what
    is set at last has not changed its type."""
    return a is not None and b is not None and _type(a) != _type(b)


def _type(value: Tree) -> str:
    kind = type(value)
    return "number" if kind is int or kind is float else kind.__name__
