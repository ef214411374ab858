"""Where configs come from: flat params, Hydra's folders, files at a git revision; and what interpolations come to."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from runtower.config.files import at_revision, is_named, of_hydra, read_named
from runtower.config.flat import trees_of, typed
from runtower.config.resolving import Broken, Resolver
from runtower.config.tree import Place
from runtower.domain.errors import Invalid, NotFound


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True),
        ("false", False),
        ("None", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("9007199254740993", 9007199254740993),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("inf", math.inf),
        ("1e999", "1e999"),
        ("12e4567", "12e4567"),
        ("007", "007"),
        ("1_000", "1_000"),
        (" 1", " 1"),
        ("", ""),
        ("vit", "vit"),
        ("[1, 'a', None]", [1, "a", None]),
        ('{"a": [true, null]}', {"a": [True, None]}),
        ("(0.9, 0.999)", [0.9, 0.999]),
        ("{'a': {'b': 1}}", {"a": {"b": 1}}),
        ("[1, 2", "[1, 2"),
        ("[a, b]", "[a, b]"),
        ("{1, 2}", "{1, 2}"),
        ("[__import__('os').getcwd()]", "[__import__('os').getcwd()]"),
        ("[" * 3000 + "]" * 3000, "[" * 3000 + "]" * 3000),
        ("[b'x']", "[b'x']"),
    ],
)
def test_texts_get_their_types_back(text: str, value: Any) -> None:
    got = typed(text)
    assert got == value
    assert type(got) is type(value)


def test_dotted_and_slashed_params_are_a_tree() -> None:
    flat = {"optim.lr": "1e-3", "optim/wd": "0", "seed": "7", "data.path": "/x", "a..b": "1", "/c": "2"}
    assert trees_of([flat]) == [
        {"optim": {"lr": 0.001, "wd": 0}, "seed": 7, "data": {"path": "/x"}, "a..b": 1, "/c": 2}
    ]


def test_what_is_a_value_and_a_parent_stays_flat_in_all_runs() -> None:
    one, other = {"optim": "adam", "optim.lr": "1", "optim.x.y": "3"}, {"optim.lr": "2", "a.b": "1", "a/b": "2"}
    assert trees_of([one, other]) == [
        {"optim": "adam", "optim.lr": 1, "optim.x.y": 3},
        {"optim.lr": 2, "a": {"b": 1}, "a/b": 2},
    ]


def test_an_empty_map_is_a_parent_that_has_nothing_below_it() -> None:
    trees = trees_of([{"model": "{}", "lr": "1"}, {"model.depth": "3", "lr": "1"}])
    assert trees == [{"model": {}, "lr": 1}, {"model": {"depth": 3}, "lr": 1}]
    both = trees_of([{"model": "{'depth': 1}", "model.depth.most": "3"}])
    assert both == [{"model": {"depth": 1}, "model.depth.most": 3}]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs" / ".hydra"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("model:\n  name: vit\n  lr: ${optim.lr}\noptim:\n  lr: 1e-3\n")
    (folder / "overrides.yaml").write_text("- model=vit\n- optim.lr=1e-3\n")
    (folder / "hydra.yaml").write_text(
        "hydra:\n  runtime:\n    choices:\n      model: vit\n      hydra/launcher: basic\n"
    )
    return folder.parent


def test_a_folder_of_hydra_is_read(outputs: Path) -> None:
    config = read_named(str(outputs))
    assert config == of_hydra(outputs / ".hydra") == read_named(str(outputs / ".hydra"))
    assert config.tree == {"model": {"name": "vit", "lr": "${optim.lr}"}, "optim": {"lr": 0.001}}
    assert config.overrides == ("model=vit", "optim.lr=1e-3")
    assert config.choices == {"model": "vit", "hydra/launcher": "basic"}
    assert config.origin == str(outputs / ".hydra")
    (outputs / ".hydra" / "overrides.yaml").write_text("[]\n")
    assert read_named(str(outputs)).overrides == ()
    (outputs / ".hydra" / "hydra.yaml").write_text("hydra:\n")
    assert read_named(str(outputs)).choices == {}


def test_what_names_a_config_is_told_from_a_run(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outputs.parent)
    (outputs.parent / "plain").mkdir()
    named = ("git:main:params.yaml", "a.yaml", "x/y.yml", "c.json", "./z", "outputs", "outputs/.hydra", "/abs")
    assert [text for text in (*named, "3f2a9c", "lr=0.001", "@best:loss", "plain") if is_named(text)] == list(named)


@pytest.mark.parametrize("text", ["gone.yaml", "./gone", "./empty"])
def test_what_is_not_there_is_said(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match=text):
        read_named(text)


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(Invalid, match="byte 3 isn't UTF-8"):
        read_named(str(tmp_path / "c.yaml"))


def test_a_file_is_read_at_a_revision(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-b", "main")
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "params.yaml"
    file.write_text("lr: 1e-3\n")
    git("add", ".")
    git("commit", "-m", "one")
    file.write_text("lr: 3e-4\n")
    config = at_revision("git:HEAD:sub/params.yaml", tmp_path)
    assert (config.tree, config.origin) == ({"lr": 0.001}, "git:HEAD:sub/params.yaml")
    assert at_revision("git:main:./params.yaml", file.parent).tree == {"lr": 0.001}
    for text, said in (("git:nope:sub/params.yaml", "git has no nope:sub"), ("git:HEAD:gone.yaml", "does not exist")):
        with pytest.raises(NotFound, match=said):
            at_revision(text, tmp_path)
    for text in ("git:HEAD", "git::params.yaml", "git:--output=x:params.yaml"):
        with pytest.raises(Invalid, match="names no file at a revision"):
            at_revision(text, tmp_path)


def test_interpolations_are_resolved_leaf_by_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_SECRET", "hush")
    tree = {
        "lr": 0.001,
        "optim": {"lr": "${lr}", "name": "adam-${lr}", "list": ["${lr}", 2]},
        "bad": "${nope.x}",
        "gone": "???",
        "missing": "${gone}",
        "secret": "${oc.env:RUN_SECRET}",
        "through": "${secret}",
        "e": "env",
        "made": "${oc.${e}:RUN_SECRET}",
        "own": "${my_resolver:1}",
        "loop": "${loop}",
        "decoded": "${oc.decode:'[1, 2]'}",
        "plain": 5,
    }
    paths: list[Any] = [(name,) for name in tree if name != "optim"]
    resolver = Resolver(tree)
    found = resolver.all([*paths, ("optim", "lr"), ("optim", "name"), ("optim", "list", Place(0)), ("optim", "list")])
    broken = {path: value.reason for path, value in found.items() if isinstance(value, Broken)}
    assert {path: value for path, value in found.items() if path not in broken} == {
        ("optim", "lr"): 0.001,
        ("optim", "name"): "adam-0.001",
        ("optim", "list", Place(0)): 0.001,
        ("optim", "list"): [0.001, 2],
        ("decoded",): [1, 2],
    }
    assert set(broken) == {("bad",), ("missing",), ("secret",), ("through",), ("made",), ("own",), ("loop",)}
    assert broken[("secret",)] == broken[("through",)] == broken[("made",)] == "it reads the run's environment"
    assert "nope" in broken[("bad",)]
    assert broken[("missing",)] == "its value is missing (???)"
    assert broken[("own",)] == "the resolver my_resolver is not known here"
    assert OmegaConf.create({"a": "${oc.env:RUN_SECRET}"}).a == "hush", "others may read it as before"


def test_one_that_cannot_be_read_spoils_no_other() -> None:
    resolver = Resolver({"lr": 1, "good": "${lr}", "odd": "${{ x }}", "list": ["${", "${lr}"], "text": "\\${lr}"})
    assert resolver.value(("good",)) == resolver.value(("list", Place(1))) == 1
    assert resolver.value(("odd",)) == resolver.value(("list", Place(0))) == Broken("OmegaConf can't read it")
    assert resolver.value(("text",)) == "${lr}"
