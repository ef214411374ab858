"""What is written to the terminal when something happens to a run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from support.labstore import add_run, bring_to_now, changing
from support.pty_program import Program

HOSTILE = "\x1b]52;c;cm0gLXJm\x07evil\u202e"
# Who looks, and the name as it is shown.
ANA = {"USER": "ana", "LOGNAME": "ana", "RUNTOWER_INTERVAL": "0.2"}
SHOWN = "␛]52;c;cm0gLXJm·evil·"


@pytest.fixture
def store(lab_template: Path, tmp_path: Path) -> Path:
    path = Path(shutil.copy(lab_template, tmp_path / "mlflow.db"))
    bring_to_now(path)
    add_run(path, HOSTILE)
    return path


def fails(store: Path, name: str) -> None:
    with changing(store) as connection:
        connection.execute("UPDATE runs SET status = 'FAILED', end_time = start_time + 5000 WHERE name = ?", (name,))


def test_bell_notification_and_title_that_a_key_takes_back(store: Path) -> None:
    with Program(store.parent, str(store), environ={**ANA, "TMUX": ""}) as program:
        program.paints("2 running")
        fails(store, HOSTILE)
        said = f"runtower: {SHOWN} failed after 5.0s".encode()
        program.writes(b"\x1b]9;" + said + b"\x07")
        program.writes(b"\x1b[22;2t\x1b]2;" + said + b"\x07")
        assert b"\x1b]52" not in program.written
        assert re.sub(rb"\x1b\][^\x07]*\x07", b"", program.written).count(b"\x07") == 1, "the bell rings once"
        program.press("j")
        program.writes(b"\x1b]2;runtower\x07")
        program.press("q")
        program.ends()
        assert b"\x1b[23;2t" in program.written


def test_tmux_is_asked_to_pass_it_on_and_a_setting_keeps_it_to_the_toast(store: Path) -> None:
    with Program(store.parent, str(store), environ={**ANA, "TMUX": "/tmp/none,1,0"}) as program:
        program.paints("2 running")
        fails(store, "lr=0.001")
        program.writes(b"\x1bPtmux;\x1b\x1b]9;runtower: lr=0.001 failed after 5.0s\x07\x1b\\")
    with Program(store.parent, str(store), environ={**ANA, "RUNTOWER_NOTIFY": "false"}) as program:
        program.paints("1 running")
        fails(store, HOSTILE)
        program.paints(f"{SHOWN} failed after")
        assert b"\x1b]9;" not in program.written
        assert b"\x1b]2;" not in program.written
