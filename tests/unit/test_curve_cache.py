"""Curves kept for the next start: whatever happens to the file, either all of it is read or none."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from runtower.acts.curve_shelf import CurveShelf
from runtower.catalog import cache, curve_cache
from runtower.catalog.curve_cache import KeptCurve, KeptCurves
from runtower.catalog.writer import WriterLock
from runtower.domain.series import CoarseCurve
from runtower.sources.port import Target

KEY = "k" * 24
TARGET = Target("here", "mlflow", "sqlite:////data/mlflow.db")


def curve(run_id: str, count: int = 32, first: int = 0, sampled: bool = False) -> CoarseCurve:
    low = np.linspace(1, 0, count, dtype=np.float32)
    low[count // 2] = np.nan
    return CoarseCurve(run_id, low, low + 1, first, first + 99, 100, 3, sampled)


def kept(run_id: str, stamp: int = 7, complete: bool = True, count: int = 32) -> KeptCurve:
    return KeptCurve(run_id, "val_loss", stamp, complete, curve(run_id, count) if count else None)


def same(one: KeptCurve | None, other: KeptCurve) -> bool:
    if one is None or (one.curve is None) != (other.curve is None):
        return False
    plain = (one.run_id, one.metric, one.stamp, one.complete)
    if plain != (other.run_id, other.metric, other.stamp, other.complete):
        return False
    if one.curve is None or other.curve is None:
        return True
    a, b = one.curve, other.curve
    return (
        np.array_equal(a.low, b.low, equal_nan=True)
        and np.array_equal(a.high, b.high, equal_nan=True)
        and (a.run_id, a.first_step, a.last_step, a.points, a.odd, a.sampled)
        == (b.run_id, b.first_step, b.last_step, b.points, b.odd, b.sampled)
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "curves"
    given = [kept("a"), kept("é 試", -(2**63), False, 1), kept("none", 2**63 - 1, True, 0), kept("c", 0, True, 17)]
    given.append(KeptCurve("s", "val_loss", 7, False, curve("s", 31, sampled=True)))
    curve_cache.write(folder, KEY, KeptCurves().with_newer(given))
    got = curve_cache.read(folder, KEY)
    assert len(got) == 5
    assert all(same(got.get(one.run_id, "val_loss"), one) for one in given)
    assert got.get("a", "val_acc") is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_a_newer_curve_takes_the_place_of_the_older_one() -> None:
    curves = KeptCurves().with_newer([kept("a", 1), kept("b", 1)]).with_newer([kept("a", 2, count=5)])
    assert list(curves.run_ids) == ["b", "a"]
    assert same(curves.get("a", "val_loss"), kept("a", 2, count=5))
    assert same(curves.get("b", "val_loss"), kept("b", 1))


def test_each_byte_counts_and_no_cut_is_taken_for_the_whole(tmp_path: Path) -> None:
    curve_cache.write(tmp_path, KEY, KeptCurves().with_newer([kept("a"), kept("b")]))
    data = (tmp_path / f"{KEY}.curves").read_bytes()
    chance = random.Random(3)
    for at in [*range(60), *chance.sample(range(60, len(data)), 100)]:
        flipped = bytearray(data)
        flipped[at] ^= 1 << (at % 8)
        with pytest.raises(cache.CacheError):
            curve_cache.parse(bytes(flipped))
    for length in range(0, len(data), 7):
        with pytest.raises(cache.CacheError):
            curve_cache.parse(data[:length])
    with pytest.raises(cache.CacheError):
        curve_cache.parse(data + b"x")


def test_a_torn_file_is_set_aside_and_the_next_one_is_written(tmp_path: Path) -> None:
    curve_cache.write(tmp_path, KEY, KeptCurves().with_newer([kept("a")]))
    path = tmp_path / f"{KEY}.curves"
    path.write_bytes(path.read_bytes()[:-5])
    assert len(curve_cache.read(tmp_path, KEY)) == 0
    assert [file.suffix for file in tmp_path.iterdir()] == [".broken"]
    curve_cache.write(tmp_path, KEY, KeptCurves().with_newer([kept("b")]))
    assert len(curve_cache.read(tmp_path, KEY)) == 1


def test_within_the_budget_the_newest_stay(tmp_path: Path) -> None:
    curves = KeptCurves().with_newer([kept(f"r{number:04}") for number in range(60)])
    smaller = curves.with_newer([kept(f"s{number:04}") for number in range(10)], budget=8000)
    curve_cache.write(tmp_path, KEY, smaller)
    assert 7000 < (tmp_path / f"{KEY}.curves").stat().st_size <= 8100
    assert list(smaller.run_ids[-10:]) == [f"s{number:04}" for number in range(10)]
    assert smaller.run_ids[0] == f"r{70 - len(smaller):04}"
    least = curves.with_newer([kept("s0"), kept("s1")], budget=400)
    assert list(least.run_ids) == ["s1"]


def test_all_sources_together_stay_within_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, key in enumerate(("a" * 24, "b" * 24)):
        curve_cache.write(tmp_path, key, KeptCurves().with_newer([kept("x")]))
        os.utime(tmp_path / f"{key}.curves", (1000 - age, 1000 - age))
    monkeypatch.setattr(curve_cache, "BUDGET", 1000)
    curve_cache.write(tmp_path, KEY, KeptCurves().with_newer([kept("x")]))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a" * 24, KEY]


async def test_the_shelf_writes_what_it_got_and_the_next_one_finds_it(tmp_path: Path) -> None:
    for run_id in ("a", "b"):
        shelf = CurveShelf(tmp_path, [TARGET])
        shelf.read()
        shelf.put(0, kept(run_id))
        shelf.close()
    after = CurveShelf(tmp_path, [TARGET])
    after.read()
    assert same(after.find(0, "a", "val_loss"), kept("a"))
    assert same(after.find(0, "b", "val_loss"), kept("b"))
    assert after.find(255, "a", "val_loss") is None


async def test_whoever_has_the_lock_writes(tmp_path: Path) -> None:
    other = WriterLock(tmp_path, TARGET.file_key)
    assert other.acquire()
    shelf = CurveShelf(tmp_path, [TARGET])
    shelf.put(0, kept("a"))
    shelf.save()
    assert len(curve_cache.read(tmp_path, TARGET.file_key)) == 0
    other.release()
    shelf.put(0, kept("a"))
    shelf.save()
    assert len(curve_cache.read(tmp_path, TARGET.file_key)) == 1


async def test_without_a_cache_nothing_is_read_or_written(tmp_path: Path) -> None:
    curve_cache.write(tmp_path, TARGET.file_key, KeptCurves().with_newer([kept("a")]))
    shelf = CurveShelf(None, [TARGET])
    shelf.read()
    shelf.put(0, kept("b"))
    shelf.save()
    assert shelf.find(0, "a", "val_loss") is None
    assert len(curve_cache.read(tmp_path, TARGET.file_key)) == 1


async def test_a_folder_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shelf = CurveShelf(tmp_path / "file" / "curves", [TARGET])
    shelf.put(0, kept("a"))
    shelf.save()
    assert (tmp_path / "file").read_text() == ""
