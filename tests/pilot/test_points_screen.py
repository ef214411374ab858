"""Runs as points: what is drawn first, other columns, logarithmic axes, and a histogram."""

from __future__ import annotations

import pytest
from support.towerapp import Open


async def test_a_scatter_of_the_metric_over_a_param_and_other_columns(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await t.press("g", "s")
        await t.sees("val_loss over model", "cnn", "●")
        await t.press("a")
        await t.type("lr")
        await t.press("enter")
        await t.sees("val_loss over lr", "rank correlation")
        before = t.lines[5:-4]
        await t.press("x")
        await t.until(lambda: t.lines[5:-4] != before, "another scale")
        await t.press("a")
        await t.type("optimizer")
        await t.press("enter")
        await t.sees("val_loss over optimizer", "adamw")
        await t.press("tab")
        await t.sees("runs › val_loss ", "█")
        await t.press("m")
        await t.type("optimizer")
        await t.press("enter")
        await t.sees("runs › optimizer ", "adamw")
        await t.press("escape")
        await t.sees("[1 runs]")


async def test_only_the_marked_runs(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        for name in ("calm-owl", "pure-gnat", "wide-elk"):
            await t.goes_to(name)
            await t.press("space")
        await t.press("g", "s")
        await t.sees("3 runs")


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (200, 60)])
async def test_every_line_fits_the_terminal(open_lab: Open, size: tuple[int, int]) -> None:
    async with open_lab(size=size) as t:
        await t.settles()
        await t.press("g", "s")
        await t.sees("val_loss over ")
        assert max(map(len, t.lines)) <= size[0]
        assert "? keys" in t.lines[-1]
