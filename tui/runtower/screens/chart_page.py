"""A page of charts as lines: envelopes of what is known, drawn beside and below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.acts.charts import Charts, YRange, at, coarse_envelope, widened, y_range
from runtower.acts.series_book import SeriesBook
from runtower.domain.pyramid import Envelope, Pyramid
from runtower.present import axes
from runtower.present.glyphs import ASCII, Glyphs
from runtower.present.numbers import exact
from runtower.present.spans import Line, inert, padded, shortened
from runtower_widgets import plot

_NARROWEST: Final = 56
_LOWEST: Final = 11
_COLOURS: Final = 8
_NAME: Final = 24


@dataclass(frozen=True)
class Grid:
    """How many charts there are beside and below each other, each with its share of the room in cells."""

    across: int
    down: int
    width: int
    height: int

    @property
    def size(self) -> int:
        return self.across * self.down


def grid_of(charts: Charts, width: int, height: int) -> Grid:
    """As many charts as can be read; no more than there are metrics."""
    if charts.alone or len(charts.metrics) < 2:
        return Grid(1, 1, width, height)
    across = max(1, min(len(charts.metrics), (width + 1) // (_NARROWEST + 1)))
    rows = -(-len(charts.metrics) // across)
    down = max(1, min(rows, height // _LOWEST))
    return Grid(across, down, (width - across + 1) // across, height // down)


def page(
    charts: Charts, grid: Grid, book: SeriesBook, names: Sequence[str], width: int, glyphs: Glyphs, now_ms: float
) -> list[Line]:
    """All lines of the page; `names` are those of `charts.rows`."""
    shown = charts.shown(grid.size)
    lines: list[Line] = []
    for first in range(0, len(shown), grid.across):
        row = shown[first : first + grid.across]
        drawn = []
        for place, key in enumerate(row):
            # The last one takes what the division left over.
            own = width - (grid.width + 1) * (grid.across - 1) if place == grid.across - 1 else grid.width
            drawn.append(_chart(charts, book, key, names, own, grid.height, glyphs, now_ms))
        lines += [_joined([chart[y] for chart in drawn], glyphs) for y in range(grid.height)]
    return lines


def colour(place: int) -> str:
    """The tone of the n-th run."""
    return f"series-{place % _COLOURS + 1}"


def _joined(pieces: Sequence[Line], glyphs: Glyphs) -> Line:
    out: list[tuple[str, str]] = []
    for place, piece in enumerate(pieces):
        if place:
            out.append((glyphs.down, "rule"))
        out += piece
    return tuple(out)


def _chart(
    charts: Charts,
    book: SeriesBook,
    key: str,
    names: Sequence[str],
    width: int,
    height: int,
    glyphs: Glyphs,
    now_ms: float,
) -> list[Line]:
    """One chart with its title, in exactly `height` lines of `width` cells."""
    known = [charts.best(book, charts.asked(row, key)) for row in charts.rows]
    whole = charts.whole(book, [key])
    body: list[Line] = []
    said = ""
    legend: list[Line] = []
    if whole is not None:
        x_range = widened(*(charts.zoom or whole))
        edges = np.linspace(*x_range, plot.dot_columns(width) + 1)
        envelopes = [_envelope(charts, book, row, key, edges) for row in charts.rows]
        faint = [charts.best(book, charts.asked(row, key, 0.0)) for row in charts.rows] if charts.smooth else []
        behind = [one.envelope(edges) for one in faint if one is not None]
        scale = y_range([e for e in (*envelopes, *behind) if e is not None], charts.log_y, charts.clip)
        legend = _legend(charts, book, key, names, width, glyphs, now_ms)
        if scale is not None:
            said = ", ".join(part for part in (_how_exact(known), _said(scale)) if part)
            traces = [_trace(e, colour(n)) for n, e in enumerate(envelopes) if e is not None]
            traces += [_trace(e, "faint", behind=True) for e in behind]
            picture = plot.Picture(
                x_range,
                (scale.low, scale.high),
                traces,
                log_y=charts.log_y,
                cursor=charts.cursor,
                x_labels=axes.x_marks(charts.x, *x_range, _most_labels(charts.x, width), now_ms),
                y_labels=axes.marks(scale.low, scale.high, max(3, (height - 3) // 2), plot.GUTTER - 2, charts.log_y),
                legend=legend if len(charts.rows) > 1 else (),
                plain=glyphs is ASCII,
            )
            body = [tuple(line) for line in plot.draw(picture, width, height - 1)]
    if not body:
        words = _why_nothing(charts, book, key, whole is not None, any(one is None for one in known))
        body = [((padded("  " + words, width), "dim"),)]
    body += [((" " * width, ""),)] * (height - 1 - len(body))
    one = legend[0] if len(charts.rows) == 1 and legend else ()
    active = charts.metrics[charts.active : charts.active + 1] == [key]
    return [_title(charts, key, active, one, said, width, glyphs), *body[: height - 1]]


def _envelope(charts: Charts, book: SeriesBook, row: int, key: str, edges: NDArray[np.float64]) -> Envelope | None:
    """Of the series, or of its coarse curve until it is here."""
    known = charts.best(book, charts.asked(row, key))
    if known is not None:
        return known.envelope(edges)
    coarse = charts.coarse(book, row, key)
    return coarse_envelope(coarse, edges) if coarse is not None else None


def _most_labels(x: str, width: int) -> int:
    return max(2, (width - plot.GUTTER) // (14 if x in axes.TIMES else 10))


def _trace(envelope: Envelope, tone: str, behind: bool = False) -> plot.Trace:
    return plot.Trace(envelope.low, envelope.high, envelope.first, envelope.last, envelope.odd, tone, behind)


def _why_nothing(charts: Charts, book: SeriesBook, key: str, has_points: bool, reading: bool) -> str:
    if has_points:
        return (
            "no value above 0 to draw on a logarithmic axis (^)" if charts.log_y else "nothing but NaN and infinities"
        )
    if book.errors:
        return next(iter(book.errors.values()))
    return "reading ..." if reading else f"{inert(key)} was not logged"


def _how_exact(known: Sequence[Pyramid | None]) -> str:
    """What is known of the series isn't all."""
    if any(one is None for one in known):
        return "reading, coarse so far"
    return "a sample" if any(one is not None and one.sampled for one in known) else ""


def _said(scale: YRange) -> str:
    parts = [f"{scale.clipped} clipped"] if scale.clipped else []
    return ", ".join([*parts, *(["not above 0: not shown"] if scale.hidden else [])])


def _title(charts: Charts, key: str, active: bool, readout: Line, said: str, width: int, glyphs: Glyphs) -> Line:
    """`── val_loss  0.2207 @29 ───────── step, log, EMA 0.6 ──`. Where it is narrow, how it is drawn goes first, then
    the middle of the name; that it isn't all of it stays longest."""
    dash = glyphs.rule
    name, read = inert(key, glyphs), sum(len(text.rstrip()) for text, _ in readout)
    if read + 16 > width:
        readout, read = (), 0
    room = width - 4 - (read + 2 if readout else 0) - 1
    hows = [(", ".join(part for part in (said, *_how(charts)) if part), _NAME), (said, 8)]
    how = next((one for one, least in hows if one and room - len(one) - 7 >= min(len(name), least)), "")
    shown = shortened(name, max(8, room - (len(how) + 7 if how else 0)), glyphs)
    left: list[tuple[str, str]] = [(f" {dash}{dash} ", "rule"), (shown, "active" if active else "bright")]
    left += [("  ", ""), *((text.rstrip(), tone) for text, tone in readout)] if readout else []
    used = sum(len(text) for text, _ in left)
    if not how:
        rest = max(0, width - used)
        return (*left, (f" {dash * (rest - 1)}" if rest else "", "rule"))
    fill = width - used - len(how) - 5
    return (*left, (" " + dash * (fill - 1) + " ", "rule"), (how, "dim"), (f" {dash}{dash} ", "rule"))


def _how(charts: Charts) -> list[str]:
    x = charts.x.removeprefix("metric:")
    return [x, *(["log"] if charts.log_y else []), *([f"EMA {charts.smooth:g}"] if charts.smooth else [])]


def _legend(
    charts: Charts, book: SeriesBook, key: str, names: Sequence[str], width: int, glyphs: Glyphs, now_ms: float
) -> list[Line]:
    """`1 lr=0.001  0.2207 @29`: number, name and value at the cursor of each run that has one; of one run the value."""
    found: list[tuple[int, str, str]] = []
    for place, row in enumerate(charts.rows):
        asked = charts.asked(row, key)
        pyramid = book.get(asked) if charts.cursor is None else charts.best(book, asked)
        there = at(pyramid, charts.cursor) if pyramid is not None else None
        if there is not None:
            found.append((place, exact(there[0]), f"@{axes.x_text(charts.x, there[1], now_ms)}"))
    if len(charts.rows) == 1:
        return [((f"{value} {where} ", "bright"),) for _, value, where in found]
    shown = [shortened(inert(names[place], glyphs), max(8, width // 4), glyphs) for place, _, _ in found]
    wide = [max(map(len, column), default=0) for column in (shown, *zip(*(one[1:] for one in found), strict=True))]
    return [
        (
            (f"{place + 1:>2} {padded(name, wide[0])} ", colour(place)),
            (f"{value:>{wide[1]}} ", "bright"),
            (f"{where:<{wide[2]}}", "dim"),
        )
        for (place, value, where), name in zip(found, shown, strict=True)
    ]
