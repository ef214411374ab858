"""The lines of groups as cells: how many runs, their states, and of a metric the best, the mean and the spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from runtower.acts.browse import Browser
from runtower.acts.choose import goal_of
from runtower.acts.layout import CURVE, title
from runtower.catalog import view as views
from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.catalog.grouping import Groups, Spread, key_of, spread
from runtower.catalog.segment import Ints
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import NumberFormat, mean_and_spread
from runtower.present.spans import Line, inert, shortened
from runtower.present.states import children, children_within
from runtower.present.times import ago
from runtower.settings import MetricSettings

_KEPT: Final = 4000
NOTHING: Final[Line] = (("", ""),)


class GroupRows:
    """Cells for the lines of a browser's groups. Statistics are of the values as they are now, worked out once for each
    group and column that is on the screen."""

    def __init__(
        self,
        browser: Browser,
        glyphs: Glyphs,
        metrics: Mapping[str, MetricSettings],
        format_of: Callable[[ColumnKey, NumberColumn], NumberFormat],
    ) -> None:
        self._browser = browser
        self._glyphs = glyphs
        self._settings = metrics
        self._format_of = format_of
        self._groups: Groups | None = None
        self._spreads: dict[tuple[ColumnKey, int], tuple[Column, Spread | None]] = {}
        self._shared: dict[tuple[ColumnKey, int], tuple[Column, int]] = {}

    def gutter(self, number: int, here: bool) -> Line:
        """The cursor; a mark where all runs of the group are marked, a dim one where some are."""
        marks = self._browser.marks
        rows = self._known(number).members(number).tolist() if marks else []
        marked = sum(row in marks for row in rows)
        cursor = self._glyphs.cursor if here else " "
        mark = self._glyphs.marked if marked else " "
        return ((cursor, "bright"), (mark, "marked" if marked == len(rows) else "dim"), (" ", ""))

    def cell(
        self, key: ColumnKey, number: int, flags: int, width: int, metric: ColumnKey | None, now_ms: float
    ) -> Line:
        """What the line of a group says in a column; `metric` is the one of the curve."""
        if key == runs.NAME:
            return self._name(number, flags, width)
        if key == runs.STATUS:
            return self._states(number, width)
        if key == CURVE:
            return NOTHING if metric is None else self._mean(metric, number, width)
        if key.kind is Kind.METRIC:
            return self._best(key, number, width)
        if key in (runs.START_TIME, runs.END_TIME):
            return self._latest(key, number, now_ms)
        return self._common(key, number, width)

    def spread(self, key: ColumnKey, number: int) -> Spread | None:
        """How a metric's values lie within a group."""
        column = self._browser.catalogue.column(key)
        groups = self._known(number)
        found = self._spreads.get((key, number))
        if found is None or found[0] is not column:
            values = column.values[groups.members(number)] if isinstance(column, NumberColumn) else np.empty(0)
            found = column, spread(values)
            _make_room(self._spreads)
            self._spreads[key, number] = found
        return found[1]

    def _known(self, number: int) -> Groups:
        """The groups of the view; what was worked out for others is forgotten."""
        groups = self._browser.view.groups
        assert groups is not None
        assert number < len(groups)
        if groups is not self._groups:
            self._groups = groups
            self._spreads.clear()
            self._shared.clear()
        return groups

    def _name(self, number: int, flags: int, width: int) -> Line:
        """`lr=0.0003  4`; without the column's name where there is no room for it."""
        groups, glyphs = self._known(number), self._glyphs
        lead = f"{glyphs.folded} " if flags & views.FOLDED else ""
        count = f"  {len(groups.members(number)):,}"
        said = inert(title(groups.by), glyphs)
        word = groups.word(number)
        room = width - len(lead) - len(count)
        if word is None:
            return ((lead, "dim"), (shortened(f"no {said}", room, glyphs), ""), (count, "dim"))
        shown = inert(word, glyphs) or "''"
        head = f"{said}=" if len(said) + 1 + len(shown) <= room else ""
        return ((lead, "dim"), (head, ""), (shortened(shown, room - len(head), glyphs), "bright"), (count, "dim"))

    def _states(self, number: int, width: int) -> Line:
        counts = states_of(self._browser, self._known(number), number)
        line = children_within(counts, self._glyphs, width) or children(counts, self._glyphs, narrow=True)
        return tuple((text, "dim") for text, _ in line)

    def _best(self, key: ColumnKey, number: int, width: int) -> Line:
        found = self.spread(key, number)
        if found is None:
            return NOTHING
        best = found.high if goal_of(key, self._settings) == "max" else found.low
        return ((("best " if width > 11 else "") + self._format(key).text(best), "dim"),)

    def _mean(self, key: ColumnKey, number: int, width: int) -> Line:
        found = self.spread(key, number)
        if found is None:
            return NOTHING
        return ((mean_and_spread(found.mean, found.std, self._format(key), width, self._glyphs.spread), "dim"),)

    def _format(self, key: ColumnKey) -> NumberFormat:
        column = self._browser.catalogue.column(key)
        return self._format_of(key, column) if isinstance(column, NumberColumn) else NumberFormat()

    def _latest(self, key: ColumnKey, number: int, now_ms: float) -> Line:
        times = self._browser.catalogue.numbers(key).values[self._known(number).members(number)]
        times = times[np.isfinite(times)]
        return ((ago(float(times.max()), now_ms), "dim"),) if len(times) else NOTHING

    def _common(self, key: ColumnKey, number: int, width: int) -> Line:
        """The value that all runs of the group share, else how many there are."""
        column = self._browser.catalogue.column(key)
        if not isinstance(column, TextColumn):
            return NOTHING
        rows = self._known(number).members(number)
        found = self._shared.get((key, number))
        if found is None or found[0] is not column:
            found = column, different(column, rows)
            _make_room(self._shared)
            self._shared[key, number] = found
        values = found[1]
        if values > 1:
            said = next((one for one in (f"{values:,} values", "varies") if len(one) <= width), self._glyphs.cut)
            return ((said, "dim"),)
        word = column.text(int(rows[0]))
        return NOTHING if word is None else ((shortened(inert(word, self._glyphs), width, self._glyphs), "dim"),)


def states_of(browser: Browser, groups: Groups, number: int) -> dict[str, int]:
    """How many runs of a group are in which state, by MLflow's word."""
    status = browser.catalogue.texts(runs.STATUS)
    codes, counts = np.unique(status.codes[groups.members(number)], return_counts=True)
    out: dict[str, int] = {}
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        word = str(status.words[code].as_py()) if code >= 0 else "UNKNOWN"
        out[word] = out.get(word, 0) + count
    return out


def different(column: TextColumn, rows: Ints) -> int:
    """How many values some runs have: texts of one number are one, and so are the runs without any."""
    codes = np.unique(column.codes[rows])
    if len(codes) < 2:
        return len(codes)
    words = column.words.take(np.maximum(codes, 0)).to_pylist()
    return len({key_of(word if code >= 0 else None) for word, code in zip(words, codes.tolist(), strict=True)})


def _make_room(kept: dict) -> None:  # type: ignore[type-arg]
    if len(kept) > _KEPT:
        kept.clear()
