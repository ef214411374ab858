"""The small MLflow store that the screens' tests look at, as a lab of two people would have written it."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# Written at this moment; copies are moved to the present by whole minutes (`bring_to_now`).
WRITTEN_MS = int(datetime(2025, 6, 2, 12, 0, tzinfo=UTC).timestamp() * 1000)

DETECTOR, SEGMENTER = "detector", "segmenter"
SWEEP = "vit sweep"
# name, parent, status, hours ago, minutes it took, user, params, last val_loss, last val_acc
RUNS = (
    ("vit sweep", None, "FINISHED", 5, 60, "ana", {"model": "vit"}, None, None),
    ("lr=0.0003", SWEEP, "FINISHED", 4, 11, "ana", {"model": "vit", "lr": "0.0003", "depth": "12"}, 0.2114, 0.931),
    ("lr=0.001", SWEEP, "RUNNING", 1, None, "ana", {"model": "vit", "lr": "0.001", "depth": "12"}, 0.2207, 0.928),
    ("lr=0.01", SWEEP, "FAILED", 3, 2, "ana", {"model": "vit", "lr": "0.01", "depth": "12"}, float("nan"), 0.102),
    ("lr=0.1", SWEEP, "KILLED", 2, 5, "ana", {"model": "vit", "lr": "0.1", "depth": "12"}, 0.9012, 0.204),
    ("pure-gnat", None, "FINISHED", 20, 9, "bo", {"model": "vit", "lr": "0.0003", "depth": "8"}, 0.2391, 0.924),
    ("calm-owl", None, "FAILED", 24, 1, "bo", {"model": "cnn", "lr": "0.01", "depth": "8"}, 1.7311, 0.31),
    ("wide-elk", None, "FINISHED", 50, 30, "bo", {"model": "cnn", "lr": "0.001", "depth": "8"}, 0.3055, 0.88),
)
CONSTANT = {"optimizer": "adamw", "seed": "7"}
DELETED = "old-toad"
COMMIT = "4f1c2d9aa07be6f1d1c0ffee1234567890abcdef"


def write_lab(uri: str) -> None:
    """Write the store with MLflow itself; takes some ten seconds."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(uri)
    detector = client.create_experiment(DETECTOR, "file:///artifacts/1")
    ids: dict[str, str] = {}
    for name, parent, status, hours, took, user, params, loss, acc in RUNS:
        start = WRITTEN_MS - hours * HOUR
        tags = {"mlflow.user": user, "mlflow.source.git.commit": COMMIT, "mlflow.source.name": "train.py"}
        if parent is not None:
            tags["mlflow.parentRunId"] = ids[parent]
        run_id = client.create_run(detector, start_time=start, run_name=name, tags=tags).info.run_id
        ids[name] = run_id
        metrics, every = [], (took or hours * 60) * MINUTE // 20
        if loss is not None and acc is not None:
            for step in range(20):
                at = start + step * every
                rest = (19 - step) / 19
                metrics += [
                    Metric("val_loss", loss + 1.8 * rest, at, step),
                    Metric("val_acc", acc - 0.1 * rest, at, step),
                ]
        client.log_batch(
            run_id,
            metrics=metrics,
            params=[Param(key, value) for key, value in {**params, **CONSTANT}.items()],
            tags=[RunTag("team", "vision")],
        )
        if took is not None:
            client.set_terminated(run_id, status, end_time=start + took * MINUTE)
    toad = client.create_run(detector, start_time=WRITTEN_MS - 60 * HOUR, run_name=DELETED).info.run_id
    client.set_terminated(toad, "FINISHED", end_time=WRITTEN_MS - 59 * HOUR)
    client.delete_run(toad)
    segmenter = client.create_experiment(SEGMENTER, "file:///artifacts/2")
    for number in range(2):
        start = WRITTEN_MS - (70 + number) * HOUR
        tags = {"mlflow.user": "ana"}
        run_id = client.create_run(segmenter, start_time=start, run_name=f"unet-{number}", tags=tags).info.run_id
        client.log_metric(run_id, "iou", 0.5 + number / 10, timestamp=start, step=1)
        client.set_terminated(run_id, end_time=start + HOUR)
    client._tracking_client.store.engine.dispose()


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """One committed transaction on a store's file."""
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        yield connection


def bring_to_now(path: Path) -> None:
    """Move all times so that the store was written just now; `calm-owl` then began yesterday."""
    by = int((datetime.now(UTC) - timedelta(seconds=1)).timestamp() * 1000) - WRITTEN_MS
    with changing(path) as connection:
        connection.execute("UPDATE runs SET start_time = start_time + ?, end_time = end_time + ?", (by, by))
        connection.execute("UPDATE metrics SET timestamp = timestamp + ?", (by,))
        connection.execute("UPDATE latest_metrics SET timestamp = timestamp + ?", (by,))
        for table, created, updated in (
            ("registered_models", "creation_time", "last_updated_time"),
            ("model_versions", "creation_time", "last_updated_time"),
            ("logged_models", "creation_timestamp_ms", "last_updated_timestamp_ms"),
        ):
            connection.execute(f"UPDATE {table} SET {created} = {created} + ?, {updated} = {updated} + ?", (by, by))


def add_run(path: Path, name: str, *, metrics: bool = True, user: str = "ana", experiment: str = DETECTOR) -> str:
    """A run that somebody else starts now, as MLflow writes it."""
    run_id = uuid.uuid4().hex
    now = int(datetime.now(UTC).timestamp() * 1000)
    with changing(path) as connection:
        (number,) = connection.execute("SELECT experiment_id FROM experiments WHERE name = ?", (experiment,)).fetchone()
        connection.execute(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
            " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
            " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, NULL, '', 'active', ?, ?)",
            (run_id, name, user, now, f"/artifacts/{run_id}", number),
        )
        tags = {"mlflow.user": user, "mlflow.runName": name}
        connection.executemany(
            "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", [(k, v, run_id) for k, v in tags.items()]
        )
        if metrics:
            put_metric(connection, run_id, "val_loss", 0.5, 1, now)
    return run_id


def put_metric(connection: sqlite3.Connection, run_id: str, key: str, value: float, step: int, at: int) -> None:
    connection.execute(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
        (key, value, at, run_id, step),
    )
    connection.execute(
        "INSERT OR REPLACE INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
        " VALUES (?, ?, ?, ?, 0, ?)",
        (key, value, at, step, run_id),
    )


def rename(path: Path, old: str, new: str) -> None:
    """What `MlflowClient.update_run(name=...)` writes."""
    with changing(path) as connection:
        (run_id,) = connection.execute("SELECT run_uuid FROM runs WHERE name = ?", (old,)).fetchone()
        connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (new, run_id))
        connection.execute("UPDATE tags SET value = ? WHERE run_uuid = ? AND key = 'mlflow.runName'", (new, run_id))


def id_of(path: Path, name: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        (run_id,) = connection.execute("SELECT run_uuid FROM runs WHERE name = ?", (name,)).fetchone()
    return str(run_id)


def keep_artifacts(path: Path, folder: Path) -> None:
    """From now on the artifacts of all runs lie below a folder of this machine."""
    with changing(path) as connection:
        connection.execute("UPDATE runs SET artifact_uri = ? || run_uuid || '/artifacts'", (f"{folder.as_uri()}/",))


def artifact_of(path: Path, folder: Path, name: str, file: str) -> Path:
    """Where a file of a run lies, its folder made."""
    place = folder / id_of(path, name) / "artifacts" / file
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
