"""What the user looks for on a large server is asked for while the rest is still being read, politely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.fault_proxy import FaultProxy, proxied
from support.mirror import Mirror, drained
from support.mlflow_server import Server
from support.mlflow_stores import add_runs
from support.towerapp import tower

from runtower.acts.saved_views import experiments_of
from runtower.catalog import view as views
from runtower.catalog.view import Query
from runtower.commands.opening import Context
from runtower.commands.opening import opened as listed
from runtower.domain.criteria import Criterion
from runtower.domain.errors import NotFound
from runtower.domain.runs import NAME, Kind
from runtower.folders import Folders
from runtower.link.wire import History
from runtower.settings import Settings, SourceSettings
from runtower.sources.mlflow import SOURCE
from runtower.sources.mlflow.rest import RestSource
from runtower.sources.mlflow.rest_search import MOST_PAGES
from runtower.sources.port import Known, SeeksFirst, Target

RUNS = 3000
OLDEST = Criterion(Kind.PARAM, "p0", "=", "3")
HALF = Criterion(Kind.METRIC, "m0", "<", 1500.0)


@pytest.fixture
def proxy(served: Server) -> Iterator[FaultProxy]:
    add_runs(served.db, RUNS, "far", experiment_id=2)  # that of the newest run, and so the one that is looked at
    with proxied(served.url) as made:
        yield made


def opened(url: str, known: Sequence[str] = ()) -> RestSource:
    source = SOURCE.open(Target("t", "mlflow", url), Known(known))
    assert isinstance(source, RestSource)
    assert isinstance(source, SeeksFirst)
    return source


def test_a_match_far_back_comes_before_the_rest(proxy: FaultProxy) -> None:
    source, mirror = opened(proxy.url), Mirror()
    mirror.poll(source)
    assert len(mirror.runs) == 100
    source.seek([OLDEST])
    mirror.poll(source)
    assert mirror.run_of("far-3")
    assert (len(mirror.runs), mirror.is_complete) == (101, False)
    assert len(proxy.searches) == 2, "a page a look, as else"
    while not mirror.is_complete:
        before = len(proxy.searches)
        mirror.poll(source)
        assert len(proxy.searches) - before <= 2, "and the RUNNING runs each five seconds"
    assert mirror.runs == drained(opened(proxy.url)).runs
    given = [run_id for delta in mirror.deltas for run_id in delta.run_ids]
    assert len(given) == len(set(given)), "what was found isn't given again"
    asked = len(proxy.searches)
    source.seek([HALF])
    mirror.poll(source)
    assert not any("m0" in words for words in proxy.searches[asked:]), "all is known: nobody is asked"


def test_some_pages_of_matches_and_the_latest_wish(proxy: FaultProxy) -> None:
    source, mirror = opened(proxy.url), Mirror()
    mirror.poll(source)
    source._sync._pages._size.runs = 100
    source.seek([Criterion(Kind.PARAM, "p0", "!=", "0")])
    mirror.poll(source)
    source.seek([HALF])
    while not mirror.is_complete:
        mirror.poll(source)
        source._sync._pages._size.runs = 100
    assert sum("p0" in words for words in proxy.searches) == 1
    assert sum("m0" in words for words in proxy.searches) == MOST_PAGES
    assert mirror.runs == drained(opened(proxy.url)).runs


def test_what_the_server_doesnt_understand_doesnt_hold_the_sync(proxy: FaultProxy) -> None:
    source, mirror = opened(proxy.url), Mirror()
    source._sync.seek("params.p0 ~~ nonsense")
    mirror.poll(source)
    while not mirror.is_complete:
        mirror.poll(source)
    assert sum("nonsense" in words for words in proxy.searches) == 1
    assert mirror.run_of("far-3")


@pytest.mark.long
async def test_on_the_screen_while_the_server_is_slow(proxy: FaultProxy, tmp_path: Path) -> None:
    """Each page of the sync has to be let through by hand: after the second one the match is there, the rest isn't."""
    proxy.slow = lambda words: words.startswith("attributes.start_time <=")
    patient = SourceSettings("mlflow", proxy.url, options={"timeout": "60"})
    async with tower(Settings(sources={"lab": patient}, interval=0.2), tmp_path, (120, 36)) as t:
        proxy.let(1)
        await t.sees("86 known so far")
        await t.until(lambda: proxy.held == 2, "the second page is asked for")
        await t.press("f")
        await t.type("params.p0 = '3'")
        await t.press("enter")
        await t.sees("Nothing matches params.p0 = '3' in the 86 runs known so far.", "0 of the 86 known so far")
        assert t.app.desk is not None
        (link,) = t.app.desk.tower.links
        await t.until(lambda: link._criteria == (OLDEST,), "the source hears of it")
        with pytest.raises(NotFound):
            await link.ask(History("0" * 32, "m0"))  # an answer: what was said before it has arrived too
        proxy.let(1)
        # It rests four times as long as the page was held, which on a slow machine is a while.
        await t.until(lambda: t.rows == ["far-3"], within=60)
        await t.sees("1 of the ", "known so far")
        assert link.health.known < 1000


async def test_a_command_for_one_experiment_leaves_the_others_alone(proxy: FaultProxy, tmp_path: Path) -> None:
    target = Target("lab", "mlflow", proxy.url)
    work = Context(Settings(), Folders.of({"HOME": str(tmp_path)}), (target,), (), {}, {})
    async with listed(work, 60.0, ["alpha"]) as tower:
        catalogue = tower.catalogue
        chosen = experiments_of(catalogue, ["alpha"])
        rows = views.compute(views.frame_of(catalogue, Query(experiments=chosen), None), Query(experiments=chosen)).rows
        names = {catalogue.texts(NAME).text(row) for row in rows.tolist()}
        assert tower.links[0].health.known < RUNS
    expected = {run.info.run_name for run in MlflowClient(proxy.target).search_runs([chosen_id(chosen)])}
    assert names == expected
    with pytest.raises(NotFound, match="no experiment 'gamma'"):
        async with listed(work, 60.0, ["gamma"]):
            pass


def chosen_id(chosen: frozenset[tuple[int, str]] | None) -> str:
    assert chosen is not None
    ((_, experiment_id),) = chosen
    return experiment_id
