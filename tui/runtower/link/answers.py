"""Histories and coarse curves as bytes, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from runtower.domain.series import CoarseCurve, MetricSeries

_ALIGN: Final = 8


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


def _bytes(values: np.ndarray[tuple[int], np.dtype[np.generic]], dtype: str) -> bytes:
    return np.ascontiguousarray(values, dtype).tobytes()
