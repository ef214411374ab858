"""Runs beside each other: which ones, what differs, how it is compared, and what is taken along."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.labstore import add_run, artifact_of, changing, id_of, keep_artifacts, put_metric
from support.repository import Repository
from support.towerapp import Open, Tower


async def marks(t: Tower, *names: str) -> None:
    for name in names:
        await t.goes_to(name)
        await t.press("space")


async def test_a_run_against_the_baseline(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("c")
        await t.hears("it wants two runs")
        await t.goes_to("pure-gnat")
        await t.press("=", "c")
        await t.hears("this is the baseline itself")
        await t.goes_to("wide-elk")
        await t.press("c")
        await t.sees("compare › pure-gnat → wide-elk", "[config]", "2 differ, 3 equal")
        assert "* pure-gnat" in t.lines[1]
        assert t.line_of("lr ") > 0
        assert "0.0003" in t.lines[t.line_of(" lr ")]
        assert t.line_of("depth") < 0
        await t.press("x")
        await t.sees("depth")
        await t.press("i")
        await t.sees("3 equal, no rules")
        await t.press("escape")
        await t.sees("[1 runs]")


async def test_other_ways_to_compare(open_lab: Open, store: Path) -> None:
    with changing(store) as lab:
        lab.execute(
            "UPDATE params SET value = '8.0' WHERE key = 'depth' AND run_uuid IN "
            "(SELECT run_uuid FROM runs WHERE name = 'calm-owl')"
        )
        lab.execute(
            "UPDATE params SET value = '9' WHERE key = 'seed' AND run_uuid IN "
            "(SELECT run_uuid FROM runs WHERE name = 'calm-owl')"
        )
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await marks(t, "wide-elk", "calm-owl")
        await t.press("c")
        await t.sees("compare › calm-owl → wide-elk", "1 differ, 3 equal, 1 ignored by rules (seed)")
        await t.press("s")
        await t.sees("depth", "2 differ", "strict")
        await t.press("i")
        await t.sees("3 differ", "no rules")
        await t.press("~")
        await t.sees("compare › wide-elk → calm-owl")
        await t.until(lambda: t.lines[t.line_of(" lr ")].split()[-2:] == ["0.001", "0.01"], "the other way round")


async def test_tabs(open_lab: Open) -> None:
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await marks(t, "pure-gnat", "wide-elk")
        await t.press("c")
        await t.sees("[config]")
        await t.press("]")
        await t.sees("[metrics]", "+0.0664 +27.8% worse", "0.2391 best")
        await t.press("]")
        await t.sees("[curves]", "wide-elk", "0.3055")
        await t.press("+")
        await t.press("[")
        await t.sees("[metrics]")
        await t.press("[")
        await t.sees("[config]")
        await t.press("]", "]", "]")
        await t.sees("[env]", "Nothing differs.")
        await t.press("x")
        await t.sees("user", "bo")
        await t.press("]")
        await t.sees("[code]", "Nothing differs.")
        await t.press("x")
        await t.sees("4f1c2d9aa07be6f1d1c0ffee1234567890abcdef")
        await t.press("]")
        await t.sees("[data]", "None of these runs recorded an input")
        await t.press("escape")
        await t.sees("[1 runs]")


async def test_many_runs_are_a_matrix(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.press("*", "c")
        await t.sees("compare › 8 runs", "3 vary", "more to the right")
        await t.press("y")
        await t.hears("compare two runs")
        before = t.lines[1]
        await t.press("l")
        await t.until(lambda: t.lines[1] != before, "the next runs")
        await t.sees("1 more to the left")


async def test_overrides_and_tables_are_copied(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await marks(t, "pure-gnat", "wide-elk")
        await t.press("c")
        await t.sees("2 differ")
        desk = t.app.desk
        assert desk is not None
        await t.press("y")
        await t.until(lambda: desk.copied_file.exists(), "a file")
        assert desk.copied_file.read_text() == "lr=0.001 model=cnn"
        await t.press("Y")
        await t.sees("Markdown")
        await t.press("enter")
        await t.until(lambda: "| lr | 0.0003 | 0.001 |" in desk.copied_file.read_text(), "a table")
        await t.press("Y")
        await t.type("YAML")
        await t.press("enter")
        await t.until(lambda: desk.copied_file.read_text() == "lr: 0.001\nmodel: cnn\n", "YAML")


async def test_search_and_next(open_lab: Open) -> None:
    async with open_lab() as t:
        await t.settles()
        await marks(t, "pure-gnat", "wide-elk")
        await t.press("c")
        await t.sees("2 differ")
        first = t.cursor_line
        await t.press("n")
        await t.until(lambda: t.cursor_line != first, "the next difference")
        await t.press("n")
        await t.hears("no further difference")
        await t.press("/")
        await t.type("dep")
        await t.sees("0 hits, 1 more among what is equal")
        await t.press("enter", "x")
        await t.sees("1 hit")
        await t.press("N")
        await t.until(lambda: "depth" in t.cursor_line, "the hit")
        await t.press("escape")
        await t.sees_no("1 hit")
        await t.press("escape")
        await t.sees("[1 runs]")


async def test_too_many_runs(open_lab: Open, store: Path) -> None:
    async with open_lab() as t:
        await t.settles()
        assert t.app.desk is not None
        browser = t.app.desk.browser
        browser.marks = set(range(101))
        await t.press("c")
        await t.hears("101 runs are marked")
        browser.marks = set()


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (200, 60)])
async def test_every_line_fits_the_terminal(open_lab: Open, size: tuple[int, int]) -> None:
    async with open_lab(size=size) as t:
        await t.settles()
        await t.press("*", "c")
        await t.sees("[config]", "3 vary")
        assert max(map(len, t.lines)) <= size[0]
        assert "? keys" in t.lines[-1]
        await t.press("]")
        await t.sees("[metrics]", "val_loss")
        assert max(map(len, t.lines)) <= size[0]


async def test_seeds_are_taken_together(open_lab: Open, store: Path) -> None:
    for number, (name, lr, loss) in enumerate((("v1", "0.1", 0.5), ("v2", "0.1", 0.7), ("w1", "0.2", 0.62))):
        run_id = add_run(store, name, metrics=False)
        with changing(store) as lab:
            lab.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [("lr", lr, run_id), ("seed", str(number), run_id)],
            )
            for step in (0, 3):
                put_metric(lab, run_id, "val_loss", loss + (3 - step), step, 1_000 + step)
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await marks(t, "v1", "v2", "w1")
        await t.press("c", "]")
        await t.sees("[metrics]", "0.60 ± 0.14 n 2", "-0.02, no spread", "and 1 more")
        await t.press("b")
        await t.sees("some runs differ in seeds only")
        await t.press("a")
        await t.type("2")
        await t.press("enter")
        await t.sees("val_loss at 2", "3.62")


async def test_a_file_that_differs_is_shown_line_by_line(open_lab: Open, store: Path, tmp_path: Path) -> None:
    keep_artifacts(store, tmp_path / "files")
    for name, text in (("pure-gnat", "one\ntwo\n"), ("wide-elk", "one\nthree\n")):
        artifact_of(store, tmp_path / "files", name, "notes.txt").write_text(text)
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await marks(t, "pure-gnat", "wide-elk")
        await t.press("c", "[")
        await t.sees("[data]", "notes.txt")
        await t.press("j", "enter")
        await t.sees("two", "three", "pure-gnat", "wide-elk", "texts ›")
        await t.press("escape")
        await t.sees("[data]")


async def test_what_changed_between_commits(open_lab: Open, store: Path, tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    commits = [repository.commit(**{"train.py": text}) for text in ("lr = 1\n", "lr = 2\nlog = True\n")]
    with changing(store) as lab:
        for name, commit in zip(("pure-gnat", "wide-elk"), commits, strict=True):
            lab.execute(
                "UPDATE tags SET value = ? WHERE key = 'mlflow.source.git.commit' AND run_uuid = ?",
                (commit, id_of(store, name)),
            )
    async with open_lab(size=(120, 36)) as t:
        await t.settles()
        await marks(t, "pure-gnat", "wide-elk")
        await t.press("c", "[", "[")
        await t.sees("[code]", f"changes {commits[0][:8]} → {commits[1][:8]}", "train.py", "+2 -1")
        await t.press("G", "enter")
        await t.sees("texts › train.py", "lr = 1", "log = True")
