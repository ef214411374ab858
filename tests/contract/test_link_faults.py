"""Real processes that go wrong in every way we know of; the terminal keeps its rows and says what is the matter."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from support.faultlink import QUICK, Watcher, gone, install

from runtower.catalog import cache
from runtower.domain import errors
from runtower.domain.criteria import Criterion
from runtower.domain.runs import Kind
from runtower.link.events import Base, Health, Opened, Rows, State, Trouble
from runtower.link.watch import Timing, Vitals
from runtower.link.wire import Coarse, History, Progress


@pytest.fixture(autouse=True)
def _fault_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable, name in (("CACHE", "cache"), ("STATE", "state"), ("CONFIG", "config")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "site"))
    return


def states(watcher: Watcher) -> list[State]:
    return [event.state for event in watcher.events if isinstance(event, Health)]


async def test_opens_lists_and_answers(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:5") as w:
        await w.until(lambda: len(w.losses) == 5 and w.of(Base))
        assert isinstance(w.events[0], (Opened, Health))
        assert w.link.health.state is State.LIVE
        assert w.link.health.complete
        series = await w.link.ask(History("id1", "loss"))
        assert series.values.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
        large = await w.link.ask(History("id1", "large"))
        assert np.array_equal(large.steps, np.arange(200_000))
        curves = await w.link.ask(Coarse(("id1", "id2"), "loss"))
        assert [curve.run_id for curve in curves] == ["id1", "id2"]
        assert curves[0].high[-1] == 32.0
        (w.control / "news-1").write_text("0 7|id2")
        await w.until(lambda: w.losses.get(0) == 2.0 and 5 in w.losses and 2 not in w.losses)
        assert w.run_ids[5] == "id7"
    spools = w.folders.spool
    await wait_for(lambda: not any(spools.iterdir()))


async def wait_for(condition: Callable[[], object], within: float = 20.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_warm_start_goes_on_where_the_cache_ends(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:5", redact=["API_*"]) as w:
        await w.until(lambda: w.of(Base))
        pid = w.link.pid
    await wait_for(lambda: gone(pid or 0))
    assert cache.read(w.folders.catalog, w.target) is None, "written under other patterns"
    cached = cache.read(w.folders.catalog, w.target, ["API_*"])
    assert cached is not None
    assert b"hidden" not in bytes(cached.segment)
    assert cached.cursor == b"1"
    (w.control / "news-1").write_text("1")
    async with Watcher(tmp_path, "rows:5", have=cached.base_id, redact=["API_*"]) as again:
        await again.until(lambda: again.of(Rows))
        opened = again.of(Opened)[0]
        assert isinstance(opened, Opened)
        assert opened.base is None
        assert not opened.reset
        assert opened.identity.how == "known=5"
        assert again.losses == {1: 3.0}
    async with Watcher(tmp_path, "rows:5", redact=["API_*"]) as without:
        await without.until(lambda: len(without.losses) == 5)
        assert without.losses[4] == 5.0


async def test_a_store_made_anew_voids_what_was_known(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:5") as w:
        await w.until(lambda: w.of(Base))
        pid = w.link.pid
    await wait_for(lambda: gone(pid or 0))
    cached = cache.read(w.folders.catalog, w.target)
    assert cached is not None
    (w.control / "key").write_text("fault:another")
    async with Watcher(tmp_path, "rows:5", have=cached.base_id) as again:
        await again.until(lambda: again.of(Opened))
        opened = again.of(Opened)[0]
        assert isinstance(opened, Opened)
        assert opened.reset
        assert opened.base is None
        await again.until(lambda: len(again.losses) == 5)


@pytest.mark.parametrize("fault", ["half", "garbage", "oversize", "crash"])
async def test_a_process_that_breaks_the_stream_is_replaced(tmp_path: Path, fault: str) -> None:
    async with Watcher(tmp_path, f"rows:4 polled:once={fault}") as w:
        await w.until(lambda: State.WAITING in states(w))
        assert len(w.losses) == 4, "the rows stay"
        troubles = [e.error.name for e in w.events if isinstance(e, Health) and e.error]
        assert troubles[0] == "broken"
        await w.until(lambda: len(w.of(Opened)) == 2 and w.link.health.state is State.LIVE)
        (w.control / "news-1").write_text("2 9")
        await w.until(lambda: w.losses.get(2) == 4.0 and w.run_ids.get(4) == "id9")
        assert not any(e.reset for e in w.events if isinstance(e, Opened))
        assert [e.seq for e in w.events if isinstance(e, Rows)] == sorted(
            e.seq for e in w.events if isinstance(e, Rows)
        )


async def test_without_a_cache_rows_and_their_numbers_survive_a_crash(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4", use_cache=False) as w:
        await w.until(lambda: w.of(Base))
        assert w.link.pid
        os.kill(w.link.pid, signal.SIGKILL)
        await w.until(lambda: len(w.of(Opened)) == 2 and len(w.of(Base)) == 2)
        assert w.run_ids == {row: f"id{row}" for row in range(4)}
        assert len(w.losses) == 4
    assert not w.folders.catalog.exists()


async def test_a_stopped_process_is_stale_and_recovers(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        await w.until(lambda: w.losses)
        pid = w.link.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        await w.until(lambda: w.link.health.state is State.STALE)
        assert len(w.losses) == 4
        os.kill(pid, signal.SIGCONT)
        await w.until(lambda: w.link.health.state is State.LIVE)
        assert w.link.pid == pid


async def test_a_process_that_hangs_is_replaced(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4", timing=Timing(0.1, 0.5, 1.0, 0.05, 0.05)) as w:
        await w.until(lambda: w.losses)
        pid = w.link.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        await w.until(lambda: w.link.pid not in (None, pid) and w.link.health.state is State.LIVE)
        assert gone(pid)
        assert len(w.losses) == 4


async def test_what_a_library_prints_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with Watcher(tmp_path, "rows:4 poll:print") as w:
        await w.until(lambda: len(w.losses) == 4)
        words = ("printed to stdout", "written to 1", "written to 2", "put by C")
        await w.until(lambda: all(word in w.log() for word in words))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("uri", ["open:never", "poll:never"])
async def test_leaving_does_not_wait_for_a_source_that_never_returns(tmp_path: Path, uri: str) -> None:
    async with Watcher(tmp_path, uri) as w:
        pid = w.link.pid or 0
        if uri == "poll:never":
            await w.until(lambda: w.of(Opened))
        asked = asyncio.create_task(w.link.ask(History("id1", "never")))
        await asyncio.sleep(0)
        before = time.monotonic()
        w.link.close()
        assert time.monotonic() - before < 2.0
        with pytest.raises(errors.Cancelled):
            await asked
    await wait_for(lambda: gone(pid))


async def test_every_error_crosses_by_name(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        for name, kind in errors.ALL.items():
            with pytest.raises(kind) as caught:
                await w.link.ask(History("id1", name))
            assert (caught.value.tried, caught.value.remedy) == (f"tried {name}", f"remedy {name}")
            (w.control / "raise-poll").write_text(name)
            w.link.refresh()
            await w.until(lambda name=name: w.link.health.error and w.link.health.error.name == name)
            assert w.link.health.state is State.WAITING
            assert w.link.health.error
            assert w.link.health.error.remedy == "wait"
            assert w.link.health.next_try is not None
        (w.control / "raise-poll").unlink()
        w.link.refresh()
        await w.until(lambda: w.link.health.state is State.LIVE and len(w.losses) == 4)


async def test_a_source_that_cannot_be_opened_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "control").mkdir()
    (tmp_path / "control" / "raise-open").write_text("unreachable")
    async with Watcher(tmp_path, "rows:4") as w:
        await w.until(lambda: w.link.health.state is State.WAITING)
        with pytest.raises(errors.Unreachable):
            await w.link.ask(History("id1", "loss"))
        (w.control / "raise-open").unlink()
        w.link.refresh()
        await w.until(lambda: len(w.losses) == 4)


@pytest.mark.parametrize("uri", ["poll:bug", "open:bug"])
async def test_a_bug_in_a_library_is_broken_and_in_the_log(tmp_path: Path, uri: str) -> None:
    async with Watcher(tmp_path, uri) as w:
        await w.until(lambda: w.link.health.error)
        assert w.link.health.error
        assert w.link.health.error.name == "broken"
        assert "ZeroDivisionError" in w.log()


async def test_an_unknown_kind_is_invalid(tmp_path: Path) -> None:
    w = Watcher(tmp_path, "rows:4")
    w.link.close()
    w.link = type(w.link)(w.target.__class__("x", "os:system", ""), w.folders, timing=QUICK)
    async with w:
        await w.until(lambda: w.link.health.error)
        assert w.link.health.error
        assert w.link.health.error.name == "invalid"


async def test_three_crashes_set_the_request_aside_and_not_the_source(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        await w.until(lambda: w.losses)
        good = asyncio.create_task(w.link.ask(History("id1", "loss")))
        with pytest.raises(errors.Broken, match="3 times"):
            await w.link.ask(History("id1", "crash"))
        assert (await good).run_id == "id1"
        assert (w.control / "asked").read_text().count("id1 crash") == 3
        assert (await w.link.ask(History("id2", "loss"))).run_id == "id2"
        assert len(w.losses) == 4


async def test_a_crash_loop_backs_off_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, died = [], Vitals.died

    def noted(vitals: Vitals, error: Trouble, next_in: float) -> bool:
        told.append(next_in)
        return died(vitals, error, next_in)

    monkeypatch.setattr(Vitals, "died", noted)
    async with Watcher(tmp_path, "open:crash") as w:
        await w.until(lambda: w.link.health.state is State.QUARANTINED and len(told) >= 5)
    assert told[:5] == [QUICK.retry * 2**number for number in range(5)]
    # A slow machine only makes the tries later than was said, never earlier.
    tries = sorted({e.next_try for e in w.events if isinstance(e, Health) and e.next_try})
    for (before, after), pause in zip(pairwise(tries), told[1:], strict=False):
        assert after - before >= pause


async def test_a_newer_question_of_a_topic_takes_the_place_of_the_older(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        await w.until(lambda: w.losses)
        holding = asyncio.create_task(w.link.ask(History("id0", "slow")))
        await w.until(lambda: "slow" in _text(w.control / "asked"))
        older = asyncio.create_task(w.link.ask(History("id1", "older"), topic="chart"))
        await asyncio.sleep(0)
        newer = asyncio.create_task(w.link.ask(History("id1", "newer"), topic="chart"))
        with pytest.raises(errors.Cancelled):
            await older
        (w.control / "go").touch()
        assert (await newer).key == "newer"
        await holding
        assert "older" not in _text(w.control / "asked")


async def test_operations_report_end_and_fail(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        seen: list[Progress] = []
        assert await w.link.operate("count", {"to": "3"}, progress=seen.append) == b"counted"
        assert [(p.done, p.total, p.text) for p in seen] == [(i, 3, "counting") for i in range(3)]
        with pytest.raises(errors.Invalid):
            await w.link.operate("nothing", {})
        with pytest.raises(errors.Cancelled, match="in time"):
            await w.link.operate("endless", {}, deadline=0.1)
        with pytest.raises(errors.OutcomeUnknown, match="isn't known"):
            await w.link.operate("deaf", {}, deadline=0.1)
        running = asyncio.create_task(w.link.operate("endless", {}, progress=seen.append))
        await w.until(lambda: len(seen) > 4)
        running.cancel()
        await w.until(lambda: "was cancelled" in _text(w.control / "cancelled"))
        with pytest.raises(errors.OutcomeUnknown, match="isn't known"):
            await w.link.operate("crash", {})


async def test_pause_resume_focus_and_interval(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as w:
        w.link.pause()
        w.link.focus(["id3"])
        await w.link.ask(History("id1", "loss"))
        count = _text(w.control / "polls").count("\n")
        for _ in range(50):
            await w.link.ask(History("id1", "loss"))
        assert _text(w.control / "polls").count("\n") <= count + 1, "at most the one that was under way"
        w.link.resume()
        await w.until(lambda: "1 id3" in _text(w.control / "polls"))
        w.link.set_interval(3600.0)
        await w.link.ask(History("id1", "loss"))
        count = _text(w.control / "polls").count("\n")
        w.link.refresh()
        await w.until(lambda: _text(w.control / "polls").count("\n") > count)


async def test_a_source_that_keeps_a_pace_is_asked_no_sooner_unless_the_user_wants_to(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4 paced") as w:
        await w.until(lambda: _text(w.control / "wishes") == "0.05\n")
        for _ in range(50):
            await w.link.ask(History("id1", "loss"))
        assert _text(w.control / "polls").count("\n") == 1
        w.link.refresh()
        await w.until(lambda: _text(w.control / "wishes").count("\n") == 2)


async def test_a_source_that_reads_by_experiment_hears_of_them_and_is_polled_at_once(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4 paced") as w:
        await w.until(lambda: _text(w.control / "wishes") == "0.05\n")
        assert _text(w.control / "scopes") == "None\n"
        w.link.scope(["1", "2"])
        w.link.scope(["1", "2"])
        await w.until(lambda: _text(w.control / "wishes").count("\n") == 2)
        assert _text(w.control / "scopes") == "None\n('1', '2')\n"
        os.kill(w.link.pid or 0, signal.SIGKILL)
        await w.until(lambda: _text(w.control / "scopes").endswith("None\n('1', '2')\n") and w.link.health.complete)
        w.link.scope(None)
        await w.until(lambda: _text(w.control / "scopes").endswith("None\n"))


async def test_a_source_hears_what_is_sought_and_is_asked_no_sooner_for_it(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4 paced") as w:
        await w.until(lambda: _text(w.control / "wishes") == "0.05\n")
        wanted = Criterion(Kind.METRIC, "loss", "<", 0.5)
        for _ in range(2):
            w.link.seek([wanted])
        await w.until(lambda: _text(w.control / "sought") == "nothing\nmetrics.loss < 0.5\n")
        await w.link.ask(History("id1", "loss"))
        assert _text(w.control / "polls").count("\n") == 1, "the rest that the source wants is kept"
        os.kill(w.link.pid or 0, signal.SIGKILL)
        await w.until(
            lambda: _text(w.control / "sought").endswith("nothing\nmetrics.loss < 0.5\n") and w.link.health.complete
        )
        w.link.seek([])
        await w.until(lambda: _text(w.control / "sought").endswith("0.5\nnothing\n"))


async def test_a_source_that_says_when_it_may_be_asked_again_is_obeyed(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4 polled:wait=1800") as w:
        await w.until(lambda: w.link.health.error)
        assert w.link.health.error == Trouble("busy", "tried too often", "wait")
        left = (w.link.health.next_try or 0.0) - time.monotonic()
        assert 1700 < left <= 1800
        assert len(w.losses) == 4, "rows stay"


async def test_two_links_share_one_cache(tmp_path: Path) -> None:
    async with Watcher(tmp_path, "rows:4") as first:
        await first.until(lambda: first.of(Base))
        async with Watcher(tmp_path, "rows:4") as second:
            await second.until(lambda: len(second.losses) == 4 and second.link.health.notices)
            assert "Another runtower" in second.link.health.notices[0]
            (second.control / "news-1").write_text("1 8")
            await second.until(lambda: len(second.losses) == 5)
            await first.until(lambda: len(first.losses) == 5)
        assert first.link.health.notices == ()


async def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache" / "runtower").mkdir(parents=True)
    (tmp_path / "cache" / "runtower" / "catalog").write_text("a file where the folder should be")
    async with Watcher(tmp_path, "rows:4") as w:
        await w.until(lambda: w.of(Base) and w.link.health.notices)
        assert "goes on without" in w.link.health.notices[0]
        assert len(w.losses) == 4


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounts a small tmpfs")
async def test_a_full_disk_costs_the_cache_and_nothing_else(tmp_path: Path) -> None:
    catalog = tmp_path / "cache" / "runtower" / "catalog"
    catalog.mkdir(parents=True)
    if _run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(catalog)):
        pytest.skip("may not mount")
    try:
        async with Watcher(tmp_path, "rows:20000") as w:
            await w.until(lambda: w.of(Base) and w.link.health.notices)
            assert "no space left" in w.link.health.notices[0]
            assert len(w.losses) == 20_000
            assert not [path for path in catalog.iterdir() if path.suffix != ".lock"]
        pid = w.link.pid
        assert pid is None
    finally:
        await wait_for(lambda: _run("umount", str(catalog)) == 0)


async def test_the_process_ends_with_a_terminal_that_is_killed(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from itertools import pairwise
from pathlib import Path
from support.faultlink import Watcher
async def main():
    async with Watcher(Path(sys.argv[1]), "rows:4") as w:
        await w.until(lambda: w.losses)
        print(w.link.pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = _started(program, str(tmp_path))
    assert parent.stdout
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    assert not gone(pid)
    parent.kill()
    await wait_for(lambda: gone(pid))
    parent.wait()


def test_a_link_imports_no_tables_before_it_has_to() -> None:
    program = (
        "import sys, runtower.link.client\n"
        "assert not {'numpy', 'pyarrow', 'importlib.metadata'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _run(*argv: str) -> int:
    return subprocess.run(argv, capture_output=True, check=False).returncode


def _started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
