"""Tables of text with a row a step, as loggers write them: CSV and TSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence

import numpy as np

from runtower.domain.series import MetricSeries


def series_of(
    content: bytes, run_id: str, key: str, column: str, step: str, delimiter: str = ","
) -> MetricSeries | None:
    """The whole history of one column, None where there is no such column or nothing in it. Times are 0: tables have
    none. Rows without a step take the one before; without a column `step` rows are counted."""
    first, _, rest = content.partition(b"\n")
    header = columns(first, delimiter)
    if column not in header:
        return None
    at, step_at = header.index(column), header.index(step) if step in header else -1
    steps: list[int] = []
    values: list[float] = []
    now = 0
    for place, row in enumerate(rows(rest, delimiter)):
        now = _step(row, step_at, place, now)
        if at < len(row) and row[at] and (value := number(row[at])) is not None:
            steps.append(now)
            values.append(value)
    return series(run_id, key, steps, values)


def series(run_id: str, key: str, steps: Sequence[int], values: Sequence[float]) -> MetricSeries | None:
    """A history of points without times, in the order of their steps; None where there are none."""
    if not steps:
        return None
    order = np.argsort(np.array(steps, dtype=np.int64), kind="stable")
    return MetricSeries(
        run_id,
        key,
        np.array(steps, dtype=np.int64)[order],
        np.zeros(len(steps), dtype=np.int64),
        np.array(values, dtype=np.float64)[order],
    )


def columns(line: bytes, delimiter: str = ",") -> tuple[str, ...]:
    """The names in a table's first line."""
    return tuple(next(rows(line, delimiter), []))


def rows(block: bytes, delimiter: str = ",") -> Iterator[list[str]]:
    """The rows of whole lines; empty ones are left out."""
    # A NUL byte, as a crashed machine leaves them, would stop the reader.
    text = block.decode("utf-8-sig", "replace").replace("\0", "")
    return (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row)


def number(cell: str) -> float | None:
    """The number that a cell holds; None for none."""
    try:
        return float(cell)
    except ValueError:
        return None


def _step(row: list[str], at: int, place: int, before: int) -> int:
    if at < 0:
        return place
    value = number(row[at]) if at < len(row) and row[at] else None
    return int(value) if value is not None and math.isfinite(value) else before
