"""The metrics of some runs beside each other as lines: the last values with the distance to the first run's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from runtower.acts.run_compare import Figure, MetricRow, counting
from runtower.acts.seed_groups import BETTER
from runtower.acts.sheets import Sheet, SheetRow
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import NumberFormat, exact, format_for
from runtower.present.spans import Line

_LEADS: Final = "best"
_MOST: Final = 1000.0  # per cent; beyond it a ratio says nothing


class FigureSheet(Sheet):
    """A line for each metric, and one for the best value of its history where a goal is known."""

    def __init__(self, metrics: Sequence[MetricRow], glyphs: Glyphs, step: int | None = None, more: str = "") -> None:
        """`step` is the one that the values are of, None for the last ones; `more` is said behind the summary."""
        self._glyphs = glyphs
        self._step = step
        self._lines: list[tuple[MetricRow, bool, NumberFormat]] = []
        rows: list[SheetRow] = []
        for metric in metrics:
            rows.append(self._row(metric, False))
            if any(one.best is not None for one in metric.figures):
                rows.append(self._row(metric, True))
        varying = sum(row.differs for row in rows if row.depth == 0)
        summary = f"{varying} of {len(metrics)} metrics differ"
        if any(metric.goal == "" for metric in metrics):
            summary += "; some have no goal (metrics: in settings)"
        summary += f"; {more}" if more else ""
        super().__init__(rows, summary if metrics else "", "None of these runs logged a metric.")

    def _row(self, metric: MetricRow, best: bool) -> SheetRow:
        values = [one.best if best else counting(one, self._step) for one in metric.figures]
        known = [value for value in values if value is not None]
        self._lines.append((metric, best, format_for(known)))
        at = "" if self._step is None else f" at {self._step}"
        label = f"best ({metric.goal})" if best else metric.key + at
        path = f"{metric.key} best" if best else metric.key
        alike = len({math.inf if value is None or value != value else value for value in values}) == 1
        return SheetRow(path, label, int(best), len(self._lines) - 1, not alike)

    def cells(self, row: SheetRow, runs: Sequence[int], width: int) -> Sequence[Line]:
        metric, best, numbers = self._lines[row.number]
        if best:
            return [_best(metric.figures[run].best, numbers) for run in runs]
        values = [counting(one, self._step) for one in metric.figures]
        room = max((len(numbers.text(value)) for value in values if value is not None), default=0)
        return [_cell(metric.figures[run], values[run], values[0], numbers, room, width, self._glyphs) for run in runs]

    def full(self, row: SheetRow, run: int) -> str:
        metric, best, _ = self._lines[row.number]
        figure = metric.figures[run]
        value = figure.best if best else counting(figure, self._step)
        if value is None:
            return _missing(figure)
        words = [exact(value)]
        if not best and figure.at_step is not None and figure.at_step != self._step:
            words.append(f"at {figure.at_step}")
        if not best and figure.delta is not None:
            words += [
                f"{figure.delta:+.6g}",
                *_percent(figure.delta, counting(metric.figures[0], self._step)),
                figure.direction,
            ]
        if not best and figure.leads:
            words.append(_LEADS)
        return " ".join(word for word in words if word)


def _best(value: float | None, numbers: NumberFormat) -> Line:
    return ((numbers.text(value), "") if value is not None else ("", ""),)


def _cell(
    figure: Figure,
    number: float | None,
    first: float | None,
    numbers: NumberFormat,
    room: int,
    width: int,
    glyphs: Glyphs,
) -> Line:
    """The longest form that fits: value, distance, per cent, and what that means."""
    if number is None:
        return ((_missing(figure), "dim"),)
    value = numbers.text(number).rjust(room)
    tone = "best" if figure.leads else "bright" if figure.delta is None else ""
    meaning = _LEADS if figure.leads else figure.direction
    meant = "better" if figure.direction == BETTER else figure.direction if figure.direction == "worse" else "dim"
    delta, percent = [], []
    if figure.delta is not None and figure.delta != 0:
        text = numbers.text(figure.delta)
        delta = [text if text.startswith("-") else f"+{text}"]
        percent = _percent(figure.delta, first)
    meanings = [meaning] if meaning else []
    for words in ([*delta, *percent, *meanings], [*percent, *meanings], [*delta, *meanings], percent, delta, meanings):
        rest = " ".join(words)
        if len(value) + 1 + len(rest) <= width:
            return ((value, tone), (f" {rest}" if rest else "", meant if figure.delta else tone))
    return ((value if len(value) <= width else value[: max(0, width - 1)] + glyphs.cut, tone),)


def _missing(figure: Figure) -> str:
    """Why there is no value: none was logged, or none until the step that was asked for."""
    return "not logged" if figure.last is None else "not yet logged"


def _percent(delta: float, first: float | None) -> list[str]:
    if not first or not math.isfinite(first):
        return []
    share = 100 * delta / abs(first)
    return [f"{share:+.3g}%"] if abs(share) < _MOST else []
