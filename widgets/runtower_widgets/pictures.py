"""Scatter plots and histograms as lines, drawn by plotext, which knows one picture at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import plotext
from numpy.typing import NDArray

from runtower_widgets.tones import Span

Floats = NDArray[np.float64]
Marks = Sequence[tuple[float, str]]

_FEW: Final = 200
_FRAME: Final = frozenset("┌┐└┘─│┤├┬┴┼")
_PLAIN: Final = str.maketrans("┌┐└┘─│┤├┬┴┼", "++++-|++++-")


@dataclass(frozen=True)
class Ruled:
    """The ranges of both axes and what stands at them; `log` of y and x. `plain`: ASCII only."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    x_marks: Marks
    y_marks: Marks
    plain: bool = False


def scatter(x: Floats, y: Floats, ruled: Ruled, width: int, height: int, tone: str) -> list[list[Span]]:
    """Points: large ones where they are few, in braille else. What falls into one dot is drawn once: plotext takes 5 ms
    for 1,000 points."""
    across, down = 2 * width, 4 * height
    columns = np.round((x - ruled.x_range[0]) / _span(ruled.x_range) * across)
    rows = np.round((y - ruled.y_range[0]) / _span(ruled.y_range) * down)
    _, first = np.unique(columns * (down + 1) + rows, return_index=True)
    _begin(width, height)
    large, small = ("o", ".") if ruled.plain else ("●", "braille")
    plotext.scatter(x[first].tolist(), y[first].tolist(), marker=large if len(first) <= _FEW else small)
    return _lines(ruled, width, height, tone)


def bars(
    counts: Sequence[int], edges: Sequence[float], ruled: Ruled, width: int, height: int, tone: str
) -> list[list[Span]]:
    """A bar for each range between neighbouring edges."""
    _begin(width, height)
    middle = [(low + high) / 2 for low, high in pairwise(edges)]
    plotext.bar(middle, list(counts), width=1, marker="#" if ruled.plain else "hd", fill=True)
    return _lines(ruled, width, height, tone)


def _span(limits: tuple[float, float]) -> float:
    return limits[1] - limits[0] or 1.0


def _begin(width: int, height: int) -> None:
    plotext.clear_figure()
    plotext.limit_size(False, False)  # it would be no larger than the terminal that it finds
    plotext.plotsize(width, height)
    plotext.theme("clear")


def _lines(ruled: Ruled, width: int, height: int, tone: str) -> list[list[Span]]:
    """The picture in exactly so many lines of so many cells: axes and labels dim, what is drawn in the tone."""
    plotext.xlim(*ruled.x_range)
    plotext.ylim(*ruled.y_range)
    plotext.xticks([value for value, _ in ruled.x_marks], [label for _, label in ruled.x_marks])
    plotext.yticks([value for value, _ in ruled.y_marks], [label for _, label in ruled.y_marks])

    drawn = plotext.uncolorize(plotext.build()).splitlines()
    plotext.clear_figure()
    lines = [line[:width].ljust(width) for line in drawn[:height]]
    out = [[(line.translate(_PLAIN), "")] if ruled.plain else _toned(line, tone) for line in lines]
    return out + [[(" " * width, "")]] * (height - len(out))


def _toned(line: str, tone: str) -> list[Span]:
    inner = [not (char in _FRAME or char.isascii()) for char in line]
    spans: list[Span] = []
    start = 0
    for place in range(1, len(line) + 1):
        if place == len(line) or inner[place] != inner[start]:
            spans.append((line[start:place], tone if inner[start] else "dim"))
            start = place
    return spans
