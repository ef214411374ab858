"""A run that was killed from outside stays RUNNING in MLflow's store: it is said to be silent, and lost with proof."""

from __future__ import annotations

import getpass
import subprocess
import time
from pathlib import Path

from support.labstore import HOUR, changing, id_of, put_metric
from support.towerapp import Open

from runtower.jobs.proofs import PROCESS_TAG, process_tag


def _quiet_for(store: Path, name: str, hours: int) -> str:
    """All that a run logged, and its beginning, moved into the past."""
    run_id, by = id_of(store, name), hours * HOUR
    with changing(store) as connection:
        connection.execute("UPDATE runs SET start_time = start_time - ? WHERE run_uuid = ?", (by, run_id))
        for table in ("metrics", "latest_metrics"):
            connection.execute(f"UPDATE {table} SET timestamp = timestamp - ? WHERE run_uuid = ?", (by, run_id))
    return run_id


async def test_quiet_for_three_hours_and_then_heard_again(open_lab: Open, store: Path) -> None:
    run_id = _quiet_for(store, "lr=0.001", 3)
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await t.goes_to("lr=0.001")
        await t.sees("silent 3h", "silent 3h, usually every 2m")
        with changing(store) as connection:
            behind = int(time.time() * 1000) - 2 * HOUR  # the clock of the machine it runs on
            put_metric(connection, run_id, "val_loss", 0.2, 20, behind)
        await t.sees_no("silent 3h")
        assert "▶ run" in t.cursor_line


async def test_one_that_logs_as_usual_and_one_that_ended_are_not(open_lab: Open, store: Path) -> None:
    _quiet_for(store, "pure-gnat", 30)
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await t.sees("▶ run")
        await t.goes_to("pure-gnat")
        await t.sees("finished 1d")
        assert "silent" not in t.screen


async def test_lost_by_proof_and_then_marked_without_typing(open_lab: Open, store: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as training:  # noqa: ASYNC220 - it only has to be there
        run_id = id_of(store, "lr=0.001")
        with changing(store) as connection:
            tags = [(PROCESS_TAG, process_tag(training.pid), run_id), ("mlflow.user", getpass.getuser(), run_id)]
            connection.executemany("INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
            connection.execute("UPDATE runs SET user_id = ? WHERE run_uuid = ?", (getpass.getuser(), run_id))
        async with open_lab(size=(120, 36)) as t:
            await t.settles()
            await t.goes_to("lr=0.001")
            assert "▶ run" in t.cursor_line
            training.kill()
            training.wait()
            with changing(store) as connection:
                put_metric(connection, run_id, "val_loss", 0.2, 20, int(time.time() * 1000))  # its last words
            await t.sees("? lost", f"lost: process {training.pid} is gone")
            await t.press(":")
            await t.type("killed")
            await t.press("enter")
            await t.sees(f"Proof: process {training.pid} is gone.")
            assert "Type" not in t.screen


async def test_a_running_run_says_how_far_it_is(open_lab: Open, store: Path) -> None:
    run_id, now = id_of(store, "pure-gnat"), int(time.time() * 1000)
    with changing(store) as connection:
        begun = "UPDATE runs SET status = 'RUNNING', end_time = NULL, start_time = ? WHERE run_uuid = ?"
        connection.execute(begun, (now - 2 * HOUR, run_id))
        wanted = ("trainer.max_epochs", "60", run_id)
        connection.execute("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", wanted)
        put_metric(connection, run_id, "epoch", 20, 5000, now)
    async with open_lab(size=(160, 40)) as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.sees("epoch 20 of 60, about 3h left")
