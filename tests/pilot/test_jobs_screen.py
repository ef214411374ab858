"""The jobs and GPU screens on real jobs and a double of NVML, and what joins them to runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.jobs import Bench, a_gpu, gpu_box
from support.labstore import add_run, changing
from support.towerapp import Open, Tower

from runtower.folders import Folders
from runtower.jobs.proofs import process_tag
from runtower.jobs.queueing import Queue
from runtower.jobs.stopping import stop_job

UP = "import signal, sys; print('epoch 1', flush=True); signal.pause()"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The queue that the app looks at; what still runs at the end is ended."""
    made = Bench(tmp_path, at_once=2)
    made.queue = Queue(Folders.of().jobs)
    yield made
    for name, job in made.jobs().items():
        if not job.state.is_over and job.pid:
            stop_job(made.place(name), "KILL", "the test")


def tag(store: Path, run_id: str, key: str, value: str) -> None:
    with changing(store) as connection:
        connection.execute("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", (key, value, run_id))


async def open_jobs(t: Tower) -> None:
    await t.settles()
    await t.press("5")
    await t.sees("[5 jobs]")


async def test_jobs_with_their_states_and_last_lines(open_lab: Open, bench: Bench) -> None:
    good, bad = bench.python("print('done')"), bench.python("import nothing_here")
    bench.over(good, bad)
    lasts = bench.python(UP)
    bench.up(lasts)
    async with open_lab(size=(120, 36)) as t:
        await open_jobs(t)
        await t.sees("1 running, 0 waiting", "epoch 1", "▶ run", "✓ ok", "✗ fail", "done")
        await t.sees("ModuleNotFoundError")
        assert t.line_of("epoch 1") < t.line_of("✓ ok"), "what runs stands first"
        await t.press("/")
        await t.type("nothing_here")
        await t.press("enter")
        await t.sees("1 of 3 shown")
        await t.press("L")
        await t.sees("jobs › ", "ModuleNotFoundError: No module named 'nothing_here'", "on this machine")
        await t.press("escape")
        await t.sees("[5 jobs]")


async def test_a_job_is_stopped_with_a_question_and_its_run_is_killed(
    open_lab: Open, bench: Bench, store: Path
) -> None:
    name = bench.python(UP)
    job = bench.up(name)
    run_id = add_run(store, "ours")
    tag(store, run_id, "runtower.job", f"{job.host}:{name}")
    async with open_lab(size=(120, 36)) as t:
        await open_jobs(t)
        await t.sees("run ours")
        await t.press("I")
        await t.sees(
            f"INT to the process group {job.pid} of {name}", "its run is marked KILLED", "[leave all as it is]"
        )
        await t.press("enter")
        await t.sees_no("INT to the process group")
        assert bench.job(name).state == "run"
        await t.press("T")
        await t.sees(f"TERM to the process group {job.pid}")
        await t.press("y")
        await t.hears(f"TERM was sent to {name}")
        await t.sees("■ kill", "ended by signal TERM")
        await t.press("escape")
        await t.sees("[1 runs]")
        await t.until(lambda: any("ours" in line and "kill" in line for line in t.lines), "the run is KILLED", 60)


async def test_from_a_run_to_its_job_its_process_and_its_gpu(
    open_lab: Open, bench: Bench, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bench.python(UP)
    job = bench.up(name)
    for key, value in gpu_box(tmp_path / "box.json", a_gpu(0), a_gpu(1, 40, 97, [(job.pid, 30 << 30)])).items():
        monkeypatch.setenv(key, value)
    run_id = add_run(store, "ours")
    tag(store, run_id, "runtower.job", f"{job.host}:{name}")
    tag(store, run_id, "runtower.process", process_tag(job.pid))
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await t.sees("gpu 1/2 busy")
        await t.goes_to("ours")
        await t.sees(f"gpu 1, pid {job.pid}, job {name}")
        await t.press("J")
        await t.sees("what belongs to it", "its tag runtower.job", "its tag runtower.process", "gpu 1")
        await t.type("gpu")
        await t.press("enter")
        await t.sees("[6 gpu]", "driver 550.54.14", "40.0 of 80 GB", "97%")
        assert "1 A100" in t.cursor_line
        await t.press("j")
        await t.sees(f"process {job.pid}", "the run's tag runtower.process names the process")
        assert "ours" in t.cursor_line
        await t.press("enter")
        await t.sees("runs › ours")
        await t.press("escape")
        await t.sees("[6 gpu]")
        await t.press("5")
        await t.sees("[5 jobs]", "run ours", "gpu 1")
        await t.press("1")
        await t.sees("[1 runs]")


async def test_a_run_that_was_started_from_a_shell_finds_its_process_by_what_fits_only_once(
    open_lab: Open, bench: Bench, store: Path, tmp_path: Path
) -> None:
    script = tmp_path / "train_shell.py"
    script.write_text(UP)
    words = [sys.executable, str(script)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        process.stdout.readline()
        run_id = add_run(store, "by hand", user=os.environ.get("SUDO_USER", "") or _owner())
        with changing(store) as connection:
            connection.execute("UPDATE runs SET source_name = ? WHERE run_uuid = ?", (str(script), run_id))
            connection.execute(
                "INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.source.name', ?, ?)", (str(script), run_id)
            )
        async with open_lab(size=(120, 36)) as t:
            await t.settles()
            await t.goes_to("by hand")
            await t.sees(f"pid {process.pid}?")
            await t.press("K")
            await t.sees(f"KILL to the process group {process.pid}", "is guessed", "ends it at once")
            await t.press("y")
            await t.hears(f"KILL was sent to process {process.pid}")
            assert process.wait(20) == -9
            await t.until(lambda: any("by hand" in line and "kill" in line for line in t.lines), "it is KILLED", 60)


async def test_what_is_not_ones_own_or_not_known_is_not_stopped(open_lab: Open, store: Path) -> None:
    add_run(store, "far away")
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await t.goes_to("far away")
        await t.press("K")
        await t.hears("nothing on this machine or in Slurm is known to run it")


async def test_a_new_job_is_typed_started_and_shown(open_lab: Open, bench: Bench) -> None:
    async with open_lab(size=(100, 30)) as t:
        await open_jobs(t)
        await t.sees("No job was launched here yet.")
        await t.press("ctrl+n")
        await t.sees("new job in", "python train.py lr=0.01")
        await t.press("ctrl+r")
        await t.sees("new job in")
        await t.type("sh -c 'echo hello there; exit 3'")
        await t.press("enter", "enter", "enter")
        await t.type("greeting")
        await t.press("ctrl+r")
        await t.hears("j1 was launched")
        await t.sees("greeting", "hello there (exit code 3)")
        await t.press("R")
        await t.sees("run j1 again", "[leave all as it is]")
        await t.press("y")
        await t.hears("j2 runs the same command")
        await t.until(lambda: bench.jobs().get("j2") is not None and bench.job("j2").state == "fail")
        await t.press("ctrl+n")
        await t.sees("echo hello there")  # as it was said last


async def test_no_gpu_is_one_calm_line(open_lab: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in gpu_box(tmp_path / "box.json", failing={"nvmlInitWithFlags": 9}).items():
        monkeypatch.setenv(key, value)
    async with open_lab(size=(80, 24)) as t:
        await t.settles()
        await t.press("6")
        await t.sees("No NVIDIA driver answers on this machine.", "cpu ", "memory ")
        assert "busy" not in t.screen


async def test_the_process_that_looks_is_begun_anew_when_it_dies(open_lab: Open, bench: Bench) -> None:
    async with open_lab(size=(100, 30)) as t:
        await open_jobs(t)
        box = t.app.desk.box if t.app.desk is not None else None
        assert box is not None
        await t.until(lambda: box.pid is not None and box.is_told)
        first = box.pid
        assert first is not None
        os.kill(first, 9)
        await t.until(lambda: box.pid not in (None, first), "another one looks", 20)
        bench.over(bench.python("print('seen by the second')"))
        await t.sees("seen by the second", within=20)


def _owner() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
