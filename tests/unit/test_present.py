"""Golden lines: states, times, numbers, curves, and text from outside."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runtower.domain.series import CoarseCurve
from runtower.present.glyphs import ASCII, UNICODE
from runtower.present.numbers import NumberFormat, exact, format_for, mean_and_spread
from runtower.present.spans import inert, padded, plain, shortened
from runtower.present.sparkline import sparkline
from runtower.present.states import children, state
from runtower.present.times import ago, clock, duration, iso

NOW = datetime(2025, 6, 18, 15, 0, tzinfo=UTC).timestamp() * 1000


@pytest.mark.parametrize(
    ("status", "wide", "narrow", "ascii_"),
    [
        ("RUNNING", "▶ run", "▶R", "> run"),
        ("FINISHED", "✓ ok", "✓D", "v ok"),
        ("FAILED", "✗ fail", "✗F", "x fail"),
        ("KILLED", "■ kill", "■K", "# kill"),
        ("SCHEDULED", "… wait", "…Q", ". wait"),
        (None, "? ?", "?", "? ?"),
    ],
)
def test_states_in_words(status: str | None, wide: str, narrow: str, ascii_: str) -> None:
    assert state(status, None, UNICODE)[0] == wide
    assert state(status, None, UNICODE, narrow=True)[0] == narrow
    assert state(status, None, ASCII)[0] == ascii_


def test_a_state_only_the_source_knows_is_said_in_its_word() -> None:
    assert state("UNKNOWN", "quiet", UNICODE)[0] == "? quiet"


def test_a_parent_counts_its_children() -> None:
    counts = {"RUNNING": 1, "FAILED": 2, "FINISHED": 12}
    assert plain(children(counts, UNICODE)) == "1▶ 12✓ 2✗"
    assert plain(children(counts, UNICODE, narrow=True)) == "1▶12✓2✗"
    assert plain(children({}, UNICODE)) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-300, "in 5m"),
        (-30, "now"),
        (59, "now"),
        (8 * 60, "8m ago"),
        (2 * 3600, "2h ago"),
        (24 * 3600, "yesterday"),
        (3 * 86400, "3d ago"),
        (98 * 86400, "12 Mar"),
        (463 * 86400, "12 Mar 24"),
    ],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    assert ago(NOW - seconds * 1000, NOW, UTC) == said


@pytest.mark.parametrize(
    ("ms", "said"),
    [(400, "0.4s"), (12_000, "12s"), (500_000, "8m20"), (1_500_000, "25m"), (7_500_000, "2h05"), (-1, "?")],
)
def test_durations(ms: float, said: str) -> None:
    assert duration(ms) == said


def test_times_of_day_and_for_files() -> None:
    assert clock(NOW, NOW, UTC) == "15:00"
    assert clock(NOW - 86_400_000, NOW, UTC) == "yesterday 15:00"
    assert clock(NOW - 10 * 86_400_000, NOW, UTC) == "8 Jun 15:00"
    assert clock(1e300, NOW, UTC) == "?"
    assert ago(-1e300, NOW, UTC) == "?"
    assert iso(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.2114, 0.2207, math.nan], ["0.2114", "0.2207", "NaN"]),
        ([0.5, 0.25], ["0.50", "0.25"]),
        ([12.0, 8.0, math.inf], ["12", "8", "inf"]),
        ([3.1e-5, 2e-6], ["3.10e-05", "2.00e-06"]),
        ([2e9, 3.0], ["2e+09", "3e+00"]),
        ([-0.125, 0.5], ["-0.125", "0.500"]),
    ],
)
def test_numbers_of_a_column(values: list[float], texts: list[str]) -> None:
    number_format = format_for(values)
    assert [number_format.text(value) for value in values] == texts


@given(st.lists(st.floats(), max_size=8))
def test_any_numbers_are_written(values: list[float]) -> None:
    number_format = format_for(values)
    assert isinstance(number_format, NumberFormat)
    assert all(number_format.text(value) and exact(value) for value in values)


def curve(values: list[float], odd: int = 0) -> CoarseCurve:
    numbers = np.array(values, np.float32)
    return CoarseCurve("r", numbers, numbers, 0, len(values) - 1, len(values) + odd, odd)


def test_sparklines() -> None:
    falling = curve([8, 7, 6, 5, 4, 3, 2, 1])
    assert sparkline(falling, 8, None, UNICODE) == "█▇▆▅▄▃▂▁"
    assert sparkline(falling, 8, None, ASCII) == "#*+=-,._"
    assert sparkline(curve([2, 1, math.nan, 1]), 4, None, UNICODE) == "█▁▁▁"
    assert sparkline(curve([5, 5]), 4, None, UNICODE) in ("▄▄▄▄", "▅▅▅▅")
    assert sparkline(curve([math.nan], odd=1), 4, None, UNICODE) == "×   "
    assert sparkline(falling, 0, None, UNICODE) == ""


HOSTILE = ["\x1b[31mred", "two\nlines", "\u202eleft", "a\x00b", "zero\u200bwidth", "\x9b31m", "tab\there"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_only_shows(text: str) -> None:
    shown = inert(text)
    assert shown.isprintable()
    assert len(shown) == len(text)


@given(st.text(max_size=30), st.integers(0, 20))
def test_text_is_cut_and_padded_to_its_cells(text: str, width: int) -> None:
    shown = inert(text)
    assert cell_len(shortened(shown, width)) <= width
    assert cell_len(padded(shown, width)) == width


def test_long_names_keep_their_telling_end() -> None:
    assert shortened("model=vit,optim.lr=0.0003", 13) == "model…=0.0003"
    assert shortened("short", 12) == "short"
    assert inert("[bold]x[/bold]") == "[bold]x[/bold]"


@pytest.mark.parametrize(
    ("mean", "std", "decimals", "width", "said"),
    [
        (0.2391, 0.0121, 4, 14, "0.2391 ±0.0121"),
        (0.2391, 0.0121, 4, 13, "0.2391±0.0121"),
        (0.2391, 0.0121, 4, 12, "0.2391±.0121"),
        (0.2391, 0.0121, 4, 10, "0.239±.012"),
        (0.2391, math.nan, 4, 12, "0.2391"),
        (12.0, 3.0, 0, 12, "12 ±3"),
        (123456.0, 789.0, 0, 7, "123456"),
        (123456.0, 789.0, 0, 5, ""),
        (math.nan, math.nan, 4, 12, ""),
    ],
)
def test_a_mean_and_its_spread_in_what_room_there_is(
    mean: float, std: float, decimals: int, width: int, said: str
) -> None:
    assert mean_and_spread(mean, std, NumberFormat(decimals), width, "±") == said


def test_a_small_mean_keeps_its_exponent() -> None:
    assert mean_and_spread(3.12e-5, 1.2e-6, NumberFormat(2, True), 12, "±") == "3e-05 ±1e-06"
