"""The log of a run: found, followed, searched, from error to error; and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.labstore import add_run, artifact_of, changing, id_of, keep_artifacts
from support.towerapp import Open, Tower

TRACE = (
    'Traceback (most recent call last):\n  File "train.py", line 3, in main\nRuntimeError: CUDA error: out of luck\n'
)
LONG = "".join(f"step {number} of 200\n" for number in range(100)) + TRACE + "".join(f"tidy {n}\n" for n in range(100))


@pytest.fixture
def kept(store: Path, tmp_path: Path) -> Path:
    """The folder below which the artifacts of all runs lie."""
    folder = tmp_path / "kept"
    keep_artifacts(store, folder)
    return folder


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def log_of(store: Path, kept: Path, name: str, text: str, file: str = "train.log") -> Path:
    place = artifact_of(store, kept, name, file)
    place.write_text(text)
    return place


async def open_log(t: Tower, name: str) -> None:
    await t.settles()
    await t.goes_to(name)
    await t.press("L")
    await t.sees("[log]")


async def test_the_log_opens_at_its_end_and_is_followed(open_lab: Open, store: Path, kept: Path) -> None:
    log = log_of(store, kept, "lr=0.001", "\x1b[1mbegin\x1b[0m\n" + LONG)
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("train.log  artifact, ", "tidy 99", "following")
        await t.sees_no("step 0 of")
        add(log, "\r 10%\r 50%\r 90%")
        await t.sees(" 90%")
        await t.sees_no(" 50%")
        add(log, "\r100%\nnext line\n")
        await t.sees("100%", "next line")
        await t.press("k")
        await t.sees_no("following")
        add(log, "one more\n")
        await t.until(lambda: "line 205" in t.screen, "it stays where it is")
        await t.sees_no("one more")
        await t.press("F")
        await t.sees("one more", "following")
        await t.press("g", "g")
        await t.sees("begin", "step 0 of 200")


async def test_a_search_goes_from_hit_to_hit(open_lab: Open, store: Path, kept: Path) -> None:
    log_of(store, kept, "lr=0.001", LONG)
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("tidy 99")
        await t.press("/")
        await t.type("STEP 9")
        await t.sees("0 hits")
        await t.press("escape", "/")
        await t.type("step 9")
        await t.sees("11 hits")
        await t.press("enter")
        await t.sees("11 of 11 hits", "step 99 of 200")
        await t.press("N")
        await t.sees("10 of 11 hits")
        await t.press("n", "n")
        await t.sees("no further hit")
        await t.press("escape")
        await t.sees_no("hits")
        await t.sees("[log]")
        await t.press("escape")
        await t.sees("[1 runs]")


async def test_from_error_to_error(open_lab: Open, store: Path, kept: Path) -> None:
    log_of(store, kept, "lr=0.001", LONG)
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("tidy 99")
        await t.press("{")
        await t.sees("RuntimeError: CUDA error: out of luck")
        await t.press("{")
        await t.sees("Traceback (most recent call last):")
        await t.press("{")
        await t.sees("no earlier error")
        await t.press("i", "i")
        await t.sees("no further error")


async def test_a_failed_run_opens_at_the_end_of_its_log(open_lab: Open, store: Path, kept: Path) -> None:
    log_of(store, kept, "calm-owl", "before\n" * 50 + TRACE)
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("calm-owl")
        await t.press("enter")
        await t.sees("[log]", "RuntimeError: CUDA error: out of luck")
        await t.press("escape")
        await t.sees("[1 runs]")
        await t.goes_to("pure-gnat")
        await t.press("enter")
        await t.sees("[curves]")


async def test_a_failed_run_without_a_log_opens_as_any_other(open_lab: Open, kept: Path) -> None:
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("calm-owl")
        await t.press("enter")
        await t.sees("[curves]", "val_loss")
        await t.press("L")
        await t.sees(
            "[log]", "No log of this run was found. Looked at:", "its artifacts", "Slurm", "mlflow.log_artifact"
        )


async def test_a_run_without_metrics_opens_at_its_overview(open_lab: Open, store: Path, kept: Path) -> None:
    add_run(store, "bare-run", metrics=False)
    async with open_lab() as t:
        await t.settles()
        await t.goes_to("bare-run")
        await t.press("enter")
        await t.sees("[overview]", "artifacts", "log")


async def test_a_log_that_comes_later_is_found_with_a_refresh(open_lab: Open, store: Path, kept: Path) -> None:
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("No log of this run was found.")
        log_of(store, kept, "lr=0.001", "here at last\n")
        await t.press("r")
        await t.sees("here at last")


async def test_hydras_log_of_this_machine(open_lab: Open, store: Path, kept: Path, tmp_path: Path) -> None:
    output = tmp_path / "outputs" / "12-00-00"
    (output / ".hydra").mkdir(parents=True)
    (output / "train.log").write_text("from hydra\n")
    with changing(store) as connection:
        row = ("hydra.runtime.output_dir", str(output), id_of(store, "lr=0.001"))
        connection.execute("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", row)
    async with open_lab(size=(120, 36)) as t:
        await open_log(t, "lr=0.001")
        await t.sees("from hydra", "on this machine")


async def test_several_logs_are_chosen_from(open_lab: Open, store: Path, kept: Path) -> None:
    log_of(store, kept, "lr=0.001", "the main one\n")
    log_of(store, kept, "lr=0.001", "rank seven\n", "logs/rank7.log")
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("the main one", ", 1 more")
        await t.press("v")
        await t.sees("logs/rank7.log")
        await t.press("down", "enter")
        await t.sees("rank seven")
        await t.sees_no("the main one")


async def test_a_log_that_is_written_anew_is_read_anew(open_lab: Open, store: Path, kept: Path) -> None:
    log = log_of(store, kept, "lr=0.001", LONG)
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("tidy 99")
        log.write_text("a second start\n")
        await t.sees("a second start")
        await t.sees_no("tidy 99")


async def test_only_the_end_of_a_long_log_is_held_and_it_is_said(open_lab: Open, store: Path, kept: Path) -> None:
    text = "".join(f"line number {number:08}\n" for number in range(150_000))
    log_of(store, kept, "lr=0.001", text)
    async with open_lab() as t:
        await open_log(t, "lr=0.001")
        await t.sees("line number 00149999", "the last 1 MB of 3 MB")
        await t.press("g", "g")
        await t.sees_no("line number 00149999")
        await t.until(lambda: t.lines[2].strip().startswith("line number 00"), "a whole line at the top")


async def test_tabs_lead_on_and_back(open_lab: Open, store: Path, kept: Path) -> None:
    log_of(store, kept, "pure-gnat", "words\n")
    async with open_lab() as t:
        await open_log(t, "pure-gnat")
        await t.press("]")
        await t.sees("[overview]", "params")
        await t.press("[")
        await t.sees("[log]", "words")
        await t.press("[")
        await t.sees("[artifacts]", "train.log")
        await t.press("[")
        await t.sees("[curves]")
        await t.press("escape")
        await t.sees("[1 runs]")


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (200, 60)])
async def test_every_line_fits_the_terminal(open_lab: Open, store: Path, kept: Path, size: tuple[int, int]) -> None:
    log_of(store, kept, "lr=0.001", "x" * 700 + "\n" + "試" * 150 + "\nend\n")
    async with open_lab(size=size) as t:
        await open_log(t, "lr=0.001")
        await t.sees("end", "試")
        assert max(map(len, t.lines)) <= size[0]
        assert "? keys" in t.lines[-1]
