"""What a source's process makes of a history before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from runtower.domain.errors import Invalid
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.link.drawing import Drawing
from runtower.link.wire import Curve

HISTORIES = {
    "loss": ([0, 1, 2, 2, 3], [2000, 3000, 4000, 4500, 6000], [4.0, 3.0, 2.0, 1.0, np.nan]),
    "epoch": ([1, 3], [3000, 6000], [0.0, 1.0]),
}


class Histories:
    def history(self, run_id: str, key: str) -> MetricSeries:
        steps, times, values = HISTORIES[key]
        return MetricSeries(run_id, key, np.array(steps), np.array(times), np.array(values))

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = 32) -> Sequence[CoarseCurve]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("step", [0, 1, 2, 2, 3]),
        ("time", [2, 3, 4, 4.5, 6]),
        ("relative", [0, 1, 2, 2.5, 4]),
        ("metric:epoch", [0, 0, 0, 1]),
    ],
)
def test_x_is_what_was_asked_for(x: str, expected: list[float]) -> None:
    pyramid = Drawing().curve(Histories(), Curve("r", "loss", x))
    assert pyramid.x.tolist() == expected
    assert len(pyramid.y) == len(pyramid.steps) == len(expected)
    assert pyramid.steps.tolist()[-4:] == [1, 2, 2, 3]


def test_a_smoothed_curve_keeps_its_gaps() -> None:
    pyramid = Drawing().curve(Histories(), Curve("r", "loss", smooth=0.5))
    np.testing.assert_allclose(pyramid.y[:4], [4.0, 10 / 3, 2.5714285714, 1.7333333333])
    assert np.isnan(pyramid.y[4])


def test_another_x_is_an_error() -> None:
    with pytest.raises(Invalid, match="no x axis"):
        Drawing().curve(Histories(), Curve("r", "loss", "elapsed"))
