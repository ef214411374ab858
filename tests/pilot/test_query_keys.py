"""`f`: a query is typed, completed, corrected, kept, cleared and remembered."""

from __future__ import annotations

from support.towerapp import Open

HALF = ["vit sweep", "lr=0.001", "lr=0.0003", "pure-gnat"]


async def test_a_query_chooses_rows_as_it_is_typed(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("val_loss < 0.3")
        await t.until(lambda: t.rows == HALF)
        await t.type(" and user = 'bo'")
        await t.until(lambda: t.rows == ["pure-gnat"])
        await t.press("enter")
        await t.sees("/ val_loss < 0.3 and user = 'bo'", "1 of 8")
        await t.press("escape")
        await t.until(lambda: len(t.rows) == 8)
        await t.sees_no("val_loss < 0.3")


async def test_names_comparisons_and_values_are_completed(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("mod")
        await t.sees(">params.model ", "param, in 8 runs")
        await t.press("tab")
        await t.sees("f params.model", " like ")
        await t.press("tab")
        await t.sees("f params.model =", ">'vit' ", "6 runs")
        await t.press("down", "tab")
        await t.until(lambda: t.rows == ["calm-owl", "wide-elk"])
        await t.type(" ")
        await t.sees(">and ", " or ")
        await t.press("enter")
        await t.sees("/ params.model = 'cnn'", "2 of 8")


async def test_while_it_is_wrong_the_rows_stay_and_its_place_is_said(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("val_loss < 0.3")
        await t.until(lambda: t.rows == HALF)
        await t.type(" and los > 1")
        await t.sees("No run has a 'los'")
        assert t.rows == HALF
        await t.press("enter")
        await t.sees("f val_loss < 0.3 and los > 1")
        for _ in "los > 1":
            await t.press("backspace")
        await t.type("lr > 0.0005")
        await t.press("enter")
        await t.until(lambda: t.rows == ["vit sweep", "lr=0.001"])
        await t.sees("/ val_loss < 0.3 and lr > 0.0005")


async def test_what_is_only_unfinished_is_not_called_wrong_until_enter(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("params.model = 'vi")
        await t.sees(">'vit'")
        assert "quotation mark" not in t.screen
        await t.press("enter")
        await t.sees("This quotation mark has no second one")
        await t.press("tab", "enter")
        await t.sees("/ params.model = 'vit'", "6 of 8")


async def test_the_arrows_move_in_the_field_and_not_in_the_table(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("al_loss < 1")
        await t.press("home")
        await t.type("v")
        await t.until(lambda: len(t.rows) == 6)
        await t.press("end")
        await t.type("0")
        await t.until(lambda: len(t.rows) == 7)
        await t.press("enter")
        await t.sees("/ val_loss < 10")


async def test_a_key_that_no_run_has_is_said(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("metrics.val_los < 1")
        await t.press("enter")
        await t.sees("Nothing matches metrics.val_los < 1 in 8 runs", "Did you mean metrics.val_loss?")
        await t.press("escape")
        await t.until(lambda: len(t.rows) == 8)


async def test_the_query_holds_beside_the_filter_and_is_there_next_time(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("slash")
        await t.type("lr")
        await t.press("enter")
        await t.press("f")
        await t.type("val_loss < 0.22")
        await t.press("enter")
        await t.sees("/ lr  and  val_loss < 0.22", "1 of 8")
    async with open_lab() as t:
        await t.settles()
        await t.sees("/ lr  and  metrics.val_loss < 0.22", "1 of 8")
        assert t.rows == ["vit sweep", "lr=0.0003"]
        await t.press("escape")
        await t.until(lambda: t.rows == ["vit sweep", "lr=0.0003"])
        await t.sees_no("/ lr")
        await t.press("escape")
        await t.until(lambda: len(t.rows) == 8)
