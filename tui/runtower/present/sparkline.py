"""A history as one line of eighth blocks. One scale for a column lets rows be compared by eye."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from runtower.domain.series import CoarseCurve
from runtower.present.glyphs import Glyphs


@dataclass(frozen=True, slots=True)
class Scale:
    """What the left and right end and the bottom and top of a sparkline stand for: steps, and the metric's values."""

    first_step: int
    last_step: int
    low: float
    high: float


def common_scale(curves: Iterable[CoarseCurve]) -> Scale | None:
    """One scale for all of them: every step, and the values of all but the wildest 2 % of buckets at either end."""
    curves = list(curves)
    lows = sorted(v for curve in curves for v in curve.low.tolist() if math.isfinite(v))
    highs = sorted(v for curve in curves for v in curve.high.tolist() if math.isfinite(v))
    if not lows:
        return None
    spare = len(lows) // 50
    return Scale(
        min(curve.first_step for curve in curves),
        max(curve.last_step for curve in curves),
        lows[spare],
        highs[len(highs) - 1 - spare],
    )


def sparkline(curve: CoarseCurve, width: int, scale: Scale | None, glyphs: Glyphs) -> str:
    """The curve in `width` cells: the middle of each bucket's low and high, a gap where no point is, `×` where a run
    logged NaN or an infinity and nothing else at its end."""
    scale = scale or common_scale([curve])
    if width <= 0:
        return ""
    if scale is None:
        return (glyphs.odd if curve.odd else "").ljust(width)[:width]
    values = _resampled(curve, width, scale)
    span = scale.high - scale.low
    levels = len(glyphs.spark) - 1
    out = []
    for value in values:
        if value is None:
            out.append(" ")
            continue
        height = 0.5 if span <= 0 else min(1.0, max(0.0, (value - scale.low) / span))
        out.append(glyphs.spark[round(height * levels)])
    text = "".join(out)
    if curve.odd:
        end = len(text.rstrip())
        text = (text[:end] + glyphs.odd).ljust(width)[:width] if end < width else text[:-1] + glyphs.odd
    return text


def _resampled(curve: CoarseCurve, width: int, scale: Scale) -> list[float | None]:
    """The curve's buckets put into `width` equal cells of the scale's steps; a hole between points is bridged."""
    lows, highs = curve.low.tolist(), curve.high.tolist()
    buckets = len(lows)
    steps = max(1, scale.last_step - scale.first_step + 1)
    reach = curve.last_step - curve.first_step + 1
    cells: list[list[float]] = [[] for _ in range(width)]
    for bucket in range(buckets):
        if not (math.isfinite(lows[bucket]) and math.isfinite(highs[bucket])):
            continue
        middle = (lows[bucket] + highs[bucket]) / 2
        start = curve.first_step + reach * bucket / buckets - scale.first_step
        stop = curve.first_step + reach * (bucket + 1) / buckets - scale.first_step
        first = min(width - 1, max(0, int(start * width / steps)))
        last = min(width - 1, max(first, math.ceil(stop * width / steps) - 1))
        for cell in range(first, last + 1):
            cells[cell].append(middle)
    known = [sum(cell) / len(cell) if cell else None for cell in cells]
    filled = [place for place, value in enumerate(known) if value is not None]
    if filled:
        held = known[filled[0]]
        for place in range(filled[0], filled[-1] + 1):
            held = known[place] if known[place] is not None else held
            known[place] = held
    return known
