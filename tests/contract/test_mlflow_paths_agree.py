"""SQL, REST and MlflowClient, this one on SQLite and on PostgreSQL, give the same, field by field."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Dataset as MlflowDataset
from mlflow.entities import DatasetInput, InputTag
from support.mirror import drained
from support.mlflow_stores import HOSTILE, add_points, add_runs, changing
from support.postgres import Postgres

from runtower.domain.datasets import Dataset
from runtower.domain.errors import NotFound
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, ReadsInputs, Target

_INF = math.inf


@dataclass
class Pair:
    """A store's file, and another way to what it holds than SQL: the client on the file, a server over it, or the
    client on a copy of it in PostgreSQL."""

    path: Path
    how: str
    uri: str = ""
    postgres: Postgres | None = None

    def both(self):
        return drained(_open(self.path, "sql")), drained(self.other())

    def other(self):
        uri = self.uri if self.postgres is None else self.postgres.copy_of(self.path)
        return SOURCE.open(Target("t", "mlflow", uri, options={"path": self.how}), Known())


@pytest.fixture(params=["client", "rest", "postgres"])
def pair(request: pytest.FixtureRequest) -> Pair:
    if request.param == "client":
        path = request.getfixturevalue("sqlite_store")
        return Pair(path, "client", f"sqlite:///{path}")
    if request.param == "postgres":
        path = request.getfixturevalue("sqlite_store")
        return Pair(path, "client", postgres=request.getfixturevalue("postgres"))
    served = request.getfixturevalue("served")
    return Pair(served.db, "rest", served.url)


def _open(path: Path, how: str):
    return SOURCE.open(Target("t", "mlflow", f"sqlite:///{path}", options={"path": how}), Known())


def test_every_field_of_every_run(pair):
    by_sql, other = pair.both()
    assert by_sql.runs == other.runs
    assert by_sql.experiments == other.experiments


def test_all_paths_to_a_store_give_it_one_key(sqlite_store, served):
    assert _open(sqlite_store, "sql").identity().key == _open(sqlite_store, "client").identity().key
    assert _open(sqlite_store, "auto").identity().how.startswith("SQL")
    by_rest, by_client = (
        SOURCE.open(Target("t", "mlflow", served.url, options={"path": how}), Known()).identity()
        for how in ("auto", "client")
    )
    assert by_rest.key == by_client.key
    assert by_rest.how == f"REST, MLflow {mlflow.__version__}"


def test_fields_are_what_was_written(sqlite_store):
    mirror = drained(_open(sqlite_store, "sql"))
    odd = mirror.runs[mirror.run_of("odd")]
    assert {key: odd[f"metric.{key}"] for key in ("nan", "inf", "minus", "zero", "big")} == {
        "nan": "nan",
        "inf": _INF,
        "minus": -_INF,
        "zero": 0.0,
        "big": 1.5e308,
    }
    assert odd["param.long"] == "x" * 6000
    assert odd["param.empty"] == ""
    assert odd["tag.note"] == ""
    assert "metric.loss" not in odd
    assert "attribute.end_time" not in odd
    parent = mirror.runs[mirror.run_of("parent")]
    assert parent["attribute.source_name"] == "train.py"
    assert parent["attribute.git_commit"] == "abc123"
    assert parent["attribute.user"] == "chen"
    assert parent["attribute.start_time"] == 1_700_000_009_000.0
    assert parent["attribute.status"] == "RUNNING"
    assert mirror.runs[mirror.run_of("deleted")]["attribute.lifecycle"] == "deleted"
    assert mirror.runs[mirror.run_of("in deleted")]["attribute.status"] == "FAILED"
    assert [one.name for one in mirror.experiments.values() if one.deleted] == ["deleted one"]


def test_parents_absent_and_in_a_cycle_pass_through(sqlite_store):
    mirror = drained(_open(sqlite_store, "sql"))
    parent, child = mirror.run_of("parent"), mirror.run_of("child")
    assert mirror.runs[child]["attribute.parent"] == parent
    assert mirror.runs[parent]["attribute.parent"] == child
    assert mirror.runs[mirror.run_of("orphan")]["attribute.parent"] == "f" * 32


def test_hostile_texts_come_as_they_are(pair):
    by_sql, by_client = pair.both()
    for text in HOSTILE:
        fields = by_sql.runs[by_sql.run_of(text)]
        assert fields["tag.text"] == fields["param.p"] == fields["tag.mlflow.note.content"] == text
        assert fields == by_client.runs[by_client.run_of(text)]


def test_histories_agree(pair):
    by_sql = _open(pair.path, "sql")
    odd = drained(by_sql).run_of("odd")
    add_points(pair.path, odd, "many", range(-5, 300), odd_every=7)
    add_points(pair.path, odd, "twice", range(3))
    by_client = pair.other()
    for key in ("nan", "inf", "minus", "many", "twice"):
        one, other = by_sql.history(odd, key), by_client.history(odd, key)
        for name in ("steps", "times", "values"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
        (a,), (b,) = by_sql.coarse([odd], key), by_client.coarse([odd], key)
        assert a.low.tobytes() == b.low.tobytes()
        assert (a.first_step, a.last_step, a.points, a.odd) == (b.first_step, b.last_step, b.points, b.odd)


def test_runs_of_one_moment_and_without_a_start_are_not_lost(pair):
    add_runs(pair.path, 1500, "same")
    with changing(pair.path) as connection:
        connection.execute("UPDATE runs SET start_time = 1600000000000 WHERE run_uuid LIKE 'same%'")
        connection.execute("UPDATE runs SET start_time = NULL WHERE run_uuid LIKE 'same0000__05%'")
    by_sql, by_client = pair.both()
    assert len(by_sql.runs) > 1500
    # MLflow's own objects refuse to be without a start time: those only SQL can show.
    startless = {run_id for run_id, fields in by_sql.runs.items() if "attribute.start_time" not in fields}
    assert len(startless) == 15
    assert {run_id: fields for run_id, fields in by_sql.runs.items() if run_id not in startless} == by_client.runs


def test_more_experiments_than_a_page(pair):
    with changing(pair.path) as connection:
        connection.executemany(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage, artifact_location)"
            " VALUES (?, ?, 'active', '')",
            ((number, f"e{number}") for number in range(1000, 2300)),
        )
    add_runs(pair.path, 3, "last", experiment_id=2299)
    by_sql, by_client = pair.both()
    assert len(by_sql.experiments) > 1300
    assert by_sql.experiments == by_client.experiments
    assert by_sql.runs == by_client.runs


def test_five_thousand_keys(pair):
    add_runs(pair.path, 3, "wide", keys=5000)
    by_sql, by_client = pair.both()
    assert by_sql.runs == by_client.runs
    assert len(by_sql.runs["wide00000001".ljust(32, "0")]) > 10_000


def test_the_kind_and_the_sql_path_leave_mlflow_out(sqlite_store, subprocess_modules):
    loaded = subprocess_modules(
        "from runtower.sources.mlflow import SOURCE\n"
        "from runtower.sources.port import Known, Target\n"
        f"list(SOURCE.open(Target('t', 'mlflow', {str(sqlite_store)!r}), Known()).changes(b'', ()))\n"
    )
    assert not loaded & {"mlflow", "sqlalchemy", "pandas", "adbc_driver_manager", "httpx"}


def test_the_rest_path_leaves_mlflow_out(served, subprocess_modules):
    loaded = subprocess_modules(
        "from runtower.sources.mlflow import SOURCE\n"
        "from runtower.sources.port import Known, Target\n"
        f"list(SOURCE.open(Target('t', 'mlflow', {served.url!r}), Known()).changes(b'', ()))\n"
    )
    assert "httpx" in loaded
    assert not loaded & {"mlflow", "sqlalchemy", "pandas", "adbc_driver_manager", "requests"}


@pytest.fixture
def subprocess_modules():
    import json
    import subprocess

    def run(code: str) -> set[str]:
        code += "import json, sys\nprint(json.dumps(sorted(sys.modules)))\n"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return set(json.loads(done.stdout))

    return run


def test_the_data_that_a_run_was_given(pair):
    by_sql = _open(pair.path, "sql")
    odd, plain = (drained(by_sql).run_of(name) for name in ("odd", "child"))
    client = mlflow.MlflowClient(f"sqlite:///{pair.path}")
    source = '{"uri": "s3://lake/coco"}'
    given = [("coco", "3f2a", "training"), ("coco-val", "77", "")]
    for name, digest, context in given:
        tags = [InputTag("mlflow.data.context", context)] if context else []
        client.log_inputs(odd, [DatasetInput(MlflowDataset(name, digest, "s3", source), tags)])
    expected = [Dataset(name, digest, context, "s3", source) for name, digest, context in given]
    for one in (by_sql, pair.other()):
        assert isinstance(one, ReadsInputs)
        assert one.inputs(odd) == expected
        assert one.inputs(plain) == []
        with pytest.raises(NotFound):
            one.inputs("0" * 32)
