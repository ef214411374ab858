"""Changes of runs on stores as MLflow writes them: compared before, read back after, and seen by other clients."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from support.mlflow_stores import write_store
from support.postgres import Postgres

from runtower.domain.edits import ACTIVE, DELETED, NOTE, Edit, Field
from runtower.domain.errors import Busy, Cancelled, Conflict, Forbidden, Invalid, NotFound
from runtower.sources.csvlogger import SOURCE as CSVLOGGER
from runtower.sources.mlflow import SOURCE as MLFLOW
from runtower.sources.port import Editable, EditsRuns, OpensForEdits, Target


@pytest.fixture(params=["sqlite", "files", "rest", "postgres"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of the test's own: a database, a folder, a server, or PostgreSQL."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # so that what is set in this process ends with the test
    if request.param == "rest":
        return str(request.getfixturevalue("served").url)
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        return postgres.copy_of(request.getfixturevalue("sqlite_template"))
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_store')}"
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    folder = (tmp_path / "mlruns").as_uri()
    write_store(folder)
    return folder


@pytest.fixture
def source(uri: str) -> Editable:
    return MLFLOW.open_for_edits(Target("lab", "mlflow", uri))


@pytest.fixture
def run_id(uri: str) -> str:
    return id_of(uri, "finished-1")


def id_of(uri: str, name: str) -> str:
    client = MlflowClient(uri)
    experiments = [one.experiment_id for one in client.search_experiments()]
    found = client.search_runs(experiments, f"attributes.run_name = '{name}'")
    return str(found[0].info.run_id)


def ready() -> None:
    """Nobody objects."""


def test_a_name_is_changed_and_changed_back(source: Editable, uri: str, run_id: str) -> None:
    edit = Edit(run_id, Field.NAME, "finished-1", "best \x1b[31m one")
    assert source.identity().how.startswith("REST" if uri.startswith("http") else "MlflowClient")
    assert isinstance(source, EditsRuns)
    assert source.edit(edit, ready).name == "best \x1b[31m one"
    run = MlflowClient(uri).get_run(run_id)
    assert (run.info.run_name, run.data.tags["mlflow.runName"]) == ("best \x1b[31m one",) * 2
    assert source.edit(edit.undone(), ready).name == "finished-1"
    with pytest.raises(Invalid, match="empty"):
        source.edit(Edit(run_id, Field.NAME, "finished-1", ""), ready)


def test_a_tag_is_set_changed_and_taken_away(source: Editable, uri: str, run_id: str) -> None:
    for before, after in ((None, "a"), ("a", "two\nlines"), ("two\nlines", None)):
        source.edit(Edit(run_id, Field.TAG, before, after, "team"), ready)
        assert MlflowClient(uri).get_run(run_id).data.tags.get("team") == after
    note = Edit(run_id, Field.TAG, None, "# what was tried", NOTE)
    assert source.edit(note, ready).tags[NOTE] == "# what was tried"
    with pytest.raises(Invalid):
        source.edit(Edit(run_id, Field.TAG, None, "x", "a?b/../c"), ready)


def test_deleted_and_restored(source: Editable, uri: str, run_id: str) -> None:
    delete = Edit(run_id, Field.LIFECYCLE, ACTIVE, DELETED)
    assert source.edit(delete, ready).lifecycle == DELETED
    assert MlflowClient(uri).get_run(run_id).info.lifecycle_stage == DELETED
    with pytest.raises(Conflict, match="Restore it first"):
        source.edit(Edit(run_id, Field.TAG, None, "x", "team"), ready)
    assert source.edit(delete.undone(), ready).lifecycle == ACTIVE


def test_a_silent_run_is_marked_killed_with_the_end_of_its_last_metric(source: Editable, uri: str) -> None:
    run_id = id_of(uri, "odd")
    now = source.look(run_id)
    assert (now.status, now.last_metric is not None) == ("RUNNING", True)
    source.edit(Edit(run_id, Field.STATUS, "RUNNING", "KILLED", last_metric=now.last_metric), ready)
    run = MlflowClient(uri).get_run(run_id)
    assert (run.info.status, run.info.end_time) == ("KILLED", now.last_metric)


def test_a_run_that_logged_again_isnt_lost(source: Editable, uri: str) -> None:
    run_id = id_of(uri, "odd")
    shown = source.look(run_id)
    MlflowClient(uri).log_metric(run_id, "zero", 1.0, timestamp=(shown.last_metric or 0) + 5, step=9)
    with pytest.raises(Conflict, match="logged another metric"):
        source.edit(Edit(run_id, Field.STATUS, "RUNNING", "KILLED", last_metric=shown.last_metric), ready)
    assert MlflowClient(uri).get_run(run_id).info.status == "RUNNING"


OTHERS: list[tuple[Callable[[MlflowClient, str], object], Edit]] = [
    (lambda c, r: c.update_run(r, name="theirs"), Edit("", Field.NAME, "finished-1", "mine")),
    (lambda c, r: c.set_tag(r, "team", "theirs"), Edit("", Field.TAG, None, "mine", "team")),
    (lambda c, r: c.delete_tag(r, "mlflow.user"), Edit("", Field.TAG, "ana", "me", "mlflow.user")),
]


@pytest.mark.parametrize(("theirs", "mine"), OTHERS)
def test_what_another_client_changed_since_is_refused(
    source: Editable, uri: str, run_id: str, theirs: Callable[[MlflowClient, str], object], mine: Edit
) -> None:
    theirs(MlflowClient(uri), run_id)
    before = MlflowClient(uri).get_run(run_id).data.tags
    edit = Edit(run_id, mine.field, mine.before, mine.after, mine.key)
    with pytest.raises(Conflict, match="changed since it was shown"):
        source.edit(edit, ready)
    assert MlflowClient(uri).get_run(run_id).data.tags == before


def test_what_another_client_did_already_is_done(source: Editable, uri: str, run_id: str) -> None:
    MlflowClient(uri).delete_run(run_id)
    assert source.edit(Edit(run_id, Field.LIFECYCLE, ACTIVE, DELETED), ready).lifecycle == DELETED


@pytest.mark.parametrize("uri", ["sqlite", "files", "postgres"], indirect=True)
def test_another_client_between_our_write_and_our_look_is_seen(
    source: Editable, uri: str, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = MlflowClient.set_tag

    def then_theirs(client: MlflowClient, *words: object, **more: object) -> None:
        written(client, *words, **more)
        written(MlflowClient(uri), run_id, "team", "theirs")

    monkeypatch.setattr(MlflowClient, "set_tag", then_theirs)
    with pytest.raises(Conflict, match="reads otherwise now"):
        source.edit(Edit(run_id, Field.TAG, None, "mine", "team"), ready)


def test_who_isnt_wanted_any_more_writes_nothing(source: Editable, uri: str, run_id: str) -> None:
    def too_late() -> None:
        raise Cancelled("too late")

    with pytest.raises(Cancelled):
        source.edit(Edit(run_id, Field.NAME, "finished-1", "late"), too_late)
    assert MlflowClient(uri).get_run(run_id).info.run_name == "finished-1"


def test_a_run_that_isnt_there(source: Editable) -> None:
    with pytest.raises(NotFound):
        source.look("0" * 32)


def test_a_store_that_isnt_there_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        MLFLOW.open_for_edits(Target("lab", "mlflow", f"sqlite:///{tmp_path}/none.db"))
    assert not list(tmp_path.glob("none*"))


@pytest.mark.long  # MLflow waits twenty seconds for a lock, whatever one asks for
def test_a_locked_database_is_busy_and_unchanged(sqlite_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    source = MLFLOW.open_for_edits(Target("lab", "mlflow", f"sqlite:///{sqlite_store}"))
    run_id = id_of(f"sqlite:///{sqlite_store}", "finished-1")
    with sqlite3.connect(sqlite_store) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            source.edit(Edit(run_id, Field.NAME, "finished-1", "mine"), ready)
        other.rollback()
    assert source.look(run_id).name == "finished-1"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_only_be_read(sqlite_store: Path) -> None:
    sqlite_store.chmod(stat.S_IRUSR)
    with pytest.raises(Forbidden, match="not written"):
        MLFLOW.open_for_edits(Target("lab", "mlflow", f"sqlite:///{sqlite_store}"))


def test_lightnings_folders_are_only_read() -> None:
    assert isinstance(MLFLOW, OpensForEdits)
    assert not isinstance(CSVLOGGER, OpensForEdits)
