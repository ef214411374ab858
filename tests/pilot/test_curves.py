"""A run opened into its curves: over each other, along other axes, zoomed, read at a cursor, live."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from support.labstore import bring_to_now, changing, id_of, put_metric
from support.towerapp import Open, Tower

from runtower.screens.run_screen import RunScreen

BRAILLE = {chr(0x2800 + code) for code in range(1, 256)}


def drawn(t: Tower) -> bool:
    """Whether a line is on the screen, and nothing is being read."""
    return bool(BRAILLE & set(t.screen)) and "reading" not in t.screen


async def open_run(t: Tower, name: str, *marked: str) -> None:
    await t.settles()
    for one in marked:
        await t.goes_to(one)
        await t.press("space")
    await t.goes_to(name)
    await t.press("enter")
    await t.until(lambda: drawn(t), "curves")


async def test_enter_opens_the_curves_and_escape_comes_back(open_lab: Open) -> None:
    async with open_lab() as t:
        await open_run(t, "calm-owl")
        await t.sees("runs › calm-owl", "[curves]", "val_loss  ", "? keys")
        await t.press("escape")
        await t.sees("[1 runs]", "calm-owl")
        assert "calm-owl" in t.cursor_line


async def test_q_inside_a_run_goes_back_to_the_runs(open_lab: Open) -> None:
    async with open_lab() as t:
        await open_run(t, "calm-owl")
        await t.press("q")
        await t.sees("[1 runs]")


async def test_marked_runs_lie_over_the_opened_one(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_run(t, "pure-gnat", "calm-owl", "wide-elk")
        await t.sees("runs › pure-gnat and 2 more", " 1 pure-gnat", " 2 calm-owl", " 3 wide-elk")


async def test_a_sweep_opens_with_its_children(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_run(t, "vit sweep")
        await t.sees("runs › vit sweep and 4 more", "lr=0.0003", "lr=0.001", "lr=0.1")


async def test_tabs_turn_and_the_last_one_is_remembered(open_lab: Open) -> None:
    async with open_lab() as t:
        await open_run(t, "calm-owl")
        await t.press("left_square_bracket")
        await t.sees("[overview]", "metrics", "params")
        await t.press("escape")
        await t.sees("[1 runs]")
        await t.press("enter")
        await t.sees("[overview]")
        await t.press("right_square_bracket")
        await t.sees("[curves]")


async def test_how_it_is_drawn_stands_in_the_title(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_run(t, "calm-owl")
        await t.press("s")
        await t.sees("step, EMA 0.6")
        await t.press("^")
        await t.sees("step, log, EMA 0.6")
        await t.press("a")
        await t.sees("x axis")
        await t.type("relative")
        await t.press("enter")
        await t.sees("relative, log, EMA 0.6")
        await t.until(lambda: drawn(t), "curves by time")


async def test_one_chart_fills_the_page_and_the_cursor_reads_it(open_lab: Open) -> None:
    async with open_lab() as t:
        await open_run(t, "calm-owl")
        await t.press("z")
        await t.until(lambda: drawn(t), "one chart")
        last = t.lines[1]
        await t.press("left", "left", "left", "left")
        await t.sees("┆")
        await t.until(lambda: t.lines[1] != last, "another value")
        await t.press("0")
        await t.sees_no("┆")
        await t.press("escape")
        await t.sees("[curves]")


async def test_zoomed_in_only_a_part_is_shown(open_lab: Open) -> None:
    async with open_lab() as t:
        await open_run(t, "calm-owl")
        whole = t.lines[-2]
        await t.press("+")
        await t.until(lambda: t.lines[-2] != whole, "zoomed")
        await t.press("-")
        await t.until(lambda: t.lines[-2] == whole, "all of it")


async def test_a_point_logged_elsewhere_lengthens_the_curve(open_lab: Open, store: Path) -> None:
    async with open_lab() as t:
        await open_run(t, "pure-gnat")
        await t.sees("val_loss  ")
        with changing(store) as connection:
            put_metric(connection, id_of(store, "pure-gnat"), "val_loss", 0.125, 27, time.time_ns() // 1_000_000)
        await t.sees("0.125 @27")


async def test_a_metric_can_be_left_out(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_run(t, "calm-owl")
        await t.sees("val_loss", "val_acc")
        await t.press("m")
        await t.type("acc")
        await t.press("tab", "enter")
        await t.sees("── val_loss")
        await t.sees_no("── val_acc")


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (200, 60)])
async def test_every_line_fits_the_terminal(open_lab: Open, size: tuple[int, int]) -> None:
    async with open_lab(size=size) as t:
        await open_run(t, "calm-owl", "pure-gnat")
        assert max(map(len, t.lines)) <= size[0]
        assert "? keys" in t.lines[-1]


async def test_mean_and_band_of_the_runs_of_each_group(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_run(t, "vit sweep")
        await t.press("z", "b")
        await t.sees("mean and std, step", "5 runs", "±", " of ")
        await t.press("b")
        await t.sees("mean, least to greatest", " to ")
        await t.press("escape", "escape")
        await t.settles()
        await t.press("g", "b")
        await t.type("optimizer")
        await t.press("enter")
        await t.sees("optimizer")
        await t.press("*", "j", "enter")
        await t.sees("mean, least to greatest", "optimizer=", " of ")


async def test_limits_of_y_are_typed(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_run(t, "calm-owl")
        await t.press("z", ":")
        await t.type("limits")
        await t.press("enter")
        await t.type("0.3 0.4")
        await t.press("enter")
        await t.sees("0.38", "0.32", "clipped")


async def test_the_overview_tells_of_children_and_data(open_lab: Open, store: Path) -> None:
    with changing(store) as connection:
        run_id = id_of(store, "vit sweep")
        connection.execute("INSERT INTO datasets VALUES ('d', 1, 'coco', '3f2a', 's3', 's3://lake/coco', NULL, NULL)")
        connection.execute("INSERT INTO inputs VALUES ('i', 'DATASET', 'd', 'RUN', ?, 0)", (run_id,))
        connection.execute("INSERT INTO input_tags VALUES ('i', 'mlflow.data.context', 'training')")
    async with open_lab(size=(120, 50)) as t:
        await open_run(t, "vit sweep")
        await t.press("left_square_bracket")
        await t.sees("[overview]", "children", "lr=0.0003", "✓ ok", "data", "coco  training  3f2a  s3 s3://lake/coco")


async def test_an_opened_run_is_found_again_when_its_store_was_made_anew(
    open_lab: Open, store: Path, lab_template: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copy(lab_template, tmp_path / "other.db"))
    bring_to_now(other)
    with changing(other) as connection:
        connection.execute("UPDATE experiments SET creation_time = creation_time + 7")
    async with open_lab() as t:
        await open_run(t, "calm-owl", "pure-gnat")
        assert t.app.desk is not None
        (link,) = t.app.desk.tower.links
        opened = t.app.screen
        assert isinstance(opened, RunScreen)
        before = list(opened.rows)
        assert link.pid is not None
        os.replace(other, store)
        os.kill(link.pid, signal.SIGKILL)
        await t.until(lambda: opened.rows != before, "other rows")
        await t.sees("runs › calm-owl and 1 more", "1 calm-owl", "2 pure-gnat")
        await t.until(lambda: drawn(t), "curves again")
