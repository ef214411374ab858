"""Runs as points of two columns, or counted by the values of one. No Textual."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.acts import choose
from runtower.acts.browse import Browser
from runtower.acts.layout import CURVE
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import Column, NumberColumn
from runtower.catalog.segment import Floats, Ints
from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.domain.values import MISSING_BITS

_MOST_WORDS: Final = 12


@dataclass(frozen=True)
class Axis:
    """A column as places on an axis: `values` float64 by run (NaN: no place); `words` by place where it is text."""

    key: ColumnKey
    values: Floats
    words: list[str] = field(default_factory=list)

    @property
    def is_wide(self) -> bool:
        """Whether it is better drawn on a logarithmic axis: all above 0, over two powers of ten and more."""
        there = self.values[~np.isnan(self.values)]
        return not self.words and len(there) > 1 and bool(there.min() > 0 and there.max() >= 100 * there.min())


@dataclass(frozen=True)
class Points:
    """Runs that have a place on both axes; `left_out` counts those that have none."""

    x: Axis
    y: Axis
    there: NDArray[np.bool_]

    @property
    def left_out(self) -> int:
        return int((~self.there).sum())

    def correlation(self) -> float | None:
        """Spearman's rank correlation, ties sharing their mean rank; None below three runs, of words, and where one
        axis has a single value."""
        if self.there.sum() < 3 or self.x.words or self.y.words:
            return None
        x, y = (_ranks(axis.values[self.there]) for axis in (self.x, self.y))
        if x.std() == 0 or y.std() == 0:
            return None
        return float(np.corrcoef(x, y)[0, 1])


def axis_of(catalogue: Catalogue, key: ColumnKey, rows: Ints) -> Axis:
    """A column of these runs: its numbers where most of what is set are numbers, else its words in the column's order,
    at most 12 of them, the most frequent."""
    column: Column = catalogue.column(key)
    if isinstance(column, NumberColumn):
        return Axis(key, _finite(column.values[rows]))
    numbers = column.as_numbers().values[rows]
    is_set = column.codes[rows] >= 0
    spelled = numbers.view(np.int64) != MISSING_BITS
    if 2 * spelled.sum() > is_set.sum():
        return Axis(key, _finite(numbers))
    # By word, not by run: a word may stand in several places of the column, but there are few of them.
    codes = column.codes[rows]
    used, often = np.unique(codes[is_set], return_counts=True)
    texts = dict(zip(used.tolist(), column.words.take(pa.array(used)).to_pylist(), strict=True))
    counts: Counter[str] = Counter()
    for code, count in zip(used.tolist(), often.tolist(), strict=True):
        counts[texts[code]] += count
    kept = sorted(sorted(counts, key=lambda text: (-counts[text], text))[:_MOST_WORDS])
    place = {text: number for number, text in enumerate(kept)}
    by_word = np.full(len(column.words) + 1, np.nan)  # the last one for runs that have none
    by_word[used] = [place.get(texts[code], np.nan) for code in used.tolist()]
    return Axis(key, by_word[codes], kept)


def first_axes(browser: Browser, metric: ColumnKey | None, active: ColumnKey) -> tuple[ColumnKey, ColumnKey]:
    """What is drawn first: the chosen metric over the column that the table's cursor is in, or over the most telling
    param where that is no other one with values."""
    params = choose.params_in_order(browser.catalogue, browser.view.hit_rows)
    y = metric or runs.DURATION
    others = [*params, runs.START_TIME]
    return (active if active not in (y, runs.NAME, runs.STATUS, CURVE) else others[0]), y


def rows_of(browser: Browser) -> Ints:
    """The marked runs, where there are several, else all that the table shows, parents that are only there for their
    children apart."""
    marked = sorted(browser.marks)
    return np.array(marked, np.int32) if len(marked) > 1 else browser.view.hit_rows


def points_of(x: Axis, y: Axis) -> Points:
    """Of the same runs, in the same order."""
    return Points(x, y, ~np.isnan(x.values) & ~np.isnan(y.values))


def histogram(values: Floats, most: int) -> tuple[NDArray[np.intp], Floats]:
    """How many values lie in each of at most `most` equal ranges, and the edges of these. As many as Sturges' rule and
    the Freedman-Diaconis rule (the larger of both, numpy's 'auto') ask for."""
    edges = np.histogram_bin_edges(values, "auto")
    if len(edges) - 1 > most:
        edges = np.linspace(edges[0], edges[-1], most + 1)
    counts, edges = np.histogram(values, edges)
    return counts, edges


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: Floats = last - (counts - 1) / 2
    return means[inverse]
