"""The pipeline screen on a project that DVC made: states, reasons, running a stage as a job."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from support.dvc_projects import RealProject
from support.jobs import Bench
from support.towerapp import Open, Tower, tower

from runtower.folders import Folders
from runtower.jobs.queueing import Queue
from runtower.jobs.stopping import stop_job
from runtower.settings import Settings, SourceSettings

_DVC_YAML = """\
stages:
  split:
    cmd: cp data.txt part.txt
    deps: [data.txt]
    outs: [part.txt]
  train:
    cmd: cat part.txt > model.txt
    deps: [part.txt]
    params: [lr]
    outs: [model.txt]
  report:
    foreach: [short, long]
    do:
      cmd: cp model.txt ${item}.txt
      deps: [model.txt]
      outs: ['${item}.txt']
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealProject:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    made = RealProject(tmp_path / "project")
    made.write({"dvc.yaml": _DVC_YAML, "data.txt": "a\n", "params.yaml": "lr: 0.1\n"})
    made.dvc("repro", "-q")
    made.commit("one")
    return made


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.queue = Queue(Folders.of().jobs)
    yield made
    for name, job in made.jobs().items():
        if not job.state.is_over and job.pid:
            stop_job(made.place(name), "KILL", "the test")


def opened(project: RealProject) -> AbstractAsyncContextManager[Tower]:
    """The app on this project alone."""
    settings = Settings(sources={"dvc": SourceSettings("dvc", str(project.folder))}, interval=0.2)
    return tower(settings, project.folder.parent, (100, 30))


async def test_why_a_stage_is_stale_and_running_it(project: RealProject, jobs: Bench) -> None:
    project.write({"params.yaml": "lr: 0.2\n"})
    async with opened(project) as t:
        await t.sees("workspace", "[1 runs] 2 3 5 6")
        await t.press("3")
        await t.sees("[3 pipeline]", "1 changed, 2 upstream changed", "params.yaml lr 0.1 → 0.2", "▸ report")
        await t.press("G")
        await t.press("enter")
        await t.sees("▾ report", "└ short", "train is stale")
        await t.press("k")
        await t.sees("── train")
        await t.sees("builds on  split", "outs       model.txt")
        await t.press("R")
        await t.sees("it alone", "dvc repro --downstream train")
        await t.type("builds")
        await t.press("enter")
        await t.sees("dvc repro --downstream train", "run it")
        await t.press("y")
        await t.sees("all fresh", within=60)
        await t.press("L")
        await t.sees("Running stage 'train'", "Stage 'report@short' didn't change")
        await t.press("escape")
        await t.sees("[3 pipeline]")
    (job,) = jobs.jobs().values()
    assert job.command[1:] == ("repro", "--downstream", "train")


async def test_while_all_is_paused_the_pipeline_is_not_read(project: RealProject) -> None:
    async with opened(project) as t:
        await t.sees("workspace")
        await t.press("3")
        await t.sees("all fresh")
        await t.press("w")
        await t.sees("paused")
        await asyncio.sleep(2.5)  # a reading that was under way is over
        project.write({"params.yaml": "lr: 0.2\n"})
        await asyncio.sleep(4.5)  # longer than it takes until it is read again
        await t.sees("all fresh")
        await t.press("w")
        await t.sees("1 changed, 2 upstream changed")


async def test_a_source_that_is_read_only_runs_no_stage(project: RealProject) -> None:
    source = SourceSettings("dvc", str(project.folder), read_only=True)
    settings = Settings(sources={"dvc": source}, interval=0.2)
    async with tower(settings, project.folder.parent, (100, 30)) as t:
        await t.sees("workspace")
        await t.press("3")
        await t.sees("all fresh")
        await t.press("R")
        await t.hears("runtower is read-only")


async def test_a_second_dvc_of_ours_is_not_begun(project: RealProject, jobs: Bench) -> None:
    dvc = project.folder / "dvc"
    dvc.write_text("#!/bin/sh\nexec sleep 100\n")
    dvc.chmod(0o755)
    jobs.folder = project.folder
    jobs.running(jobs.add(str(dvc), "push", now=True))
    async with opened(project) as t:
        await t.sees("workspace")
        await t.press("3")
        await t.sees("all fresh")
        await t.until(lambda: t.app.desk is not None and t.app.desk.box.jobs, "the job is known", 30)
        await t.press("R")
        await t.hears("j1 (push) is at work in this project.")
        await t.sees("[3 pipeline]")
    assert len(jobs.jobs()) == 1


async def test_a_pipeline_that_cannot_be_read_and_comes_back(project: RealProject) -> None:
    project.write({"dvc.yaml": "stages: [\n"})
    async with opened(project) as t:
        await t.sees("workspace")
        await t.press("3")
        await t.sees("DVC can't read the pipeline")
        project.write({"dvc.yaml": _DVC_YAML})
        await t.press("r")
        await t.sees("all fresh")


async def test_without_a_dvc_project_the_key_says_so(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("3")
        await t.hears("none of these sources is a DVC project")


async def test_an_experiment_is_renamed_applied_and_removed(project: RealProject, jobs: Bench) -> None:
    project.dvc("exp", "run", "-q", "-n", "one", "-S", "lr=0.3")
    project.git("checkout", "-q", "--", ".")
    project.write({"data.txt": "a\nb\n"})
    async with opened(project) as t:
        await t.sees("workspace", "└ one")
        await t.press("A")
        await t.sees("run an experiment here", "dvc exp save")
        await t.press("escape")
        await t.press("j")
        await t.press("A")
        await t.hears("a commit is git's")
        await t.press("j")
        await t.press("A")
        await t.sees("dvc exp apply one", "dvc exp rename one ...")
        await t.type("rename")
        await t.press("enter")
        await t.sees("its new name")
        await t.type("-x")
        await t.press("enter")
        await t.sees("letters, digits")
        await t.press("backspace", "backspace")
        await t.type("one-more")
        await t.press("enter")
        await t.sees("dvc exp rename one one-more", "do it")
        await t.press("y")
        await t.hears("dvc exp rename: done", within=60)
        await t.sees("+1 new", within=60)
        await t.press("r")
        await t.sees("└ one-more")
        await t.until(lambda: all(job.state.is_over for job in jobs.jobs().values()), "the rename is over", 60)
        await t.until(lambda: t.app.desk is not None and t.app.desk.box.jobs["j1"].state.is_over, "known to be", 30)
        await t.press("A")
        await t.type("apply")
        await t.press("enter")
        await t.sees("dvc exp apply one-more", "may lose", "data.txt")
        await t.press("n")
        await t.hears("all is left as it was")
        await t.press("A")
        await t.type("remove")
        await t.press("enter")
        await t.sees("dvc exp remove one-more")
        await t.press("y")
        await t.hears("dvc exp remove: done", within=60)
        await t.sees("1 no longer match")
        await t.press("r")
        await t.sees_no("one-more")
    assert project.git("for-each-ref", "refs/exps", "--format=%(refname)").count("one") == 0
