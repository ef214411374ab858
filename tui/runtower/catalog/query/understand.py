"""From a text to the typed tree. Brings in the parser (80 ms with its tables): import it where a query is read."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from runtower.catalog.query import grammar, moments, names
from runtower.catalog.query.mask import like_pattern
from runtower.catalog.query.misread import Misread, Place
from runtower.catalog.query.syntax import (
    Comparison,
    Field,
    Joined,
    Membership,
    Negation,
    Op,
    Presence,
    Syntax,
    Value,
)
from runtower.catalog.query.tree import Among, Compare, Condition, Group, Is, Not, Operand, Where, Word
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import number_of

_TIMES: Final = frozenset(runs.TIME_ATTRIBUTES)
_ORDERS: Final = frozenset({"<", "<=", ">", ">="})
_PATTERNS: Final = frozenset({"like", "ilike", "~"})


def understand(text: str, known: Collection[ColumnKey]) -> Where:
    """A query over the columns that are `known`. Raises Misread."""
    syntax = grammar.parse(text)
    fields = sorted(set(_fields(syntax)), key=lambda field: field.place)
    columns = {field: names.column_of(field, known, text) for field in fields}
    condition = _Typing(text, columns).condition(syntax)
    whole, end = "", 0
    for field in fields:
        start, after = field.place
        written = names.lasting(field, columns[field], text[start:after])
        whole, end = whole + text[end:start] + written, after
    keys = tuple(dict.fromkeys(columns.values()))
    doubts = tuple(doubt for key in keys if (doubt := names.doubt(key, known)))
    return Where(text, whole + text[end:], condition, keys, doubts)


def _fields(syntax: Syntax) -> Iterator[Field]:
    if isinstance(syntax, Joined):
        for part in syntax.parts:
            yield from _fields(part)
    elif isinstance(syntax, Negation):
        yield from _fields(syntax.part)
    else:
        yield syntax.field


class _Typing:
    """Gives each value the type of its column. Raises Misread where it can't have it."""

    def __init__(self, text: str, columns: dict[Field, ColumnKey]) -> None:
        self._text = text
        self._columns = columns

    def condition(self, syntax: Syntax) -> Condition:
        match syntax:
            case Joined():
                return Group(tuple(self.condition(part) for part in syntax.parts), syntax.either)
            case Negation():
                return Not(self.condition(syntax.part))
            case Presence():
                return Is(self._columns[syntax.field], syntax.state, syntax.inverted)
            case Membership():
                key = self._columns[syntax.field]
                operands = tuple(self._operand(key, "=", value) for value in syntax.values)
                return Among(key, operands, syntax.inverted)
            case Comparison():
                key = self._columns[syntax.field]
                return Compare(key, syntax.op, self._operand(key, syntax.op, syntax.value))

    def _operand(self, key: ColumnKey, op: Op, value: Value) -> Operand:
        if op in _PATTERNS:
            return self._pattern(key, op, value)
        if key in _TIMES:
            then = moments.moment(value.text)
            if then is None or (then.at is not None and math.isnan(then.at)):
                raise self._wrong(
                    f"{value.text!r} is no time", "Write 2026-11-25, 14:30 after it, or 2h ago.", value.place
                )
            return then
        if key == runs.DURATION:
            took = moments.duration(value.text)
            if took is None or math.isnan(took):
                raise self._wrong(f"{value.text!r} is no duration", "Write 90s, 10m or 1h30m.", value.place)
            return took
        number = number_of(value.text)
        if number is not None and math.isnan(number) and not value.quoted:
            raise self._wrong("nothing is equal to nan", "Write is nan, or is not nan.", value.place)
        if key.kind is Kind.METRIC or op in _ORDERS:
            if number is None or math.isnan(number):
                whose = "a metric is a number" if key.kind is Kind.METRIC else f"{op} compares numbers"
                raise self._wrong(f"{whose}, and {value.text!r} is none", "", value.place)
            return number if key.kind is Kind.METRIC else Word(value.text, number)
        text = value.text.upper() if key == runs.STATUS and not value.quoted else value.text
        return Word(text, None if value.quoted else number)

    def _pattern(self, key: ColumnKey, op: Op, value: Value) -> Word:
        if key.kind is Kind.METRIC or key in _TIMES or key == runs.DURATION:
            raise self._wrong(f"{op} compares texts, and {names.spelled(key)} is a number", "", value.place)
        try:
            pc.match_substring_regex(pa.array([""]), value.text if op == "~" else like_pattern(value.text))
        except pa.ArrowInvalid as error:
            reason = str(error).split(":", 1)[-1].strip()
            raise self._wrong(f"this pattern can't be read ({reason})", "", value.place) from error
        return Word(value.text)

    def _wrong(self, what: str, remedy: str, place: Place) -> Misread:
        return Misread(what, remedy, self._text, place)
