"""What belongs to a run: by what each says of itself first, and a guess only where nothing else fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.catalogues import Run, add_runs

from runtower.acts.box import Box
from runtower.acts.joins import Joins
from runtower.acts.tower import Tower
from runtower.domain.box import Gpu, GpuProcess, Gpus, OutputFolder, Process
from runtower.domain.jobs import Job, JobState, Where
from runtower.folders import Folders

NOW = 1_800_000_000_000.0
SCRIPT = {"source_name": "/code/train.py", "user": "mara", "status": "RUNNING", "start_time": NOW}


class Known:
    """What there is, put in by hand."""

    def __init__(self, tmp_path: Path) -> None:
        self.tower = Tower([], [])
        self.tower.catalogue.source("lab")
        self.box = Box(Folders(tmp_path, tmp_path, tmp_path), tmp_path, lambda: None)
        self.joins = Joins(self.tower, self.box)

    def runs(self, *given: Run) -> None:
        add_runs(self.tower.catalogue, given, 0)

    def process(self, pid: int, *command: str, before: float = 3.0, user: str = "mara", **more: object) -> Process:
        """One that started some seconds before the runs did."""
        words = command or ("python", "train.py")
        one = Process(pid, pid * 10, user, words, NOW - before * 1000, group=pid, is_ours=True, **more)  # type: ignore[arg-type]
        self.box.processes[pid] = one
        self.box.version += 1
        return one

    def job(self, name: str, **more: object) -> Job:
        where = Where.LOCAL if name.startswith("j") else Where.SLURM
        one = Job(name, where, JobState.RUN, "train", host="gpu-7", **more)  # type: ignore[arg-type]
        self.box.jobs[name] = one
        self.box.version += 1
        return one

    def folder(self, path: str, kind: str, before: float = 2.0, name: str = "", log: str = "") -> None:
        self.box.folders[path] = OutputFolder(path, kind, NOW - before * 1000, name, f"{path}/{log}" if log else "")
        self.box.version += 1

    def of_run(self, row: int = 0) -> dict[str, str]:
        """Each relation with its target; what is guessed ends with a question mark."""
        return {str(link.relation): link.target + ("" if link.sure else "?") for link in self.joins.of_run(row)}

    def of_job(self, job: Job) -> dict[str, str]:
        return {str(link.relation): link.target + ("" if link.sure else "?") for link in self.joins.of_job(job)}


@pytest.fixture
def known(tmp_path: Path) -> Known:
    return Known(tmp_path)


def test_a_run_that_names_its_process_and_its_job(known: Known) -> None:
    known.runs({**SCRIPT, "tags.runtower.process": "boot ns 40 400", "tags.runtower.job": "gpu-7:j3"})
    known.process(40, environ={"DVC_EXP_NAME": "muddy-lamb"}, folder="/lab")
    known.process(41, parent=40)
    job = known.job("j3", pid=40, log="/jobs/j3/log")
    known.box.gpus = Gpus(NOW, (Gpu(0, "a", "A100"), Gpu(1, "b", "A100", processes=(GpuProcess(41, 9),))))
    assert known.of_run() == {"job": "j3", "process": "40", "gpu": "1", "dvc": "muddy-lamb", "log": "/jobs/j3/log"}
    assert known.of_job(job) == {"run": "r0", "process": "40", "gpu": "1", "log": "/jobs/j3/log"}
    assert known.joins.lives_in(0) == "gpu 1, pid 40, job j3"


def test_a_pid_that_another_process_has_by_now_is_not_its_process(known: Known) -> None:
    known.runs({**SCRIPT, "tags.runtower.process": "boot ns 40 399"})
    known.process(40)
    assert known.of_run() == {}


def test_a_job_of_that_name_on_another_machine_is_not_its_job(known: Known) -> None:
    known.runs({**SCRIPT, "tags.runtower.job": "gpu-8:j3"})
    known.job("j3")
    assert known.of_run() == {}


@pytest.mark.parametrize(
    ("moments", "is_its"),
    [
        ({}, True),
        ({"started_ms": NOW - 1_000}, True),
        ({"started_ms": NOW + 60_000}, False),
        ({"started_ms": NOW - 90_000, "ended_ms": NOW - 60_000}, False),
        ({"started_ms": NOW - 90_000, "ended_ms": NOW + 60_000}, True),
    ],
)
@pytest.mark.parametrize(
    ("name", "tag"), [("j3", {"tags.runtower.job": "gpu-7:j3"}), ("47", {"tags.slurm_job_id": "47"})]
)
def test_a_job_that_has_the_number_of_an_older_one(
    known: Known, name: str, tag: dict[str, str], moments: dict[str, float], is_its: bool
) -> None:
    known.runs({**SCRIPT, **tag})
    job = known.job(name, **moments)
    assert known.of_run() == ({"job": name} if is_its else {})
    assert known.of_job(job) == ({"run": "r0"} if is_its else {})


def test_a_process_that_was_given_the_run(known: Known) -> None:
    known.runs({**SCRIPT, "id": "a" * 32})
    known.process(40, "python", "other.py", environ={"MLFLOW_RUN_ID": "a" * 32, "RUNTOWER_JOB": "j9"})
    known.job("j9")
    assert known.of_run() == {"process": "40", "job": "j9"}


@pytest.mark.parametrize("tag", ["slurm_job_id", "SLURM_JOB_ID", "slurm.job_id"])
def test_a_run_that_names_slurms_job_and_submitits_folder_of_it(known: Known, tag: str) -> None:
    known.runs({**SCRIPT, f"tags.{tag}": "4711_3"})
    known.job("4711_3")
    known.folder("/lab/.submitit/4711_3", "submitit", name="4711_3", log="4711_3_0_log.out")
    log = "/lab/.submitit/4711_3/4711_3_0_log.out"
    assert known.of_run() == {"job": "4711_3", "folder": "/lab/.submitit/4711_3", "log": log}


def test_a_member_of_an_array_by_its_processs_environment(known: Known) -> None:
    environ = {"SLURM_JOB_ID": "4714", "SLURM_ARRAY_JOB_ID": "4711", "SLURM_ARRAY_TASK_ID": "3"}
    known.runs({**SCRIPT, "tags.runtower.process": "boot ns 40 400"})
    known.process(40, environ=environ)
    job = known.job("4711_3")
    assert known.of_run() == {"process": "40", "job": "4711_3"}
    assert known.of_job(job) == {"process": "40"}


def test_the_only_process_that_fits_is_a_guess(known: Known) -> None:
    known.runs(SCRIPT)
    known.process(40)
    known.process(41, parent=40)  # its data loader
    assert known.of_run() == {"process": "40?"}
    assert known.joins.lives_in(0) == "pid 40?"


@pytest.mark.parametrize(
    "other",
    [{"user": "theo"}, {"before": 1000.0}, {"before": -5.0}, {"command": ("python", "eval.py")}],
    ids=["another user's", "too old", "begun after the run", "another script"],
)
def test_a_process_that_does_not_fit_is_no_guess(known: Known, other: dict[str, object]) -> None:
    known.runs(SCRIPT)
    command = other.pop("command", ())
    known.process(40, *command, **other)  # type: ignore[misc, arg-type]
    assert known.of_run() == {}


def test_two_that_fit_are_no_guess(known: Known) -> None:
    known.runs(SCRIPT)
    known.process(40)
    known.process(41)
    assert known.of_run() == {}


def test_one_that_fits_two_runs_is_no_guess(known: Known) -> None:
    known.runs(SCRIPT, SCRIPT)
    known.process(40)
    assert known.of_run(0) == known.of_run(1) == {}


def test_what_is_known_to_be_anothers_is_out_of_the_guess(known: Known) -> None:
    known.runs(SCRIPT, {**SCRIPT, "tags.runtower.process": "boot ns 41 410"})
    known.process(40)
    known.process(41)
    assert (known.of_run(0), known.of_run(1)) == ({"process": "40?"}, {"process": "41"})


def test_hydras_folder_by_a_tag_by_the_process_and_by_a_guess(known: Known) -> None:
    known.runs(
        {"status": "FINISHED", "params.output_dir": "/out/a/"},
        {**SCRIPT, "tags.runtower.process": "boot ns 40 400"},
        {**SCRIPT, "status": "FINISHED"},
    )
    known.process(40, folder="/out/b")
    known.folder("/out/a", "hydra", before=9000.0)
    known.folder("/out/b", "hydra", before=9000.0)
    known.folder("/out/c", "hydra", log="train.log")
    known.folder("/out/d", "hydra", log="eval.log")
    assert known.of_run(0) == {"folder": "/out/a"}
    assert known.of_run(1) == {"process": "40", "folder": "/out/b"}
    assert known.of_run(2) == {"folder": "/out/c?", "log": "/out/c/train.log?"}
    known.folder("/out/e", "hydra", log="train.log")
    assert known.of_run(2) == {}  # two that fit


def test_wandbs_run_and_its_folder(known: Known) -> None:
    known.runs({**SCRIPT, "tags.wandb_run_id": "x1y2"})
    known.folder("/lab/wandb/run-20270115_080000-x1y2", "wandb", name="x1y2")
    known.folder("/lab/wandb/run-20270115_080000-other", "wandb", name="other")
    assert known.of_run() == {"folder": "/lab/wandb/run-20270115_080000-x1y2", "wandb": "x1y2"}


def test_a_run_and_dvcs_experiment_by_name_and_by_commit(known: Known) -> None:
    known.runs(
        {**SCRIPT, "tags.DVC_EXP_NAME": "muddy-lamb", "git_commit": "c0ffee"},
        {**SCRIPT, "git_commit": "c0ffee"},
        {**SCRIPT, "git_commit": "beef"},
    )
    known.tower.catalogue.source("dvc")
    theirs = [
        {"id": "exp:muddy-lamb@c0ffee", "name": "muddy-lamb", "git_commit": "d00d"},
        {"id": "commit:c0ffee", "name": "main", "git_commit": "c0ffee"},
    ]
    add_runs(known.tower.catalogue, theirs, 0, source=1)

    def same(row: int) -> list[tuple[str, str]]:
        return [(key.run_id, evidence) for key, evidence, _ in known.joins.same_as(row)]

    commit = ("commit:c0ffee", "made of the same git commit")
    assert same(0) == [("exp:muddy-lamb@c0ffee", "its tag DVC_EXP_NAME"), commit]
    assert same(1) == [commit]
    assert same(2) == []
    assert same(3) == [("r0", "its tag DVC_EXP_NAME")]
    assert [run_id for run_id, _ in same(4)] == ["r0", "r1"]
    assert known.of_run(1)["run"] == "commit:c0ffee"
