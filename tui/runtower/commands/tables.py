"""Tables as text: CSV and Markdown for machines and pages, aligned columns for people; JSON arrays as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from runtower.present.spans import inert, padded, shortened

Rows = Iterable[Sequence[str]]
_WIDEST = 40


def json_array(objects: Iterable[Any]) -> Iterator[str]:
    """One array, an object a line, made as it is written."""
    encode = msgspec.json.Encoder().encode
    lead = "["
    for one in objects:
        yield f"{lead}\n{encode(one).decode()}"
        lead = ","
    yield "[]\n" if lead == "[" else "\n]\n"


def csv_lines(head: Sequence[str], rows: Rows) -> Iterator[str]:
    """RFC 4180 with plain newlines; values are as they came."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in _all(head, rows):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def plain_lines(head: Sequence[str], rows: Rows, right: Sequence[bool], widest: int | None = _WIDEST) -> Iterator[str]:
    """Columns aligned for a terminal, none wider than `widest` cells; `right` says which hold numbers."""
    shown = [[inert(text) for text in row] for row in _all(head, rows)]
    if widest is not None:
        shown = [[shortened(text, widest) for text in row] for row in shown]
    widths = [max(len(padded(row[place], 0) or row[place]) for row in shown) for place in range(len(head))]
    for row in shown:
        cells = (padded(text, width, side) for text, width, side in zip(row, widths, right, strict=True))
        yield "  ".join(cells).rstrip() + "\n"


def _all(head: Sequence[str], rows: Rows) -> Iterator[Sequence[str]]:
    yield head
    yield from rows
