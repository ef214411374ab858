"""A guest on somebody's server: what it is asked, how much at once, how often, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from support.fault_server import FaultServer, a_run, faulty
from support.mirror import Mirror, drained
from support.mlflow_stores import add_points

from runtower.domain.errors import Invalid, NotFound
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import KeepsPace, Known, Target


def opened(url: str, known: Sequence[str] = (), **options: str):
    return SOURCE.open(Target("t", "mlflow", url, options=options), Known(known))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(number) for number in range(1234)]) as made:
        yield made


def test_newest_first_a_page_at_a_time(server):
    source, mirror = opened(server.url), Mirror()
    mirror.poll(source)
    assert len(server.searches) == 1
    assert sorted(mirror.runs) == [f"run{number:05d}" for number in range(1134, 1234)]
    assert not mirror.is_complete
    while not mirror.is_complete:
        before = len(server.questions)
        mirror.poll(source)
        assert len(server.questions) - before <= 1
    assert len(mirror.runs) == 1234
    assert server.most_at_once == 1
    given = [run_id for delta in mirror.deltas for run_id in delta.run_ids]
    assert len(given) == len(set(given)), "no run twice"


def test_it_rests_four_times_as_long_as_the_last_answer_took(server):
    source, mirror = opened(server.url), Mirror()
    assert isinstance(source, KeepsPace)
    server.took = 0.15
    mirror.poll(source)
    assert 0.6 <= source.pace(0.1) < 5


def test_at_rest_it_looks_each_five_seconds_or_as_seldom_as_the_user_wants(server):
    source = opened(server.url)
    drained(source)
    assert source.pace(0.1) == 5.0
    assert source.pace(60.0) == 60.0
    slower = opened(server.url, interval="12")
    drained(slower)
    assert slower.pace(2.0) == 12.0


def test_what_a_look_asks_while_nothing_happens(server):
    source = opened(server.url)
    mirror = drained(source)
    mirror.poll(source)
    begun = len(server.questions)
    for _ in range(12):
        assert mirror.poll(source, ["run00003"]) == []
    asked = server.questions[begun:]
    searches = [question["filter"] for question in asked if "filter" in question]
    assert sum("RUNNING" in words for words in searches) == 12
    assert sum("run_id IN" in words for words in searches) == 3
    assert sum("end_time" in words for words in searches) == 1
    assert len(asked) == 12 + 3 + 1 + 1 + 1 + 2, "hot, screen, begun, ended, audit, experiments"
    assert max(question["max_results"] for question in asked if "filter" in question) <= 100


def test_runs_on_the_screen_are_seen_within_four_looks_and_all_others_by_the_audit(server):
    del server.runs[450:]
    source = opened(server.url)
    mirror = drained(source)
    server.runs[3]["info"]["run_name"] = server.runs[300]["info"]["run_name"] = "renamed"
    for _ in range(4):
        mirror.poll(source, ["run00003"])
    assert mirror.runs["run00003"]["attribute.name"] == "renamed"
    for _ in range(24):
        mirror.poll(source)
    assert mirror.runs["run00300"]["attribute.name"] == "renamed"


def test_a_look_that_the_user_asks_for_begins_with_the_screen(server):
    source = opened(server.url)
    mirror = drained(source)
    for number in range(5):
        source.pace(0.1)
        server.runs[3]["info"]["run_name"] = f"renamed {number}"
        mirror.poll(source, ["run00003"])
        assert mirror.runs["run00003"]["attribute.name"] == f"renamed {number}"


def test_a_run_that_ends_is_asked_for_once_and_its_last_values_shown(server):
    server.runs.append(a_run(2000, status="RUNNING"))
    source = opened(server.url)
    mirror = drained(source)
    mirror.poll(source)
    ended = a_run(2000, status="FAILED")
    ended["info"]["end_time"] = 5
    ended["data"]["metrics"][0]["value"] = 42.0
    server.runs[-1] = ended
    mirror.poll(source)
    assert mirror.runs["run02000"]["attribute.status"] == "FAILED"
    assert mirror.runs["run02000"]["metric.loss"] == 42.0


def test_more_running_runs_than_a_page_are_all_watched(server):
    server.runs[:] = [a_run(number, status="RUNNING") for number in range(250)]
    source = opened(server.url)
    mirror = drained(source)
    server.runs[0]["data"]["metrics"][0]["value"] = 7.5
    mirror.poll_until(source, lambda: mirror.runs["run00000"]["metric.loss"] == 7.5)
    assert source.pace(0.1) <= 5.0


def test_a_sync_that_was_interrupted_goes_on_where_it_was(server):
    source, mirror = opened(server.url), Mirror()
    for _ in range(3):
        mirror.poll(source)
    known, asked = len(mirror.runs), len(server.questions)
    source = opened(server.url, list(mirror.runs))
    while not mirror.is_complete:
        mirror.poll(source)
    assert len(mirror.runs) == 1234
    bounds = [question["filter"] for question in server.questions[asked:] if "filter" in question]
    assert all(str(2**63 - 1) not in words for words in bounds), "nothing is asked from the top"
    assert len({run_id for delta in mirror.deltas[3:] for run_id in delta.run_ids}) == 1234 - known


def test_after_a_day_away_only_what_began_or_ended_since_is_read(server):
    mirror = drained(opened(server.url))
    server.runs += [a_run(number) for number in range(5000, 5010)]
    begun = len(server.questions)
    source = opened(server.url, list(mirror.runs))
    mirror.poll(source)
    assert len(mirror.runs) == 1244
    assert mirror.is_complete
    sizes = [question["max_results"] for question in server.questions[begun:] if "filter" in question]
    assert sum(sizes) <= 400


@pytest.mark.parametrize("starts", ["each its own", "all the same"])
def test_runs_purged_elsewhere_go_with_the_audit(server, starts):
    start = 1_600_000_000_000 if starts == "all the same" else None
    server.runs[:] = [a_run(number, start=start) for number in range(450)]
    source = opened(server.url)
    mirror = drained(source)
    assert len(mirror.runs) == len(server.runs)
    del server.runs[5:9], server.runs[300:303]
    for _ in range(84):
        mirror.poll(source)
    assert sorted(mirror.runs) == sorted(run["info"]["run_id"] for run in server.runs)


def test_the_audit_goes_on_after_a_restart(server):
    del server.runs[450:]
    source = opened(server.url)
    mirror = drained(source)
    server.runs[0]["info"]["run_name"] = "renamed"
    for restart in range(3):
        for look in range(24):
            server.runs.append(a_run(10_000 + 30 * restart + look))
            mirror.poll(source)
        source = opened(server.url, list(mirror.runs))
    assert mirror.runs["run00000"]["attribute.name"] == "renamed"


def test_only_the_experiments_that_are_looked_at_are_read_whole(server):
    server.experiments += [{"experiment_id": "2", "name": "beta", "lifecycle_stage": "active", "creation_time": 9}]
    for number in range(60):
        server.runs[number]["info"]["experiment_id"] = "2"
    source, mirror = opened(server.url), Mirror()
    mirror.poll(source)
    source.scope(["2"])
    while not mirror.is_complete:
        mirror.poll(source)
    assert mirror.deltas[-1].partial
    assert {number for number in range(60) if f"run{number:05d}" in mirror.runs} == set(range(60))
    assert len(mirror.runs) == 160, "of the other one only the page that was there already"
    server.runs.append(a_run(9000, status="RUNNING"))
    mirror.poll_until(source, lambda: "run09000" in mirror.runs)
    begun = len(server.questions)
    for _ in range(12):
        mirror.poll(source)
    audited = [q for q in server.questions[begun:] if q.get("filter", "").startswith("attributes.start_time <=")]
    assert {tuple(question["experiment_ids"]) for question in audited} == {("2",)}
    source.scope(None)
    mirror.poll_until(source, lambda: not mirror.is_complete)
    while not mirror.is_complete:
        mirror.poll(source)
    assert len(mirror.runs) == 1235
    assert not mirror.deltas[-1].partial


def test_an_experiment_made_elsewhere_is_read_with_the_next_list(server):
    del server.runs[300:]
    source = opened(server.url)
    mirror = drained(source)
    server.experiments.append({"experiment_id": "7", "name": "late", "lifecycle_stage": "active", "creation_time": 9})
    old = [a_run(number, start=1_000_000_000_000 + number) for number in range(20_000, 20_150)]
    for run in old:
        run["info"]["experiment_id"] = "7"
    server.runs += old
    mirror.poll_until(source, lambda: len(mirror.runs) == 450)
    assert mirror.is_complete


def test_a_server_below_a_path_and_what_goes_with_each_question():
    with faulty([a_run(1)], prefix="/team/mlflow") as server:
        source = opened(server.url, workspace="vision", token="hush", **{"headers.X-Team": "blue"})
        assert len(drained(source).runs) == 1
        assert source.identity().address.endswith("/team/mlflow")
        for sent in server.headers:
            assert (sent["Authorization"], sent["X-Team"]) == ("Bearer hush", "blue")
            assert sent["X-MLFLOW-WORKSPACE"] == "vision"
            assert sent["User-Agent"].startswith("runtower/")
        assert "vision" in source.identity().key
        assert "hush" not in source.identity().key
        with pytest.raises(NotFound, match="no MLflow API"):
            opened(server.url.removesuffix("/team/mlflow"))


def test_only_a_server_is_read_by_rest(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"SQLite format 3\0")
    with pytest.raises(Invalid, match="no server"):
        opened(f"sqlite:///{tmp_path}/mlflow.db", path="rest")


@pytest.mark.filterwarnings("ignore:Could not find any registered plugin")
def test_what_only_mlflows_plugins_can_sign_goes_through_its_client(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "of-a-plugin")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "of-the-environment")
    source = opened(server.url, token="own")
    assert source.identity().how.startswith("MlflowClient")
    assert server.headers[-1]["Authorization"] == "Bearer own"
    assert opened(server.url, path="rest").identity().how.startswith("REST")


def test_a_long_history_is_read_whole_and_its_coarse_curve_is_a_sample(served):
    source = opened(served.url)
    odd = drained(source).run_of("odd")
    add_points(served.db, odd, "many", range(30_000))
    series = source.history(odd, "many")
    assert series.steps.tolist() == list(range(30_000))
    (long,) = source.coarse([odd], "many")
    assert long.sampled
    assert (long.first_step, len(long.low)) == (0, 32)
    add_points(served.db, odd, "few", range(500))
    assert [curve.sampled for curve in source.coarse([odd], "few")] == [False]
