"""How the columns of the runs table tell numbers: digits, edge and best value, settled once for each ordering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from runtower.acts.browse import Browser
from runtower.acts.choose import goal_of
from runtower.catalog.columns import NumberColumn, TextColumn
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import number_of
from runtower.present.numbers import NumberFormat, format_for
from runtower.settings import MetricSettings

_SAMPLE: Final = 400
_WORDS: Final = 100


class Formats:
    """Of the metrics that are shown: between two orderings all rows tell theirs alike, whatever news come."""

    def __init__(self, browser: Browser, metrics: Mapping[str, MetricSettings]) -> None:
        self._browser = browser
        self._settings = metrics
        self._known: dict[ColumnKey, tuple[NumberFormat, float | None]] = {}
        self._right: dict[ColumnKey, tuple[int, bool]] = {}

    def settle(self, keys: Iterable[ColumnKey]) -> bool:
        """Look at the rows as they are ordered now. True where a known column is told otherwise than before."""
        before, self._known = self._known, {}
        after = {key: self._look(key, column) for key in keys if (column := self._metric(key)) is not None}
        self._known = after
        return any(before.get(key, seen) != seen for key, seen in after.items())

    def of(self, key: ColumnKey, column: NumberColumn) -> NumberFormat:
        """How a metric's numbers are told."""
        return self._seen(key, column)[0]

    def best(self, key: ColumnKey, column: NumberColumn) -> float | None:
        """The best value among all hits, where the metric's direction is known and there is more than one run."""
        return self._seen(key, column)[1]

    def is_right(self, key: ColumnKey) -> bool:
        """Whether a column is numbers, which stand at its right edge: most of its words spell one."""
        if key.kind is Kind.METRIC or key == runs.DURATION:
            return True
        column = self._browser.catalogue.column(key) if key.kind is Kind.PARAM else None
        if not isinstance(column, TextColumn):
            return False
        count = min(len(column.words), _WORDS)
        known = self._right.get(key)
        if known is None or known[0] != count:
            sample = [number_of(word) for word in column.words.slice(0, count).to_pylist()]
            known = self._right[key] = count, sum(number is not None for number in sample) * 2 > len(sample)
        return known[1]

    def _metric(self, key: ColumnKey) -> NumberColumn | None:
        column = self._browser.catalogue.column(key) if key.kind is Kind.METRIC else None
        return column if isinstance(column, NumberColumn) else None

    def _seen(self, key: ColumnKey, column: NumberColumn) -> tuple[NumberFormat, float | None]:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look(key, column)
        return found

    def _look(self, key: ColumnKey, column: NumberColumn) -> tuple[NumberFormat, float | None]:
        view = self._browser.view
        values = column.values[(view.rows if view.groups is None else view.hit_rows)[:_SAMPLE]]
        digits = self._settings[key.key].digits if key.key in self._settings else 0
        shown = NumberFormat(digits) if digits else format_for(values[~np.isnan(values)].tolist())
        return shown, self._best(key, column)

    def _best(self, key: ColumnKey, column: NumberColumn) -> float | None:
        wanted = goal_of(key, self._settings)
        if not wanted:
            return None
        values = column.values[self._browser.view.hit_rows]
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return None
        return float(values.min() if wanted == "min" else values.max())
