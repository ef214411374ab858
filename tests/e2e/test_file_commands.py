"""The files of a run from the command line: listed, brought here, and its log printed and followed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.labstore import artifact_of, changing, id_of, keep_artifacts


def environ(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), "LANG": "C.UTF-8"}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(argv, cwd=folder, env=environ(folder), capture_output=True, timeout=90, check=False)


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-u", "-m", "runtower.cli", *words]
    return subprocess.Popen(argv, cwd=folder, env=environ(folder), stdout=subprocess.PIPE, text=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of CSV logs: version_0 has files, version_1 none."""
    folder = tmp_path / "project"
    for number in range(2):
        version = folder / "lightning_logs" / f"version_{number}"
        version.mkdir(parents=True)
        (version / "metrics.csv").write_text("step,val_loss\n0,2.0\n")
    logged = folder / "lightning_logs" / "version_0"
    (logged / "train.log").write_text("\x1b[1mone\x1b[0m\n\r 10%\r100%\ntwo\nthree")
    (logged / "logs").mkdir()
    (logged / "logs" / "rank1.log").write_text("the other one\n")
    (logged / "weights.bin").write_bytes(bytes(range(256)) * 1000)
    return folder


def test_artifacts_are_listed(project: Path) -> None:
    done = run(project, "artifacts", "version_0", "--json")
    found = {one["path"]: one for one in json.loads(done.stdout)}
    assert found["weights.bin"] == {"path": "weights.bin", "is_dir": False, "size": 256_000}
    assert found["logs"] == {"path": "logs", "is_dir": True, "size": None}
    assert run(project, "artifacts", "version_0", "logs").stdout.decode().split("\n")[1] == "14 B  logs/rank1.log"
    assert run(project, "artifacts", "version_0", "none").returncode == 6
    assert run(project, "artifacts", "version_0", "../version_1").returncode == 2


def test_a_download_is_whole_and_replaces_nothing_unasked(project: Path) -> None:
    data = (project / "lightning_logs/version_0/weights.bin").read_bytes()
    done = run(project, "download", "version_0", "weights.bin")
    assert (done.returncode, done.stdout) == (0, b"")
    assert (project / "weights.bin").read_bytes() == data
    (project / "weights.bin").write_text("mine")
    done = run(project, "download", "version_0", "weights.bin")
    assert done.returncode == 7
    assert b"--force" in done.stderr
    assert (project / "weights.bin").read_text() == "mine"
    assert run(project, "download", "version_0", "weights.bin", "--force").returncode == 0
    assert (project / "weights.bin").read_bytes() == data
    (project / "into").mkdir()
    assert run(project, "download", "version_0", "logs/rank1.log", "-o", "into").returncode == 0
    assert os.listdir(project / "into") == ["rank1.log"]
    assert run(project, "download", "version_0", "weights.bin", "-o", "-").stdout == data
    assert run(project, "download", "version_0", "logs").returncode == 2
    assert run(project, "download", "version_0", "none").returncode == 6
    assert sorted(os.listdir(project)) == ["into", "lightning_logs", "weights.bin"]


def test_a_log_is_printed_as_a_terminal_would_have_left_it(project: Path) -> None:
    done = run(project, "logs", "version_0")
    assert done.stdout.decode().splitlines() == ["one", "100%", "two", "three"]
    assert b"--file chooses another: logs/rank1.log" in done.stderr
    assert run(project, "logs", "version_0", "-n", "2").stdout == b"two\nthree\n"
    assert run(project, "logs", "version_0", "-n", "0").stdout == b""
    assert run(project, "logs", "version_0", "--file", "rank1.log").stdout == b"the other one\n"
    assert run(project, "logs", "version_0", "--file", "none").returncode == 6


def test_where_there_is_no_log_the_places_are_told(project: Path) -> None:
    done = run(project, "logs", "version_1")
    assert (done.returncode, done.stdout) == (6, b"")
    for place in (b"its artifacts", b"Hydra", b"slurm_job_id", b"W&B", b"mlflow.log_artifact"):
        assert place in done.stderr


def test_a_log_is_followed_until_one_has_seen_enough(project: Path) -> None:
    process = started(project, "logs", "version_0", "-f")
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(3)] == ["one\n", "100%\n", "two\n"]
    with (project / "lightning_logs/version_0/train.log").open("a") as file:
        file.write(" and more\nfour\n")
    assert [process.stdout.readline() for _ in range(2)] == ["three and more\n", "four\n"]
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130


def test_a_log_is_followed_until_its_run_is_over(lab_template: Path, tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    store = Path(shutil.copy(lab_template, tmp_path / "lab" / "mlflow.db"))
    keep_artifacts(store, tmp_path / "kept")
    artifact_of(store, tmp_path / "kept", "lr=0.001", "train.log").write_text("begun\n")
    process = started(tmp_path / "lab", "logs", "lr=0.001", "-f")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    with artifact_of(store, tmp_path / "kept", "lr=0.001", "train.log").open("a") as file:
        file.write("the end")
    with changing(store) as connection:
        run_id = id_of(store, "lr=0.001")
        connection.execute("UPDATE runs SET status = 'FINISHED', end_time = start_time WHERE run_uuid = ?", (run_id,))
    assert process.communicate(timeout=60)[0] == "the end\n"
    assert process.returncode == 0


def test_two_artifacts_are_compared_as_text(project: Path) -> None:
    logged = project / "lightning_logs"
    (logged / "version_0" / "config.yaml").write_text("lr: 0.1\nname: \x1b[1mx\nseed: 1\n")
    (logged / "version_1" / "config.yaml").write_text("lr: 0.2\nname: \x1b[1mx\nseed: 1\nwarmup: 5\n")
    done = run(project, "artifacts", "diff", "version_0:config.yaml", "version_1")
    assert (done.returncode, done.stderr) == (10, b"")
    assert done.stdout.decode().split("\n") == [
        "--- version_0:config.yaml",
        "+++ version_1:config.yaml",
        "@@ -1,3 +1,4 @@",
        "-lr: 0.1",
        "+lr: 0.2",
        " name: \x1b[1mx",
        " seed: 1",
        "+warmup: 5",
        "",
    ]
    found = json.loads(run(project, "artifacts", "diff", "version_0:config.yaml", "version_1", "--json").stdout)
    assert (found["same"], found["changed"], found["added"], found["removed"]) == (False, 1, 1, 0)
    assert found["b"] == {"run_id": "version_1", "path": "config.yaml", "size": 38, "compared": None}
    same = run(project, "artifacts", "diff", "version_0:config.yaml", "version_0:config.yaml")
    assert (same.returncode, same.stdout) == (0, b"")


def test_what_can_not_be_compared_is_said(project: Path) -> None:
    binary = run(project, "artifacts", "diff", "version_0:weights.bin", "version_0")
    assert binary.returncode == 2
    assert b"weights.bin is no text" in binary.stderr
    missing = run(project, "artifacts", "diff", "version_0:train.log", "version_1")
    assert missing.returncode == 6
    assert b"version_1 has no train.log" in missing.stderr
    assert run(project, "artifacts", "diff", "version_0", "version_1").returncode == 2
    assert run(project, "artifacts", "version_0", "logs", "more").returncode == 2


def test_files_that_differ_only_behind_the_compared_part_are_not_called_the_same(project: Path) -> None:
    logged = project / "lightning_logs"
    long = b"a line\n" * 100_000
    for number, end in enumerate((b"one\n", b"two\n")):
        (logged / f"version_{number}" / "long.txt").write_bytes(long + end)
    done = run(project, "artifacts", "diff", "version_0:long.txt", "version_1")
    assert (done.returncode, done.stdout) == (10, b"")
    (logged / "version_1" / "long.txt").write_bytes(long + b"one\n")
    done = run(project, "artifacts", "diff", "version_0:long.txt", "version_1")
    assert done.returncode == 0
    assert b"the first 5,000 lines are compared" in done.stderr
