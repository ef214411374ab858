"""Which runs a query asks for: a boolean by global row, computed on whole columns.

Texts are compared once a word and not once a run. Missing values make every comparison false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.catalog.query.moments import Moment
from runtower.catalog.query.syntax import Op
from runtower.catalog.query.tree import Among, Compare, Condition, Group, Is, Not, Operand, Word
from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.domain.values import MISSING_BITS

Mask = NDArray[np.bool_]
_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def columns_for(keys: Sequence[ColumnKey]) -> tuple[ColumnKey, ...]:
    """The columns that a condition over these keys reads: a running run's duration comes of its start and state."""
    return (*keys, runs.START_TIME, runs.STATUS) if runs.DURATION in keys else tuple(keys)


def mask(condition: Condition, columns: Mapping[ColumnKey, Column], now_ms: float) -> Mask:
    """By global row whether the condition holds; `columns` holds all of `columns_for`.

    Never raises for strange data.
    """
    match condition:
        case Group(parts, either):
            out = mask(parts[0], columns, now_ms)
            for part in parts[1:]:
                out = out | mask(part, columns, now_ms) if either else out & mask(part, columns, now_ms)
            return out
        case Not(part):
            return ~mask(part, columns, now_ms)
        case Is():
            return _is(condition, columns[condition.key])
        case Compare(key, op, operand):
            return _holds(_column(key, columns, now_ms), op, operand, now_ms)
        case Among(key, operands, inverted):
            column = _column(key, columns, now_ms)
            hit = np.zeros(_size(column), bool)
            for operand in operands:
                hit |= _holds(column, "=", operand, now_ms)
            return ~hit & _there(column) if inverted else hit


def _column(key: ColumnKey, columns: Mapping[ColumnKey, Column], now_ms: float) -> Column:
    column, start, status = columns[key], columns.get(runs.START_TIME), columns.get(runs.STATUS)
    if key != runs.DURATION or not isinstance(start, NumberColumn) or not isinstance(status, TextColumn):
        return column
    assert isinstance(column, NumberColumn)
    running = _by_word(status, pc.equal(status.words, "RUNNING")) & column.missing & ~start.missing
    values = column.values.copy()
    values[running] = np.maximum(0.0, now_ms - start.values[running])
    return NumberColumn(values)


def _size(column: Column) -> int:
    return len(column.values) if isinstance(column, NumberColumn) else len(column.codes)


def _there(column: Column) -> Mask:
    return ~column.missing if isinstance(column, NumberColumn) else column.codes >= 0


def _by_word(column: TextColumn, hits: pa.BooleanArray | Mask) -> Mask:
    """By row what holds of its word; false where it has none."""
    mine = hits if isinstance(hits, np.ndarray) else hits.to_numpy(zero_copy_only=False)
    return np.asarray(np.append(mine, False)[column.codes], bool)


def _is(condition: Is, column: Column) -> Mask:
    if condition.state == "set":
        out = _there(column)
    elif condition.state == "missing":
        out = ~_there(column)
    elif isinstance(column, NumberColumn):
        out = np.isnan(column.values) & ~column.missing
    else:
        out = _by_word(column, np.isnan(column.numbers) & _spells_one(column))
    return ~out if condition.inverted else out


def _spells_one(column: TextColumn) -> Mask:
    return np.asarray(column.numbers.view(np.int64) != MISSING_BITS)


def _holds(column: Column, op: Op, operand: Operand, now_ms: float) -> Mask:
    if isinstance(column, NumberColumn):
        if isinstance(operand, Moment):
            return _in_time(column, op, *operand.span(now_ms))
        number = operand.number if isinstance(operand, Word) else operand
        if number is None:
            return np.zeros(len(column.values), bool)
        out = np.asarray(_COMPARE[op](column.values, number))
        return out & ~column.missing if op == "!=" else out
    if not len(column.words) or not isinstance(operand, Word):
        return np.zeros(len(column.codes), bool)
    return _by_word(column, _words(column, op, operand))


def _in_time(column: NumberColumn, op: Op, start: float, end: float) -> Mask:
    """A whole day is equal to each of its times, and before another where its last one is."""
    values = column.values
    if start == end:
        out = np.asarray(_COMPARE[op](values, start))
    elif op in ("=", "!="):
        inside = (values >= start) & (values < end)
        out = inside if op == "=" else ~inside
    else:
        out = np.asarray(
            values < (start if op == "<" else end) if op in ("<", "<=") else values >= (end if op == ">" else start)
        )
    return out & ~column.missing if op == "!=" else out


def _words(column: TextColumn, op: Op, operand: Word) -> Mask:
    """By word whether it compares so."""
    if op in ("like", "ilike"):
        pattern = like_pattern(operand.text)
        return _array(pc.match_substring_regex(column.words, pattern, ignore_case=op == "ilike"))
    if op == "~":
        return _array(pc.match_substring_regex(column.words, operand.text))
    if op in ("=", "!="):
        same = _array(pc.equal(column.words, operand.text))
        if operand.number is not None:
            same = np.where(_spells_one(column), column.numbers == operand.number, same)
        return ~same if op == "!=" else same
    assert operand.number is not None
    return np.asarray(_COMPARE[op](column.numbers, operand.number))


def like_pattern(text: str) -> str:
    """SQL's LIKE as a regular expression: `%` any letters, `_` one, newlines too, nothing escaped."""
    pieces = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in text)
    return f"(?s)^{''.join(pieces)}$"


def _array(hits: pa.BooleanArray) -> Mask:
    return np.asarray(hits.to_numpy(zero_copy_only=False), bool)
