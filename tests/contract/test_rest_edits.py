"""Changes of a server's runs over REST, while another client writes and while the way to the server breaks: nothing is
half made, and each end is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.fault_proxy import FaultProxy, proxied
from support.mlflow_server import Server, free_port

from runtower.acts import writer as writing
from runtower.acts.writer import Writer
from runtower.domain.edits import ACTIVE, DELETED, NOTE, Edit, Field, RunNow
from runtower.domain.errors import Busy, Conflict, Forbidden, OutcomeUnknown, TowerError, Unreachable
from runtower.folders import Folders
from runtower.link import commandlog
from runtower.settings import Settings
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Editable, Identity, Target


@pytest.fixture
def proxy(served: Server) -> Iterator[FaultProxy]:
    with proxied(served.url) as made:
        yield made


@pytest.fixture
def other(served: Server) -> MlflowClient:
    """Another client of the same server."""
    return MlflowClient(served.url)


@pytest.fixture
def run_id(other: MlflowClient) -> str:
    experiments = [one.experiment_id for one in other.search_experiments()]
    return str(other.search_runs(experiments, "attributes.run_name = 'finished-1'")[0].info.run_id)


def opened(url: str, **options: str) -> Editable:
    return SOURCE.open_for_edits(Target("lab", "mlflow", url, options={"timeout": "4", **options}))


def ready() -> None:
    """Nobody objects."""


def tag(run_id: str, before: str | None, after: str | None) -> Edit:
    return Edit(run_id, Field.TAG, before, after, "team")


def rest_of(now: RunNow) -> tuple[object, ...]:
    """A run without the tag that these tests write."""
    tags = {key: value for key, value in now.tags.items() if key != "team"}
    return (now.name, now.lifecycle, now.status, now.start_time, now.last_metric, tags)


REFUSALS = [
    ("forbidden", Forbidden, "not yours"),
    ("conflict", Conflict, "somebody else is at it"),
    ("busy", Busy, "patience"),
]


@pytest.mark.parametrize(("fault", "kind", "says"), REFUSALS, ids=[one[0] for one in REFUSALS])
def test_a_refused_write_changes_nothing_and_says_why(
    proxy: FaultProxy, served: Server, run_id: str, fault: str, kind: type[TowerError], says: str
) -> None:
    before = opened(served.url).look(run_id)
    proxy.fault = fault
    with pytest.raises(kind, match=says) as caught:
        opened(proxy.url).edit(tag(run_id, None, "mine"), ready)
    assert caught.value.remedy
    assert opened(served.url).look(run_id) == before
    assert len(proxy.writes) == 1, "tried once"


ALL = [
    Edit("", Field.NAME, "finished-1", "mine"),
    Edit("", Field.TAG, None, "mine", "team"),
    Edit("", Field.TAG, "ana", None, "mlflow.user"),
    Edit("", Field.TAG, None, "# a note", NOTE),
    Edit("", Field.LIFECYCLE, ACTIVE, DELETED),
]


@pytest.mark.parametrize("edit", ALL, ids=lambda edit: f"{edit.field}-{edit.key}")
@pytest.mark.parametrize("fault", ["lost before", "lost after", "internal", "login"])
def test_a_way_that_breaks_in_the_middle(
    proxy: FaultProxy, served: Server, run_id: str, edit: Edit, fault: str
) -> None:
    mine = Edit(run_id, edit.field, edit.before, edit.after, edit.key)
    source = opened(proxy.url)
    before = source.look(run_id)
    proxy.fault = fault
    if fault == "lost after":
        assert source.edit(mine, ready).value(mine) == mine.after
    else:
        with pytest.raises(OutcomeUnknown, match="isn't known"):
            source.edit(mine, ready)
        assert opened(served.url).look(run_id) == before
    assert len(proxy.writes) == 1, "never sent again"
    assert source.edit(mine, ready).value(mine) == mine.after, "once it is wanted again"
    assert source.edit(mine.undone(), ready) == before


def test_a_server_that_dies_with_the_write_leaves_it_unknown(proxy: FaultProxy, served: Server, run_id: str) -> None:
    proxy.fault = "dies after"
    with pytest.raises(OutcomeUnknown, match="isn't known"):
        opened(proxy.url).edit(tag(run_id, None, "mine"), ready)
    assert opened(served.url).look(run_id).tags["team"] == "mine", "which is why it is read back"


def test_nobody_there_is_no_unknown_outcome(run_id: str) -> None:
    with pytest.raises(Unreachable, match="nothing listens"):
        opened(f"http://127.0.0.1:{free_port()}").edit(tag(run_id, None, "mine"), ready)


def test_a_server_that_left_before_the_write_got_nothing(served: Server, run_id: str) -> None:
    with proxied(served.url) as proxy:
        source = opened(proxy.url)
        proxy.keeps = False
        with pytest.raises(Unreachable, match="Nothing was changed"):
            source.edit(tag(run_id, None, "mine"), proxy.leave)
    assert "team" not in opened(served.url).look(run_id).tags


def test_another_client_writes_after_our_look(proxy: FaultProxy, other: MlflowClient, run_id: str) -> None:
    """MLflow has no write that compares: theirs is seen where it came last, and nothing else of the run is touched."""
    source = opened(proxy.url)
    before = source.look(run_id)
    proxy.between = lambda: other.update_run(run_id, name="theirs")
    now = source.edit(tag(run_id, None, "mine"), ready)
    assert (now.name, now.tags["team"]) == ("theirs", "mine")
    other.update_run(run_id, name=before.name)
    assert rest_of(source.look(run_id)) == rest_of(before)
    proxy.between = lambda: other.delete_run(run_id)
    with pytest.raises(Conflict, match="lifecycle is 'deleted'"):
        source.edit(tag(run_id, "mine", "mine too"), ready)
    assert other.get_run(run_id).data.tags["team"] == "mine"


def test_each_field_that_another_client_changed_since_is_left_alone(
    served: Server, other: MlflowClient, run_id: str
) -> None:
    source = opened(served.url)
    other.set_tag(run_id, NOTE, "theirs")
    other.set_tag(run_id, "team", "theirs")
    other.update_run(run_id, name="theirs")
    now = source.look(run_id)
    for edit in (
        tag(run_id, None, "mine"),
        Edit(run_id, Field.NAME, "finished-1", "mine"),
        Edit(run_id, Field.TAG, None, "mine", NOTE),
    ):
        with pytest.raises(Conflict, match="'theirs'"):
            source.edit(edit, ready)
    other.set_terminated(run_id, "FAILED")
    with pytest.raises(Conflict, match="'FAILED'"):
        source.edit(Edit(run_id, Field.STATUS, "RUNNING", "KILLED", last_metric=now.last_metric), ready)
    assert source.look(run_id).tags == now.tags


def test_changes_over_rest_leave_mlflow_out(served: Server, run_id: str) -> None:
    code = (
        "import sys\n"
        "from runtower.domain.edits import Edit, Field\n"
        "from runtower.sources.mlflow import SOURCE\n"
        "from runtower.sources.port import Target\n"
        f"source = SOURCE.open_for_edits(Target('t', 'mlflow', {served.url!r}))\n"
        f"print(source.edit(Edit({run_id!r}, Field.TAG, None, 'x', 'team'), lambda: None).tags['team'])\n"
        "print(sorted(sys.modules.keys() & {'mlflow', 'sqlalchemy', 'pandas', 'requests', 'numpy'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["x", "[]"]


async def test_through_the_process_that_writes_with_its_log_and_back(
    proxy: FaultProxy, other: MlflowClient, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, name in (("CACHE", "cache"), ("STATE", "state"), ("CONFIG", "config")):
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / name))
    monkeypatch.setattr(writing, "_LOOK_AGAIN", 0.01)
    writer = Writer(Target("lab", "mlflow", proxy.url), Folders.of(), Settings())
    identity = Identity("mlflow:lab", proxy.url, "")
    try:
        rename = Edit(run_id, Field.NAME, "finished-1", "mine")
        ends = [
            await writer.write(rename, "finished-1", identity),
            await writer.write(rename.undone(), "mine", identity),
        ]
        proxy.fault = "lost before"
        ends.append(await writer.write(rename, "finished-1", identity))
        other.set_tag(run_id, "team", "theirs")
        ends.append(await writer.write(tag(run_id, None, "mine"), "finished-1", identity))
    finally:
        writer.leave()
    assert [end.word for end in ends] == ["done", "done", "refused", "refused"]
    assert [entry.outcome for entry in commandlog.read(Folders.of().commands)] == ["done", "done", "refused", "refused"]
    run = other.get_run(run_id)
    assert (run.info.run_name, run.data.tags["team"]) == ("finished-1", "theirs")
