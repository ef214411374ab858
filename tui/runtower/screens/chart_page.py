"""A page of charts as lines: envelopes of what is known, drawn beside and below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from runtower.acts import bands
from runtower.acts.charts import Charts, YRange, widened
from runtower.domain.pyramid import Pyramid
from runtower.present import axes
from runtower.present.glyphs import ASCII, Glyphs
from runtower.present.spans import Line, inert, padded, shortened
from runtower.screens.chart_curves import Scene, curves_of
from runtower_widgets import plot

_NARROWEST: Final = 56
_LOWEST: Final = 11
_NAME: Final = 24
# What a title needs beside a readout.
_BESIDE: Final = 16


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


def page(scene: Scene, grid: Grid, width: int) -> list[Line]:
    """All lines of the page."""
    shown = scene.charts.shown(grid.size)
    lines: list[Line] = []
    for first in range(0, len(shown), grid.across):
        row = shown[first : first + grid.across]
        drawn = []
        for place, key in enumerate(row):
            # The last one takes what the division left over.
            own = width - (grid.width + 1) * (grid.across - 1) if place == grid.across - 1 else grid.width
            drawn.append(_chart(scene, key, own, grid.height))
        lines += [_joined([chart[y] for chart in drawn], scene.glyphs) for y in range(grid.height)]
    return lines


def _joined(pieces: Sequence[Line], glyphs: Glyphs) -> Line:
    out: list[tuple[str, str]] = []
    for place, piece in enumerate(pieces):
        if place:
            out.append((glyphs.down, "rule"))
        out += piece
    return tuple(out)


def _chart(scene: Scene, key: str, width: int, height: int) -> list[Line]:
    """One chart with its title, in exactly `height` lines of `width` cells."""
    charts, known = scene.charts, scene.known(key)
    whole = charts.whole(scene.book, [key])
    body: list[Line] = []
    said = ""
    read: Line = ()
    if whole is not None:
        x_range = widened(*(charts.zoom or whole))
        curves = curves_of(scene, key, np.linspace(*x_range, plot.dot_columns(width) + 1), width)
        scale = charts.scale(curves.envelopes)
        if len(curves.legend) == 1 and sum(len(text) for text, _ in curves.legend[0]) + _BESIDE <= width:
            read = curves.legend[0]
        if scale is not None:
            said = ", ".join(part for part in (_how_exact(known), _said(scale)) if part)
            most = _most_labels(charts.x, width)
            picture = plot.Picture(
                x_range,
                (scale.low, scale.high),
                curves.traces,
                curves.bands,
                log_y=charts.log_y,
                cursor=charts.cursor,
                x_labels=axes.x_marks(charts.x, *x_range, most, scene.now_ms),
                y_labels=axes.marks(scale.low, scale.high, max(3, (height - 3) // 2), plot.GUTTER - 2, charts.log_y),
                legend=() if read else curves.legend,
                plain=scene.glyphs is ASCII,
            )
            body = [tuple(line) for line in plot.draw(picture, width, height - 1)]
    if not body:
        words = _why_nothing(scene, key, whole is not None, any(one is None for one in known))
        body = [((padded("  " + words, width), "dim"),)]
    body += [((" " * width, ""),)] * (height - 1 - len(body))
    active = charts.metrics[charts.active : charts.active + 1] == [key]
    return [_title(charts, key, active, read, said, width, scene.glyphs), *body[: height - 1]]


def _most_labels(x: str, width: int) -> int:
    return max(2, (width - plot.GUTTER) // (14 if x in axes.TIMES else 10))


def _why_nothing(scene: Scene, key: str, has_points: bool, reading: bool) -> str:
    if has_points:
        return (
            "no value above 0 to draw on a logarithmic axis (^)"
            if scene.charts.log_y
            else "nothing but NaN and infinities"
        )
    if scene.book.errors:
        return next(iter(scene.book.errors.values()))
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
    name, read = inert(key, glyphs), len("".join(text for text, _ in readout).strip())
    room = width - 4 - (read + 2 if readout else 0) - 1
    hows = [(", ".join(part for part in (said, *_how(charts)) if part), _NAME), (said, 8)]
    how = next((one for one, least in hows if one and room - len(one) - 7 >= min(len(name), least)), "")
    shown = shortened(name, max(8, room - (len(how) + 7 if how else 0)), glyphs)
    left: list[tuple[str, str]] = [(f" {dash}{dash} ", "rule"), (shown, "active" if active else "bright")]
    left += [("  ", ""), *readout[:-1], (readout[-1][0].rstrip(), readout[-1][1])] if readout else []
    used = sum(len(text) for text, _ in left)
    if not how:
        rest = max(0, width - used)
        return (*left, (f" {dash * (rest - 1)}" if rest else "", "rule"))
    fill = width - used - len(how) - 5
    return (*left, (" " + dash * (fill - 1) + " ", "rule"), (how, "dim"), (f" {dash}{dash} ", "rule"))


def _how(charts: Charts) -> list[str]:
    x = charts.x.removeprefix("metric:")
    spread = {bands.STD: "mean and std", bands.RANGE: "mean, least to greatest"}.get(charts.spread, "")
    parts = [spread, x, "log" if charts.log_y else "", f"EMA {charts.smooth:g}" if charts.smooth else ""]
    return [part for part in parts if part]
