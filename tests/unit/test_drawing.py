"""What a source's process makes of a history before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from runtower.domain.errors import Invalid
from runtower.domain.series import CoarseCurve, MetricSeries
from runtower.link.drawing import Drawing
from runtower.link.wire import Curve

LAST = 2**63 - 1
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


class Sampling(Histories):
    """A source that gives at most four points: `asked` is what it was asked for."""

    def __init__(self) -> None:
        self.steps = list(range(6))
        self.asked: list[tuple[int, int] | None] = []

    def sample(self, run_id: str, key: str, steps: tuple[int, int] | None) -> MetricSeries:
        self.asked.append(steps)
        low, high = steps or (0, LAST)
        found = [step for step in self.steps if low <= step <= high]
        sampled = len(found) > 4
        if sampled:
            found = [found[place * (len(found) - 1) // 3] for place in range(4)]
        array = np.array(found, np.int64)
        return MetricSeries(run_id, key, array, array * 1000, array.astype(float), sampled)


def steps_of(drawing: Drawing, source: Sampling, curve: Curve) -> tuple[list[int], bool]:
    pyramid = drawing.curve(source, curve)
    return pyramid.steps.tolist(), pyramid.sampled


def test_a_sample_grows_by_its_tail_and_a_stretch_of_it_is_exact() -> None:
    source, drawing = Sampling(), Drawing()
    assert steps_of(drawing, source, Curve("r", "loss")) == ([0, 1, 3, 5], True)
    source.steps += [5, 6]
    assert steps_of(drawing, source, Curve("r", "loss")) == ([0, 1, 3, 5, 5, 6], True), "the last step again, whole"
    assert steps_of(drawing, source, Curve("r", "loss", steps=(2, 4))) == ([2, 3, 4], False)
    assert drawing.curve(source, Curve("r", "loss", "relative", steps=(2, 4))).x.tolist() == [2, 3, 4]
    assert source.asked[:3] == [None, (5, LAST), (2, 4)]


def test_a_tail_that_is_too_long_is_not_joined_and_late_points_come_in_the_end() -> None:
    source, drawing = Sampling(), Drawing()
    source.steps = [0, 10]
    assert steps_of(drawing, source, Curve("r", "loss")) == ([0, 10], False)
    source.steps += range(11, 20)
    assert steps_of(drawing, source, Curve("r", "loss")) == ([0, 12, 15, 19], True)
    source.steps = [0, 10]
    drawing, source.asked = Drawing(), []
    steps_of(drawing, source, Curve("r", "loss"))
    source.steps = [0, 5, 10]
    seen = [steps_of(drawing, source, Curve("r", "loss")) for _ in range(21)]
    assert seen[0] == ([0, 10], False)
    assert seen[-1] == ([0, 5, 10], False)


def test_whole_is_whole() -> None:
    source = Sampling()
    pyramid = Drawing().curve(source, Curve("r", "loss", whole=True))
    assert (len(pyramid), pyramid.sampled, source.asked) == (5, False, [])
