"""That a run's program is gone is said only of this boot, of these pids, and of that very process."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from runtower.jobs.proofs import PROCESS_TAG, lost, process_tag


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def proof_of(tag: str) -> str:
    found = lost({PROCESS_TAG: tag})
    return found.proof if found is not None else ""


def test_a_process_that_lives_and_one_that_ended(child: subprocess.Popen[bytes]) -> None:
    tag = process_tag(child.pid)
    assert proof_of(tag) == ""
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    said = f"process {child.pid} is gone"
    assert proof_of(tag) == said, "ended, though nobody has asked how"
    child.wait()
    assert proof_of(tag) == said


def test_a_pid_that_another_program_has_by_now(child: subprocess.Popen[bytes]) -> None:
    boot, namespace, pid, start = process_tag(child.pid).split()
    assert proof_of(f"{boot} {namespace} {pid} {int(start) - 1}")


@pytest.mark.parametrize("word", [0, 1])
def test_another_boot_and_the_pids_of_a_container_prove_nothing(child: subprocess.Popen[bytes], word: int) -> None:
    words = process_tag(child.pid).split()
    words[word] = "1"
    child.kill()
    child.wait()
    assert proof_of(" ".join(words)) == ""


@pytest.mark.parametrize("tag", ["", "4711", "a b c d", "1 2 ../../x 3", "1 2 ² 3"])
def test_other_texts_prove_nothing(tag: str) -> None:
    assert proof_of(tag) == ""


def test_a_process_writes_its_own() -> None:
    assert process_tag() == process_tag(os.getpid())
