"""The metrics of runs that differ in seeds only, taken together: means, with the spread beside the distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.acts.run_compare import MetricRow
from runtower.acts.seed_groups import GroupFigure
from runtower.acts.seed_words import delta_said, group_labels, mean_said, spread_said
from runtower.acts.sheets import Sheet, SheetRow
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, shortened

_SUMMARY: Final = "mean and std of n runs; a distance within its standard error says nothing"
_MEAN, _DELTA, _BEST = "mean", "delta", "best"


class GroupSheet(Sheet):
    """A line for the means of each metric, one for the distance to the first group's, one for the best values."""

    def __init__(
        self, metrics: Sequence[MetricRow], groups: Sequence[Sequence[int]], names: Sequence[str], glyphs: Glyphs
    ) -> None:
        self._glyphs = glyphs
        self._lines: list[tuple[MetricRow, str]] = []
        rows: list[SheetRow] = []
        for metric in metrics:
            rows.append(self._row(metric, _MEAN, metric.key))
            if any(one.delta is not None for one in metric.groups):
                rows.append(self._row(metric, _DELTA, _DELTA))
            if any(one.best.count for one in metric.groups):
                rows.append(self._row(metric, _BEST, f"best ({metric.goal})"))
        heads = tuple(group_labels(groups, names))
        super().__init__(rows, _SUMMARY, "None of these runs logged a metric.", heads=heads)

    def _row(self, metric: MetricRow, what: str, label: str) -> SheetRow:
        self._lines.append((metric, what))
        path = metric.key if what == _MEAN else f"{metric.key} {what}"
        beyond = any(one.beyond is not False and one.delta for one in metric.groups)
        return SheetRow(path, label, int(what != _MEAN), len(self._lines) - 1, beyond)

    def cells(self, row: SheetRow, runs: Sequence[int], width: int) -> Sequence[Line]:
        metric, what = self._lines[row.number]
        return [
            ((shortened(self.full(row, run), width, self._glyphs), _tone(metric.groups[run], what)),) for run in runs
        ]

    def full(self, row: SheetRow, run: int) -> str:
        metric, what = self._lines[row.number]
        one = metric.groups[run]
        said = {_MEAN: mean_said(one), _DELTA: delta_said(one), _BEST: spread_said(one.best)}[what]
        return said.replace("±", self._glyphs.spread)


def _tone(one: GroupFigure, what: str) -> str:
    if what == _MEAN:
        return "best" if one.leads else "bright"
    if what == _DELTA:
        return one.direction if one.beyond and one.direction in ("better", "worse") else "dim"
    return ""
