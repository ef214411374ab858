"""Two artifacts compared: a marked one with the one under the cursor, and that of one path in two runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.labstore import artifact_of, keep_artifacts
from support.towerapp import Open, Tower

WIDE = (120, 36)
CONFIG = "".join(f"layer{n}: {n}\n" for n in range(40))


@pytest.fixture
def put(store: Path, tmp_path: Path) -> Callable[[str, str, bytes], None]:
    """Write an artifact of a run."""
    keep_artifacts(store, tmp_path / "kept")

    def write(run: str, name: str, data: bytes) -> None:
        artifact_of(store, tmp_path / "kept", run, name).write_bytes(data)

    return write


@pytest.fixture
def configs(put: Callable[[str, str, bytes], None]) -> None:
    put("pure-gnat", "config.yaml", f"lr: 0.0003\n{CONFIG}seed: 1\n".encode())
    put("calm-owl", "config.yaml", f"lr: 0.01\n{CONFIG}seed: 1\nwarmup: 500\n".encode())
    put("calm-owl", "weights.bin", bytes(range(256)) * 8)
    put("calm-owl", "notes.txt", b"nothing\n")


async def open_artifacts(t: Tower, run: str) -> None:
    await t.goes_to(run)
    await t.press("enter")
    await t.sees("artifacts")
    if "[artifacts]" not in t.screen:
        await t.until(lambda: "[curves]" in t.screen or "[log]" in t.screen)
        await t.press("]")
        if "[log]" in t.screen:
            await t.press("[", "[")
    await t.sees("[artifacts]", "config.yaml")


@pytest.mark.usefixtures("configs")
async def test_a_file_beside_that_of_the_baseline(open_lab: Open) -> None:
    async with open_lab(WIDE) as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("equals_sign")
        await open_artifacts(t, "calm-owl")
        await t.stands_on("config.yaml")
        await t.press("d")
        await t.sees("change 1 of 2", "1 changed, 1 added", "35 equal lines")
        head = t.lines[1]
        assert head.index("pure-gnat") < 60 < head.index("calm-owl")
        (changed,) = (line for line in t.lines if "lr: 0.0003" in line)
        assert "lr: 0.01" in changed[60:]
        assert changed.startswith(">")
        assert "+ warmup: 500" in next(line for line in t.lines if "warmup" in line)[60:]
        await t.press("n")
        await t.sees("change 2 of 2")
        assert next(line for line in t.lines if "warmup" in line).startswith(">")
        await t.press("n", "N", "N")
        await t.sees("change 1 of 2")
        await t.press("x")
        await t.sees("layer15: 15")
        await t.press("escape")
        await t.sees("[artifacts]")


@pytest.mark.usefixtures("configs")
async def test_a_marked_file_is_compared_in_another_run_too_and_narrow_ones_stand_below_each_other(
    open_lab: Open,
) -> None:
    async with open_lab() as t:
        await t.settles()
        await open_artifacts(t, "pure-gnat")
        await t.stands_on("config.yaml")
        assert "d compare" not in t.screen
        await t.press("space")
        await t.sees("+ config.yaml")
        await t.press("escape")
        await t.sees("[1 runs]")
        await open_artifacts(t, "calm-owl")
        await t.stands_on("config.yaml")
        await t.press("d")
        await t.sees("- pure-gnat", "+ calm-owl", "1 - lr: 0.0003", "1 + lr: 0.01", "43 + warmup: 500")


@pytest.mark.usefixtures("configs")
async def test_without_another_file_it_says_what_to_do(open_lab: Open) -> None:
    async with open_lab(WIDE) as t:
        await t.settles()
        await open_artifacts(t, "pure-gnat")
        await t.stands_on("config.yaml")
        await t.press("d")
        await t.hears("mark another file")
        assert "[artifacts]" in t.screen


@pytest.mark.usefixtures("configs")
async def test_what_is_no_text_or_not_there_is_said(open_lab: Open) -> None:
    async with open_lab(WIDE) as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("equals_sign")
        await open_artifacts(t, "calm-owl")
        await t.stands_on("notes.txt")
        await t.press("d")
        await t.sees("pure-gnat has no notes.txt. Choose a file that both runs have.")
        await t.press("escape")
        await t.sees("[artifacts]")
        await t.stands_on("config.yaml")
        await t.press("space")
        await t.stands_on("weights.bin")
        await t.press("d")
        await t.sees("weights.bin is no text, 2 KB")


async def test_several_runs_are_offered_and_equal_files_are_said_to_be(
    open_lab: Open, put: Callable[[str, str, bytes], None]
) -> None:
    for run, end in (("pure-gnat", b"\n"), ("calm-owl", b"\r\n"), ("wide-elk", b"\n")):
        put(run, "config.yaml", b"lr: 1" + end + b"seed: 1" + end)
    async with open_lab(WIDE) as t:
        await t.settles()
        for run in ("pure-gnat", "calm-owl"):
            await t.goes_to(run)
            await t.press("space")
        await open_artifacts(t, "wide-elk")
        await t.stands_on("config.yaml")
        await t.press("d")
        await t.sees("compare config.yaml with that of", "pure-gnat")
        await t.type("calm")
        await t.press("enter")
        await t.sees("The lines are the same in both", "only line ends or spacing")
        await t.press("x")
        await t.sees("lr: 1", "seed: 1")


async def test_of_a_long_file_the_beginning_is_compared_and_that_is_told(
    open_lab: Open, put: Callable[[str, str, bytes], None]
) -> None:
    long = b"a line of many words\n" * 40_000
    put("pure-gnat", "config.yaml", b"one\n" + long)
    put("calm-owl", "config.yaml", b"two\n" + long)
    async with open_lab(WIDE) as t:
        await t.settles()
        await t.goes_to("pure-gnat")
        await t.press("equals_sign")
        await open_artifacts(t, "calm-owl")
        await t.stands_on("config.yaml")
        await t.press("d")
        await t.sees("of both the first 5,000 lines are compared", "4,996 equal lines")
