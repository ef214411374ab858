"""Jobs of this machine: begun once, in order, within limits, their ends known, whatever dies meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.jobs import Bench, a_gpu, gpu_box, until

from runtower.domain.errors import Conflict, Invalid, NotFound, TowerError
from runtower.domain.jobs import JobState
from runtower.jobs.queueing import Queue, Request
from runtower.jobs.stopping import stop_job

STATE = "import sys; open(sys.argv[1], 'a').write('x')"
WAITS = "import signal; signal.pthread_sigmask(0, [10]); print('up', flush=True); signal.sigwait([10])"
STUBBORN = "import signal; signal.signal(2, signal.SIG_IGN); print('up', flush=True); signal.sigwait([signal.SIGUSR1])"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_a_job_is_given_and_what_it_leaves(bench: Bench) -> None:
    code = (
        "import os, sys; print(os.getcwd(), os.environ['RUNTOWER_JOB'], os.environ['A'], os.getsid(0) == os.getpid())"
    )
    name = bench.add(sys.executable, "-S", "-c", code, A="1 2")
    (job,) = bench.over(name)
    assert (job.state, job.exit_code, job.signal, job.reason) == (JobState.OK, 0, 0, "")
    assert Path(job.log).read_text() == f"{bench.folder} {name} 1 2 True\n"
    assert job.last_line == f"{bench.folder} {name} 1 2 True"
    assert job.queued_ms <= job.started_ms <= job.ended_ms <= time.time() * 1000
    assert all(file.stat().st_mode & 0o077 == 0 for file in bench.place(name).iterdir())


def test_a_run_names_its_job_and_process_in_tags(bench: Bench) -> None:
    code = "import os; print(os.environ['MLFLOW_RUN_CONTEXT'])"
    name = bench.add(sys.executable, "-S", "-c", code, MLFLOW_RUN_CONTEXT='{"team": "vision"}')
    (job,) = bench.over(name)
    tags = json.loads(Path(job.log).read_text())
    assert tags["team"] == "vision"
    assert tags["runtower.job"] == f"{job.host}:{name}"
    assert tags["runtower.process"].split()[2] == str(job.pid)


def test_secrets_are_forgotten_once_the_command_has_them(bench: Bench) -> None:
    code = "import os, sys; print(os.environ['WANDB_TOKEN'], os.environ['DB'])"
    name = bench.add(
        sys.executable, "-S", "-c", code, WANDB_TOKEN="s3cret", DB="postgresql://me:s3cret@db/x", PLAIN="1"
    )
    (job,) = bench.over(name)
    assert Path(job.log).read_text() == "s3cret postgresql://me:s3cret@db/x\n"
    kept = json.loads((bench.place(name) / "environ.json").read_text())
    assert (kept["WANDB_TOKEN"], kept["DB"], kept["PLAIN"]) == ("(not kept)", "(not kept)", "1")
    held = [file.name for file in bench.place(name).iterdir() if file.name != "log" and b"s3cret" in file.read_bytes()]
    assert held == []


@pytest.mark.parametrize(
    ("command", "state", "reason"),
    [
        (("sh", "-c", "exit 3"), JobState.FAIL, "exit code 3"),
        (("sh", "-c", "kill -9 $$"), JobState.KILL, "ended by signal KILL"),
        (("sh", "-c", "kill -11 $$"), JobState.FAIL, "ended by signal SEGV"),
        (("/nowhere/python", "x"), JobState.FAIL, "There is no program /nowhere/python."),
        (
            ("no-such-program",),
            JobState.FAIL,
            "There is no program no-such-program in the PATH that it was launched with.",
        ),
        (("/etc/passwd",), JobState.FAIL, "/etc/passwd can't be started: Permission denied."),
    ],
)
def test_each_end_says_what_it_was(bench: Bench, command: tuple[str, ...], state: JobState, reason: str) -> None:
    (job,) = bench.over(bench.add(*command))
    assert (job.state, job.reason) == (state, reason)


def test_an_interpreter_that_is_gone_is_told_from_a_program_that_is(bench: Bench) -> None:
    script = bench.folder / "train"
    script.write_text("#!/nowhere/bin/python\n")
    script.chmod(0o755)
    (job,) = bench.over(bench.add(str(script)))
    assert job.reason == f"{script} can't be started: the interpreter that its first line names isn't there."


def test_a_script_that_fails_at_import_leaves_its_last_line(bench: Bench) -> None:
    (job,) = bench.over(bench.python("import nothing_of_that_name"))
    assert job.last_line == "ModuleNotFoundError: No module named 'nothing_of_that_name'"


def test_a_folder_that_is_gone_by_then_is_said(bench: Bench, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    first = bench.python(WAITS)
    bench.limits.at_once = 1
    name = bench.queue.add(Request(("true",), gone, dict(os.environ)), bench.limits)
    gone.rmdir()
    os.kill(bench.up(first).pid, signal.SIGUSR1)
    _, job = bench.over(first, name)
    assert job.reason == f"The folder {gone} can't be entered: No such file or directory."


def test_the_limit_holds_and_the_order_is_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path, at_once=2)
    code = "import sys, time; open(sys.argv[1], 'a').write(sys.argv[2] + ' '); time.sleep(0.1)"
    names = [bench.python(code, str(tmp_path / "order"), str(number)) for number in range(8)]
    most = 0

    def watched() -> bool:
        nonlocal most
        known = bench.jobs()
        most = max(most, sum(job.state is JobState.RUN for job in known.values()))
        return all(known[name].state.is_over for name in names)

    until(watched)
    assert most == 2
    starts = [bench.job(name).started_ms for name in names]
    assert all(later >= earlier - 50 for earlier, later in zip(starts, starts[2:], strict=False))
    assert len((tmp_path / "order").read_text().split()) == 8


def test_one_that_waits_says_why_and_is_taken_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, at_once=1)
    first, second = bench.python(WAITS), bench.python(STATE, str(tmp_path / "ran"))
    bench.up(first)
    until(lambda: bench.job(second).reason == "1 of 1 at a time are running")
    bench.queue.cancel(second)
    assert (bench.job(second).state, bench.job(second).reason) == (JobState.KILL, "taken back before it began")
    with pytest.raises(Conflict):
        bench.queue.cancel(second)
    third = bench.queue.add(Request(("true",), tmp_path, dict(os.environ), now=True), bench.limits)
    bench.over(third)  # beside the limit
    os.kill(bench.job(first).pid, signal.SIGUSR1)
    bench.over(first)
    assert not (tmp_path / "ran").exists()


def test_a_stop_meets_the_whole_group_and_counts_as_a_stop(bench: Bench) -> None:
    name = bench.add("sh", "-c", "sleep 600 & echo $!; wait; exit 1")
    job = bench.running(name)
    child = int(until(lambda: Path(job.log).read_text().strip()))
    stop_job(bench.place(name), "TERM", "ana@box")
    (job,) = bench.over(name)
    assert (job.state, job.reason) == (JobState.KILL, "ended by signal TERM")
    until(lambda: not alive(child))
    assert (bench.place(name) / "stops").read_text().split()[1:] == ["TERM", "ana@box"]
    with pytest.raises(Conflict, match="has ended meanwhile"):
        stop_job(bench.place(name), "TERM", "ana@box")


def test_a_program_that_catches_the_signal_and_fails_was_stopped_too(bench: Bench) -> None:
    name = bench.python(
        "import signal, sys\nprint('up', flush=True)\ntry: signal.pause()\nexcept BaseException: sys.exit(7)"
    )
    job = bench.running(name)
    until(lambda: Path(job.log).read_text())
    stop_job(bench.place(name), "INT", "ana@box")
    (job,) = bench.over(name)
    assert (job.state, job.reason) == (JobState.KILL, "exit code 7, after it was asked to stop")


def test_one_that_ignores_a_signal_goes_on(bench: Bench) -> None:
    name = bench.python(STUBBORN)
    job = bench.running(name)
    until(lambda: Path(job.log).read_text())
    stop_job(bench.place(name), "INT", "ana@box")
    assert bench.job(name).state is JobState.RUN
    stop_job(bench.place(name), "KILL", "ana@box")
    (job,) = bench.over(name)
    assert job.reason == "ended by signal KILL"


def test_a_pid_that_another_process_has_now_is_left_alone(bench: Bench) -> None:
    name = bench.python(WAITS)
    job = bench.running(name)
    with subprocess.Popen([sys.executable, "-S", "-c", WAITS]) as other:
        claim = bench.place(name) / "claim"
        claim.write_text(claim.read_text().replace(f" {job.pid} ", f" {other.pid} "))
        with pytest.raises(Conflict):
            stop_job(bench.place(name), "KILL", "ana@box")
        assert other.poll() is None
        other.kill()
    os.kill(job.pid, signal.SIGKILL)


def test_a_job_whose_supervisor_died_is_found_out(bench: Bench) -> None:
    name = bench.python(WAITS)
    job = bench.running(name)
    os.kill(supervisor_of(job.pid), signal.SIGKILL)
    until(lambda: bench.job(name).reason == "its supervisor was ended; how it ends won't be known")
    assert bench.job(name).state is JobState.RUN
    os.kill(job.pid, signal.SIGKILL)
    (job,) = bench.over(name)
    assert job.state is JobState.LOST
    assert job.reason == "it is gone, and so is its supervisor: how it ended isn't known"


def test_a_restart_of_the_machine_is_seen(bench: Bench) -> None:
    name = bench.python(WAITS)
    job = bench.running(name)
    claim = bench.place(name) / "claim"
    words = claim.read_text().split()
    claim.write_text(" ".join(["start", "00000000-0000-0000-0000-000000000000", *words[2:]]))
    assert bench.job(name).state is JobState.LOST
    assert bench.job(name).reason == "the machine was restarted while it ran: how it ended isn't known"
    os.kill(job.pid, signal.SIGKILL)


def test_the_queue_goes_on_when_its_keeper_dies(tmp_path: Path) -> None:
    bench = Bench(tmp_path, at_once=1)
    first, second = bench.python(WAITS), bench.python(STATE, str(tmp_path / "ran"))
    job = bench.up(first)
    for keeper in keepers(bench):
        os.kill(keeper, signal.SIGKILL)
    os.kill(job.pid, signal.SIGUSR1)  # its supervisor keeps the queue from here
    bench.over(first, second)
    assert (tmp_path / "ran").read_text() == "x"
    until(lambda: not keepers(bench), "a keeper stayed though nothing waits")


def test_keepers_that_are_killed_all_the_time_start_nothing_twice(tmp_path: Path) -> None:
    """Thirty jobs, whoever keeps the queue killed again and again: each ran once."""
    bench, dice = Bench(tmp_path, at_once=3), random.Random(7)
    names = [bench.python(STATE, str(tmp_path / f"ran{number}")) for number in range(30)]
    end = time.monotonic() + 90
    while not all(job.state.is_over for job in bench.jobs().values()):
        assert time.monotonic() < end
        for keeper in keepers(bench):
            if dice.random() < 0.5:
                os.kill(keeper, signal.SIGKILL)
        bench.queue.keep()
        time.sleep(dice.random() / 10)
    states = [bench.job(name).state for name in names]
    counts = [(tmp_path / f"ran{number}") for number in range(30)]
    ran = [file.read_text() if file.exists() else "" for file in counts]
    assert all(text in ("x", "") for text in ran)
    # One whose starter died in the middle is said not to be known, and no other.
    assert all(
        state is JobState.OK if text else state is JobState.LOST for state, text in zip(states, ran, strict=True)
    )


def test_two_supervisors_of_one_job_begin_it_once(bench: Bench, tmp_path: Path) -> None:
    supervisor = Path(sys.modules[Queue.__module__].__file__ or "").with_name("supervisor.py")
    for turn in range(5):
        name = bench.python(STATE, str(tmp_path / f"ran{turn}"))
        words = [sys.executable, "-I", "-S", str(supervisor), str(bench.place(name))]
        others = [subprocess.Popen(words) for _ in range(4)]
        bench.over(name)
        for other in others:
            other.wait()
        assert (tmp_path / f"ran{turn}").read_text() == "x"


def test_jobs_wait_for_gpus_and_are_spread_over_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, at_once=8)
    environ = gpu_box(tmp_path / "box.json", a_gpu(0, used=70), a_gpu(1), a_gpu(2), a_gpu(3, use=95))
    os.environ.update(environ)
    try:
        code = "import os, signal; print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); signal.sigwait([10])"
        first, second, third = (bench.python(code, gpus=1) for _ in range(3))
        plain = bench.python("print('no gpu')")
        assert {bench.running(first).gpus, bench.running(second).gpus} == {(1,), (2,)}
        bench.over(plain)  # it passes those that wait for GPUs
        until(lambda: bench.job(third).reason == "wants 1 GPU; 0 of 4 free")
        fourth = bench.python(code, gpus=9)
        gpu_box(tmp_path / "box.json", a_gpu(0), a_gpu(1), a_gpu(2), a_gpu(3, use=95))
        assert bench.running(third).gpus == (0,)
        until(lambda: bench.job(fourth).reason == "wants 9 GPUs; this machine has 4")
        bench.queue.cancel(fourth)
        for name in (first, second, third):
            until(lambda name=name: Path(bench.job(name).log).read_text())
            assert Path(bench.job(name).log).read_text().strip() == str(bench.job(name).gpus[0])
            os.kill(bench.job(name).pid, signal.SIGKILL)
        bench.over(first, second, third)
    finally:
        for key in environ:
            del os.environ[key]


def test_only_the_gpus_that_the_shell_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, per_gpu=2)
    for key, value in gpu_box(tmp_path / "box.json", a_gpu(0), a_gpu(1), a_gpu(2)).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-00000002")
    names = [bench.python(WAITS, gpus=1) for _ in range(3)]
    assert [bench.running(name).gpus for name in names[:2]] == [(2,), (2,)]
    until(lambda: bench.job(names[2]).reason == "wants 1 GPU; 0 of 3 free")
    bench.queue.cancel(names[2])
    for name in names[:2]:
        os.kill(bench.job(name).pid, signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_loses_no_end_and_takes_no_half_job(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        bench = Bench(disk, at_once=1)
        first, second = bench.python(WAITS), bench.python("import os; os._exit(5)")
        job = bench.up(first)
        fill(disk / "filler")
        with pytest.raises(TowerError, match="No space left on device") as refused:
            bench.add("true")
        assert "Nothing was started" in refused.value.remedy
        os.kill(job.pid, signal.SIGUSR1)
        one, two = bench.over(first, second)
        assert (one.state, two.state, two.exit_code) == (JobState.OK, JobState.FAIL, 5)
        assert set(bench.jobs()) == {first, second}
        until(lambda: not keepers(bench))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


@pytest.mark.parametrize("command", [(), ("",), ("a\0b",)])
def test_what_is_no_command_is_refused_before_anything_is_written(bench: Bench, command: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        bench.add(*command)
    assert not bench.queue.folder.exists()


def test_what_is_no_job(bench: Bench) -> None:
    for name in ("j1", "x", "../j1", "j", ""):
        with pytest.raises(NotFound):
            bench.queue.place(name)


def fill(file: Path) -> None:
    """Until nothing more goes onto its disk."""
    with file.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(b"x" * 4096)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def supervisor_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def keepers(bench: Bench) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(bench.queue.folder).encode() in words and any(word.endswith(b"keeper.py") for word in words):
                found.append(int(entry.name))
    return found
