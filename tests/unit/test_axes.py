"""Round numbers along an axis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtower.present.axes import labels, log_ticks, ticks


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 9))
def test_ticks_are_inside_and_not_too_many(low: float, span: float, most: int) -> None:
    high = low + span
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most
    assert found == sorted(found)
    if high > low:
        slack = (high - low) * 1e-6 + abs(low) * 1e-9
        assert all(low - slack <= one <= high + slack for one in found)


def test_ticks_of_a_logarithmic_axis() -> None:
    assert log_ticks(0.1, 3, 5) == pytest.approx([0.1, 0.2, 0.5, 1.0, 2.0])
    assert log_ticks(1e-6, 1e3, 5) == pytest.approx([1e-6, 1e-4, 1e-2, 1.0, 100.0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.0, 10.0, 20.0], ["0", "10", "20"]),
        ([0.0, 250.0, 500.0], ["0", "250", "500"]),
        ([0.0, 2e6, 4e6], ["0", "2M", "4M"]),
        ([0.1, 1.0, 10.0], ["0.1", "1.0", "10.0"]),
        ([1e-5, 2e-5], ["1e-05", "2e-05"]),
    ],
)
def test_labels_tell_the_ticks_apart(values: list[float], expected: list[str]) -> None:
    assert labels(values, 6) == expected
