"""What Arrow does in bulk says what the domain says of one text."""

from __future__ import annotations

import math
import string

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runtower.catalog.words import column_order, natural, numbers_of, sorted_words
from runtower.domain.values import is_missing, natural_key, number_of

NUMBERISH = st.one_of(
    st.text(alphabet=string.digits + "eE+-._ ", max_size=8),
    st.floats().filter(lambda value: not math.isnan(value)).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["nan", "NaN", "inf", "-inf", "+Infinity", "INF", " nan ", "infinit", "vit", ""]),
)
NAMES = st.text(alphabet="aAbzé0123456789", max_size=12)


@given(st.lists(NUMBERISH, max_size=20))
@example(["1.", ".5", "1e400", "1e-400", "+.5", "-0"])
def test_words_spell_the_numbers_that_the_domain_reads(words: list[str]) -> None:
    found = numbers_of(pa.array(words, pa.string())).tolist()
    for word, value in zip(words, found, strict=True):
        expected = number_of(word)
        if expected is None:
            assert is_missing(value), word
        elif math.isnan(expected):
            assert math.isnan(value), word
            assert not is_missing(value), word
        else:
            assert value == expected, word


@given(st.lists(NAMES, max_size=30))
def test_the_order_of_texts_is_the_natural_one(words: list[str]) -> None:
    keys = natural(pa.array(words, pa.string())).to_pylist()
    by_bulk = [word for _, word in sorted(zip(keys, words, strict=True), key=lambda pair: pair[0])]
    by_domain = sorted(words, key=natural_key)
    assert [natural_key(word) for word in by_bulk] == [natural_key(word) for word in by_domain]


@pytest.mark.parametrize(
    ("words", "ordered"),
    [
        (["b10", "b9", "nan", "10", "9", "-inf", "A"], ["-inf", "9", "10", "A", "b9", "b10", "nan"]),
        (["v1.10", "v1.9", "v1.2b"], ["v1.2b", "v1.9", "v1.10"]),
        (["x" + "0" * 30 + "2", "x1", "x3"], ["x1", "x" + "0" * 30 + "2", "x3"]),
        ([], []),
    ],
)
def test_a_columns_order_is_numbers_then_text_then_nan(words: list[str], ordered: list[str]) -> None:
    array = pa.array(words, pa.string())
    order = column_order(array, numbers_of(array))
    assert [words[place] for place in order.tolist()] == ordered


@given(st.lists(st.one_of(st.none(), NUMBERISH, NAMES), max_size=20))
def test_a_sorted_dictionary_says_the_same_cells(cells: list[str | None]) -> None:
    array = pa.array(cells, pa.string())
    places = np.arange(len(cells), dtype=np.int32)
    places[[place for place, cell in enumerate(cells) if cell is None]] = -1
    codes, words, _, _ = sorted_words(array, np.zeros(len(cells), np.uint8), places)
    spelled = [*words.to_pylist(), None]
    assert [spelled[code] for code in codes.tolist()] == cells
    assert len(set(words.to_pylist())) == len(words)
