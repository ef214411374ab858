"""Line charts as text: what was drawn is what is there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtower_widgets.plot import BELOW, GUTTER, Picture, Trace, dot_columns, dots_of, draw

VALUES = st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=1, max_size=40)


def trace(values: list[float], tone: str = "", label: str = "") -> Trace:
    one = np.array(values, float)
    return Trace(one, one, one, one, np.zeros(len(one), bool), tone, label=label)


def text(picture: Picture, width: int, height: int) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in draw(picture, width, height)]


@settings(max_examples=200)
@given(VALUES)
def test_every_value_has_its_dot_and_the_line_goes_on(values: list[float]) -> None:
    rows = 32
    scale = (1000 * (rows - 1) / 2000, (rows - 1) / 2000, False)
    dots = dots_of(trace(values), scale, rows)
    there = [place for place, value in enumerate(values) if not math.isnan(value)]
    for place in there:
        assert dots[round((1000 - values[place]) * (rows - 1) / 2000), place]
    for place in range(there[0], there[-1]) if there else ():
        lower, upper = np.flatnonzero(dots[:, place]), np.flatnonzero(dots[:, place + 1])
        assert lower.max() >= upper.min() - 1
        assert upper.max() >= lower.min() - 1


def test_a_column_of_odd_points_interrupts_the_line() -> None:
    broken = trace([1.0, math.nan, 1.0])
    broken.odd[1] = True
    assert not dots_of(broken, (3.0, 1.0, False), 8)[:, 1].any()
    assert dots_of(trace([1.0, math.nan, 1.0]), (3.0, 1.0, False), 8)[:, 1].any()


@pytest.mark.parametrize(("width", "height"), [(20, 5), (60, 14), (190, 50)])
@pytest.mark.parametrize("plain", [True, False])
def test_lines_have_the_width_that_was_asked_for(width: int, height: int, plain: bool) -> None:
    values = np.linspace(3, -3, dot_columns(width)).tolist()
    lines = text(Picture((0, 9), (-3, 3), [trace(values)], cursor=4, plain=plain), width, height)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}
    assert all(line.isascii() for line in lines) == plain
    assert lines[0][GUTTER].strip()
    assert lines[-1 - BELOW][-1].strip()


def test_no_room_is_no_chart() -> None:
    assert draw(Picture((0, 1), (0, 1)), GUTTER + 3, 20) == []
    assert draw(Picture((0, 1), (0, 1)), 40, 3) == []


def test_the_first_trace_lies_on_top() -> None:
    width = GUTTER + 6
    flat = [0.5] * dot_columns(width)
    lines = draw(Picture((0, 1), (0, 1), [trace(flat, "one"), trace(flat, "two")]), width, 6)
    tones = {tone for line in lines for piece, tone in line if set(piece) & set("⠤⠒⠉⣀⠶⠛")}
    assert tones == {"one"}


def test_a_legend_goes_where_no_line_is() -> None:
    width, legend = 60, [[("1 one", "a")], [("2 two", "b")]]
    falling = np.linspace(1, 0, dot_columns(width)).tolist()
    lines = text(Picture((0, 1), (0, 1), [trace(falling)], legend=legend), width, 12)
    assert lines[0].rstrip().endswith("1 one")
    assert lines[1].rstrip().endswith("2 two")
    lines = text(Picture((0, 1), (0, 1), [trace(falling[::-1])], legend=legend), width, 12)
    assert lines[-2 - BELOW].rstrip().endswith("1 one")


def test_labels_stand_at_the_ends_of_lines_and_beside_each_other() -> None:
    width = 40
    flat, short = [0.5] * dot_columns(width), [0.9] * 20 + [np.nan] * (dot_columns(width) - 20)
    traces = [trace(flat, label="1"), trace(flat, label="12"), trace(short, label="3")]
    lines = text(Picture((0, 1), (0, 1), traces), width, 10)
    middle = next(line for line in lines if "1" in line)
    assert middle.endswith("121")
    assert next(line for line in lines if "3" in line).index("3") == GUTTER + 9
