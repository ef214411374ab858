"""Histories, coarse curves and pyramids as bytes, and back."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from runtower.domain.pyramid import FACTOR, Level, Pyramid, points_of
from runtower.domain.series import CoarseCurve, MetricSeries

_ALIGN: Final = 8
Buffer = bytes | mmap.mmap


class _Curve(msgspec.Struct, array_like=True):
    run_id: str
    low: bytes
    high: bytes
    first_step: int
    last_step: int
    points: int
    odd: int
    sampled: bool = False


def pack_series(series: MetricSeries) -> bytes:
    """Steps, times and values one after the other, little-endian, 8 bytes each."""
    return b"".join((_bytes(series.steps, "<i8"), _bytes(series.times, "<i8"), _bytes(series.values, "<f8")))


def unpack_series(run_id: str, key: str, data: bytes) -> MetricSeries:
    """The inverse of `pack_series`. Raises ValueError."""
    points, rest = divmod(len(data), 3 * _ALIGN)
    if rest:
        raise ValueError("a history is cut short")
    return MetricSeries(
        run_id,
        key,
        np.frombuffer(data, "<i8", points),
        np.frombuffer(data, "<i8", points, points * _ALIGN),
        np.frombuffer(data, "<f8", points, 2 * points * _ALIGN),
    )


def pack_curves(curves: Sequence[CoarseCurve]) -> bytes:
    """Coarse curves as msgpack, their buckets as little-endian float32."""
    return msgspec.msgpack.encode(
        [
            _Curve(
                c.run_id,
                _bytes(c.low, "<f4"),
                _bytes(c.high, "<f4"),
                c.first_step,
                c.last_step,
                c.points,
                c.odd,
                c.sampled,
            )
            for c in curves
        ]
    )


def unpack_curves(data: bytes) -> list[CoarseCurve]:
    """The inverse of `pack_curves`. Raises ValueError."""
    return [
        CoarseCurve(
            c.run_id,
            np.frombuffer(c.low, "<f4"),
            np.frombuffer(c.high, "<f4"),
            c.first_step,
            c.last_step,
            c.points,
            c.odd,
            c.sampled,
        )
        for c in msgspec.msgpack.decode(data, type=list[_Curve])
    ]


def pack_pyramid(pyramid: Pyramid) -> bytes:
    """The number of points as int64, negative (-1 - n) for a sample; x, y and steps; lows and highs of each level above
    the points; their odd flags, one byte each. Little-endian."""
    above = pyramid.levels[1:]
    numbers = [_bytes(array, "<f8") for level in above for array in (level.low, level.high)]
    flags = [_bytes(level.odd, "u1") for level in above]
    count = len(pyramid)
    head = (-1 - count if pyramid.sampled else count).to_bytes(_ALIGN, "little", signed=True)
    return b"".join(
        (head, _bytes(pyramid.x, "<f8"), _bytes(pyramid.y, "<f8"), _bytes(pyramid.steps, "<i8"), *numbers, *flags)
    )


def unpack_pyramid(data: Buffer) -> Pyramid:
    """The inverse of `pack_pyramid`, over the same memory. Raises ValueError."""
    whole = memoryview(data)
    count = int.from_bytes(whole[:_ALIGN], "little", signed=True)
    sampled = count < 0
    count = -1 - count if sampled else count
    sizes = [count]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // FACTOR))
    blocks = sum(sizes[1:])
    if len(whole) != _ALIGN * (1 + 3 * count + 2 * blocks) + blocks:
        raise ValueError("a curve is cut short")
    numbers = np.frombuffer(whole, "<f8", 3 * count + 2 * blocks, _ALIGN)
    flags = np.frombuffer(whole, np.bool_, blocks, len(whole) - blocks) if blocks else np.empty(0, bool)
    x, y, steps = numbers[:count], numbers[count : 2 * count], numbers[2 * count : 3 * count].view("<i8")
    levels, at, flag = [points_of(y)], 3 * count, 0
    for size in sizes[1:]:
        low, high = numbers[at : at + size], numbers[at + size : at + 2 * size]
        levels.append(Level(low, high, flags[flag : flag + size]))
        at, flag = at + 2 * size, flag + size
    return Pyramid(x, y, steps, tuple(levels), sampled)


def _bytes(values: np.ndarray[tuple[int], np.dtype[np.generic]], dtype: str) -> bytes:
    return np.ascontiguousarray(values, dtype).tobytes()
