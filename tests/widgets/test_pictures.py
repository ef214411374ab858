"""Scatter plots and histograms have the room they were given, and nothing but ASCII where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from runtower_widgets.pictures import Ruled, bars, scatter

X, Y = np.linspace(0, 10, 2000), np.linspace(0, 1, 2000) ** 2


def ruled(plain: bool = False) -> Ruled:
    return Ruled((0, 10), (0, 1), [(0, "0"), (5, "five"), (10, "10")], [(0, "0"), (1, "1")], plain)


def text(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in lines]


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(("width", "height"), [(40, 10), (120, 34)])
def test_lines_have_the_width_that_was_asked_for(width: int, height: int, plain: bool) -> None:
    for lines in (
        scatter(X, Y, ruled(plain), width, height, "series-1"),
        bars([1, 0, 5], [0, 3, 6, 9], ruled(plain), width, height, "series-1"),
    ):
        assert {len(line) for line in text(lines)} == {width}
        assert len(lines) == height
        assert all(line.isascii() for line in text(lines)) == plain
        assert "five" in "\n".join(text(lines))


def test_points_lie_where_they_should() -> None:
    lines = text(scatter(X, Y, ruled(), 120, 40, "series-1"))
    drawn = [[place for place, char in enumerate(line) if "\u2800" < char <= "\u28ff"] for line in lines]
    first, last = next(one for one in drawn if one), [one for one in drawn if one][-1]
    assert max(first) > 110, "the greatest stands at the right, on top"
    assert min(last) < 8


def test_only_what_is_drawn_has_the_tone() -> None:
    pieces = [piece for line in scatter(X, Y, ruled(), 60, 20, "series-1") for piece in line]
    assert {tone for _, tone in pieces} == {"dim", "series-1"}
    assert not any(char.isalnum() for text, tone in pieces if tone == "series-1" for char in text)


def test_a_few_points_are_large() -> None:
    assert "●" in "".join(text(scatter(X[::200], Y[::200], ruled(), 60, 20, "")))
    assert "o" in "".join(text(scatter(X[::200], Y[::200], ruled(plain=True), 60, 20, "")))


def test_one_point_and_bars_of_nothing() -> None:
    one = np.array([5.0])
    assert len(scatter(one, one / 10, ruled(), 40, 10, "")) == 10
    assert len(bars([0, 0], [0, 1, 2], ruled(), 40, 10, "")) == 10
