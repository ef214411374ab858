"""A run that was killed from outside stays RUNNING in MLflow's store: it is said to be silent, and nothing worse."""

from __future__ import annotations

import time
from pathlib import Path

from support.labstore import HOUR, changing, id_of, put_metric
from support.towerapp import Open


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
