"""YAML is read as OmegaConf reads it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from runtower.config.yaml_text import read_text
from runtower.domain.errors import Invalid

SCALARS = """\
1e-3 1E-3 1e5 1e+5 1.5e3 1.5e+3 .5 .5e3 .5e+3 5. -5. +5 -0 0 00 010 08 0x1F 0b101 0b1_0 1_000 1_0.5 _1 1_ 1:30 1:30.5
190:20:30 .inf -.inf +.INF .nan .NaN nan inf yes Yes YES no y n Y N on Off On true True TRUE tRue null Null NULL ~ ???
2024-01-02 2024-01-02T03:04:05Z 2024-01-02T03:04:05 12:30:45 0o17 1e 1e- e5 1.e5 1.2.3 1-2 - -- +.5 -.5e-3 .e5 0x 0b
99999999999999999999999999 1e400 -1e400 0.1 1.0 ${a} ${oc.env:HOME} a.b a/b <<x =x vit-b16 12e03 1__0 1_.5 6e-5
"""


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)


def theirs(text: str) -> Any:
    return OmegaConf.to_container(OmegaConf.create(text), resolve=False)


@pytest.mark.parametrize("scalar", SCALARS.split())
def test_a_plain_scalar_is_what_omegaconf_makes_of_it(scalar: str) -> None:
    text = f"a: {scalar}\nb: [x]\n"
    try:
        expected = theirs(text)
    except (ValueError, yaml.YAMLError):
        with pytest.raises(Invalid):
            read_text(text, "c.yaml")
        return
    assert same(read_text(text, "c.yaml"), expected), (read_text(text, "c.yaml"), expected)


@given(st.text("0123456789_.:+-eExob infNatrueysol~", min_size=1, max_size=9))
@example("1_0e1_0")
def test_any_scalar_is_what_omegaconf_makes_of_it(scalar: str) -> None:
    text = f"a: {scalar}\n"
    try:
        expected = theirs(text)
    except Exception:  # whatever it fails with, we don't read it as something else
        try:
            read_text(text, "c.yaml")
        except Invalid:
            pass
        return
    if isinstance(expected, dict):
        assert same(read_text(text, "c.yaml"), expected)


@pytest.mark.parametrize(
    "text",
    [
        "a: {b: [1, {c: 2}], d: {}}\ne: []\nf:\n",
        "a: '1'\nb: \"x\\ty\"\nc: |\n  one\n  two\nd: >-\n  one\n  two\n",
        "base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}\ntwo: {<<: [{x: 5}, *b]}\nlist: [*b, *b]\n",
        "1: a\n2.5: b\nfalse: c\n",
        "a: !!str 5\nb: !!int '7'\nc: !!float '1'\nd: !!bool 'yes'\ne: !!null ''\n",
        "# nothing\n",
        'a: ${b.c}\nb: {c: "${d}"}\nc: ${d}\n',
        "é: 'ü'\n日本: \"\\u2028\"\n",
    ],
)
def test_documents(text: str) -> None:
    assert same(read_text(text, "c.yaml"), theirs(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "c.yaml, line 2: the key a is there twice."),
        ("a: 1\nb: [1\nc: 2\n", "c.yaml, line 3: this is no YAML"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document begins"),
        ("- 1\n- 2\n", "c.yaml holds a list, no config."),
        ("5", "c.yaml holds a single value, no config."),
        ("a: !!python/object/apply:os.system ['true']\n", "line 1: the tag"),
        ("a: *b\n", "line 1: nothing before this is called &b."),
        ("a: &a [*a]\n", "line 1: nothing before this is called &a."),
        ("a: {[1]: 2}\n", "line 1: a list or a map can't be a key."),
        ("a: " + "[" * 500 + "]" * 500, "nested more than 200 times"),
        ("a: 1\n\x00b: 2", "c.yaml is no YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_text(text, "c.yaml")
    assert said in caught.value.tried


def test_aliases_of_aliases_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(Invalid, match="holds more than 2,000,000 values"):
        read_text("\n".join(lines), "c.yaml")


def test_json_is_json() -> None:
    assert read_text('{"a": {"b": [1, 1.5, null, true, "1e-3"]}}', "c.json") == {
        "a": {"b": [1, 1.5, None, True, "1e-3"]}
    }
    for text, said in (('{"a": 1,}', "line 1: this is no JSON"), ('{"a": 1, "a": 2}', "the key a is there twice")):
        with pytest.raises(Invalid, match=said):
            read_text(text, "c.json")


def test_a_path_of_python_is_its_text() -> None:
    text = "a: !!python/object/apply:pathlib.PosixPath [/, data, x]\n"
    assert read_text(text, "c.yaml") == {"a": str(theirs(text)["a"])}
