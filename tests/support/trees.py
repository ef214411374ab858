"""Configs as hypothesis makes them: all that YAML can hold."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
SPACELESS = (
    "vit adam true False yes null none ??? 1e-3 0.001 1 01 1_0 inf nan .nan ~ [a] {a:1} a,b a=b ${x} ${oc.env:A} "
    "\\${x} it's \"q\" '' \\ \\\\ \\' \\\" (x) [ ] { } , : = # é 日本 choice(a,b) range(1,3) +a ~a a@b x/y *.pt -1 - "
    "1.e5 .5 $x a:b"
)
SPACED = ["", " ", "  a", "a  ", "a b", "a\nb", "\t", "a\tb", "\n", "a, b", "x }", "\u2028"]
QUOTED = ["'\\", '"\\', "\\'\"", "a'b\"c", "a\\\nb"]
WORDS = [*SPACELESS.split(), *SPACED, *QUOTED]
TEXTS = st.one_of(st.sampled_from(WORDS), st.text("ab'\"\\ ,:=[]{}()$\n\té?.+-~1e0", max_size=6), st.text(max_size=5))
NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2**53 + 1, 10**30, 0.0, -0.0, 1.0, 1e-3, 1e22, 1.5e-310, math.inf, -math.inf, math.nan]),
    st.integers(),
    st.floats(),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
NAMES = st.sampled_from(["a", "b", "c", "lr", "_target_", "x-1", "$y"])
ODD_NAMES = st.one_of(
    NAMES, st.sampled_from(["a b", "é", "a.b", "x/y", "1", "it's", "a:b", "", "null", "on", "[0]", "#"])
)


def trees(names: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
        max_leaves=8,
    )


def configs(names: st.SearchStrategy[Any] = ODD_NAMES) -> st.SearchStrategy[dict[Any, Any]]:
    return st.dictionaries(names, trees(names), max_size=5)
