"""The state of a pipeline, as `dvc status` sees it and as it doesn't say it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.dvc_projects import RealProject
from support.jobs import until

from runtower.domain.errors import NotFound
from runtower.domain.pipelines import Pipeline, Stage, StageState, Why
from runtower.sources.dvc.stages import PipelineReader

_DVC_YAML = """\
stages:
  split:
    cmd: cp data.txt part.txt
    deps: [data.txt]
    outs: [part.txt]
  train:
    cmd: python train.py
    deps: [train.py, part.txt]
    params: [lr, optim]
    outs: [model.txt]
  report:
    foreach: [short, long]
    do:
      cmd: cp model.txt ${item}.txt
      deps: [model.txt]
      outs: ['${item}.txt']
  apart:
    cmd: echo x > x.txt
    frozen: true
    deps: [train.py]
    outs: [x.txt]
  notes:
    cmd: date
    wdir: notes
"""
_TRAIN = """\
import os, time
while os.environ.get("WAIT_FOR") and not os.path.exists(os.environ["WAIT_FOR"]):
    time.sleep(0.05)
open("model.txt", "w").write(open("part.txt").read())
"""
_FILES = {
    "dvc.yaml": _DVC_YAML,
    "train.py": _TRAIN,
    "data.txt": "a\nb\n",
    "params.yaml": "lr: 0.1\noptim: {name: adam, wd: 0}\n",
    "notes/.keep": "",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """A project in which all was run."""
    project = RealProject(tmp_path_factory.mktemp("dvc") / "project")
    project.write({**_FILES, "dvc.yaml": _DVC_YAML.replace("frozen: true", "frozen: false")})
    project.dvc("repro")
    project.write({"dvc.yaml": _DVC_YAML})
    project.commit("one")
    return project


@pytest.fixture
def project(made: RealProject) -> RealProject:
    """The same, as it was committed."""
    made.git("checkout", "-q", "--", ".")
    made.git("clean", "-fdq")
    made.dvc("checkout", "-q", "--force")
    return made


def read(project: RealProject) -> Pipeline:
    found = PipelineReader(project.folder).read()
    assert found.problems == ()
    return found


def stages(project: RealProject) -> dict[str, Stage]:
    return {stage.name: stage for stage in read(project).stages}


def agrees(project: RealProject, found: dict[str, Stage]) -> None:
    """DVC says of the same stages that something of their own changed; of what is upstream it says nothing."""
    theirs: dict[str, Any] = json.loads(project.dvc("status", "--json"))
    ours = {name for name, stage in found.items() if any(why.kind != "upstream" for why in stage.why)}
    ours |= {name for name, stage in found.items() if stage.state is StageState.NEVER}
    assert ours == theirs.keys()


def test_all_is_fresh_but_what_is_always_run(project: RealProject) -> None:
    found = stages(project)
    states = {name: stage.state for name, stage in found.items()}
    assert states.pop("notes") is StageState.CHANGED
    assert found["notes"].why == (Why("always", "neither dependencies nor outputs"),)
    assert states.pop("apart") is StageState.FROZEN
    assert set(states.values()) == {StageState.FRESH}
    assert found["report@long"].group == "report"
    assert found["train"].upstream == ("split",)
    names = list(found)
    assert names.index("split") < names.index("train") < names.index("report@short")
    agrees(project, found)


def test_a_param_a_file_and_a_command_each_with_what_was_and_is(project: RealProject) -> None:
    project.write({"params.yaml": "lr: 0.2\noptim: {name: adam, beta: [1, 2]}\n", "train.py": _TRAIN + "#\n"})
    project.write({"dvc.yaml": _DVC_YAML.replace("cmd: python train.py", "cmd: python  train.py -v")})
    found = stages(project)
    train = found["train"]
    assert train.state is StageState.CHANGED
    texts = [(why.kind, why.what, why.old, why.new) for why in train.why]
    assert texts[:4] == [
        ("command", "", "python train.py", "python  train.py -v"),
        ("param", "params.yaml lr", "0.1", "0.2"),
        ("param", "params.yaml optim.wd", "0", ""),
        ("param", "params.yaml optim.beta", "", "[1,2]"),
    ]
    kind, what, old, new = texts[4]
    assert (kind, what, len(old), len(new)) == ("dep", "train.py", 7, 7)
    assert old != new
    assert found["report@short"].state is StageState.UPSTREAM
    assert found["report@short"].why == (Why("upstream", "train"),)
    assert found["split"].state is StageState.FRESH
    assert found["apart"].state is StageState.FROZEN
    agrees(project, found)


def test_what_is_missing_and_what_was_never_run(project: RealProject) -> None:
    (project.folder / "part.txt").unlink()
    (project.folder / "data.txt").unlink()
    new = _DVC_YAML.replace("  notes:", "  new:\n    cmd: 'true'\n    deps: [long.txt]\n    outs: [new.txt]\n  notes:")
    project.write({"dvc.yaml": new})
    found = stages(project)
    assert found["split"].why[0] == Why("dep", "data.txt", found["split"].why[0].old, "deleted")
    assert Why("out", "part.txt", "", "deleted") in found["split"].why
    assert found["new"].state is StageState.NEVER
    assert found["train"].state is StageState.CHANGED
    agrees(project, found)
    project.git("checkout", "-q", "--", "data.txt")
    assert stages(project)["split"].state is StageState.MISSING


def test_a_stage_that_runs_is_seen_while_dvc_status_fails(project: RealProject, tmp_path: Path) -> None:
    project.write({"params.yaml": "lr: 0.3\noptim: {name: adam, wd: 0}\n"})
    go = tmp_path / "go"
    process = subprocess.Popen(
        ["dvc", "repro", "-q", "train"], cwd=project.folder, env=project.environ | {"WAIT_FOR": str(go)}
    )
    try:
        until(lambda: stages(project)["train"].state is StageState.RUNNING, "it was never seen to run", 60)
        (holder, *_) = read(project).holders
        assert holder.pid == process.pid
        assert holder.command == "dvc repro -q train"
        assert "model.txt" in holder.writes
        status = subprocess.run(["dvc", "status"], cwd=project.folder, env=project.environ, capture_output=True)
        assert status.returncode != 0
    finally:
        go.touch()
        process.wait()
    until(lambda: read(project).holders == (), "the lock of a process that is gone was kept")
    assert stages(project)["train"].state is StageState.FRESH


def test_a_lock_that_a_dead_process_left_holds_nothing(project: RealProject) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    held = {"write": {str(project.folder / "model.txt"): {"pid": gone.pid, "cmd": "dvc repro"}}}
    lock = project.folder / ".dvc/tmp/rwlock"
    before = lock.read_bytes()
    lock.write_text(json.dumps(held))
    try:
        found = read(project)
    finally:
        lock.write_bytes(before)
    assert found.holders == ()
    assert StageState.RUNNING not in {stage.state for stage in found.stages}


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("stages: [\n", "DVC can't read the pipeline:"),
        (
            "stages:\n  a: {cmd: x, deps: [b], outs: [a]}\n  b: {cmd: x, deps: [a], outs: [b]}\n",
            "Stages build on each other: a -> b -> a.",
        ),
        ("stages:\n  a: {cmd: x, nonsense: 1}\n", "DVC can't read the pipeline:"),
    ],
)
def test_a_pipeline_that_cannot_be_read_is_said_in_dvcs_words(project: RealProject, yaml: str, said: str) -> None:
    project.write({"dvc.yaml": yaml})
    found = PipelineReader(project.folder).read()
    assert found.stages == ()
    assert said in found.problems[0]


def test_a_project_without_a_pipeline(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    with pytest.raises(NotFound, match="no pipeline"):
        PipelineReader(tmp_path).read()


def test_folders_join_stages_too(project: RealProject) -> None:
    yaml = """\
stages:
  whole: {cmd: x, deps: [data/raw/a.txt], outs: [made]}
  part: {cmd: x, deps: [made/one/b.txt], outs: [parts/p.txt]}
  all: {cmd: x, deps: [parts], outs: [all.txt]}
  like: {cmd: x, deps: [made-up/x], outs: [like.txt]}
"""
    project.write({"dvc.yaml": yaml})
    found = {name: stage.upstream for name, stage in stages(project).items()}
    assert found == {"whole": (), "part": ("whole",), "all": ("part",), "like": ()}
