"""Tables of models, versions and moves: what they have in common."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from runtower.commands.listing import write
from runtower.commands.tables import csv_lines, plain_lines
from runtower.present.markdown import markdown_lines
from runtower.present.times import iso

_T = TypeVar("_T")


@dataclass(frozen=True)
class ListWish:
    """`form` is '' (for people), json, csv or md; `limit` the most lines, None for all."""

    form: str = ""
    limit: int | None = None


def cut(known: list[_T], limit: int | None, what: str) -> list[_T]:
    """The first of them; what was cut is said on stderr."""
    if limit is None or len(known) <= limit:
        return known
    sys.stderr.write(f"{limit} of {len(known)} {what}; --limit cut the rest\n")
    return known[:limit]


def write_table(head: Sequence[str], rows: Iterable[list[str]], form: str, right: Sequence[bool] = ()) -> None:
    """`right` says which columns hold numbers, for people."""
    if form:
        lines: Callable[..., Iterator[str]] = csv_lines if form == "csv" else markdown_lines
        write(lines(head, rows))
    else:
        write(plain_lines(head, rows, right or [False] * len(head)))


def time_of(moment: int | None) -> str:
    """ISO 8601, '' where nobody knows it."""
    return "" if moment is None else iso(moment)
