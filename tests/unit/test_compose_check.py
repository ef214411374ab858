"""Overrides checked by Hydra itself, on an application's config files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from runtower.acts.compose_check import checked
from runtower.acts.config_diff import compared
from runtower.config.files import hydra_config
from runtower.config.tree import Config


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an application's configs; its Python is the one that runs the tests."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    conf = tmp_path / "conf"
    (conf / "model").mkdir(parents=True)
    (conf / "config.yaml").write_text("defaults: [_self_, {model: vit}]\nlr: 0.1\nseed: 1\nname: ${model.name}\n")
    (conf / "model" / "vit.yaml").write_text("name: vit\ndepth: 12\n")
    (conf / "model" / "cnn.yaml").write_text("name: cnn\nwidth: 64\n")
    return tmp_path


def run(app: Path, *overrides: str) -> Config:
    """What Hydra writes beside a run that was started so."""
    with initialize_config_dir(str(app / "conf"), version_base=None):
        whole = compose("config", list(overrides), return_hydra_config=True)
    hydra = OmegaConf.create({"hydra": OmegaConf.to_container(whole.hydra, resolve=False)})
    hydra.hydra.job.config_name = "config"
    main = {"path": str(app / "conf"), "schema": "file", "provider": "main"}
    hydra.hydra.runtime.config_sources = [{"path": "hydra.conf", "schema": "pkg", "provider": "hydra"}, main]
    OmegaConf.set_struct(whole, False)
    del whole["hydra"]
    texts = {
        "config.yaml": OmegaConf.to_yaml(whole),
        "overrides.yaml": OmegaConf.to_yaml(list(overrides)),
        "hydra.yaml": OmegaConf.to_yaml(hydra),
    }
    return hydra_config(texts, "outputs/.hydra")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((), ("lr=0.2",)),
        (("lr=0.5", "seed=4"), ("model=cnn", "seed=3")),
        (("model=cnn", "model.width=32"), ("+extra.note=so", "model.depth=3")),
    ],
)
async def test_the_overrides_make_the_second_of_the_first(
    app: Path, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    found = compared(run(app, *before), run(app, *after), ("seed",), (), False)
    assert found.is_different
    said = await checked(found, app, ("seed",), ())
    assert str(said) == "checked: composed with them it is the second config"


async def test_what_is_something_else_is_said(app: Path) -> None:
    found = compared(run(app), run(app, "lr=0.2"), (), (), False)
    (app / "conf" / "model" / "vit.yaml").write_text("name: vit\ndepth: 24\n")
    said = await checked(found, app, (), ())
    assert str(said) == "checked: composed with them it still differs in model.depth"


async def test_why_it_is_not_checked(app: Path, tmp_path: Path) -> None:
    first = run(app)
    found = compared(first, run(app, "lr=0.2"), (), (), False)
    nowhere = replace(found, a=replace(first, source=None))
    assert str(await checked(nowhere, app, (), ())).startswith("not checked: nothing says of which files")
    (app / "conf").rename(tmp_path / "elsewhere")
    assert str(await checked(found, app, (), ())) == f"not checked: {app / 'conf'} isn't on this machine"
