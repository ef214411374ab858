"""A nested document as flat params, in one way for all sources that read files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Final

from runtower.domain.runs import ValueType

_DEEPEST: Final = 64
_MOST_VALUES: Final = 100_000

Param = tuple[str, str, ValueType]


class Unreadable(Exception):
    """A file that makes no sense; the text says why."""


def leaves(content: object) -> list[Param]:
    """(key, text, type) for each leaf: nested keys joined by '.', all but texts as canonical JSON, lists whole.

    Of two spellings of one key, a nested and a dotted one, the later counts. Raises Unreadable for a document that
    stands for more than 100,000 values, as anchors can make of a small one.
    """
    return list({param[0]: param for param in _leaves("", content, 0, _Budget())}.values())


class _Budget:
    """How many values are left."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unreadable(f"The file stands for more than {_MOST_VALUES} values.")


def _leaves(prefix: str, value: object, depth: int, budget: _Budget) -> Iterator[Param]:
    budget.spend()
    if isinstance(value, dict) and value and depth < _DEEPEST:
        for key, below in value.items():
            name = key if isinstance(key, str) else str(_plain(key, 0, budget))
            yield from _leaves(f"{prefix}.{name}" if prefix else name, below, depth + 1, budget)
        return
    yield prefix, *_text_of(value, budget)


def _text_of(value: object, budget: _Budget) -> tuple[str, ValueType]:
    """A value as text and what it was; all but text as canonical JSON."""
    match value:
        case str():
            return value, ValueType.TEXT
        case bool():
            return json.dumps(value), ValueType.BOOLEAN
        case int():
            return str(value), ValueType.INTEGER
        case float():
            return (json.dumps(value) if math.isfinite(value) else str(value)), ValueType.FLOAT
        case None:
            return "null", ValueType.NULL
        case _:
            plain = _plain(value, 0, budget)
            return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")), ValueType.JSON


def _plain(value: object, depth: int, budget: _Budget) -> object:
    budget.spend()
    # An anchor may hold itself; beyond this depth it is only named.
    if depth >= _DEEPEST:
        return "..."
    match value:
        case dict():
            return {str(key): _plain(below, depth + 1, budget) for key, below in value.items()}
        case list() | tuple() | set():
            return [_plain(below, depth + 1, budget) for below in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return str(value)
