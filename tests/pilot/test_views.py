"""Views: what is shown is saved under a name, opened again from a menu, and begun with."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support.towerapp import Open, settings_for, tower

from runtower.settings import ViewSettings


async def test_what_is_shown_is_saved_and_opened_again(open_lab: Open, tmp_path: Path) -> None:
    (tmp_path / "runtower.yaml").write_text("# of the lab\ntheme: dark\n")
    async with open_lab() as t:
        await t.settles()
        await t.press("f")
        await t.type("val_loss < 0.3")
        await t.press("enter", "s")
        await t.sees("/ val_loss < 0.3", "3 of 8", "val_loss▴")
        saved = t.rows
        await t.press("colon")
        await t.type("save")
        await t.press("enter")
        await t.sees("save what is shown as the view", "runtower.yaml")
        await t.type("good")
        await t.press("enter")
        await t.sees("view good is saved in")
        await t.press("escape")
        await t.until(lambda: len(t.rows) == 8)
        await t.press("colon")
        await t.type("views")
        await t.press("enter")
        await t.sees("metrics.val_loss < 0.3")  # what it asks for, beside its name
        await t.press("enter")
        await t.until(lambda: t.rows == saved)
        await t.sees("/ metrics.val_loss < 0.3")
    text = (tmp_path / "runtower.yaml").read_text()
    assert text.startswith("# of the lab\ntheme: dark\nviews:\n  good:\n    experiments: [detector]\n")
    kept = yaml.safe_load(text)["views"]["good"]
    assert (kept["where"], kept["sort"]) == ("metrics.val_loss < 0.3", ["metrics.val_loss"])
    assert kept["columns"][:3] == ["status", "metrics.val_loss", "curve"]


async def test_a_view_of_that_name_is_replaced_only_when_asked(open_lab: Open, tmp_path: Path) -> None:
    file = tmp_path / "runtower.yaml"
    file.write_text("views: {good: {where: user = 'bo'}}\n")
    async with open_lab(views={"good": ViewSettings(where="user = 'bo'")}) as t:
        await t.settles()
        for answer in ("enter", "down"):
            before = file.read_text()
            await t.press("colon")
            await t.type("save")
            await t.press("enter")
            await t.sees("save what is shown as the view")
            await t.type("good")
            await t.press("enter")
            await t.sees("there is a view good")
            await t.press(answer)
            if answer == "enter":
                await t.sees_no("there is a view good")
                assert file.read_text() == before
            else:
                await t.press("enter")
                await t.until(lambda: "detector" in file.read_text())


async def test_a_sitting_begins_with_a_view(store: Path, tmp_path: Path, user: str) -> None:
    view = ViewSettings(where="params.model = 'cnn'", sort=["metrics.val_loss:desc"], columns=["params.depth", "user"])
    settings = settings_for(store, views={"cnn": view})
    async with tower(settings, tmp_path, view="cnn") as t:
        await t.settles()
        assert t.rows == ["calm-owl", "wide-elk"]
        assert t.lines[2].split() == ["run", "depth", "user"]
        await t.sees("all experiments", "2 of")


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (ViewSettings(experiments=["gone"]), "There is no experiment 'gone'"),
        (ViewSettings(where="val_loss <"), "The query can't be read at character 11"),
        (ViewSettings(columns=["val_loss"]), "A view's 'val_loss' is no column"),
    ],
)
async def test_a_view_that_cant_be_shown_says_why(
    store: Path, tmp_path: Path, user: str, view: ViewSettings, says: str
) -> None:
    async with tower(settings_for(store, views={"odd": view}), tmp_path, view="odd") as t:
        await t.settles()
        await t.sees(says)
        assert len(t.rows) == 8
