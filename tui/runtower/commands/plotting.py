"""`runtower plot`: a metric of some runs as text, as SVG, or as its points."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
import plotext

from runtower.acts import export
from runtower.acts.charts import YRange, widened, y_range
from runtower.acts.resolve import metric_key
from runtower.acts.tower import Tower
from runtower.commands.listing import resolved, write
from runtower.commands.opening import Asked, context, opened
from runtower.commands.tables import csv_lines, json_array
from runtower.domain import runs
from runtower.domain.errors import Invalid, NotFound, TowerError
from runtower.domain.pyramid import Envelope, Floats, Pyramid
from runtower.domain.runs import ColumnKey
from runtower.link.wire import Curve
from runtower.present import axes
from runtower.present.numbers import exact
from runtower.present.spans import inert

_COLOURS: Final = ("blue+", "orange+", "green+", "magenta+", "cyan+", "red+", "yellow+", "gray+")
_SVG_COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b2a400", "#777777")
_XS: Final = ("step", "time", "relative")
_SVG: Final = (960, 480)
_MARGIN: Final = 60


@dataclass(frozen=True)
class Shape:
    """How it is drawn. `x` is step, time, relative or the name of a metric; `size` in cells (columns, lines)."""

    x: str = "step"
    log: bool = False
    smooth: float = 0.0
    size: tuple[int, int] = (80, 24)
    plain: bool = False


@dataclass(frozen=True)
class _Series:
    run_id: str
    name: str
    pyramid: Pyramid


def plot(asked: Asked, texts: Sequence[str], key: str, where: str, shape: Shape, form: str) -> None:
    """Print it. `form` is '' (text), svg, csv or json. Raises TowerError."""
    if not 0 <= shape.smooth < 1:
        raise Invalid(f"--smooth {shape.smooth:g} is no weight.", "It is from 0 (as logged) to below 1, such as 0.6.")
    if min(shape.size) < 1 or shape.size[0] < 20 or shape.size[1] < 6:
        raise Invalid(f"{shape.size[0]}x{shape.size[1]} is too small for a chart.", "It needs at least 20x6.")
    asyncio.run(_plot(asked, texts, key, where, shape, form))


async def _plot(asked: Asked, texts: Sequence[str], key: str, where: str, shape: Shape, form: str) -> None:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        metric = metric_key(tower.catalogue, key)
        rows = [resolved(tower.catalogue, text, where, work.settings.metrics) for text in texts]
        found = [await _series(tower, row, metric, shape) for row in dict.fromkeys(rows)]
        if form == "json":
            write(json_array(_points(found, metric.key)))
        elif form == "csv":
            head = ["run_id", "name", "x", "step", "value"]
            write(csv_lines(head, ([str(cell) for cell in point.values()] for point in _points(found, ""))))
        else:
            drawn = _svg if form == "svg" else _text
            write(drawn(found, metric.key, shape))


async def _series(tower: Tower, row: int, metric: ColumnKey, shape: Shape) -> _Series:
    run = tower.catalogue.run_key(row)
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    x = shape.x if shape.x in _XS else f"metric:{metric_key(tower.catalogue, shape.x).key}"
    try:
        pyramid = await link.ask(Curve(run.run_id, metric.key, x, shape.smooth, whole=True))
    except NotFound as error:
        raise NotFound(
            f"Run {run.run_id} has no metric '{metric.key}'.", f"runtower show {run.run_id} lists them."
        ) from error
    name = tower.catalogue.texts(runs.NAME).text(row) or run.run_id[:8]
    return _Series(run.run_id, name, pyramid)


def _points(found: Sequence[_Series], key: str) -> Iterator[dict[str, object]]:
    for series in found:
        p = series.pyramid
        for x, step, value in zip(p.x.tolist(), p.steps.tolist(), p.y.tolist(), strict=True):
            point: dict[str, object] = {"run_id": series.run_id, "name": series.name}
            if key:
                point["key"] = key
            yield point | {"x": x, "step": step, "value": export.number(value)}


# -- pictures


def _envelopes(found: Sequence[_Series], key: str, shape: Shape, columns: int) -> tuple[Floats, list[Envelope], YRange]:
    """The edges of so many stretches, what lies in them, and the range of its values. Raises TowerError for none."""
    known = [one.pyramid for one in found if len(one.pyramid)]
    low = min((float(p.x[0]) for p in known), default=0.0)
    high = max((float(p.x[-1]) for p in known), default=1.0)
    edges = np.linspace(*widened(low, high), columns + 1)
    envelopes = [one.pyramid.envelope(edges) for one in found]
    scale = y_range(envelopes, shape.log, False)
    if scale is None:
        raise TowerError(
            f"{key}: nothing can be drawn.", "There is no finite value" + (" above 0." if shape.log else ".")
        )
    return edges, envelopes, scale


def _lines(edges: Floats, envelope: Envelope, log: bool) -> Iterator[list[tuple[float, float]]]:
    """The curve as lines: in each stretch from its first value over its extremes to its last; a gap at NaN."""
    middle = ((edges[1:] + edges[:-1]) / 2).tolist()
    line: list[tuple[float, float]] = []
    for place, x in enumerate(middle):
        values = [float(one[place]) for one in (envelope.first, envelope.low, envelope.high, envelope.last)]
        values = [value for value in values if value == value and (value > 0 or not log)]
        line += [(x, value) for value in dict.fromkeys(values)]
        if not values and envelope.odd[place] and line:
            yield line
            line = []
    if line:
        yield line


def _text(found: Sequence[_Series], key: str, shape: Shape) -> Iterator[str]:
    width, height = shape.size
    edges, envelopes, scale = _envelopes(found, key, shape, 2 * max(1, width - 10))
    coloured = sys.stdout.isatty()
    yield from _legend(found, coloured)
    plotext.clear_figure()
    plotext.plotsize(width, max(6, height - (len(found) if len(found) > 1 else 0)))
    plotext.theme("clear")
    plotext.title(inert(key))
    plotext.xlabel(inert(shape.x))
    if shape.log:
        plotext.yscale("log")
    else:
        plotext.ylim(scale.low, scale.high)
    marks = axes.marks(scale.low, scale.high, max(3, height // 3), 8, shape.log)
    plotext.yticks([value for value, _ in marks], [label for _, label in marks])
    most, now_ms = max(2, width // 14), time.time() * 1000
    marks = axes.x_marks(shape.x, float(edges[0]), float(edges[-1]), most, now_ms)
    plotext.xticks([value for value, _ in marks], [label for _, label in marks])
    for place, envelope in reversed(list(enumerate(envelopes))):  # the first one lies on top
        marker = "dot" if shape.plain else "braille"
        if len(found) > 1 and not coloured:
            marker = _mark(place)  # without colours only this tells the lines apart
        for line in _lines(edges, envelope, shape.log):
            xs, ys = [x for x, _ in line], [y for _, y in line]
            plotext.plot(xs, ys, marker=marker, color=_COLOURS[place % len(_COLOURS)])
    drawn = plotext.build()
    plotext.clear_figure()
    yield from (line.rstrip() + "\n" for line in (drawn if coloured else plotext.uncolorize(drawn)).splitlines())


def _mark(place: int) -> str:
    return "123456789abcdefghijklmnopqrstuvwxyz"[place % 35]


def _legend(found: Sequence[_Series], coloured: bool) -> Iterator[str]:
    """`1 lr=0.001  0.2207`: a line a run, where there are several, with its last value."""
    if len(found) < 2:
        return
    wide = max(len(inert(series.name)) for series in found)
    for place, series in enumerate(found):
        last = exact(float(series.pyramid.y[-1])) if len(series.pyramid) else ""
        said = f"{_mark(place)} {inert(series.name):<{wide}}  {last}".rstrip()
        yield (plotext.colorize(said, _COLOURS[place % len(_COLOURS)]) if coloured else said) + "\n"


def _svg(found: Sequence[_Series], key: str, shape: Shape) -> Iterator[str]:
    width, height = _SVG
    edges, envelopes, scale = _envelopes(found, key, shape, width - 2 * _MARGIN)
    low, high = (np.log10(scale.low), np.log10(scale.high)) if shape.log else (scale.low, scale.high)

    def spot(x: float, y: float) -> str:
        told = np.log10(y) if shape.log else y
        across = _MARGIN + (x - edges[0]) / (edges[-1] - edges[0]) * (width - 2 * _MARGIN)
        return f"{across:.1f},{height - _MARGIN - (told - low) / (high - low) * (height - 2 * _MARGIN):.1f}"

    box = f'viewBox="0 0 {width} {height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="13">\n'
    yield f'<rect width="{width}" height="{height}" fill="white"/>\n'
    yield f'<text x="{width / 2:.0f}" y="24" text-anchor="middle" font-size="16">{escape(inert(key))}</text>\n'
    yield f'<text x="{width / 2:.0f}" y="{height - 12}" text-anchor="middle">{escape(inert(shape.x))}</text>\n'
    for value, anchor, x, y in (
        (scale.high, "end", _MARGIN - 6, _MARGIN + 4),
        (scale.low, "end", _MARGIN - 6, height - _MARGIN),
        (float(edges[0]), "start", _MARGIN, height - _MARGIN + 18),
        (float(edges[-1]), "end", width - _MARGIN, height - _MARGIN + 18),
    ):
        yield f'<text x="{x}" y="{y}" text-anchor="{anchor}">{value:.4g}</text>\n'
    frame = f"{_MARGIN},{_MARGIN} {_MARGIN},{height - _MARGIN} {width - _MARGIN},{height - _MARGIN}"
    yield f'<polyline points="{frame}" fill="none" stroke="#999999"/>\n'
    for place, (series, envelope) in enumerate(zip(found, envelopes, strict=True)):
        colour = _SVG_COLOURS[place % len(_SVG_COLOURS)]
        for line in _lines(edges, envelope, shape.log):
            points = " ".join(spot(x, y) for x, y in line)
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>\n'
        at, name = _MARGIN + 18 * place, escape(inert(series.name))
        yield f'<text x="{width - _MARGIN}" y="{at}" text-anchor="end" fill="{colour}">{name}</text>\n'
    yield "</svg>\n"
