"""What is drawn of one chart: a line a run, or a mean and a band a group, and what its legend says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runtower.acts import bands
from runtower.acts.charts import Charts, at, coarse_envelope
from runtower.acts.run_colours import COLOURS
from runtower.acts.series_book import SeriesBook
from runtower.domain.pyramid import Envelope, Pyramid
from runtower.present import axes
from runtower.present.glyphs import Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, inert, padded, shortened
from runtower_widgets import plot

Edges = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """All that a page of charts is drawn from; `names` and `colours` (numbers) are those of `charts.rows`."""

    charts: Charts
    book: SeriesBook
    names: Sequence[str]
    colours: Sequence[int]
    glyphs: Glyphs
    now_ms: float

    def known(self, key: str, smooth: float | None = None) -> list[Pyramid | None]:
        """By run the most exact that is known of what is shown."""
        charts = self.charts
        return [charts.best(self.book, charts.asked(row, key, smooth)) for row in charts.rows]


@dataclass(frozen=True)
class Curves:
    """What is drawn of one chart; `envelopes` are what its range of y has to hold."""

    traces: list[plot.Trace]
    bands: list[plot.Band]
    envelopes: list[Envelope]
    legend: list[Line]


def colour(number: int) -> str:
    """The tone of a colour."""
    return f"series-{number % COLOURS + 1}"


def curves_of(scene: Scene, key: str, edges: Edges, width: int) -> Curves:
    """Of one metric, in the dot columns between these edges of x; names in the legend take a quarter of the width."""
    return (_spreads if scene.charts.spread else _each)(scene, key, edges, width)


def _each(scene: Scene, key: str, edges: Edges, width: int) -> Curves:
    """A line a run, the raw curves faint behind smoothed ones."""
    charts, known = scene.charts, scene.known(key)
    envelopes = [_envelope(scene, row, key, one, edges) for row, one in zip(charts.rows, known, strict=True)]
    behind = [one.envelope(edges) for one in scene.known(key, 0.0) if one is not None] if charts.smooth else []
    several = len(charts.rows) > 1
    traces = [
        _trace(e, colour(scene.colours[n]), str(n + 1) if several else "")
        for n, e in enumerate(envelopes)
        if e is not None
    ]
    traces += [_trace(e, "faint", "", behind=True) for e in behind]
    return Curves(traces, [], [e for e in (*envelopes, *behind) if e is not None], _legend(scene, key, width))


def _envelope(scene: Scene, row: int, key: str, known: Pyramid | None, edges: Edges) -> Envelope | None:
    """Of the series, or of its coarse curve until it is here."""
    if known is not None:
        return known.envelope(edges)
    coarse = scene.charts.coarse(scene.book, row, key)
    return coarse_envelope(coarse, edges) if coarse is not None else None


def _trace(envelope: Envelope, tone: str, label: str, behind: bool = False) -> plot.Trace:
    return plot.Trace(envelope.low, envelope.high, envelope.first, envelope.last, envelope.odd, tone, behind, label)


def _legend(scene: Scene, key: str, width: int) -> list[Line]:
    """`1 lr=0.001  0.2207 @29`: number, name and value at the cursor of each run that has one; of one run the value."""
    charts, found = scene.charts, list[tuple[int, str, str]]()
    for place, row in enumerate(charts.rows):
        asked = charts.asked(row, key)
        # Without a cursor the last value of all is read, not that of the stretch that is shown.
        pyramid = scene.book.get(asked) if charts.cursor is None else charts.best(scene.book, asked)
        there = at(pyramid, charts.cursor) if pyramid is not None else None
        if there is not None:
            found.append((place, exact(there[0]), f"@{axes.x_text(charts.x, there[1], scene.now_ms)}"))
    if len(charts.rows) == 1:
        return [((f"{value} {where} ", "bright"),) for _, value, where in found]
    shown = [_shown(scene, scene.names[place], width) for place, _, _ in found]
    wide = [max(map(len, column), default=0) for column in (shown, *zip(*(one[1:] for one in found), strict=True))]
    return [
        (
            (f"{place + 1:>2} {padded(name, wide[0])} ", colour(scene.colours[place])),
            (f"{value:>{wide[1]}} ", "bright"),
            (f"{where:<{wide[2]}}", "dim"),
        )
        for (place, value, where), name in zip(found, shown, strict=True)
    ]


def _spreads(scene: Scene, key: str, edges: Edges, width: int) -> Curves:
    """A mean and a band a group."""
    charts, out = scene.charts, Curves([], [], [], [])
    middle, nothing = (edges[1:] + edges[:-1]) / 2, np.zeros(len(edges) - 1, bool)
    for place, group in enumerate(charts.groups):
        found = [charts.best(scene.book, charts.asked(row, key)) for row in group.rows]
        runs = [one for one in found if one is not None and len(one)]
        if not runs:
            continue
        spread, tone = bands.spread_of(runs, middle, charts.spread), colour(place)
        label = str(place + 1) if len(charts.groups) > 1 else ""
        out.traces.append(plot.Trace(spread.mean, spread.mean, spread.mean, spread.mean, nothing, tone, label=label))
        out.bands.append(plot.Band(spread.low, spread.high, tone))
        out.envelopes.append(bands.as_envelope(spread))
        out.legend.append(_spread_read(scene, runs, group.name, place, width))
    return out


def _spread_read(scene: Scene, runs: Sequence[Pyramid], name: str, place: int, width: int) -> Line:
    """`1 lr=0.001  0.2207 ±0.012 of 5 @29`: at the cursor, or at the last x that all of them reached."""
    charts = scene.charts
    x = charts.cursor if charts.cursor is not None else bands.at_end(runs)
    spread = bands.spread_of(runs, np.array([x]), charts.spread)
    mean, low, high = (float(one[0]) for one in (spread.mean, spread.low, spread.high))
    around = f" {scene.glyphs.spread}{high - mean:.3g}" if charts.spread == bands.STD else f" {low:.4g} to {high:.4g}"
    value = f"{mean:.4g}" + (around if high == high else "") if mean == mean else "nothing"
    number = f"{place + 1:>2} " if len(charts.groups) > 1 else ""
    return (
        (f"{number}{_shown(scene, name, width)} ", colour(place)),
        (f"{value} ", "bright"),
        (f"of {int(spread.count[0])} @{axes.x_text(charts.x, x, scene.now_ms)}", "dim"),
    )


def _shown(scene: Scene, name: str, width: int) -> str:
    return shortened(inert(name, scene.glyphs), max(8, width // 4), scene.glyphs)
