"""A run keeps its colour, as long as the eight runs beside it can be told apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtower.acts.run_colours import COLOURS, RunColours
from runtower.domain.runs import RunKey


def keys(*numbers: int) -> list[RunKey]:
    return [RunKey("lab", f"r{number}") for number in numbers]


def test_a_run_has_its_colour_again() -> None:
    colours = RunColours()
    assert colours.of(keys(1, 2, 3)) == [0, 1, 2]
    assert colours.of(keys(3, 4, 1)) == [2, 1, 0]
    assert colours.of(keys(2)) == [1]
    two, four = colours.of(keys(2, 4))
    assert two == 1
    assert four != two, "both had the second one, apart"
    assert colours.of(keys(1, 2, 3)) == [0, 1, 2]


@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=20, unique=True), min_size=1, max_size=6))
def test_the_first_eight_are_told_apart(pages: list[list[int]]) -> None:
    colours = RunColours()
    for page in pages:
        found = colours.of(keys(*page))
        assert len(found) == len(page)
        for place in range(0, len(page), COLOURS):
            part = found[place : place + COLOURS]
            assert len(set(part)) == len(part)
