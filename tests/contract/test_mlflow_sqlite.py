"""What an SQLite file can do to its reader."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from support.mirror import Mirror, drained
from support.mlflow_stores import add_points, add_runs, changing, gc_run

from runtower.domain.errors import Busy, Invalid, NotFound, TooNew, TooOld
from runtower.link.drawing import Drawing
from runtower.sources.mlflow import SOURCE, contract, database, finding, scanning, sync
from runtower.sources.mlflow.bulk import Bulk
from runtower.sources.mlflow.pieces import Unsuited
from runtower.sources.mlflow.sqlite import SqliteSource
from runtower.sources.port import Known, Target, TextRows


def _open(path: Path, how: str = "sql") -> SqliteSource:
    return SOURCE.open(Target("t", "mlflow", str(path), options={"path": how}), Known())


def test_a_missing_file_is_not_made(tmp_path):
    for uri in (str(tmp_path / "no.db"), f"sqlite:///{tmp_path}/no.db", f"file://{tmp_path}/mlruns"):
        with pytest.raises(NotFound, match="no MLflow store"):
            SOURCE.open(Target("t", "mlflow", uri), Known())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store(tmp_path):
    text, other = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("hello")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE cats(name)")
    for path in (text, other):
        before = path.read_bytes()
        for how in ("auto", "sql", "client"):
            with pytest.raises(Invalid):
                _open(path, how)
        assert path.read_bytes() == before


@pytest.mark.parametrize(("revision", "refusal"), [("0123456789ab", TooNew), ("cc1f77228345", TooOld)])
def test_schemas_that_nothing_here_reads(sqlite_store, revision, refusal):
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    before = sqlite_store.read_bytes()
    for how in ("sql", "client", "auto"):
        with pytest.raises(refusal, match=revision) as caught:
            _open(sqlite_store, how)
        assert caught.value.remedy
    assert sqlite_store.read_bytes() == before


def test_a_schema_migrated_while_it_is_open(sqlite_store):
    source = _open(sqlite_store)
    mirror = drained(source)
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0123456789ab'")
    with pytest.raises(TooNew):
        mirror.poll(source)


def test_the_installed_schema_is_tried():
    from mlflow.store.db.utils import _get_latest_schema_revision

    assert _get_latest_schema_revision() in contract.TRIED_REVISIONS
    assert not set(contract.TRIED_REVISIONS) & contract.OLDER_REVISIONS


def test_tried_schemas_follow_each_other_in_mlflow(tmp_path):
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    script = ScriptDirectory.from_config(_get_alembic_config(db_url=""))
    lineage = [revision.revision for revision in script.walk_revisions()][::-1]
    assert tuple(lineage[lineage.index(contract.TRIED_REVISIONS[0]) :]) == contract.TRIED_REVISIONS
    assert set(lineage[: lineage.index(contract.TRIED_REVISIONS[0])]) == contract.OLDER_REVISIONS


def test_a_locked_store_is_busy_and_recovers(sqlite_store, monkeypatch):
    monkeypatch.setattr(database, "WAIT_FOR_LOCK_S", 0.05)
    source = _open(sqlite_store)
    mirror = drained(source)
    with closing(sqlite3.connect(sqlite_store, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("INSERT INTO tags (key, value, run_uuid) SELECT 'held', 'x', run_uuid FROM runs")
        with pytest.raises(Busy, match="another program holds a write lock"):
            mirror.poll(source)
        writer.execute("COMMIT")
    mirror.poll(source)
    assert all(fields["tag.held"] == "x" for fields in mirror.runs.values())


def test_a_reader_does_not_hold_writers_up_between_deltas(sqlite_store):
    source = _open(sqlite_store)
    for _ in source.changes(b"", ()):
        with closing(sqlite3.connect(sqlite_store, timeout=0)) as writer, writer:
            writer.execute("UPDATE tags SET value = value")


def test_wal(sqlite_store):
    with closing(sqlite3.connect(sqlite_store)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        source = _open(sqlite_store)
        mirror = drained(source)
        with writer:
            writer.execute("UPDATE runs SET name = 'from the log' WHERE name = 'odd'")
        mirror.poll_until(source, lambda: any(f.get("attribute.name") == "from the log" for f in mirror.runs.values()))
        assert mirror.poll(source) == []


@pytest.mark.parametrize("name", ["what? is#this%20.db", "spaces and 'quotes\".db", "ünï 試.db"])
def test_paths_with_signs(sqlite_store, name):
    path = sqlite_store.parent / name
    sqlite_store.rename(path)
    assert drained(_open(path)).runs
    assert drained(SOURCE.open(Target("t", "mlflow", f"sqlite:///{path}", options={"path": "sql"}), Known())).runs
    assert sorted(entry.name for entry in path.parent.glob("*.db")) == [name]


def test_a_file_that_goes_and_comes(sqlite_store, tmp_path):
    source = _open(sqlite_store)
    mirror = drained(source)
    away = tmp_path / "away.db"
    sqlite_store.rename(away)
    with pytest.raises(NotFound):
        mirror.poll(source)
    away.rename(sqlite_store)
    mirror.poll(source)
    assert mirror.runs == drained(_open(sqlite_store)).runs


def test_another_file_in_its_place(sqlite_store, sqlite_template, tmp_path):
    added = add_runs(sqlite_store, 5, "onlyhere")
    source = _open(sqlite_store)
    mirror = drained(source)
    key = source.identity().key
    other = Path(shutil.copy(sqlite_template, tmp_path / "other.db"))
    with changing(other) as connection:
        connection.execute("UPDATE experiments SET creation_time = creation_time + 1")
    os.replace(other, sqlite_store)
    mirror.poll(source)
    assert not set(added) & mirror.runs.keys()
    assert mirror.runs == drained(_open(sqlite_store)).runs
    assert source.identity().key != key


def test_vacuum_renumbers_rows(sqlite_store):
    runs = add_runs(sqlite_store, 50)
    source = _open(sqlite_store)
    mirror = drained(source)
    for run_id in runs[3:20]:
        gc_run(sqlite_store, run_id)
    with closing(sqlite3.connect(sqlite_store)) as connection:
        connection.execute("VACUUM")
    added = add_runs(sqlite_store, 7, "after")
    mirror.poll_until(source, lambda: set(added) <= mirror.runs.keys() and runs[3] not in mirror.runs)
    assert mirror.runs == drained(_open(sqlite_store)).runs


def test_rowids_used_again(sqlite_store):
    runs = add_runs(sqlite_store, 20)
    source = _open(sqlite_store)
    mirror = drained(source)
    for run_id in runs[-4:]:
        gc_run(sqlite_store, run_id)
    added = add_runs(sqlite_store, 4, "again")
    mirror.poll(source)
    assert mirror.runs == drained(_open(sqlite_store)).runs
    assert set(added) <= mirror.runs.keys()


def test_a_large_store_in_scattered_order(sqlite_store, monkeypatch):
    monkeypatch.setattr(sync, "_MANY", 100)
    monkeypatch.setattr(sync, "CHUNK_RUNS", 150)
    small = _fields_by_plain_sql(sqlite_store)
    add_runs(sqlite_store, 900)
    with changing(sqlite_store) as connection:
        # A run whose rows are spread over the whole table, and one that has none.
        connection.execute(
            "INSERT INTO params (key, value, run_uuid) SELECT 'spread', 'x', run_uuid FROM runs WHERE rowid % 97 = 0"
        )
    source = _open(sqlite_store)
    mirror = drained(source)
    assert mirror.is_complete
    assert len(mirror.runs) == len(small) + 900
    assert {run_id: _cells_of(fields) for run_id, fields in mirror.runs.items()} == _fields_by_plain_sql(sqlite_store)
    assert mirror.poll(source) == []
    assert mirror.poll(_open(sqlite_store)) == []


def test_whole_tables_say_what_single_rows_say(sqlite_store, monkeypatch):
    add_runs(sqlite_store, 300)
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE runs SET name = '', user_id = NULL, start_time = NULL WHERE rowid % 5 = 0")
        connection.execute("UPDATE tags SET value = NULL WHERE rowid % 7 = 0")
        connection.execute(
            "UPDATE tags SET value = 'with' || char(0) || 'nul, ' || char(27) || ', é' WHERE rowid % 11 = 0"
        )
    by_row = drained(_open(sqlite_store))
    monkeypatch.setattr(sync, "_MANY", 10)
    monkeypatch.setattr(sync, "CHUNK_RUNS", 90)
    by_table = Mirror()
    source = _open(sqlite_store)
    by_table.poll(source)
    assert any(isinstance(cells, TextRows) for delta in by_table.deltas for cells in delta.cells)
    assert by_table.runs == by_row.runs
    # The digests agree too: a look at each run by itself finds none that is otherwise than it was given.
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE runs SET name = 'another' WHERE rowid = 3")
    before = len(by_table.deltas)
    by_table.poll_until(source, lambda: source._sync._finding.is_done)
    assert [len(delta.run_ids) for delta in by_table.deltas[before:]] == [1]


@pytest.mark.parametrize(
    "odd",
    [
        "UPDATE tags SET value = CAST(X'61FF62' AS TEXT) WHERE rowid % 50 = 0",
        "UPDATE params SET value = CAST(X'61FF62' AS TEXT) WHERE rowid % 50 = 0",
    ],
)
def test_a_large_store_that_whole_tables_cant_tell_is_read_row_by_row(sqlite_store, monkeypatch, odd):
    monkeypatch.setattr(sync, "_MANY", 100)
    add_runs(sqlite_store, 300)
    with changing(sqlite_store) as connection:
        connection.execute(odd)
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    mirror = drained(_open(sqlite_store))
    assert mirror.is_complete
    assert len(mirror.runs) == runs
    assert "a\ufffdb" in str(mirror.runs)


@pytest.mark.parametrize("widest", [50, 10**9])
def test_a_large_store_that_was_stopped_at_each_delta(sqlite_store, monkeypatch, widest):
    monkeypatch.setattr(sync, "_MANY", 100)
    monkeypatch.setattr(sync, "CHUNK_RUNS", 150)
    monkeypatch.setattr(scanning, "_WIDEST", widest)
    add_runs(sqlite_store, 900)
    mirror = Mirror()
    while not mirror.is_complete:
        # Another process each time.
        for delta in _open(sqlite_store).changes(mirror.cursor, ()):
            mirror.apply(delta)
            break
    assert {run_id: _cells_of(fields) for run_id, fields in mirror.runs.items()} == _fields_by_plain_sql(sqlite_store)


def test_the_first_delta_is_the_newest(sqlite_store):
    add_runs(sqlite_store, 600)
    first = next(iter(_open(sqlite_store).changes(b"", ())))
    with closing(sqlite3.connect(sqlite_store)) as connection:
        newest = [row[0] for row in connection.execute("SELECT run_uuid FROM runs ORDER BY start_time DESC LIMIT 200")]
    assert set(first.run_ids) == set(newest)
    assert not first.complete
    assert first.total is not None
    assert first.total > 600


def test_a_lap_in_slices_finds_an_edit_anywhere(sqlite_store, monkeypatch):
    monkeypatch.setattr(finding, "SLICE_RUNS", 100)
    runs = add_runs(sqlite_store, 550)
    source = _open(sqlite_store)
    mirror = drained(source)
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE tags SET value = 'red' WHERE run_uuid = ? AND key = 'team'", (runs[540],))
        connection.execute("DELETE FROM tags WHERE run_uuid = ?", (runs[60],))
    mirror.poll_until(
        source, lambda: mirror.runs[runs[540]].get("tag.team") == "red" and "tag.team" not in mirror.runs[runs[60]]
    )
    for _ in range(8):
        mirror.poll(source)
    assert mirror.poll(source) == []
    assert source._sync._finding.is_done


def test_only_metrics_that_moved_are_given(sqlite_store):
    runs = add_runs(sqlite_store, 10, keys=50)
    source = _open(sqlite_store)
    mirror = drained(source)
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE latest_metrics SET value = 99 WHERE run_uuid = ? AND key = 'm3'", (runs[1],))
        connection.execute(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step) VALUES ('m3', 99, 9, ?, 9)", (runs[1],)
        )
    (delta,) = mirror.poll(source)
    assert not delta.whole
    assert [(cells.keys, cells.values.tolist()) for cells in delta.cells] == [(["m3"], [99.0])]


def test_only_the_workspace_that_is_set(sqlite_store, monkeypatch):
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE experiments SET workspace = 'lab' WHERE name = 'beta'")
    rest = drained(_open(sqlite_store))
    monkeypatch.setenv("MLFLOW_WORKSPACE", "lab")
    lab = drained(_open(sqlite_store))
    assert [one.name for one in lab.experiments.values()] == ["beta"]
    assert "beta" not in {one.name for one in rest.experiments.values()}
    assert lab.runs.keys().isdisjoint(rest.runs.keys())


@pytest.mark.parametrize("has_index", [True, False])
def test_a_long_history(sqlite_store, has_index):
    run_id = drained(_open(sqlite_store)).run_of("odd")
    add_points(sqlite_store, run_id, "long", range(120_000), odd_every=1000)
    if not has_index:
        with changing(sqlite_store) as connection:
            connection.execute(f"DROP INDEX {contract.STEP_INDEX}")
    source = _open(sqlite_store)
    series = source.history(run_id, "long")
    assert series.steps.tolist() == list(range(120_000))
    assert np.count_nonzero(np.isnan(series.values)) == 120
    (curve,) = source.coarse([run_id], "long")
    assert (curve.points, curve.odd, curve.first_step, curve.last_step) == (120_000, 120, 0, 119_999)
    assert len(curve.low) == 32
    assert set(curve.low) == {0.0}
    assert set(curve.high) == {96.0}


@pytest.mark.parametrize("suited", [True, False])
def test_a_long_history_of_nothing_but_nan_and_then_numbers(sqlite_store, monkeypatch, suited):
    run_id = drained(_open(sqlite_store)).run_of("odd")
    add_points(sqlite_store, run_id, "it's long", range(50_000), odd_every=1)
    source = _open(sqlite_store)
    if not suited:

        def refuse(*_):
            raise Unsuited

        monkeypatch.setattr(Bulk, "numbers", refuse)
    assert np.isnan(source.history(run_id, "it's long").values).all()
    add_points(sqlite_store, run_id, "it's long", range(300_000, 600_000), odd_every=7)
    series = source.history(run_id, "it's long")
    assert series.steps.tolist() == [*range(50_000), *range(300_000, 600_000)]
    assert np.nanmax(series.values) == 96.0
    assert np.isnan(series.values[50_000:]).sum() == len(range(300_006, 600_000, 7))


def test_texts_that_are_no_utf8(sqlite_store):
    with changing(sqlite_store) as connection:
        connection.execute("UPDATE tags SET value = CAST(X'61FF62' AS TEXT) WHERE key = 'text'")
    mirror = drained(_open(sqlite_store))
    assert sum(fields.get("tag.text") == "a\ufffdb" for fields in mirror.runs.values()) == 7


def _cells_of(fields):
    return {key: value for key, value in fields.items() if not key.startswith("attribute.")}


def _fields_by_plain_sql(path):
    found = {}
    with closing(sqlite3.connect(path)) as connection:
        for (run_id,) in connection.execute("SELECT run_uuid FROM runs"):
            found[run_id] = {}
        for kind, table in (("param", "params"), ("tag", "tags")):
            for run_id, key, value in connection.execute(f"SELECT run_uuid, key, value FROM {table}"):
                found[run_id][f"{kind}.{key}"] = value
        for run_id, key, value, is_nan in connection.execute("SELECT run_uuid, key, value, is_nan FROM latest_metrics"):
            clamped = np.copysign(np.inf, value) if abs(value) >= contract.INFINITY_FROM else value
            found[run_id][f"metric.{key}"] = "nan" if is_nan else float(clamped)
    return found


def _series(series):
    return list(zip(series.steps.tolist(), series.times.tolist(), map(repr, series.values.tolist()), strict=True))


def test_a_history_is_read_on_from_where_it_was(sqlite_store, tmp_path):
    source, drawing = _open(sqlite_store), Drawing()
    run = add_runs(sqlite_store, 1)[0]
    rng = np.random.default_rng(4)
    for _ in range(6):
        steps = rng.integers(0, 40, 25)
        rows = [(int(step), float(rng.normal()) if step % 5 else float("nan")) for step in steps]
        with changing(sqlite_store) as connection:
            connection.executemany(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('grown', ?, ?, ?, ?, ?)",
                [(0 if v != v else v, 1000 + n * 40 + step, run, step, v != v) for n, (step, v) in enumerate(rows)],
            )
        assert _series(drawing.history(source, run, "grown")) == _series(source.history(run, "grown"))
    piece, mark = source.history_since(run, "grown", b"")
    assert len(piece.steps) == 150
    assert source.history_since(run, "grown", mark) is not None
    assert not len(source.history_since(run, "grown", mark)[0].steps)


def test_a_history_whose_rows_were_renumbered_is_read_anew(sqlite_store):
    source, drawing = _open(sqlite_store), Drawing()
    runs = add_runs(sqlite_store, 2)
    for run in runs:
        add_points(sqlite_store, run, "grown", range(50))
    assert len(drawing.history(source, runs[1], "grown").steps) == 50
    with changing(sqlite_store) as connection:
        connection.execute("DELETE FROM metrics WHERE run_uuid = ?", (runs[0],))
    with closing(sqlite3.connect(sqlite_store)) as connection:
        connection.execute("VACUUM")
    add_points(sqlite_store, runs[1], "grown", range(50, 53))
    assert _series(drawing.history(source, runs[1], "grown")) == _series(source.history(runs[1], "grown"))
    with pytest.raises(NotFound):
        drawing.history(source, runs[1], "never")
