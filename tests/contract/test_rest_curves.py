"""Long histories of a server: a sample of all, all of a stretch, and on the screen one after the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.mirror import drained
from support.mlflow_server import Server
from support.mlflow_stores import add_points, changing
from support.towerapp import tower

from runtower.domain.errors import NotFound
from runtower.settings import Settings, SourceSettings
from runtower.sources.mlflow import SOURCE
from runtower.sources.mlflow.rest import RestSource
from runtower.sources.port import Known, SamplesHistory, Target

STEPS = 20_000
SPIKE = 12_345


@pytest.fixture
def run_id(served: Server) -> str:
    """A run with a long history in which one step stands out."""
    source = opened(served)
    run_id = drained(source).run_of("odd")
    add_points(served.db, run_id, "many", range(STEPS))
    with changing(served.db) as connection:
        connection.execute("UPDATE metrics SET value = 5000 WHERE key = 'many' AND step = ?", (SPIKE,))
        connection.execute(
            "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES ('many', 1, 5, ?, 0, ?)",
            (STEPS - 1, run_id),
        )
    return run_id


def opened(served: Server) -> RestSource:
    source = SOURCE.open(Target("t", "mlflow", served.url), Known())
    assert isinstance(source, RestSource)
    assert isinstance(source, SamplesHistory)
    return source


@pytest.mark.parametrize("has_bulk", [True, False])
def test_a_sample_says_so_and_a_stretch_of_it_is_exact(served: Server, run_id: str, has_bulk: bool) -> None:
    source = opened(served)
    source._histories._has_bulk = has_bulk
    whole = source.history(run_id, "many")
    assert len(whole.steps) == STEPS
    sample = source.sample(run_id, "many", None)
    assert sample.sampled == has_bulk
    assert (int(sample.steps[0]), int(sample.steps[-1])) == (0, STEPS - 1)
    stretch = source.sample(run_id, "many", (SPIKE - 1000, SPIKE + 1000))
    assert not stretch.sampled
    there = slice(SPIKE - 1000, SPIKE + 1001)
    np.testing.assert_array_equal(stretch.steps, whole.steps[there])
    np.testing.assert_array_equal(stretch.values, whole.values[there])
    assert len(source.sample(run_id, "many", (STEPS + 5, STEPS + 9)).steps) == 0
    for wrong in ((run_id, "never"), ("0" * 32, "many")):
        with pytest.raises(NotFound):
            source.sample(*wrong, None)


async def test_the_screen_says_that_it_is_a_sample_until_one_zooms(served: Server, run_id: str, tmp_path: Path) -> None:
    sources = {"lab": SourceSettings("mlflow", served.url)}
    async with tower(Settings(sources=sources, interval=0.5), tmp_path, (120, 36)) as t:
        await t.settles()
        await t.goes_to("odd")
        await t.press("enter")
        await t.sees("many", "a sample")
        assert not t.screen.count("5k"), "the spike isn't in it"
        await t.press("left", *["left"] * 23, *["+"] * 4)
        await t.sees_no("a sample")
        await t.until(
            lambda: any(line.lstrip().startswith(("5000", "4000", "5k", "4k")) for line in t.lines), "a spike"
        )
