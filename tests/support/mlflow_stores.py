"""MLflow stores as MLflow writes them, and what only SQL can do to them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric, Param, RunTag

# Those that hold rows of a run, the run itself last.
RUN_TABLES = ("latest_metrics", "metrics", "params", "tags", "runs")
HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "[bold]markup[/bold] [link=x",
    "two\nlines\ttab",
    "\u202eright to left",
    "🚀試験é\u0301",
    "'; DROP TABLE runs; --",
    "100% _like_ \\",
)


def write_store(uri: str) -> None:
    """A small store with one of everything."""
    client = MlflowClient(uri)
    alpha = client.create_experiment("alpha")
    beta = client.create_experiment("beta")
    hidden = client.create_experiment("deleted one")
    start = 1_700_000_000_000
    for number in range(4):
        run = client.create_run(
            alpha, start_time=start + number * 1000, run_name=f"finished-{number}", tags={"mlflow.user": "ana"}
        )
        log(client, run.info.run_id, {"loss": 1.0 / (number + 1), "acc": number / 10}, step=number)
        client.log_param(run.info.run_id, "lr", f"1e-{number}")
        client.set_terminated(run.info.run_id, end_time=start + 60_000)
    parent = client.create_run(
        beta,
        start_time=start + 9000,
        run_name="parent",
        tags={"mlflow.source.name": "train.py", "mlflow.source.git.commit": "abc123", "mlflow.user": "chen"},
    ).info.run_id
    child = client.create_run(
        beta, start_time=start + 9001, run_name="child", tags={"mlflow.parentRunId": parent}
    ).info.run_id
    client.set_tag(parent, "mlflow.parentRunId", child)
    client.create_run(beta, start_time=start + 9002, run_name="orphan", tags={"mlflow.parentRunId": "f" * 32})
    odd = client.create_run(beta, start_time=start + 9003, run_name="odd").info.run_id
    log(client, odd, {"nan": float("nan"), "inf": float("inf"), "minus": float("-inf"), "zero": 0.0, "big": 1.5e308})
    client.log_param(odd, "long", "x" * 6000)
    client.log_param(odd, "empty", "")
    client.set_tag(odd, "note", "")
    deleted = client.create_run(beta, start_time=start + 9004, run_name="deleted").info.run_id
    client.delete_run(deleted)
    client.set_terminated(client.create_run(hidden, start_time=start + 1, run_name="in deleted").info.run_id, "FAILED")
    client.delete_experiment(hidden)
    for number, text in enumerate(HOSTILE):
        run_id = client.create_run(alpha, start_time=start - number, run_name=text, tags={"text": text}).info.run_id
        client.log_batch(run_id, params=[Param("p", text)], tags=[RunTag("mlflow.note.content", text)])
    client.create_run(alpha, start_time=start - 100, run_name="", tags={"mlflow.user": ""})


def log(client: MlflowClient, run_id: str, metrics: dict[str, float], step: int = 0, at: int | None = None) -> None:
    """Metrics of one moment."""
    moment = int(time.time() * 1000) if at is None else at
    client.log_batch(run_id, metrics=[Metric(key, value, moment, step) for key, value in metrics.items()])


def log_model(client: MlflowClient, run_id: str, name: str, folder: Path, files: Mapping[str, str]) -> str:
    """What `log_model` of MLflow 3 does, without a library to train with; the files are put below `folder` first."""
    experiment = client.get_run(run_id).info.experiment_id
    model = client.create_logged_model(experiment, name=name, source_run_id=run_id)
    for file, text in files.items():
        path = folder / model.model_id / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    client.log_model_artifacts(model.model_id, str(folder / model.model_id))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    return str(model.model_id)


def gc_run(path: Path, run_id: str) -> None:
    """What `mlflow gc` does to a run's rows."""
    with changing(path) as connection:
        for table in RUN_TABLES:
            connection.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (run_id,))


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """One committed transaction on a store's file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def add_runs(path: Path, count: int, prefix: str = "many", keys: int = 3, experiment_id: int = 1) -> list[str]:
    """Many runs by SQL, in the order in which they would be logged; every eleventh began long before its neighbours
    and logs once more after the next forty, every seventh has keys of its own."""
    run_ids = [f"{prefix}{number:08d}".ljust(32, "0") for number in range(count)]
    with changing(path) as connection:
        late: list[tuple[int, str]] = []
        for number, run_id in enumerate(run_ids):
            start = 1_600_000_000_000 + number * 1000 - (86_400_000 if number % 11 == 0 else 0)
            connection.execute(
                "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
                " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
                " VALUES (?, ?, 'UNKNOWN', '', '', 'eun', 'FINISHED', ?, ?, '', 'active', ?, ?)",
                (run_id, f"{prefix}-{number}", start, start + 500, f"/a/{run_id}", experiment_id),
            )
            own = f"own{number}/" if number % 7 == 0 else ""
            for key in range(keys):
                _add_metric(connection, run_id, f"{own}m{key}", number + key / 10, 1)
                connection.execute(
                    "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", (f"p{key}", str(number), run_id)
                )
            connection.execute("INSERT INTO tags (key, value, run_uuid) VALUES ('team', 'blue', ?)", (run_id,))
            if number % 11 == 0:
                late.append((number + 40, run_id))
            while late and (late[0][0] <= number or number == count - 1):
                _add_metric(connection, late.pop(0)[1], "late", 7.0, 2)
    return run_ids


def add_points(path: Path, run_id: str, key: str, steps: range, odd_every: int = 0) -> None:
    """A long history by SQL: value = step % 97, each `odd_every`th NaN."""
    with changing(path) as connection:
        connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (key, 0.0, 5, run_id, step, 1)
                if odd_every and step % odd_every == 0
                else (key, float(step % 97), 5, run_id, step, 0)
                for step in steps
            ),
        )


def _add_metric(connection: sqlite3.Connection, run_id: str, key: str, value: float, step: int) -> None:
    connection.execute(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, 5, ?, ?, 0)",
        (key, value, run_id, step),
    )
    connection.execute(
        "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 5, ?, 0, ?)",
        (key, value, step, run_id),
    )
