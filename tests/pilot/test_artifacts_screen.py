"""The artifacts of an opened run: a tree that is read as it is unfolded, the beginning of a file, a download."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.faultlink import install
from support.labstore import artifact_of, keep_artifacts
from support.towerapp import Open, Tower, tower

from runtower.settings import Settings, SourceSettings

FILES = {
    "config.yaml": b"optim:\n  lr: 0.001\n",
    "metrics.csv": b"step,val_loss\n1,0.5\n10,0.25\n",
    "model/weights.bin": bytes(range(256)) * 8,
    "model/card/README.md": b"# A model\nplain words\n",
    "result.json": json.dumps({"best": {"epoch": 7}, "text": "\x1b[31mred"}).encode(),
    "big.txt": b"a line of many\n" * 20_000,
}


@pytest.fixture
def files(store: Path, tmp_path: Path) -> Path:
    """The folder of calm-owl's artifacts."""
    folder = tmp_path / "kept"
    keep_artifacts(store, folder)
    for name, data in FILES.items():
        artifact_of(store, folder, "pure-gnat", name).write_bytes(data)
    return artifact_of(store, folder, "pure-gnat", "x").parent


async def open_artifacts(t: Tower, name: str = "pure-gnat") -> None:
    await t.settles()
    await t.goes_to(name)
    await t.press("enter")
    await t.sees("[curves]")
    await t.press("]")
    await t.sees("[artifacts]")


async def test_files_stand_with_their_sizes_and_show_how_they_begin(open_lab: Open, files: Path) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_artifacts(t)
        await t.sees("▸ model/", "config.yaml", "19 B", "293 KB")
        await t.stands_on("config.yaml")
        await t.sees("config.yaml  19 B", "optim:", "  lr: 0.001")
        await t.stands_on("metrics.csv")
        await t.sees("step  val_loss", "   1       0.5", "  10      0.25", "as a table")
        await t.stands_on("result.json")
        await t.sees('"epoch": 7', '"text": "\\u001b[31mred"')
        await t.stands_on("big.txt")
        await t.sees("first 64 KB of 293 KB", "a line of many")


async def test_folders_unfold_and_fold(open_lab: Open, files: Path) -> None:
    async with open_lab() as t:
        await open_artifacts(t)
        await t.sees("▸ model/")
        await t.stands_on("model/")
        await t.press("l")
        await t.sees("▾ model/", "▸ card/", "weights.bin")
        await t.press("j", "enter")
        await t.sees("README.md")
        await t.press("j")
        await t.sees("model/card/README.md", "# A model")
        await t.press("h")
        await t.sees_no("README.md")
        await t.until(lambda: any(line.startswith(">") and "card/" in line for line in t.lines), "on the folder")
        await t.press("h", "h")
        await t.sees("▸ model/")
        await t.sees_no("weights.bin")


async def test_a_binary_file_says_so_and_is_text_on_demand(open_lab: Open, files: Path) -> None:
    async with open_lab(size=(120, 36)) as t:
        await open_artifacts(t)
        await t.sees("▸ model/")
        await t.press("l")
        await t.stands_on("weights.bin")
        await t.sees("binary, 2 KB", "00 01 02 03", "t shows it as text")
        await t.press("t")
        await t.sees("as text", "ABCDEFGH")
        await t.press("t")
        await t.sees("binary, 2 KB")


async def test_the_file_is_read_on_in_its_own_pane(open_lab: Open, files: Path) -> None:
    long = "".join(f"line {number}\n" for number in range(300))
    (files / "config.yaml").write_text(long)
    async with open_lab() as t:
        await open_artifacts(t)
        await t.stands_on("config.yaml")
        await t.sees("line 0")
        await t.press("tab", "G")
        await t.sees("line 299")
        await t.press("escape", "k")
        await t.sees("[artifacts]")
        await t.press("escape")
        await t.sees("[1 runs]")


async def test_a_download_asks_where_and_never_takes_anothers_place_unasked(
    open_lab: Open, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    monkeypatch.chdir(target)
    async with open_lab() as t:
        await open_artifacts(t)
        await t.sees("big.txt")
        await t.stands_on("big.txt")
        await t.press("D")
        await t.sees("download big.txt, 293 KB", "mine")
        await t.press("enter")
        await t.sees("big.txt is in ")
        assert (target / "big.txt").read_bytes() == FILES["big.txt"]
        assert os.listdir(target) == ["big.txt"]
        (target / "big.txt").write_text("precious")
        await t.press("D", "enter")
        await t.sees("replace big.txt?")
        await t.press("n")
        await t.sees_no("replace big.txt?")
        assert (target / "big.txt").read_text() == "precious"
        await t.press("D", "enter")
        await t.sees("replace big.txt?")
        await t.press("y")
        await t.until(lambda: (target / "big.txt").read_bytes() == FILES["big.txt"], "replaced")


async def test_a_folder_that_is_not_there_is_said_before_anything_is_fetched(open_lab: Open, files: Path) -> None:
    async with open_lab() as t:
        await open_artifacts(t)
        await t.sees("config.yaml")
        await t.stands_on("config.yaml")
        await t.press("D")
        await t.type("/no/such/folder")
        await t.press("enter")
        await t.sees("There is no folder /no/such/folder.")


async def test_a_link_that_leads_out_is_refused(open_lab: Open, files: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not yours")
    (files / "a link").symlink_to(tmp_path / "secret")
    async with open_lab(size=(120, 36)) as t:
        await open_artifacts(t)
        await t.sees("a link")
        await t.stands_on("a link")
        await t.sees("is a link to", "outside of")
        await t.sees_no("not yours")


async def test_a_hostile_name_is_inert(open_lab: Open, files: Path) -> None:
    (files / "\x1b[31mred\n.txt").write_text("words")
    async with open_lab(size=(120, 36)) as t:
        await open_artifacts(t)
        await t.sees("␛[31mred⏎.txt")
        await t.stands_on("␛[31mred⏎.txt")
        await t.sees("words")


async def test_a_run_without_artifacts_says_how_to_log_one(open_lab: Open, store: Path, tmp_path: Path) -> None:
    keep_artifacts(store, tmp_path / "none")
    async with open_lab() as t:
        await open_artifacts(t)
        await t.sees("This run logged no artifacts.", "mlflow.log_artifact")


async def test_what_was_logged_meanwhile_comes_with_a_refresh(open_lab: Open, files: Path) -> None:
    async with open_lab() as t:
        await open_artifacts(t)
        await t.sees("config.yaml")
        (files / "another.txt").write_text("new")
        await t.press("r")
        await t.sees("another.txt")


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (200, 60)])
async def test_every_line_fits_the_terminal(open_lab: Open, files: Path, size: tuple[int, int]) -> None:
    async with open_lab(size=size) as t:
        await open_artifacts(t)
        await t.sees("config.yaml")
        assert max(map(len, t.lines)) <= size[0]
        assert "? keys" in t.lines[-1]


async def test_a_download_goes_on_when_its_page_is_left_and_escape_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    monkeypatch.chdir(target)
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "site"))
    settings = Settings(sources={"lab": SourceSettings("fault", "rows:4")}, interval=0.2)
    async with tower(settings, tmp_path) as t:
        await t.settles()
        await t.press("L")
        await t.sees("[log]")
        await t.press("[")
        await t.sees("endless")
        await t.press("D", "enter")
        await t.sees("downloading endless: ", "esc stops it")
        await t.press("D")
        await t.sees("one is under way")
        await t.press("L")
        await t.sees("[log]")
        assert len(os.listdir(target)) == 1
        await t.press("[")
        await t.sees("downloading endless: ")
        await t.press("escape")
        await t.sees("stopped; nothing of endless was kept")
        await t.until(lambda: os.listdir(target) == [], "nothing")
        await t.sees("[artifacts]")
