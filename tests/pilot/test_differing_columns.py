"""`x` in the runs table: only the columns in which runs differ."""

from __future__ import annotations

from pathlib import Path

import yaml
from support.labstore import changing, id_of
from support.towerapp import Open, Tower

WIDE = (150, 36)


def head(t: Tower) -> list[str]:
    """The heads of the columns."""
    return next(line for line in t.lines if " run " in line and "state" in line).split()


async def test_only_the_columns_in_which_the_marked_runs_differ_and_back(open_lab: Open) -> None:
    async with open_lab(WIDE) as t:
        await t.settles()
        whole = head(t)
        await t.goes_to("lr=0.01")
        await t.press("space")
        await t.goes_to("lr=0.001")
        await t.press("space", "x")
        await t.sees("only differing columns: 5 of 10")
        assert head(t) == ["run", "state", "val_loss", "curve", "started▾", "val_acc", "lr", "took"]
        await t.goes_to("calm-owl")
        await t.press("space")
        await t.sees("only differing columns: 8 of 10")
        assert {"user", "model", "depth"} <= {*head(t)}
        await t.press("x")
        await t.sees_no("only differing columns")
        assert head(t) == whole


async def test_a_filter_changes_what_differs_and_values_that_change_do_not(open_lab: Open, store: Path) -> None:
    async with open_lab(WIDE) as t:
        await t.settles()
        await t.press("x")
        await t.sees("only differing columns: 8 of 10")
        await t.press("f")
        await t.type("depth = 8 and model = 'cnn'")
        await t.press("enter")
        await t.sees("only differing columns: 5 of 10")
        before = head(t)
        assert "lr" in before
        assert "model" not in before
        with changing(store) as connection:
            connection.execute(
                "UPDATE params SET value = '0.01' WHERE key = 'lr' AND run_uuid = ?", (id_of(store, "wide-elk"),)
            )
            connection.execute("UPDATE latest_metrics SET value = 0.75, step = 30 WHERE value = 0.88")
            connection.execute(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
                "SELECT key, value, timestamp, run_uuid, step, is_nan FROM latest_metrics WHERE value = 0.75"
            )
        await t.sees("0.75")
        assert head(t) == before


async def test_runs_that_do_not_differ_keep_their_columns(open_lab: Open, store: Path) -> None:
    with changing(store) as connection:
        connection.execute("DELETE FROM params WHERE key != 'optimizer'")
        connection.execute("DELETE FROM tags WHERE key = 'mlflow.user'")
        for table in ("metrics", "latest_metrics"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("UPDATE runs SET status = 'FINISHED', start_time = 0, end_time = 1000, user_id = 'ana'")
    async with open_lab(WIDE) as t:
        await t.settles()
        whole = head(t)
        await t.press("x")
        await t.sees("these runs are the same in all")
        assert head(t) == whole
        assert "only differing columns" not in t.screen


async def test_one_run_differs_from_nothing(open_lab: Open) -> None:
    async with open_lab(WIDE) as t:
        await t.settles()
        await t.press("slash")
        await t.type("pure")
        await t.until(lambda: t.rows == ["pure-gnat"])
        await t.press("enter", "x")
        await t.sees("it takes two runs")


async def test_params_that_are_no_columns_join_those_that_differ(open_lab: Open, store: Path) -> None:
    with changing(store) as connection:
        for name, value in (("pure-gnat", "100"), ("calm-owl", "1e2"), ("wide-elk", "500")):
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [(key, value, id_of(store, name)) for key in ("batch", "clip", "warmup", "w_seed")],
            )
    async with open_lab(WIDE) as t:
        await t.settles()
        assert "clip" in head(t), "the last param that was chosen for a column"
        await t.goes_to("pure-gnat")
        await t.press("space", "space", "x")
        await t.sees("2 marked", "only differing columns")
        assert "warmup" not in head(t)
        await t.press("space")
        await t.sees("3 marked", " warmup")
        assert "w_seed" not in head(t), "the rules of diffs hold here too"
        await t.press("x")
        await t.until(lambda: "warmup" not in head(t))


async def test_it_is_remembered_and_saved_with_a_view(open_lab: Open, tmp_path: Path) -> None:
    (tmp_path / "runtower.yaml").write_text("theme: dark\n")
    async with open_lab(WIDE) as t:
        await t.settles()
        whole = head(t)
        await t.press("x")
        await t.sees("only differing columns: 8 of 10")
        narrow = head(t)
        await t.press("colon")
        await t.type("save")
        await t.press("enter")
        await t.sees("save what is shown as the view")
        await t.type("mine")
        await t.press("enter")
        await t.sees("view mine is saved in")
    kept = yaml.safe_load((tmp_path / "runtower.yaml").read_text())["views"]["mine"]
    assert kept["differing"] is True
    assert len(kept["columns"]) == len(whole) - 1, "the columns are all of them"
    async with open_lab(WIDE) as t:
        await t.sees("only differing columns: 8 of 10")
        assert head(t) == narrow
        await t.press("x")
        await t.until(lambda: head(t) == whole)
