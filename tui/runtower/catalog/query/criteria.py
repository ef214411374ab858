"""What of a query any system can be asked: the comparisons that all must hold. The rest is left to the table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from runtower.catalog.query.moments import Moment
from runtower.catalog.query.syntax import Op
from runtower.catalog.query.tree import Compare, Condition, Group, Is, Word
from runtower.domain import runs
from runtower.domain.criteria import Comparator, Criterion
from runtower.domain.runs import ColumnKey, Kind

# What the table derives, and so no source has.
_DERIVED: Final = (runs.EXPERIMENT, runs.SOURCE, runs.DURATION)
_ORDERS: Final = ("<", "<=", ">", ">=")


def criteria_of(condition: Condition, now_ms: float) -> tuple[Criterion, ...]:
    """Every run that fulfils the condition fulfils these, but for texts that spell a number in another way; none where
    nothing can be said so simply."""
    return tuple(dict.fromkeys(_of(condition, now_ms)))


def _of(condition: Condition, now_ms: float) -> Iterator[Criterion]:
    match condition:
        case Group(parts, either=False):
            for part in parts:
                yield from _of(part, now_ms)
        case Compare(key, op, operand) if key not in _DERIVED:
            if isinstance(operand, Moment):
                yield from _in_time(key, op, *operand.span(now_ms))
            elif isinstance(operand, Word):
                yield from _in_words(key, op, operand)
            elif math.isfinite(operand):
                yield from _compared(key, op, operand)
        case Is(key, state, inverted) if key not in _DERIVED and state != "nan" and key.kind is not Kind.ATTRIBUTE:
            yield Criterion(key.kind, key.key, "set" if (state == "set") != inverted else "missing")
        case _:
            pass


def _in_words(key: ColumnKey, op: Op, word: Word) -> Iterator[Criterion]:
    # A text that is compared by its number is found by nobody else.
    if op not in _ORDERS:
        yield from _compared(key, op, word.text)


def _in_time(key: ColumnKey, op: Op, start: float, end: float) -> Iterator[Criterion]:
    """As the mask does: a whole day is equal to each of its times."""
    if start == end:
        yield from _compared(key, op, start)
    elif op == "=":
        yield from _compared(key, ">=", start)
        yield from _compared(key, "<", end)
    elif op in ("<", ">="):
        yield from _compared(key, op, start)
    elif op in ("<=", ">"):
        yield from _compared(key, "<" if op == "<=" else ">=", end)


def _compared(key: ColumnKey, op: Op, value: float | str) -> Iterator[Criterion]:
    if op != "~":
        comparator: Comparator = op
        yield Criterion(key.kind, key.key, comparator, value)
