"""Charts of one run's metrics, or of some runs' over each other: what is shown and how. No Textual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.acts import bands
from runtower.acts.series_book import Asked, SeriesBook
from runtower.domain.pyramid import Envelope, Pyramid
from runtower.domain.series import CoarseCurve

SMOOTHINGS: Final = (0.0, 0.6, 0.9, 0.97)
_ZOOM: Final = 0.5
_SPARE: Final = 0.04
_CLIP: Final = 2.0
_AXES: Final = ("step", "time", "relative")


@dataclass(frozen=True)
class Look:
    """How charts are drawn, whatever they show."""

    x: str
    log_y: bool
    smooth: float
    clip: bool
    spread: str


@dataclass
class Charts:
    """What the page of charts shows.

    `rows` are global rows, the first one lies on top; `metrics` are keys, one chart each; `x` as `link.wire.Curve` has
    it. `zoom` is the range of x that is shown, None for all; `cursor` an x, None for the end; `limits` the range of y,
    None for what fits. With a `spread` (of `bands.KINDS`) the `groups` are drawn instead of the rows.
    """

    rows: list[int] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    x: str = "step"
    log_y: bool = False
    smooth: float = 0.0
    clip: bool = False
    spread: str = bands.EACH
    groups: list[bands.Group] = field(default_factory=list)
    limits: tuple[float, float] | None = None
    zoom: tuple[float, float] | None = None
    cursor: float | None = None
    active: int = 0
    alone: bool = False

    def look(self) -> Look:
        """How they are drawn, to be kept for the next run that is opened."""
        return Look(self.x, self.log_y, self.smooth, self.clip, self.spread)

    def look_as(self, look: Look) -> None:
        """Be drawn as others were, as far as that makes sense here."""
        self.log_y, self.smooth, self.clip = look.log_y, look.smooth, look.clip
        if look.x.removeprefix("metric:") in (*_AXES, *self.metrics):
            self.x = look.x
        if len(self.rows) > 1:
            self.spread = look.spread

    def asked(self, row: int, key: str, smooth: float | None = None) -> Asked:
        return Asked(row, key, self.x, self.smooth if smooth is None else smooth)

    def shown(self, size: int) -> list[str]:
        """The metrics on the page that the active chart is on, of so many charts."""
        first = self.active // size * size
        return self.metrics[first : first + size]

    def wishes(self, book: SeriesBook, shown: Sequence[str]) -> list[Asked]:
        """What has to be fetched for these charts."""
        curves = [self.asked(row, key) for key in shown for row in self.rows]
        if self.smooth:
            curves += [self.asked(row, key, 0.0) for key in shown for row in self.rows]
        details = [detail for one in curves if (detail := self.detail(book, one)) is not None]
        return curves + details

    def detail(self, book: SeriesBook, asked: Asked) -> Asked | None:
        """What is asked for in place of a sample where only a part of it is shown: the steps of that part, widened, so
        that the next moves need no other. None where what is known tells all."""
        known = book.get(asked)
        if self.zoom is None or known is None or not known.sampled or not len(known):
            return None
        begin, end = (int(place) for place in np.searchsorted(known.x, self.zoom, "left"))
        part = known.steps[max(0, begin - 1) : end + 1]
        low, high = int(part.min()), int(part.max())
        grain = 1 << max(0, (high - low).bit_length() - 2)
        return asked._replace(steps=(low // grain * grain, (high // grain + 1) * grain))

    def best(self, book: SeriesBook, asked: Asked) -> Pyramid | None:
        """The most exact that is known of what is shown."""
        detail = self.detail(book, asked)
        found = book.get(detail) if detail is not None else None
        return found if found is not None and len(found) else book.get(asked)

    def scale(self, envelopes: Sequence[Envelope]) -> YRange | None:
        """The range of y that these are drawn in; None where there is nothing to draw."""
        found = y_range(envelopes, self.log_y, self.clip)
        if found is None or self.limits is None or (self.log_y and self.limits[0] <= 0):
            return found
        low, high = self.limits
        beyond = sum(int(((e.low < low) | (e.high > high)).sum()) for e in envelopes)
        return YRange(low, high, beyond, found.hidden)

    # -- the range of x

    def whole(self, book: SeriesBook, keys: Sequence[str]) -> tuple[float, float] | None:
        """From the first to the last x of what is known of these charts; None where nothing is."""
        spans = [span for key in keys for row in self.rows if (span := self._span(book, row, key)) is not None]
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None

    def _span(self, book: SeriesBook, row: int, key: str) -> tuple[float, float] | None:
        known = book.get(self.asked(row, key))
        if known is not None:
            return (float(known.x[0]), float(known.x[-1])) if len(known) else None
        coarse = self.coarse(book, row, key)
        return (coarse.first_step, coarse.last_step) if coarse is not None else None

    def coarse(self, book: SeriesBook, row: int, key: str) -> CoarseCurve | None:
        """What there is to draw by step until the series itself is here."""
        return book.coarse(row, key) if self.x == "step" else None

    def zoom_by(self, factor: float, whole: tuple[float, float]) -> None:
        """In (below 1) or out around the cursor; all the way out is all."""
        low, high = self.zoom or whole
        middle = self.cursor if self.cursor is not None and low <= self.cursor <= high else (low + high) / 2
        span = (high - low) * factor
        if span >= whole[1] - whole[0]:
            self.zoom = None
            return
        if span <= max(abs(low), abs(high), 1e-9) * 1e-9:
            return
        share = (middle - low) / (high - low) if high > low else 0.5
        begin = min(max(whole[0], middle - span * share), whole[1] - span)
        self.zoom = begin, begin + span

    def zoom_in(self, whole: tuple[float, float]) -> None:
        self.zoom_by(_ZOOM, whole)

    def zoom_out(self, whole: tuple[float, float]) -> None:
        self.zoom_by(1 / _ZOOM, whole)

    def move_cursor(self, by: float, whole: tuple[float, float]) -> None:
        """By a share of what is shown; what is zoomed goes along at the edges."""
        low, high = self.zoom or whole
        x = (self.cursor if self.cursor is not None else high) + by * (high - low)
        self.cursor = x = min(max(x, whole[0]), whole[1])
        if self.zoom is not None and not low <= x <= high:
            shift = (x - low) if x < low else (x - high)
            self.zoom = low + shift, high + shift

    def reset(self) -> None:
        """All of x again, no cursor."""
        self.zoom = self.cursor = None


def limits_of(text: str) -> tuple[float, float] | None:
    """`0.1 0.5` as a range of y; None for an empty text, which asks for what fits. Raises ValueError."""
    if not text.strip():
        return None
    low, high = (float(word) for word in text.replace(",", " ").split())
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(text)
    return low, high


def limits_wrong(text: str) -> str:
    """What is wrong with such a text; '' where nothing is."""
    try:
        limits_of(text)
    except ValueError:
        return "write two numbers, the lower first: 0.1 0.5"
    return ""


def widened(low: float, high: float) -> tuple[float, float]:
    """A range of x that can be drawn: a single x stands in the middle."""
    return (low, high) if high > low else (low - 0.5, high + 0.5)


@dataclass(frozen=True)
class YRange:
    """`clipped`: how many stretches reach beyond it; `hidden`: whether values at or below 0 have no place on it."""

    low: float
    high: float
    clipped: int = 0
    hidden: bool = False


def y_range(envelopes: Sequence[Envelope], log: bool, clip: bool) -> YRange | None:
    """What holds all of these curves, with a little room; with `clip` without the wildest 2 % at either end."""
    values = [array[~np.isnan(array)] for e in envelopes for array in (e.low, e.high)]
    every = np.concatenate(values) if values else np.empty(0)
    hidden = False
    if log:
        hidden = bool((every <= 0).any())
        every = every[every > 0]
    if not len(every):
        return None
    low, high = float(every.min()), float(every.max())
    clipped = 0
    if clip and len(every) >= 10:
        low, high = (float(one) for one in np.percentile(every, [_CLIP, 100 - _CLIP]))
        clipped = int(((every < low) | (every > high)).sum())
    if log:
        spare = (high / low) ** _SPARE if high > low else 2.0
        return YRange(low / spare, high * spare, clipped, hidden)
    spare = (high - low) * _SPARE if high > low else abs(high) * 0.1 or 1.0
    with np.errstate(over="ignore"):
        low, high = low - spare, high + spare
    if not math.isfinite(low) or not math.isfinite(high):
        low, high = float(every.min()), float(every.max())
    return YRange(low, high, clipped, hidden)


def coarse_envelope(curve: CoarseCurve, edges: NDArray[np.float64]) -> Envelope:
    """A coarse curve as if each of its points told of its whole bucket."""
    count = len(curve.low)
    width = (curve.last_step - curve.first_step + 1) / count
    middle = (edges[1:] + edges[:-1]) / 2
    place = np.floor((middle - curve.first_step + 0.5) / width)
    inside = (place >= 0) & (place < count)
    bucket = np.clip(place, 0, count - 1).astype(np.intp)
    low, high = (np.where(inside, one[bucket].astype(np.float64), np.nan) for one in (curve.low, curve.high))
    half = (low + high) / 2
    return Envelope(low, high, half, half, np.zeros(len(low), bool), inside.astype(np.intp))


def at(pyramid: Pyramid, x: float | None) -> tuple[float, float] | None:
    """The value that a series has at x (its last one there or before; None: its last), and the x it is of."""
    place = len(pyramid) - 1 if x is None else pyramid.nearest(x)
    if place < 0:
        return None
    return float(pyramid.y[place]), float(pyramid.x[place])
