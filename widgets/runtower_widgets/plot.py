"""Line charts in braille: two by four dots a cell. Pure drawing; what stands where was worked out before.

A trace is what lies in each dot column: its extremes fill the column, its first and last value join the neighbours.
So no spike is lost, however many points a column holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower_widgets.tones import Span

Floats = NDArray[np.float64]
Dots = NDArray[np.bool_]

GUTTER: Final = 8
BELOW: Final = 2
_EMPTY: Final = -1
_FEW: Final = 3
_BITS: Final = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
_ASCII: Final = np.frombuffer(b" .-:'|^!", np.uint8)


@dataclass(frozen=True)
class Trace:
    """One series by dot column, float64 of one length each, NaN where nothing is; `odd`: a NaN or an infinity there.

    One that lies `behind` is left out of every cell where another one goes. `label` stands at the end of the line.
    """

    low: Floats
    high: Floats
    first: Floats
    last: Floats
    odd: Dots
    tone: str = ""
    behind: bool = False
    label: str = ""


@dataclass(frozen=True)
class Band:
    """An area by dot column, drawn as every other dot."""

    low: Floats
    high: Floats
    tone: str = ""


@dataclass(frozen=True)
class Picture:
    """A chart: `traces` from the most important on, all on one scale. `cursor` is an x; labels stand at their values,
    those of y in at most 6 cells. `plain`: ASCII only."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    traces: Sequence[Trace] = ()
    bands: Sequence[Band] = ()
    log_x: bool = False
    log_y: bool = False
    cursor: float | None = None
    x_labels: Sequence[tuple[float, str]] = ()
    y_labels: Sequence[tuple[float, str]] = ()
    legend: Sequence[Sequence[Span]] = field(default_factory=tuple)
    plain: bool = False


def dot_columns(width: int) -> int:
    """How many dot columns a chart of `width` cells has."""
    return 2 * max(0, width - GUTTER)


def draw(picture: Picture, width: int, height: int) -> list[list[Span]]:
    """The chart as `height` lines of `width` cells: values at the left, x below. [] where there is no room."""
    across, down = width - GUTTER, height - BELOW
    if across < 4 or down < 2:
        return []
    codes, owners = _cells(picture, across, down)
    texts, tones = _characters(picture, codes, owners)
    _put_odd(picture, texts, tones)
    _put_cursor(picture, texts, tones, across)
    _put_labels(picture, texts, tones)
    _put_legend(picture, texts, tones, codes, owners)
    left = _y_labels(picture, down)
    lines = [[(label, "dim"), *_spans(texts[row], tones[row])] for row, label in enumerate(left)]
    return [*lines, *_x_axis(picture, across)]


# -- dots


def _cells(picture: Picture, across: int, down: int) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """By cell the dots that are set, and whose the cell is (a trace, a band after them all, or nobody's)."""
    codes = np.zeros((down, across), np.uint8)
    owners = np.full((down, across), _EMPTY, np.int16)
    scale = _scale(picture.y_range, picture.log_y, down * 4)
    behind = [n for n, trace in enumerate(picture.traces) if trace.behind]
    behind += range(len(picture.traces), len(picture.traces) + len(picture.bands))
    layers: list[Dots] = [_band_dots(band, scale, down * 4) for band in picture.bands]
    numbers = [len(picture.traces) + place for place in range(len(layers))]
    for place in reversed(range(len(picture.traces))):
        layers.append(dots_of(picture.traces[place], scale, down * 4))
        numbers.append(place)
    for number, dots in zip(numbers, layers, strict=True):
        mine = (dots.reshape(down, 4, across, 2) * _BITS[None, :, None, :]).sum((1, 3), dtype=np.uint8)
        here = mine > 0
        below = np.isin(owners, behind)
        codes = np.where(here, np.where(below, mine, codes | mine), codes)
        owners[here] = number
    return codes, owners


def _scale(y_range: tuple[float, float], log: bool, rows: int) -> tuple[float, float, bool]:
    """Row = offset - factor * value, of a value or its logarithm."""
    low, high = (np.log10(y_range[0]), np.log10(y_range[1])) if log else y_range
    span = float(high - low)
    factor = (rows - 1) / span if span > 0 else 0.0
    return float(high) * factor + ((rows - 1) / 2 if span <= 0 else 0.0), factor, log


def _rows(values: Floats, scale: tuple[float, float, bool]) -> Floats:
    offset, factor, log = scale
    with np.errstate(divide="ignore", invalid="ignore"):
        told = np.log10(np.where(values > 0, values, np.nan)) if log else values
        return np.asarray(offset - factor * told)


def dots_of(trace: Trace, scale: tuple[float, float, bool], rows: int) -> Dots:
    """The dots of a trace, rows x columns; a column of nothing but odd points interrupts the line."""
    top, bottom = _rows(trace.high, scale), _rows(trace.low, scale)
    if scale[2]:
        top = np.where(np.isnan(top), bottom, top)
        bottom = np.where(np.isnan(bottom), top, bottom)
    first, last = _rows(trace.first, scale), _rows(trace.last, scale)
    joints = _joints(np.where(np.isnan(first), top, first), np.where(np.isnan(last), bottom, last), trace.odd)
    before, after = np.append(np.nan, joints), np.append(joints, np.nan)
    high = np.fmin(np.fmin(top, before), after)
    low = np.fmax(np.fmax(bottom, before), after)
    return _filled(high, low, rows)


def _joints(first: Floats, last: Floats, odd: Dots) -> Floats:
    """The row of the line halfway between each column and the next, NaN where no line goes."""
    count = len(first)
    there = ~np.isnan(first)
    if count < 2 or not there.any():
        return np.full(max(0, count - 1), np.nan)
    columns = np.arange(count)
    left = np.maximum.accumulate(np.where(there, columns, -1))[:-1]
    right = np.minimum.accumulate(np.where(there, columns, count)[::-1])[::-1][1:]
    breaks = np.cumsum(odd & ~there)
    known = (left >= 0) & (right < count)
    a, b = np.maximum(left, 0), np.minimum(right, count - 1)
    known &= breaks[a] == breaks[b]
    share = (columns[:-1] + 0.5 - a) / np.maximum(1, b - a)
    return np.where(known, last[a] + (first[b] - last[a]) * share, np.nan)


def _filled(high: Floats, low: Floats, rows: int) -> Dots:
    inside = ~((high > rows - 0.5) | (low < -0.5)) & ~np.isnan(high)
    begin = np.where(inside, np.clip(np.round(high), 0, rows - 1), rows)
    end = np.where(inside, np.clip(np.round(low), 0, rows - 1), -1)
    row = np.arange(rows)[:, None]
    return np.asarray((row >= begin) & (row <= end))


def _band_dots(band: Band, scale: tuple[float, float, bool], rows: int) -> Dots:
    dots = _filled(_rows(band.high, scale), _rows(band.low, scale), rows)
    pattern = (np.arange(rows)[:, None] + np.arange(dots.shape[1])) % 2 == 0
    return np.asarray(dots & pattern)


# -- cells


def _characters(
    picture: Picture, codes: NDArray[np.uint8], owners: NDArray[np.int16]
) -> tuple[list[list[str]], list[list[str]]]:
    names = [*(trace.tone for trace in picture.traces), *(band.tone for band in picture.bands), ""]
    if picture.plain:
        upper, lower = (codes & 0x1B) > 0, (codes & 0xE4) > 0
        kinds = np.where(codes == 0, 0, np.where(upper & lower, 5, np.where(upper, 4, 1)))
        texts = [_ASCII[row].tobytes().decode() for row in kinds]
    else:
        points = np.where(codes == 0, ord(" "), codes.astype(np.uint32) + 0x2800).astype("<u4")
        texts = [row.tobytes().decode("utf-32-le") for row in points]
    return [list(text) for text in texts], [[names[owner] for owner in row] for row in owners.tolist()]


def _put_odd(picture: Picture, texts: list[list[str]], tones: list[list[str]]) -> None:
    """A mark at the bottom below each NaN and infinity."""
    for trace in reversed(picture.traces):
        for place in np.unique(np.flatnonzero(trace.odd) // 2).tolist():
            texts[-1][place], tones[-1][place] = ("x" if picture.plain else "×"), "state-failed"


def _put_cursor(picture: Picture, texts: list[list[str]], tones: list[list[str]], across: int) -> None:
    if picture.cursor is None:
        return
    place = _column(picture, picture.cursor, across)
    if not 0 <= place < across:
        return
    for text, tone in zip(texts, tones, strict=True):
        if text[place] == " ":
            text[place], tone[place] = ("|" if picture.plain else "┆"), "faint"


def _put_labels(picture: Picture, texts: list[list[str]], tones: list[list[str]]) -> None:
    """At the last point of each line its label, beside those that are there already."""
    down, across = len(texts), len(texts[0])
    scale = _scale(picture.y_range, picture.log_y, down * 4)
    taken: set[tuple[int, int]] = set()
    for trace in picture.traces:
        rows = _rows(trace.last, scale)
        there = np.flatnonzero(~np.isnan(rows))
        if not trace.label or not len(there):
            continue
        row = int(rows[there[-1]] // 4)
        start = min(int(there[-1]) // 2, across - len(trace.label))
        if not 0 <= row < down:
            continue
        while start > 0 and any((row, start + place) in taken for place in range(len(trace.label))):
            start -= 1
        for place, letter in enumerate(trace.label):
            texts[row][start + place], tones[row][start + place] = letter, trace.tone
            taken.add((row, start + place))


def _column(picture: Picture, x: float, across: int) -> int:
    low, high = picture.x_range
    if picture.log_x:
        low, high, x = (float(np.log10(max(value, 1e-300))) for value in (low, high, x))
    return round((x - low) / (high - low) * (across - 1)) if high > low else 0


def _put_legend(
    picture: Picture,
    texts: list[list[str]],
    tones: list[list[str]],
    codes: NDArray[np.uint8],
    owners: NDArray[np.int16],
) -> None:
    """In the corner where nothing is, the right ones first; over bands where there is none; nowhere where each corner
    has a line."""
    rows = len(picture.legend)
    wide = max((sum(len(text) for text, _ in line) for line in picture.legend), default=0) + 1
    down, across = codes.shape
    if not rows or rows > down or wide > (across - 2 if rows <= _FEW else across * 2 // 3):
        return
    corners = ((0, across - wide), (down - rows, across - wide), (0, 0), (down - rows, 0))
    drawn = codes > 0
    for taken, (top, left) in product((drawn, drawn & (owners < len(picture.traces))), corners):
        if not taken[top : top + rows, left : left + wide].any():
            break
    else:
        return
    for place, line in enumerate(picture.legend):
        column = left + (left > 0)
        for text, tone in line:
            for letter in text:
                texts[top + place][column], tones[top + place][column] = letter, tone
                column += 1


def _spans(text: list[str], tones: list[str]) -> list[Span]:
    out: list[Span] = []
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or tones[place] != tones[start]:
            out.append(("".join(text[start:place]), tones[start]))
            start = place
    return out


# -- axes


def _y_labels(picture: Picture, down: int) -> list[str]:
    bar, tick = ("|", "+") if picture.plain else ("│", "┤")
    out = [" " * (GUTTER - 1) + bar for _ in range(down)]
    scale = _scale(picture.y_range, picture.log_y, down * 4)
    rows = _rows(np.array([value for value, _ in picture.y_labels], float), scale)
    for row, (_, label) in zip(rows.tolist(), picture.y_labels, strict=True):
        place = min(down - 1, max(0, int(row // 4)))
        out[place] = f"{label:>{GUTTER - 2}} "[: GUTTER - 1] + tick
    return out


def _x_axis(picture: Picture, across: int) -> list[list[Span]]:
    corner, dash, tick = ("`", "-", "+") if picture.plain else ("└", "─", "┬")
    line, below = [dash] * across, [" "] * across
    free = 0
    for value, label in picture.x_labels:
        place = _column(picture, value, across)
        start = min(max(0, place), across - len(label))
        if not 0 <= place < across or start < free:
            continue
        line[place] = tick
        below[start : start + len(label)] = label
        free = start + len(label) + 1
    gap = " " * (GUTTER - 1)
    return [[(gap + corner + "".join(line), "dim")], [(gap + " " + "".join(below), "dim")]]
