"""`runtower diff` on runs of a real store, on files, git revisions, and on what a real Hydra app wrote."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.labstore import changing, id_of

APP = """\
import hydra

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    pass

main()
"""
CONF = {
    "config.yaml": (
        "defaults:\n  - model: vit\n  - extra: null\n  - _self_\n"
        "optim: {lr: 1e-3, betas: [0.9, 0.999], wd: '${optim.lr}', note: null}\n"
        "data: {name: coco, root: '${oc.env:HOME}', tags: [a, 'it''s', 'x, y']}\nseed: 1\n"
    ),
    "model/vit.yaml": "name: vit\npatch: 16\nhead: {dim: 8, act: gelu}\n",
    "model/cnn.yaml": "name: cnn\nkernel: 3\nhead: {dim: 8}\n",
    "extra/ema.yaml": "decay: 0.999\nwhen: 'on'\n",
}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), "LANG": "C.UTF-8"}
    argv = [sys.executable, "-m", "runtower.cli", "diff", *words]
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=90, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.yaml").write_text("lr: 1e-3\nmodel: {name: vit, patch: 16}\nseed: 1\ntoken: hush\nlayers: [1, 2, 3]\n")
    (folder / "b.yaml").write_text("lr: 0.001\nmodel: {name: cnn}\nseed: 2\ntoken: lips\nlayers: [1, 5, 2, 3]\n")
    return folder


def test_two_files(project: Path) -> None:
    done = run(project, "a.yaml", "b.yaml")
    assert (done.returncode, done.stderr) == (10, "")
    assert done.stdout.splitlines() == [
        "A  a.yaml",
        "B  b.yaml",
        "  layers  [1, 2, 3] -> [1, 5, 2, 3]   1 put in",
        "model",
        "  name    vit       -> cnn",
        "  patch   16        -> not set",
        "3 differ, 1 equal, 1 ignored by rules (seed)",
    ]
    assert run(project, "a.yaml", "b.yaml", "--all").stdout.splitlines()[2].split() == ["seed", "1", "->", "2"]
    done = run(project, "a.yaml", "a.yaml")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "nothing differs, 5 equal")
    (project / "runtower.yaml").write_text("diff: {ignore: [model, layers]}\n")
    assert run(project, "a.yaml", "b.yaml", "--overrides").stdout == "seed=2\n"


def test_forms(project: Path) -> None:
    assert (
        run(project, "a.yaml", "b.yaml", "--overrides").stdout == "model.name=cnn\n'~model.patch'\n'layers=[1,5,2,3]'\n"
    )
    said = run(project, "a.yaml", "b.yaml", "--yaml").stdout
    assert said == "# not set: model.patch\nmodel:\n  name: cnn\nlayers:\n- 1\n- 5\n- 2\n- 3\n"
    assert run(project, "a.yaml", "b.yaml", "--md").stdout.splitlines()[2] == "| model.name | vit | cnn |  |"
    found = json.loads(run(project, "a.yaml", "b.yaml", "--json").stdout)
    assert found["differences"][1] == {
        "path": "model.patch",
        "kind": "removed",
        "before": 16,
        "note": "",
        "follows": None,
    }
    assert found["ignored"] == [{"path": "seed", "rule": "seed"}]
    assert found["overrides"] == ["model.name=cnn", "~model.patch", "layers=[1,5,2,3]"]
    assert run(project, "a.yaml", "b.yaml", "--json", "--md").returncode == 2


def test_what_is_wrong(project: Path) -> None:
    (project / "bad.yaml").write_text("a: 1\na: 2\n")
    done = run(project, "a.yaml", "bad.yaml", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert json.loads(done.stderr)["tried"] == "bad.yaml, line 2: the key a is there twice."
    assert run(project, "a.yaml", "gone.yaml").returncode == 6
    assert run(project, "a.yaml", "git:HEAD:a.yaml").returncode == 6


def test_a_file_against_its_last_commit(project: Path) -> None:
    identity = ("-c", "user.name=ana", "-c", "user.email=ana@example.org")
    for words in (("init", "-b", "main"), ("add", "a.yaml"), ("commit", "-m", "one")):
        subprocess.run(["git", *identity, *words], cwd=project, check=True, capture_output=True)
    assert run(project, "git:main:a.yaml", "a.yaml").returncode == 0
    assert run(project, "git:main:a.yaml", "b.yaml").returncode == 10


def test_runs_of_a_store(lab_template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    store = Path(shutil.copy(lab_template, folder / "mlflow.db"))
    with changing(store) as connection:
        for name, dim in (("lr=0.0003", "[8, 16]"), ("lr=0.001", "[8, 32]")):
            params = [("net.dims", dim), ("net/act", "gelu"), ("api_key", name), ("lr2", "1e-3"), ("flag", "True")]
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(key, value, id_of(store, name)) for key, value in params],
            )
    done = run(folder, "lr=0.0003", "lr=0.001")
    one, other = (id_of(store, name) for name in ("lr=0.0003", "lr=0.001"))
    assert done.returncode == 10, done.stderr
    assert done.stdout.splitlines() == [
        f"A  the params of lr=0.0003 ({one[:8]})",
        f"B  the params of lr=0.001 ({other[:8]})",
        "  lr    0.0003  -> 0.001",
        "net",
        "  dims  [8, 16] -> [8, 32]   item 2 of 2",
        "2 differ, 7 equal",
    ]
    assert run(folder, one[:12], "@best:val_loss").returncode == 0, "the same run"
    assert run(folder, "lr=0.001", "lr=0.0003", "--overrides").stdout == "lr=0.0003\n'net.dims=[8,16]'\n"
    (folder / "conf.yaml").write_text(
        "lr: 3e-4\nmodel: vit\ndepth: 12.0\noptimizer: adamw\nseed: 7\n"
        "net: {dims: [8, 16], act: gelu}\nlr2: 0.001\nflag: true\n"
    )
    done = run(folder, "conf.yaml", "lr=0.0003")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "nothing differs, 9 equal")
    assert run(folder, "conf.yaml", "lr=0.0003", "--strict").returncode == 10
    assert run(folder, "conf.yaml", "nobody").returncode == 6


@pytest.fixture
def hydra_app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    for name, text in CONF.items():
        (folder / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "conf" / name).write_text(text)
    (folder / "app.py").write_text(APP)
    return folder


def launched(folder: Path, out: str, *words: str) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), "LANG": "C.UTF-8"}
    argv = [sys.executable, "app.py", f"hydra.run.dir={out}", *words]
    done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "wanted",
    [
        ("optim.lr=3e-4", "optim.betas=[0.9,0.95]", "data.name='a \\'quoted\\', {odd} name'", "seed=5"),
        ("model=cnn", "+data.more={x: 1, y: [null, true]}", "optim.note=0", "~optim.note", "optim.wd=0.1"),
        ("extra=ema", "data.tags=[]", "+new.deep.key='${optim.lr}'", "~data.root"),
    ],
)
def test_overrides_lead_a_hydra_app_from_one_run_to_the_other(hydra_app: Path, wanted: tuple[str, ...]) -> None:
    launched(hydra_app, "one")
    launched(hydra_app, "two", *wanted)
    said = run(hydra_app, "one", "two", "--overrides", "--all")
    assert said.returncode == 10, said.stderr
    launched(hydra_app, "three", *shlex.split(said.stdout))
    done = run(hydra_app, "three", "two", "--strict", "--all", "--json")
    assert json.loads(done.stdout)["differences"] == []


def test_choices_of_hydra_come_first(hydra_app: Path) -> None:
    launched(hydra_app, "one")
    launched(hydra_app, "two", "model=cnn", "optim.lr=1")
    done = run(hydra_app, "one", "two/.hydra")
    assert done.stdout.splitlines() == [
        "A  one/.hydra",
        "B  two/.hydra",
        "choices",
        "  model     vit     -> cnn",
        "model (another choice)",
        "  name      vit     -> cnn",
        "  patch     16      -> not set",
        "  head.act  gelu    -> not set",
        "  kernel    not set -> 3",
        "optim",
        "  lr        0.001   -> 1",
        "1 choice and 5 values differ, 8 equal",
    ]
    found = json.loads(run(hydra_app, "one", "two", "--json").stdout)
    assert found["choices"] == [{"group": "model", "before": "vit", "after": "cnn"}]
    assert [one["follows"] for one in found["differences"]] == ["model"] * 4 + [None]


def test_what_comes_from_files_is_inert(project: Path) -> None:
    (project / "c.yaml").write_text('"k\\e[31m": "${x\\e[2J}"\nm: {"n\\r": "\\u202e"}\n')
    (project / "d.yaml").write_text("{}\n")
    for form in ((), ("--md",), ("--yaml",)):
        done = run(project, "d.yaml", "c.yaml", *form)
        assert done.returncode == 10
        assert not any(mark in done.stdout for mark in ("\x1b", "\r", "\u202e")), form
