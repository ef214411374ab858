"""Sparklines at the next start: those of runs that ended are there without a question to the source."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.labstore import changing, id_of
from support.towerapp import Open

from runtower.folders import Folders
from runtower.link.client import Link
from runtower.link.wire import Coarse

ENDED = ("lr=0.0003", "lr=0.01", "lr=0.1", "pure-gnat", "calm-owl", "wide-elk", "vit sweep")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs whose curves of val_loss the links were asked for and gave."""
    ids: list[str] = []
    ask = Link.ask

    async def noting(link: Link, request: object) -> object:
        answer = await ask(link, request)  # type: ignore[call-overload]
        if isinstance(request, Coarse) and request.key == "val_loss":
            ids.extend(request.run_ids)
        return answer

    monkeypatch.setattr(Link, "ask", noting)
    return ids


async def look(open_lab: Open, **more: object) -> None:
    """One sitting until the curves are there."""
    async with open_lab(**more) as t:
        await t.settles()
        await t.sees("▅▅▄▄▄▃▃▂")
        await t.until(lambda: "·" not in t.lines[t.line_of("wide-elk")], "the last curve")
        await t.rests()
        await t.press("q")


async def test_only_the_running_run_is_asked_for_again(open_lab: Open, store: Path, asked: list[str]) -> None:
    await look(open_lab)
    assert {id_of(store, name) for name in ENDED} <= set(asked)
    asked.clear()
    await look(open_lab)
    assert set(asked) == {id_of(store, "lr=0.001")}


async def test_a_run_that_was_reopened_meanwhile_is_fetched_anew(open_lab: Open, store: Path, asked: list[str]) -> None:
    await look(open_lab)
    asked.clear()
    gnat = id_of(store, "pure-gnat")
    with changing(store) as connection:
        connection.execute("UPDATE runs SET status = 'RUNNING', end_time = NULL WHERE run_uuid = ?", (gnat,))
        connection.execute("UPDATE metrics SET value = 0.2 WHERE run_uuid = ? AND key = 'val_loss'", (gnat,))
    async with open_lab() as t:
        await t.settles()
        await t.until(lambda: gnat in asked)
        await t.until(lambda: "▁▁▁▁▁▁▁▁" in t.lines[t.line_of("pure-gnat")])


@pytest.mark.parametrize("harm", ["cut", "flip"])
async def test_a_torn_file_is_set_aside_and_the_curves_come_from_the_source(
    open_lab: Open, asked: list[str], harm: str
) -> None:
    await look(open_lab)
    (file,) = Folders.of().curves.glob("*.curves")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data if harm == "flip" else data[: len(data) // 2])
    asked.clear()
    await look(open_lab)
    assert len(set(asked)) == len(ENDED) + 1
    assert len(list(Folders.of().curves.glob("*.broken"))) == 1
    asked.clear()
    await look(open_lab)
    assert len(set(asked)) == 1


async def test_without_a_cache_no_curve_is_kept(open_lab: Open, asked: list[str]) -> None:
    await look(open_lab, cache=False)
    assert not Folders.of().curves.exists()
    asked.clear()
    await look(open_lab, cache=False)
    assert len(set(asked)) == len(ENDED) + 1


async def test_a_run_that_ends_while_one_looks_is_fetched_once_more_and_then_kept(
    open_lab: Open, store: Path, asked: list[str]
) -> None:
    run_id = id_of(store, "lr=0.001")
    async with open_lab() as t:
        await t.settles()
        await t.until(lambda: run_id in asked)
        await t.rests()
        asked.clear()
        with changing(store) as connection:
            connection.execute(
                "UPDATE runs SET status = 'FINISHED', end_time = start_time + 60000 WHERE run_uuid = ?", (run_id,)
            )
        # A question that was under way may be of the run as it was; the one that counts comes after its end is seen.
        await t.until(lambda: "✓ ok" in t.lines[t.line_of("lr=0.001")], "its end")
        await t.rests()
        assert run_id in asked
        await t.press("q")
    asked.clear()
    await look(open_lab)
    assert asked == []
