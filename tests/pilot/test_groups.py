"""Groups on the runs screen: made from a menu, folded, marked, filtered inside, remembered and saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.towerapp import Open, Tower

from runtower.screens.run_keys import RunsScreen

GROUPED = ["lr=0.0003", "pure-gnat", "lr=0.001", "wide-elk", "lr=0.01", "calm-owl", "lr=0.1", "vit sweep"]


async def group_by(t: Tower, column: str) -> None:
    await t.press("g", "b")
    await t.sees("group by")
    await t.type(column)
    await t.press("enter")
    await t.sees(f"by {column}")


async def test_runs_are_grouped_and_come_back_to_the_tree(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        tree = t.rows
        await group_by(t, "lr")
        await t.until(lambda: t.rows == GROUPED)
        await t.sees("lr=0.0003  2", "0.2253±.0196", "2✓", "1▶ 1✓", "no lr  1")
        await t.press("g", "b")
        await t.sees("no grouping")
        await t.type("no grouping")
        await t.press("enter")
        await t.until(lambda: t.rows == tree)
        await group_by(t, "model")
        await t.press("b")
        await t.until(lambda: t.rows == tree)
        await t.sees_no("by model")


async def test_groups_stand_by_the_best_run_where_a_metric_sorts(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await group_by(t, "model")
        await t.press("s")
        await t.sees("val_loss▴")
        assert t.line_of("model=vit") < t.line_of("model=cnn")
        await t.press("s")
        await t.sees("val_loss▾")
        await t.until(lambda: t.line_of("model=cnn") < t.line_of("model=vit"))


@pytest.mark.parametrize("fold", [("enter",), ("z", "a")])
async def test_a_group_folds_from_its_line_and_from_its_runs(open_lab: Open, fold: tuple[str, ...]) -> None:
    async with open_lab() as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("g", "g", *fold)
        await t.until(lambda: t.rows == GROUPED[2:])
        assert "▸ lr=0.0003  2" in t.cursor_line
        await t.press("j", "j", "z", "a")
        await t.until(lambda: t.rows == GROUPED[4:])
        assert "▸ lr=0.001  2" in t.cursor_line
        await t.press(*fold)
        await t.until(lambda: t.rows == GROUPED[2:])


async def test_space_on_a_group_marks_its_runs(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("g", "g", "space")
        await t.sees("2 marked")
        assert t.lines[t.line_of("pure-gnat")].startswith(" +")
        assert t.lines[t.line_of("lr=0.0003  2")].startswith(" +")
        await t.press("space")
        await t.sees("1 marked")
        await t.press("g", "g", "space", "g", "g", "space")
        await t.sees_no("marked")


async def test_what_needs_a_run_says_that_this_is_a_group(open_lab: Open) -> None:
    async with open_lab((120, 36)) as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("g", "g", "y")
        await t.sees("a group of runs")
        for key in ("p", "equals_sign", "Y", "V", "e", "X"):
            await t.press(key)
        assert t.app.desk is not None
        browser = t.app.desk.browser
        assert (browser.pins, browser.baseline, browser.marks) == ([], None, set())
        assert isinstance(t.app.screen, RunsScreen), "no question is asked about a group"


async def test_a_filter_inside_groups_leaves_the_groups_that_have_hits(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("slash")
        await t.type("lr=")
        await t.press("enter")
        await t.sees("4 of 8", "lr=0.0003  1")
        await t.until(lambda: t.rows == ["lr=0.0003", "lr=0.001", "lr=0.01", "lr=0.1"])
        await t.sees_no("no lr")
        await t.press("G", "n")
        await t.until(lambda: "├" in t.cursor_line or "└" in t.cursor_line)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_the_pane_tells_what_differs_inside(open_lab: Open, size: tuple[int, int]) -> None:
    async with open_lab(size) as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("g", "g")
        await t.sees("2 runs  2✓", "0.22525", "depth")
        if size[0] > 80:
            await t.sees("mean", "std", "0.019587", "8, 12", "3 params equal")
        await t.goes_to("pure-gnat")
        await t.sees_no("2 runs")


async def test_groups_and_their_folds_are_there_in_the_next_sitting(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("g", "g", "enter")
        await t.until(lambda: t.rows == GROUPED[2:])
        await t.press("q")
    async with open_lab() as t:
        await t.settles()
        await t.sees("by lr", "▸ lr=0.0003  2")
        assert t.rows == GROUPED[2:]


async def test_a_view_is_saved_with_its_groups(open_lab: Open, tmp_path: Path) -> None:
    async with open_lab() as t:
        await t.settles()
        await group_by(t, "lr")
        await t.press("colon")
        await t.type("view.save")
        await t.press("enter")
        await t.sees("save what is shown as the view")
        await t.type("seeds")
        await t.press("enter")
        await t.sees("view seeds is saved in")
        await t.press("b", "colon")
        await t.type("view.open")
        await t.press("enter")
        await t.sees("views")
        await t.press("enter")
        await t.until(lambda: t.rows == GROUPED)
    assert yaml.safe_load((tmp_path / "runtower.yaml").read_text())["views"]["seeds"]["group"] == "params.lr"


async def test_plain_glyphs_say_the_spread_too(open_lab: Open) -> None:
    async with open_lab(glyphs="ascii") as t:
        await t.settles()
        await group_by(t, "lr")
        await t.sees("lr=0.0003  2", "+-")
        assert t.screen.isascii()
