"""YAML scalars as DVC's parser reads them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from dvc.utils.serialize import parse_yaml
from hypothesis import given
from hypothesis import strategies as st

from runtower.config.yaml_text import read_otherwise
from runtower.domain.errors import Invalid
from runtower.sources.dvc.yaml12 import plain

SCALARS = (
    "1e-3", "1e3", "1E+3", "010", "0o17", "0x1F", "0b101", "1_000", "-1_0.5", ".5", "-.5", "5.", ".inf", "-.INF",
    ".nan", "yes", "on", "True", "TRUE", "tRUE", "~", "null", "Null", "none", "1:30", "0.1.2", "+", "-", "1-2", "_1",
    "0x", "0b", "1__2", "+1", "-0", "1e", "e5", ".e5", "1.e5", "NaN", "inf", "2020-01-02", "2020-1", "08", "0o8", "=",
)  # fmt: skip


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other


def check(text: str) -> None:
    """What this reader reads, DVC's parser reads alike."""
    document = f"key: {text}\n"
    try:
        ours = read_otherwise(document, "x.yaml", plain)
    except Invalid:
        return  # DVC's parser is asked
    theirs = parse_yaml(document, "x.yaml")
    assert isinstance(ours, dict)
    assert same(ours["key"], theirs["key"]), (text, ours, theirs)


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar(text: str) -> None:
    check(text)


@given(st.text(st.sampled_from("0123456789+-._eExobn:aftrulinINF~ T"), min_size=1, max_size=10))
def test_any_scalar(text: str) -> None:
    if text.strip() == text and ": " not in text and not text.startswith(("- ", ": ", "? ")) and text not in "-?:":
        check(text)


@pytest.mark.parametrize("text", ["!!float 1", "!mine x", "2020-01-02", "a: 1\na: 2", "a\n---\nb"])
def test_what_it_leaves_to_dvc(text: str) -> None:
    with pytest.raises(Invalid):
        read_otherwise(f"key: {text}\n" if "\n" not in text else text, "x.yaml", plain)
