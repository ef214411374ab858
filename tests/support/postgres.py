"""A private PostgreSQL on 127.0.0.1 while the tests run, and copies of MLflow's SQLite stores in it, row by row."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql
from support.mlflow_server import free_port
from support.mlflow_stores import RUN_TABLES

_USER = "runtower"
_OWNER = "postgres"
_SCHEMA = "schema_only"
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")
_MAKE_SCHEMA = """
import sys
from mlflow import MlflowClient
MlflowClient(sys.argv[1]).search_experiments()
"""


def program(name: str) -> Path | None:
    """One of PostgreSQL's programs, where it is installed; Debian keeps the server's out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    path = shutil.which(name) or (found[-1] if found else None)
    return Path(path) if path else None


def missing() -> str:
    """Why none can be started here, '' where one can."""
    if program("postgres") is None or program("initdb") is None:
        return "PostgreSQL isn't installed: as root, sh scripts/test-packages.sh"
    if os.geteuid() == 0 and not any(one.pw_name == _OWNER for one in pwd.getpwall()):
        return f"PostgreSQL refuses to be root, and there is no user {_OWNER}"
    return ""


class Postgres:
    """A running cluster. Its databases go with it."""

    def __init__(self, port: int, data: Path) -> None:
        self._port = port
        self._data = data
        self._numbers = count()

    def uri(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{database}"

    def connected(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.uri(database), autocommit=True)

    def make_schema(self) -> None:
        """An MLflow store without runs, that others are cloned from. By a process of its own: nobody may be connected
        to what is cloned."""
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_SCHEMA)))
        environ = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
        argv = [sys.executable, "-c", _MAKE_SCHEMA, self.uri(_SCHEMA)]
        subprocess.run(argv, check=True, capture_output=True, env=environ)

    def copy_of(self, store: Path) -> str:
        """The URI of a new database that holds what an SQLite store holds."""
        database = f"copy{next(self._numbers)}"
        clone = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(_SCHEMA))
        self._execute(clone)
        with closing(sqlite3.connect(store)) as source, self.connected(database) as target, target.transaction():
            target.execute("SET session_replication_role = replica")  # rows come in any order of tables
            for (table,) in target.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
                _copy(source, target, table)
            target.execute(
                "SELECT setval(pg_get_serial_sequence('experiments', 'experiment_id'),"
                " (SELECT max(experiment_id) FROM experiments))"
            )
        return self.uri(database)

    @contextmanager
    def wanting_passwords(self, user: str) -> Iterator[None]:
        """While the block runs, this user, who has none yet, must give a password."""
        rules = self._data / "pg_hba.conf"
        before = rules.read_text()
        name = sql.Identifier(user)
        self._execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'right'").format(name))
        rules.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{before}")
        try:
            self._execute(sql.SQL("SELECT pg_reload_conf()").format())
            yield
        finally:
            rules.write_text(before)
            self._execute(sql.SQL("SELECT pg_reload_conf()").format())
            self._execute(sql.SQL("DROP ROLE {}").format(name))

    def gc_run(self, uri: str, run_id: str) -> None:
        """What `mlflow gc` does to a run's rows."""
        with self.connected(uri.rsplit("/", 1)[1]) as connection, connection.transaction():
            for table in RUN_TABLES:
                statement = sql.SQL("DELETE FROM {} WHERE run_uuid = %s").format(sql.Identifier(table))
                connection.execute(statement, [run_id])

    def _execute(self, statement: sql.Composed) -> None:
        with self.connected() as connection:
            connection.execute(statement)


def _copy(source: sqlite3.Connection, target: psycopg.Connection, table: str) -> None:
    columns = [row[1] for row in source.execute(f"PRAGMA table_info({table})")]
    if not columns:
        return
    booleans = _booleans(target, table)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    target.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with target.cursor().copy(into) as copy:
        for row in source.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            copy.write_row(
                [
                    bool(value) if name in booleans and value is not None else value
                    for name, value in zip(columns, row, strict=True)
                ]
            )


def _booleans(target: psycopg.Connection, table: str) -> set[str]:
    found = target.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND data_type = 'boolean'", [table]
    )
    return {name for (name,) in found}


@contextmanager
def running() -> Iterator[Postgres]:
    """A cluster while the block runs, in a temporary folder; it refuses to be root, and is Debian's user then."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    who: dict[str, str | int | Sequence[int]] = {}
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_OWNER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    initdb, server = program("initdb"), program("postgres")
    assert initdb is not None
    assert server is not None
    data, port = folder / "data", free_port()
    make = [initdb, "-D", data, "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    process: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **who)  # type: ignore[call-overload]
        options = [word for setting in _QUICK for word in ("-c", setting)]
        argv = [server, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, *options]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log, **who)  # type: ignore[call-overload]
        cluster = Postgres(port, data)
        _await(cluster, process, folder / "log")
        yield cluster
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _await(cluster: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            cluster.connected().close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
