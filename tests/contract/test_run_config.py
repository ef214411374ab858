"""Where a run's config is taken from, on a real store with real files."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.labstore import changing, id_of
from support.labtower import Lab, rows_of

from runtower.acts import run_artifacts
from runtower.acts.run_config import configs_of
from runtower.acts.run_files import RunFiles
from runtower.config.tree import Config
from runtower.domain.artifacts import Folder, Piece

APP = """\
import hydra

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    pass

main()
"""
CONF = {
    "config.yaml": "defaults: [model: vit]\noptim: {lr: 1e-3}\n",
    "model/vit.yaml": "p: 16\n",
    "model/cnn.yaml": "k: 3\n",
}


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """The output folder of a Hydra app that was started with `model=cnn optim.lr=0.1`."""
    app = tmp_path / "app"
    for name, text in {**{f"conf/{name}": text for name, text in CONF.items()}, "app.py": APP}.items():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text(text)
    argv = [sys.executable, "app.py", "hydra.run.dir=out", "model=cnn", "optim.lr=0.1"]
    subprocess.run(argv, cwd=app, env={"PATH": os.environ["PATH"]}, check=True, capture_output=True, timeout=60)
    return app / "out"


async def configs(own_lab: Lab, *names: str) -> list[Config]:
    async with own_lab.tower() as tower:
        return await configs_of(tower, rows_of(tower, *names))


def whose(own_lab: Lab, name: str) -> str:
    return f"{name} ({id_of(own_lab.store, name)[:8]})"


@pytest.mark.parametrize("where", [".hydra", "hydra/.hydra", "outputs/.hydra", "hydra", ""])
async def test_what_hydra_wrote_wherever_it_was_logged(own_lab: Lab, outputs: Path, where: str) -> None:
    client, run_id = own_lab.new_run("new")
    client.log_artifacts(run_id, str(outputs / ".hydra"), where or None)
    own_lab.put("new", "params.yaml", "lr: 5\n")
    own_lab.put("new", "conf/config.yaml", "lr: 6\n")
    (found,) = await configs(own_lab, "new")
    assert found.tree == {"model": {"k": 3}, "optim": {"lr": 0.1}}
    assert found.overrides == ("model=cnn", "optim.lr=0.1")
    assert found.choices["model"] == "cnn"
    assert found.origin == f"{where}/config.yaml of {whose(own_lab, 'new')}".removeprefix("/")


@pytest.mark.parametrize(
    ("file", "other"), [("config.yaml", "params.yaml"), ("params.json", "hparams.yaml"), ("conf/config.yml", "a.yaml")]
)
async def test_a_config_among_the_artifacts_counts_more_than_params(own_lab: Lab, file: str, other: str) -> None:
    client, run_id = own_lab.new_run("new")
    client.log_dict(run_id, {"net": {"dims": [8, 16]}, "lr": 0.002}, file)
    own_lab.put("new", other, "net: {act: other}\n")
    with_file, without = await configs(own_lab, "new", "lr=0.0003")
    assert with_file == Config({"net": {"dims": [8, 16]}, "lr": 0.002}, f"{file} of {whose(own_lab, 'new')}")
    assert without.origin == f"the params of {whose(own_lab, 'lr=0.0003')}"
    assert without.tree["lr"] == 0.0003


async def test_what_describes_a_model_is_no_config_of_a_run(own_lab: Lab) -> None:
    own_lab.put("lr=0.001", "config.json", '{"architectures": ["ViT"], "hidden_size": 768}')
    own_lab.put("lr=0.001", "model/config.json", '{"lr": 5}')
    (found,) = await configs(own_lab, "lr=0.001")
    assert found.origin == f"the params of {whose(own_lab, 'lr=0.001')}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"lr: 1\nlr: 2\n", "config.yaml, line 2: the key lr is there twice"),
        (b"\xff\xfe", "config.yaml is no text: byte 0 isn't UTF-8"),
        (b"a" * (4 * 1024 * 1024 + 1), "config.yaml is larger than 4,096 KB"),
    ],
)
async def test_where_it_cannot_be_read_the_params_take_its_place(own_lab: Lab, content: bytes, said: str) -> None:
    own_lab.put("lr=0.001", "config.yaml", content)
    (found,) = await configs(own_lab, "lr=0.001")
    assert found.tree["lr"] == 0.001
    assert found.origin == f"the params of {whose(own_lab, 'lr=0.001')}; {said}"


async def test_artifacts_that_cannot_be_reached_are_told(own_lab: Lab) -> None:
    with changing(own_lab.store) as connection:
        connection.execute("UPDATE runs SET artifact_uri = 'http://elsewhere/x' WHERE name = 'lr=0.001'")
        connection.execute("UPDATE runs SET artifact_uri = '/nowhere/x' WHERE name = 'calm-owl'")
    far, none = await configs(own_lab, "lr=0.001", "calm-owl")
    assert far.origin.startswith(
        f"the params of {whose(own_lab, 'lr=0.001')}; The artifacts of this run are kept by a web"
    )
    assert none.origin == f"the params of {whose(own_lab, 'calm-owl')}"


def say(own_lab: Lab, name: str, key: str, value: str) -> None:
    MlflowClient(own_lab.uri).set_tag(id_of(own_lab.store, name), key, value)


async def test_hydras_output_folder_on_this_machine(own_lab: Lab, outputs: Path) -> None:
    say(own_lab, "lr=0.001", "hydra.runtime.output_dir", str(outputs))
    say(own_lab, "calm-owl", "hydra.runtime.output_dir", str(outputs))
    say(own_lab, "lr=0.0003", "hydra.run.dir", "/gone/outputs")
    running, ended, gone = await configs(own_lab, "lr=0.001", "calm-owl", "lr=0.0003")
    assert running.tree == {"model": {"k": 3}, "optim": {"lr": 0.1}}
    assert running.choices["model"] == "cnn"
    assert running.origin == f"{outputs}/.hydra of {whose(own_lab, 'lr=0.001')}"
    assert ended.origin.endswith(f"; {outputs}/.hydra was written after the run had ended, by another one")
    assert ended.tree["lr"] == 0.01
    assert gone.origin == f"the params of {whose(own_lab, 'lr=0.0003')}"
    own_lab.put("lr=0.001", "config.yaml", "lr: 3\n")
    assert (await configs(own_lab, "lr=0.001"))[0].tree == {"lr": 3}


async def test_a_run_that_has_ended_is_read_once(own_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lr=0.0003", "lr=0.001"):
        own_lab.put(name, "conf/config.yaml", "lr: 1\n")
    asked: list[tuple[str, str]] = []
    folder, part = RunFiles.folder, RunFiles.part

    async def counted_folder(self: RunFiles, path: str) -> Folder:
        asked.append((self.run_id, path))
        return await folder(self, path)

    async def counted_part(self: RunFiles, path: str, offset: int, most: int, topic: str = "") -> Piece:
        asked.append((self.run_id, path))
        return await part(self, path, offset, most, topic)

    monkeypatch.setattr(RunFiles, "folder", counted_folder)
    monkeypatch.setattr(RunFiles, "part", counted_part)
    ended = id_of(own_lab.store, "lr=0.0003")
    async with own_lab.tower() as tower:
        rows = rows_of(tower, "lr=0.0003", "lr=0.001")
        await configs_of(tower, rows)
        assert [path for run_id, path in asked if run_id == ended] == ["", "conf", "conf/config.yaml"]
        asked.clear()
        own_lab.put("lr=0.001", "conf/config.yaml", "lr: 2\n")
        first, second = await configs_of(tower, rows)
    assert (first.tree, second.tree) == ({"lr": 1}, {"lr": 2})
    assert ended not in {run_id for run_id, _ in asked}


async def test_a_place_that_does_not_answer_is_asked_once(own_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def silent(self: RunFiles, path: str) -> Folder:
        asked.append(self.run_id)
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    monkeypatch.setattr(RunFiles, "folder", silent)
    monkeypatch.setattr(run_artifacts, "_PATIENCE", 0.0)
    async with own_lab.tower() as tower:
        rows = rows_of(tower, "lr=0.001", "lr=0.0003")
        (first,) = await configs_of(tower, rows[:1])
        (second,) = await configs_of(tower, rows[1:])
    assert asked == [id_of(own_lab.store, "lr=0.001")]
    for found, name in ((first, "lr=0.001"), (second, "lr=0.0003")):
        assert found.origin.startswith(
            f"the params of {whose(own_lab, name)}; The place of the artifacts gave no answer"
        )
