"""The first questions to a server go out while numpy and Arrow are still being imported, and none goes out twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fault_server import FaultServer, a_run, faulty
from support.mirror import Mirror

from runtower.domain import errors
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.link.events import Opened, Rows
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import BeginsEarly, Known, Target


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(number) for number in range(300)]) as made:
        yield made


def target(url: str, **options: str) -> Target:
    return Target("t", "mlflow", url, options=options)


def test_what_was_asked_early_isnt_asked_again(server: FaultServer) -> None:
    assert isinstance(SOURCE, BeginsEarly)
    SOURCE.begin(target(server.url))
    source, mirror = SOURCE.open(target(server.url), Known()), Mirror()
    mirror.poll(source)
    assert sorted(mirror.runs) == [f"run{number:05d}" for number in range(200, 300)]
    asked = [question["path"].rsplit("/", 2)[-2:] for question in server.questions]
    assert asked == [["experiments", "search"], ["", "version"], ["runs", "search"]]
    while not mirror.is_complete:
        mirror.poll(source)
    assert len(mirror.runs) == 300
    assert server.most_at_once == 1


def test_the_rest_is_as_long_as_if_it_had_been_asked_late(server: FaultServer) -> None:
    server.took = 0.1
    SOURCE.begin(target(server.url))
    source, mirror = SOURCE.open(target(server.url), Known()), Mirror()
    ahead = source._sync._pages._reader._ahead
    ahead.answer.result()
    mirror.poll(source)
    assert source.pace(0.1) >= 4 * 0.1


def test_other_experiments_are_looked_at_by_then(server: FaultServer) -> None:
    server.experiments += [{"experiment_id": "2", "name": "beta", "lifecycle_stage": "active", "creation_time": 9}]
    for number in range(60):
        server.runs[number]["info"]["experiment_id"] = "2"
    SOURCE.begin(target(server.url))
    source, mirror = SOURCE.open(target(server.url), Known()), Mirror()
    source.scope(["2"])
    while not mirror.is_complete:
        mirror.poll(source)
    assert len(mirror.runs) == 60
    assert server.most_at_once == 1


@pytest.mark.parametrize("fault", ["unauthorised", "internal", "page"])
def test_what_goes_wrong_early_is_told_at_opening(server: FaultServer, fault: str) -> None:
    server.fault = fault
    SOURCE.begin(target(server.url))
    with pytest.raises(errors.TowerError) as caught:
        SOURCE.open(target(server.url), Known())
    assert caught.value.remedy
    server.fault = ""
    assert SOURCE.open(target(server.url), Known()).identity().how == "REST, MLflow 9.9.9"


def test_a_first_page_that_fails_is_asked_for_again(server: FaultServer) -> None:
    well = server._search
    server._search = lambda asked: 1 / 0  # type: ignore[method-assign]
    SOURCE.begin(target(server.url))
    source, mirror = SOURCE.open(target(server.url), Known()), Mirror()
    with pytest.raises(errors.TowerError):
        mirror.poll(source)
    server._search = well  # type: ignore[method-assign]
    mirror.poll(source)
    assert len(mirror.runs) == 100


@pytest.mark.parametrize("paused", [True, False])
async def test_who_only_opens_a_server_asks_for_no_runs(server: FaultServer, paused: bool) -> None:
    link = Link(target(server.url), Folders.of())
    if paused:
        link.pause()
    link.spawn()
    try:
        async for event in link.events():
            if isinstance(event, Opened if paused else Rows):
                break
    finally:
        link.close()
    assert bool(server.searches) is not paused


def test_neither_numpy_nor_arrow_is_there_yet(server: FaultServer, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import runtower.link.host\n"
        "from runtower.sources.mlflow import SOURCE\n"
        "from runtower.sources.port import Target\n"
        f"SOURCE.begin(Target('t', 'mlflow', {server.url!r}))\n"
        f"SOURCE.begin(Target('t', 'mlflow', {str(tmp_path / 'none.db')!r}))\n"
        "print(sorted(sys.modules.keys() & {'httpx', 'numpy', 'pyarrow', 'mlflow', 'click', 'rich'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['httpx']\n"
