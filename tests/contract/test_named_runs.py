"""Single runs are given at once, whatever else their source has still to list, or is never asked to."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.mlflow_server import Server

from runtower.acts import export
from runtower.acts.tower import Tower
from runtower.domain.errors import NotFound
from runtower.domain.targets import Target
from runtower.folders import Folders
from runtower.link.client import Link


def paused(uri: str, how: str) -> tuple[Link, Tower]:
    link = Link(Target("lab", "mlflow", uri, options={"path": how}), Folders.of(), use_cache=False)
    link.pause()
    link.spawn()
    return link, Tower([link], ["lab"])


@pytest.mark.parametrize("how", ["sql", "client", "rest"])
async def test_runs_that_are_named_come_whole_and_alone(how: str, request: pytest.FixtureRequest) -> None:
    store: Path | Server = request.getfixturevalue("served" if how == "rest" else "sqlite_store")
    uri = store.url if isinstance(store, Server) else f"sqlite:///{store}"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("alpha")
    runs = client.search_runs([experiment.experiment_id], max_results=2)
    wanted = [run.info.run_id for run in runs]
    _, tower = paused(uri, how)
    tower.start()
    try:
        rows = await tower.bring(0, [*wanted, "f" * 32, ""])
        assert set(rows) == set(wanted)
        assert tower.catalogue.size == 2
        (record,) = export.records(tower.catalogue, [rows[wanted[0]]])
        assert record["params"] == runs[0].data.params
        assert record["metrics"] == runs[0].data.metrics
        assert await tower.bring(0, wanted) == rows
        assert tower.catalogue.size == 2
    finally:
        tower.stop()


async def test_of_a_source_that_does_not_open_its_error_is_told(tmp_path: Path) -> None:
    _, tower = paused(f"sqlite:///{tmp_path / 'none.db'}", "sql")
    tower.start()
    try:
        with pytest.raises(NotFound, match="no MLflow store"):
            await tower.bring(0, ["a" * 32])
    finally:
        tower.stop()


async def test_a_run_that_came_alone_is_listed_with_the_others_later(sqlite_store: Path) -> None:
    uri = f"sqlite:///{sqlite_store}"
    client = MlflowClient(uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    everything = client.search_runs(experiments)
    link, tower = paused(uri, "sql")
    tower.start()
    try:
        one = everything[-1].info.run_id
        rows = await tower.bring(0, [one])
        link.resume()
        every = await tower.bring(0, [run.info.run_id for run in everything])
        assert every[one] == rows[one]
        assert len(set(every.values())) == len(everything)
    finally:
        tower.stop()
