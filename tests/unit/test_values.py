"""Missing, NaN and the infinities are four things; texts spell numbers or don't."""

from __future__ import annotations

import math

import pytest

from runtower.domain.values import MISSING, is_missing, natural_key, number_of


def test_missing_is_a_nan_of_its_own() -> None:
    assert math.isnan(MISSING)
    assert is_missing(MISSING)
    assert not is_missing(math.nan)
    assert not is_missing(-math.nan)
    assert not is_missing(math.inf)
    assert not is_missing(0.0)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-3", 0.001),
        ("0.001", 0.001),
        (" .001", 0.001),
        ("+7", 7.0),
        ("-1.", -1.0),
        ("1E5", 100_000.0),
        ("1e999", math.inf),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1_000", None),
        ("", None),
        ("vit", None),
        ("0x10", None),
        ("1e", None),
        (".", None),
        ("1 2", None),
        ("True", None),
        ("[1]", None),
    ],
)
def test_the_number_a_text_spells(text: str, number: float | None) -> None:
    assert number_of(text) == number


def test_nan_is_spelled_in_any_case() -> None:
    for text in ("nan", "NaN", " NAN "):
        number = number_of(text)
        assert number is not None
        assert math.isnan(number)
        assert not is_missing(number)


def test_natural_order_counts_digits_as_numbers_and_folds_case() -> None:
    names = ["run-10", "Run-9", "run-1", "alpha", "run-09b", "2", "10"]
    assert sorted(names, key=natural_key) == ["2", "10", "alpha", "run-1", "Run-9", "run-09b", "run-10"]
