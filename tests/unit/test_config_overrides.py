"""Hydra's own parser reads the overrides, and its own composition makes the other config of the first."""

from __future__ import annotations

from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import assume, example, given
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from support.trees import ODD_NAMES, PATIENT, TEXTS, configs, trees

from runtower.config.diff import diff
from runtower.config.overrides import Unsayable, overrides_of, value_text
from runtower.config.same import canonical

PARSER = OverridesParser.create()


def parsed(text: str) -> Any:
    return PARSER.parse_override(f"key={text}").value()


@PATIENT
@given(trees(ODD_NAMES))
@example({"a b": {"(x)": [1]}})
def test_hydra_reads_every_value_back(value: Any) -> None:
    try:
        text = value_text(value)
    except Unsayable:
        assume(False)
        return
    assert canonical(parsed(text), strict=True) == canonical(value, strict=True), text


@PATIENT
@given(TEXTS)
def test_every_text_can_be_said(text: str) -> None:
    assert parsed(value_text(text)) == text
    assert parsed(value_text([text, text])) == [text, text]


def composed(a: dict[Any, Any], overrides: tuple[str, ...]) -> Any:
    """What Hydra makes of a config and overrides."""
    config = OmegaConf.create(a)
    OmegaConf.set_struct(config, True)
    ConfigLoaderImpl._apply_overrides_to_config(PARSER.parse_overrides(list(overrides)), config)
    return OmegaConf.to_container(config, resolve=False)


def test_some_overrides() -> None:
    a = {
        "optim": {"lr": 1e-3, "betas": [0.9, 0.999]},
        "model": {"name": "vit", "patch": 16},
        "note": None,
        "old": {"x": 1},
    }
    b = {
        "optim": {"lr": 3e-4, "betas": [0.9, 0.95]},
        "model": {"name": "it's, so"},
        "new": {"y": {"z": [], "e": {}}},
        "old": [],
    }
    found = overrides_of(diff(a, b), b)
    assert found.texts == (
        "optim.lr=0.0003",
        "optim.betas=[0.9,0.95]",
        'model.name="it\'s, so"',
        "~model.patch",
        "note=0",
        "~note",
        "~old",
        "+old=[]",
        "+new.y.z=[]",
        "+new.y.e={}",
    )
    assert composed(a, found.texts) == b


def test_a_key_that_cannot_be_named_takes_its_parent_with_it() -> None:
    a, b = {"m": {"a b": 1, "c": 2}, "n": 1}, {"m": {"a b": 5, "c": 2}, "n": 2}
    found = overrides_of(diff(a, b), b)
    assert found.texts == ("~m", "+m={a\\ b:5,c:2}", "n=2")
    assert composed(a, found.texts) == b


def test_what_has_no_words_is_told() -> None:
    a, b = {"é": 1, "m": {"ü": 1, "x": 1}}, {"é": 2, "m": {"ü": 2, "x": 2}}
    found = overrides_of(diff(a, b), b)
    assert found.texts == ("m.x=2",)
    assert [one.path for one in found.unsaid] == [("é",), ("m", "ü")]


def test_what_has_the_name_of_a_group_is_changed_from_inside() -> None:
    a = {"model": {"name": "vit"}, "logger": None, "debug": {"x": 1}, "callbacks": {"ema": {"decay": 1}}, "gone": None}
    b = {"model": {"name": "cnn"}, "logger": {"csv": {"dir": "/x"}}, "debug": {}, "callbacks": None}
    groups = {"model": "cnn", "logger": "csv", "debug": "none", "callbacks": "off", "gone": "null"}
    found = overrides_of(diff(a, b), b, groups)
    assert found.texts == ("model.name=cnn", '+logger.csv.dir="/x"', "~debug.x", "~callbacks.ema")
    assert [one.path for one in found.unsaid] == [("callbacks",), ("gone",)]
    assert composed(a, found.texts) == {**b, "callbacks": {}, "gone": None}


@PATIENT
@given(configs(), configs())
@example({"a": {"b": "???"}}, {"a": {"c": "${x}"}})
def test_hydra_makes_the_second_config_of_the_first(a: dict[Any, Any], more: dict[Any, Any]) -> None:
    for b in (more, {**a, **more}):
        found = overrides_of(diff(a, b, strict=True), b)
        assume(not found.unsaid)
        try:
            OmegaConf.create(a)
            expected = OmegaConf.to_container(OmegaConf.create(b), resolve=False)
        except (OmegaConfBaseException, ValueError):
            assume(False)
        made = composed(a, found.texts)
        assert canonical(made, strict=True) == canonical(expected, strict=True), found.texts


@pytest.mark.parametrize(
    "value", [True, None, 10**40, 1e-5, float("inf"), "???", "${a.b}", "\\${a}", "nan", "-1", [], {}]
)
def test_plain_values(value: Any) -> None:
    got = parsed(value_text(value))
    assert got == value
    assert type(got) is type(value)
