"""PostgreSQL as a user meets it: without its driver, unreachable, strange, and taken away while it is watched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.mirror import drained
from support.mlflow_server import free_port
from support.postgres import Postgres, missing, running

from runtower.domain.errors import Invalid, NotFound, TowerError, Unauthorised, Unreachable
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, Source, Target


def opened(uri: str) -> Source:
    return SOURCE.open(Target("lab", "mlflow", uri), Known())


DRIVERS = [
    ("postgresql://ana:hush@127.0.0.1/runs", "psycopg", "pip install 'psycopg[binary]'"),
    ("postgresql+psycopg2://ana:hush@127.0.0.1/runs", "psycopg2", "pip install 'psycopg2-binary'"),
    ("mysql://ana:hush@127.0.0.1/runs", "MySQLdb", "pip install 'mysqlclient'"),
    ("mysql+pymysql://ana:hush@127.0.0.1/runs", "pymysql", "pip install 'pymysql'"),
]


@pytest.mark.parametrize(("uri", "module", "fix"), DRIVERS, ids=[one[1] for one in DRIVERS])
def test_a_driver_that_isnt_installed(monkeypatch: pytest.MonkeyPatch, uri: str, module: str, fix: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for ask in (opened, lambda uri: SOURCE.open_for_edits(Target("lab", "mlflow", uri))):
        with pytest.raises(Invalid, match="needs a driver") as caught:
            ask(uri)
        assert fix in caught.value.remedy
        assert "hush" not in str(caught.value)


def test_doctor_says_which_driver_is_missing(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ModuleNotFoundError('no', name='psycopg')\n")
    environ = os.environ | {"MLFLOW_TRACKING_URI": "postgresql://127.0.0.1/runs", "PYTHONPATH": str(tmp_path)}
    argv = [sys.executable, "-m", "runtower.cli", "doctor"]
    done = subprocess.run(argv, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "psycopg[binary]" in done.stdout
    assert "Traceback" not in done.stderr


def test_nobody_listens() -> None:
    with pytest.raises(Unreachable, match="No database answers") as caught:
        opened(f"postgresql://ana:hush@127.0.0.1:{free_port()}/runs")
    assert "refused" in caught.value.tried.lower()
    assert "hush" not in str(caught.value)


def test_another_database_or_user(postgres: Postgres) -> None:
    with pytest.raises(NotFound, match="no database"):
        opened(postgres.uri("never_made"))
    with pytest.raises(Invalid, match="not an MLflow store"):
        opened(postgres.uri("postgres"))


def test_a_wrong_password(postgres: Postgres, sqlite_template: Path) -> None:
    uri = postgres.copy_of(sqlite_template)
    with (
        postgres.wanting_passwords("stranger"),
        pytest.raises(Unauthorised, match="wants other credentials") as caught,
    ):
        opened(uri.replace("runtower@", "stranger:hush@"))
    assert "hush" not in str(caught.value)


@pytest.mark.long
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_database_that_stops_while_it_is_watched(sqlite_template: Path) -> None:
    with running() as cluster:
        cluster.make_schema()
        source = opened(cluster.copy_of(sqlite_template))
        mirror = drained(source)
        assert mirror.runs
    with pytest.raises(TowerError) as caught:
        mirror.poll(source)
    assert isinstance(caught.value, Unreachable)
    assert mirror.runs, "rows stay"
