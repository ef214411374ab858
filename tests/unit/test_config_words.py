"""Values as text read back as the same values, here and by OmegaConf."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from support.trees import PATIENT, configs

from runtower.acts.config_diff import compared, without
from runtower.config.diff import diff
from runtower.config.resolving import Broken
from runtower.config.rows import UNSET
from runtower.config.same import canonical
from runtower.config.tree import Config
from runtower.config.words import said, yaml_of, yaml_of_changes
from runtower.config.yaml_text import read_text


@PATIENT
@given(configs())
@example({"a": "\x85"})
@example({"é": "\u202e"})
def test_yaml_is_read_back(tree: dict[Any, Any]) -> None:
    text = yaml_of(tree)
    assert canonical(read_text(text, "c.yaml"), True) == canonical(tree, True), text
    try:
        theirs = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    except OmegaConfBaseException:
        assume(False)  # an interpolation that is none
    assert canonical(theirs, True) == canonical(tree, True), text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1e-3, "0.001"),
        (float("nan"), ".nan"),
        ("0.001", "'0.001'"),
        ("on", "'on'"),
        ("", "''"),
        (" a", "' a'"),
        ("a: b", "'a: b'"),
        ("it's", "'it''s'"),
        ("two\nlines", "'two\\nlines'"),
        ("${a.b}", "${a.b}"),
        ("???", "???"),
        ("not set", "'not set'"),
        (UNSET, "not set"),
        ("vit-b/16", "vit-b/16"),
        ([1, "1", {"a": [None]}], "[1, '1', {a: [null]}]"),
    ],
)
def test_values_in_a_line(value: Any, text: str) -> None:
    assert said(value) == text


def test_changes_as_yaml() -> None:
    a = {"a": 1, "b": {"c": 1, "d": 2}, "gone": {"x": 1}, "l": [1]}
    b = {"a": "1e-3", "b": {"c": 1}, "l": [1, 2], "new": {}}
    assert yaml_of_changes(diff(a, b), b) == "# not set: b.d\n# not set: gone\na: '1e-3'\nl:\n- 1\n- 2\nnew: {}\n"
    assert yaml_of_changes(diff(a, a), a) == ""


def test_what_is_redacted_is_nowhere() -> None:
    a = Config({"db": {"Password": "x", "host": "h", "list": [{"token": "t", "n": 1}]}}, "a")
    b = Config({"db": {"Password": "y", "host": "${db.Password}", "list": [{"token": "u", "n": 1}]}}, "b")
    redact = ["*password*", "*token*"]
    assert without(a, redact).tree == {"db": {"host": "h", "list": [{"n": 1}]}}
    found = compared(a, b, [], redact, False)
    assert [row.name for row in found.rows] == ["db.host"]
    assert isinstance(found.resolved[1]["db", "host"], Broken), "what it stands for is gone"
    assert found.overrides.texts == ('db.host="${db.Password}"',)
