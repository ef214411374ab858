"""A source that is held is never asked; one that isn't tells how far away it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from support.fault_server import FaultServer, a_run, faulty
from support.faultlink import QUICK

from runtower.domain.errors import Forbidden
from runtower.folders import Folders
from runtower.link.client import Link
from runtower.sources.port import Target

WHY = "Nobody said yet that it may be asked."


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(1)]) as made:
        yield made


@asynccontextmanager
async def linked(target: Target, **options: bool) -> AsyncIterator[Link]:
    link = Link(target, Folders.of(), interval=0.05, timing=QUICK, use_cache=False, **options)
    link.spawn()

    async def listen() -> None:
        async for _ in link.events():
            pass

    task = asyncio.create_task(listen())
    try:
        yield link
    finally:
        task.cancel()
        link.close()


async def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_held_source_is_never_asked(server: FaultServer) -> None:
    async with linked(Target("team", "mlflow", server.url, held=WHY)) as link:
        await until(lambda: link.health.error is not None)
        error = link.health.error
        assert error is not None
        assert (error.name, error.tried) == ("forbidden", WHY)
        assert "runtower trust" in error.remedy
        link.refresh()
        since = link.health.since
        await until(lambda: link.health.next_try is not None and link.health.next_try > since)
    async with linked(Target("team", "mlflow", server.url, held=WHY), writes=True) as link:
        with pytest.raises(Forbidden, match="Nobody said yet"):
            await link.operate("look", {"run_id": "run00001"}, deadline=20)
    assert server.questions == []


async def test_a_server_tells_how_long_an_answer_takes(server: FaultServer) -> None:
    server.took = 0.1
    async with linked(Target("team", "mlflow", server.url)) as link:
        await until(lambda: link.health.complete)
        assert link.health.round_trip is not None
        assert 0.1 <= link.health.round_trip < 10
