"""Jobs of a real one-node Slurm: submitted, followed, stopped, told apart from what Slurm calls them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import slurm
from support.jobs import until
from support.mlflow_server import free_port

from runtower.domain.errors import Invalid, NotFound, Unreachable
from runtower.domain.jobs import Job, JobState
from runtower.jobs import submit
from runtower.jobs.queueing import Request
from runtower.jobs.slurm import SlurmJobs
from runtower.jobs.submit import Partition, Resources

pytestmark = pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "-")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with slurm.running(tmp_path_factory.mktemp("slurm")) as environ:
        yield environ


@pytest.fixture
def here(cluster: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cluster.items():
        monkeypatch.setenv(name, value)


def ask(folder: Path, *command: str, name: str = "", run_id: str = "", **environ: str) -> Request:
    return Request(command, folder, dict(os.environ) | environ, name=name, run_id=run_id)


def job(jobs: SlurmJobs, slurm_id: str) -> Job:
    return next(one for one in jobs.lap() if one.id == slurm_id)


def over(jobs: SlurmJobs, slurm_id: str) -> Job:
    until(lambda: job(jobs, slurm_id).state.is_over and job(jobs, slurm_id).reason is not None)
    return job(jobs, slurm_id)


@pytest.mark.usefixtures("here")
def test_a_command_goes_there_word_by_word_and_comes_back_with_its_end(tmp_path: Path) -> None:
    jobs = SlurmJobs(tmp_path / "records")
    code = "import os, sys; print(sys.argv[1:], os.environ['A'], os.environ['MLFLOW_RUN_ID'], os.getcwd()); sys.exit(3)"
    words = (sys.executable, "-S", "-c", code, "lr=0.1", "a b", "$HOME", "x'y")
    request = ask(tmp_path, *words, name="a name", run_id="ab12", A="1, 2")
    slurm_id = submit.submit(request, Resources(cpus=1, memory="100M", time="5"), tmp_path / "records")
    done = over(jobs, slurm_id)
    assert Path(done.log).read_text() == f"['lr=0.1', 'a b', '$HOME', \"x'y\"] 1, 2 ab12 {tmp_path}\n"
    assert (done.state, done.exit_code, done.reason) == (JobState.FAIL, 3, "exit code 3")
    assert (done.name, done.command, done.run_id, done.partition) == ("a name", words, "ab12", "debug")
    assert done.queued_ms - 1000 <= done.started_ms <= done.ended_ms
    assert done.last_line.endswith(str(tmp_path))


@pytest.mark.usefixtures("here")
def test_what_it_refuses_leaves_nothing_and_is_said_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="invalid partition specified: night"):
        submit.submit(ask(tmp_path, "true"), Resources(partition="night"), tmp_path / "records")
    with pytest.raises(Invalid, match="Requested node configuration is not available"):
        submit.submit(ask(tmp_path, "true"), Resources(gpus=5), tmp_path / "records")
    assert list((tmp_path / "records").iterdir()) == []
    assert submit.partitions() == [
        Partition("debug", "infinite", "gpu:2", True),
        Partition("short", "10:00", "gpu:2", False),
    ]


@pytest.mark.usefixtures("here")
def test_one_that_waits_says_why_and_each_is_stopped_in_its_way(tmp_path: Path) -> None:
    jobs, records = SlurmJobs(tmp_path / "records"), tmp_path / "records"
    sleeper = "import signal; print('up', flush=True); signal.pause()"
    first = submit.submit(ask(tmp_path, sys.executable, "-S", "-c", sleeper), Resources(gpus=2), records)
    second = submit.submit(ask(tmp_path, "sleep", "600"), Resources(gpus=1), records)
    until(lambda: job(jobs, first).state is JobState.RUN and job(jobs, first).last_line == "up")
    assert job(jobs, first).wants_gpus == 2
    until(lambda: "Resources" in job(jobs, second).reason or "Priority" in job(jobs, second).reason)
    assert job(jobs, second).state is JobState.WAIT
    submit.stop(second, "TERM", waits=True)
    assert over(jobs, second).state is JobState.KILL
    submit.stop(first, "INT")
    stopped = over(jobs, first)
    assert (stopped.state, "KeyboardInterrupt" in Path(stopped.log).read_text()) == (JobState.FAIL, True)
    third = submit.submit(ask(tmp_path, "sleep", "600"), Resources(), records)
    until(lambda: job(jobs, third).state is JobState.RUN)
    submit.stop(third, "TERM")
    assert (over(jobs, third).state, over(jobs, third).reason) == (JobState.KILL, "cancelled")


@pytest.mark.usefixtures("here")
def test_the_members_of_an_array_have_its_id_and_each_its_log(tmp_path: Path) -> None:
    output = f"--output={tmp_path}/%A_%a.out"
    words = [
        "sbatch",
        "--parsable",
        "--array=0-2",
        output,
        "--wrap",
        "echo $SLURM_ARRAY_TASK_ID",
    ]
    array = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    jobs = SlurmJobs(tmp_path / "records")

    def members() -> list[Job]:
        return sorted((one for one in jobs.lap() if one.array == array), key=lambda one: one.id)

    until(lambda: len(members()) == 3 and all(one.state is JobState.OK and one.last_line for one in members()))
    assert [(one.id, one.last_line) for one in members()] == [(f"{array}_{n}", str(n)) for n in range(3)]


@pytest.mark.usefixtures("here")
def test_an_array_is_stopped_as_a_whole(tmp_path: Path) -> None:
    words = ["sbatch", "--parsable", "--array=0-3%1", f"--output={tmp_path}/%a.out", "--wrap", "echo up; sleep 100"]
    array = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    jobs = SlurmJobs(tmp_path / "records")

    def states() -> list[JobState]:
        return [one.state for one in jobs.lap() if one.array == array]

    until(lambda: (tmp_path / "0.out").exists() and "up" in (tmp_path / "0.out").read_text())
    until(lambda: sorted(states()) == [JobState.RUN, *[JobState.WAIT] * 3], f"{states()}")
    submit.stop(array, "KILL", is_array=True)
    until(lambda: set(states()) == {JobState.KILL}, "it was never killed")  # Slurm may forget those that never began
    assert [file.name for file in tmp_path.glob("*.out")] == ["0.out"]


@pytest.mark.usefixtures("here")
def test_a_member_that_raised_is_fail_though_slurm_calls_it_completed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(_APP)
    words = [sys.executable, "app.py", "--multirun", "hydra/launcher=submitit_slurm", "x=1,0"]
    words += ["hydra.launcher.mem_gb=1", "hydra.launcher.cpus_per_task=1", "hydra.launcher.timeout_min=5"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in done.stderr
    jobs = SlurmJobs(tmp_path / "records")

    def members() -> dict[str, Job]:
        return {one.id.partition("_")[2]: one for one in jobs.lap() if one.name == "app" and one.array}

    until(lambda: len(members()) == 2 and all(one.state.is_over for one in members().values()))
    one, other = members()["0"], members()["1"]
    assert (one.state, one.source_state) == (JobState.OK, "COMPLETED")
    assert (other.state, other.source_state) == (JobState.FAIL, "COMPLETED")
    assert other.reason == "its function raised, though Slurm calls it COMPLETED"


_APP = """
import hydra
@hydra.main(version_base=None, config_path=None)
def main(cfg):
    print(1 / int(cfg["x"]))
if __name__ == "__main__":
    import sys
    sys.argv = [one.replace("x=", "+x=", 1) if one.startswith("x=") else one for one in sys.argv]
    main()
"""


@pytest.mark.usefixtures("here")
def test_what_slurm_has_forgotten_is_known_by_what_it_left(tmp_path: Path) -> None:
    records = tmp_path / "records"
    slurm_id = submit.submit(ask(tmp_path, "sh", "-c", "exit 4"), Resources(), records)
    until(lambda: (next(records.iterdir()) / "end").exists())
    (record,) = records.iterdir()
    (record / "submitted").write_text("999999")  # as after its MinJobAge
    spec = json.loads((record / "spec.json").read_text())
    record.rename(records / "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    known = next(one for one in SlurmJobs(records).lap() if one.id == "999999")
    assert (known.state, known.exit_code, known.command) == (JobState.FAIL, 4, tuple(spec["argv"]))
    (records / "01ARZ3NDEKTSV4RRFFQ69G5FAV" / "end").unlink()
    lost = next(one for one in SlurmJobs(records).lap() if one.id == "999999")
    assert (lost.state, lost.reason) == (JobState.LOST, "Slurm has forgotten it, and it left no word of its end")
    assert slurm_id != "999999"


@pytest.mark.usefixtures("here")
def test_a_job_is_run_again_under_its_id(tmp_path: Path) -> None:
    jobs, records = SlurmJobs(tmp_path / "records"), tmp_path / "records"
    slurm_id = submit.submit(ask(tmp_path, "sh", "-c", "echo up; sleep 600"), Resources(), records)
    until(lambda: job(jobs, slurm_id).last_line == "up")
    submit.requeue(slurm_id)
    until(lambda: job(jobs, slurm_id).state is JobState.WAIT)
    submit.stop(slurm_id, "TERM", waits=True)
    with pytest.raises(NotFound):
        submit.requeue("999999")
    with pytest.raises(NotFound):
        submit.stop("12; rm", "INT")


@pytest.mark.usefixtures("here")
def test_a_controller_that_does_not_answer_is_said(
    tmp_path: Path, cluster: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = tmp_path / "slurm.conf"
    text = Path(cluster["SLURM_CONF"]).read_text()
    conf.write_text(re.sub("SlurmctldPort=.*", f"SlurmctldPort={free_port()}\nMessageTimeout=2", text))
    monkeypatch.setenv("SLURM_CONF", str(conf))
    with pytest.raises(Unreachable, match="Slurm says: Unable to contact slurm controller"):
        SlurmJobs(tmp_path / "records").lap()
