"""The whole program on a terminal: the demo, and a source that hangs."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.pty_program import DEADLINE, Program, processes_about


def becomes(holds: Callable[[], bool]) -> bool:
    """Whether something holds before the deadline."""
    end = time.monotonic() + DEADLINE
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)  # another process ends; there is nothing else to wait on
    return holds()


@pytest.mark.parametrize("ending", ["q", "kill"])
def test_the_demo_comes_up_gets_rows_and_ends_with_the_screen(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "demo"
    with Program(tmp_path, "demo", str(folder)) as program:
        program.paints("1 of 6")
        program.paints("version_3")
        assert processes_about(str(folder)), "somebody makes it"
        if ending == "q":
            program.paints("detector")
            program.press("q")
            program.ends()
            assert program.exit_code == 0
        else:
            program.kill()
        assert becomes(lambda: not processes_about(str(folder)))
    assert (folder / "lightning_logs" / "version_0" / "metrics.csv").exists(), "a named folder stays"


def test_the_demo_writes_into_nothing_that_exists(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("three years")
    with Program(tmp_path, "demo", str(folder)) as program:
        program.paints("isn't empty")
        program.ends()
        assert program.exit_code == 2
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    assert (folder / "thesis.txt").read_text() == "three years"


def test_q_ends_the_program_while_its_source_hangs(tmp_path: Path) -> None:
    """A server that takes the question and never answers: MLflow's client waits for it for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        with Program(tmp_path, address) as program:
            program.paints("Reading")
            asked, _ = server.accept()
            with asked:
                asked.settimeout(DEADLINE)
                assert b"HTTP/1.1" in asked.recv(65536), "it waits for an answer"
                program.press("q")
                took = program.ends()
                print(f"q to the end of the process: {took * 1000:.0f} ms")
                assert program.exit_code == 0
            assert becomes(lambda: not processes_about(address))


def test_what_is_typed_at_the_first_frame_is_done_once_it_can_be(tmp_path: Path) -> None:
    (tmp_path / "out/version_0").mkdir(parents=True)
    (tmp_path / "out/version_0/metrics.csv").write_text("epoch,step,loss\n0,0,1.0\n")
    with Program(tmp_path, "out") as program:
        program.paints("[1 runs]")
        program.press("5")
        program.paints("[5 jobs]")
