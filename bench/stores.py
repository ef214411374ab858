"""MLflow stores of any size: the schema by MLflow itself, the rows straight into sqlite, which takes a minute and not
an hour.

    python bench/stores.py OUT.db --runs 100000 --params 20 --metrics 15

The same arguments give the same rows; only times are relative to now.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from registries import insert_models

_PARAMS = ("lr", "batch_size", "optimizer", "model", "seed", "dropout", "weight_decay", "dataset")
_METRICS = ("train/loss", "val/loss", "val/acc", "val/f1", "epoch")
_MODELS = ("resnet50", "vit-b16", "xgboost", "bert-base")
_USERS = ("ana", "bo", "chen")
_BATCH = 2000
_SWEEP = 10
_DAY = 86_400_000
_RARE = ("curves", "long", "models", "versions")
_MAKE_SCHEMA = """
import os, sys
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
from mlflow import MlflowClient
client = MlflowClient(tracking_uri=sys.argv[1])
for number in range(int(sys.argv[2])):
    client.create_experiment(f"experiment-{number:02d}", artifact_location=sys.argv[3])
"""


@dataclass(frozen=True)
class Shape:
    """What a store holds. One run in ten is a sweep's parent; the last `running` runs have not ended.

    `history` points for the first `curves` metrics of the newest `long` runs; `wide` runs with `own` keys (params) that
    no other run has. `models` are registered, with `versions` each, of the newest runs.
    """

    runs: int = 100_000
    params: int = 20
    metrics: int = 15
    experiments: int = 1
    history: int = 0
    wide: int = 0
    own: int = 5_000
    running: int = 1
    curves: int = 1
    long: int = 1
    models: int = 0
    versions: int = 50

    @property
    def name(self) -> str:
        told = [
            field for field in fields(self) if field.name not in _RARE or getattr(self, field.name) != field.default
        ]
        return "-".join(f"{field.name}{getattr(self, field.name)}" for field in told) + ".db"


def stored(folder: Path, shape: Shape) -> Path:
    """The store of this shape, made when it isn't there yet."""
    path = folder / shape.name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        plain = folder / Shape(**{**vars(shape), "wide": 0}).name
        if shape.wide and plain.exists():
            shutil.copyfile(plain, unfinished)
            with closing(_quick(unfinished)) as db, db:
                _widen(db, shape)
        else:
            make(unfinished, shape)
        unfinished.rename(path)
    return path


def make(path: Path, shape: Shape) -> None:
    """Write the store to a path where nothing is."""
    argv = [sys.executable, "-c", _MAKE_SCHEMA, f"sqlite:///{path}", str(shape.experiments), str(path.parent / "files")]
    subprocess.run(argv, check=True, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}, capture_output=True)
    with closing(_quick(path)) as db, db:
        named = "select experiment_id from experiments where name like 'experiment-%' order by name"
        experiments = [row[0] for row in db.execute(named)]
        for first in range(0, shape.runs, _BATCH):
            _insert(db, shape, range(first, min(shape.runs, first + _BATCH)), experiments)
        _lengthen(db, shape)
        _widen(db, shape)
        newest = [run_id(number) for number in reversed(range(shape.runs))][: shape.models * shape.versions]
        insert_models(db, shape.models, shape.versions, newest)


def run_id(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def _quick(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("pragma journal_mode = off")
    db.execute("pragma synchronous = off")
    db.execute("pragma cache_size = -1000000")
    return db


def _named(first: tuple[str, ...], word: str, count: int) -> list[str]:
    return [*first, *(f"{word}{number:03d}" for number in range(len(first), count))][:count]


def metrics_of(shape: Shape) -> list[str]:
    """The keys of a store's metrics."""
    return _named(_METRICS, "metric", max(shape.metrics, shape.curves))


def _insert(db: sqlite3.Connection, shape: Shape, numbers: range, experiments: list[int]) -> None:
    params, metrics = _named(_PARAMS, "param", shape.params), _named(_METRICS, "metric", shape.metrics)
    now = int(time.time() * 1000)
    rows: dict[str, list[tuple[Any, ...]]] = {"runs": [], "params": [], "tags": [], "metrics": [], "latest_metrics": []}
    for number in numbers:
        dice, run, left = random.Random(number), run_id(number), shape.runs - 1 - number
        start = now - 3_600_000 - int(365 * _DAY * (left / shape.runs) ** 1.5) - left
        lives = left < shape.running
        end = None if lives else start + int(dice.lognormvariate(6, 1) * 1000)
        state = "RUNNING" if lives else dice.choices(("FINISHED", "FAILED", "KILLED"), (89, 9, 2))[0]
        model, user = dice.choice(_MODELS), dice.choice(_USERS)
        experiment = experiments[number // (5 * _SWEEP) % len(experiments)]
        rows["runs"].append(
            (run, f"run-{number:06d}", "UNKNOWN", user, state, start, end, "active", f"files/{run}", experiment)
        )
        for key in params:
            text = model if key == "model" else f"{10 ** dice.uniform(-5, -1):.6g}" if key == "lr" else ""
            rows["params"].append((key, text or str(dice.randrange(100)), run))
        parent = number - number % _SWEEP
        tags = {"mlflow.user": user, "mlflow.source.name": f"train_{model}.py", "mlflow.runName": f"run-{number:06d}"}
        if number != parent:
            tags["mlflow.parentRunId"] = run_id(parent)
        rows["tags"] += [(key, value, run) for key, value in tags.items()]
        for key in metrics:
            value = dice.random()
            rows["metrics"].append((key, value, end or now, run, 100, 0))
            rows["latest_metrics"].append((key, value, end or now, run, 100, 0))
    run_columns = (
        "run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri,"
        "experiment_id, entry_point_name, source_version, source_name"
    )
    db.executemany(f"insert into runs ({run_columns}) values (?,?,?,?,?,?,?,?,?,?,'','','')", rows["runs"])
    for table in ("params", "tags"):
        db.executemany(f"insert into {table} (key, value, run_uuid) values (?,?,?)", rows[table])
    for table in ("metrics", "latest_metrics"):
        columns = "key, value, timestamp, run_uuid, step, is_nan"
        db.executemany(f"insert into {table} ({columns}) values (?,?,?,?,?,?)", rows[table])


def _lengthen(db: sqlite3.Connection, shape: Shape) -> None:
    now = int(time.time() * 1000)
    keys = metrics_of(shape)[: shape.curves]

    def points() -> Iterator[tuple[Any, ...]]:
        for place in range(shape.long):
            run = run_id(shape.runs - 1 - place)
            for step in range(101, 101 + shape.history):
                value = math.exp(-step / shape.history) + place / 50 + step % 7 / 100
                for key in keys:
                    yield key, value, now + step, run, step

    db.executemany("insert into metrics (key, value, timestamp, run_uuid, step, is_nan) values (?,?,?,?,?,0)", points())


def _widen(db: sqlite3.Connection, shape: Shape) -> None:
    for place in range(shape.wide):
        run = run_id(shape.runs - 2 - place * (shape.runs // (shape.wide + 1)))
        own = [(f"own/{place}/{number:05d}", str(number), run) for number in range(shape.own)]
        db.executemany("insert into params (key, value, run_uuid) values (?,?,?)", own)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    for field in fields(Shape):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    words = vars(parser.parse_args())
    out: Path = words.pop("out")
    if out.exists():
        parser.error(f"{out} exists")
    make(out.absolute(), Shape(**words))


if __name__ == "__main__":
    main()
