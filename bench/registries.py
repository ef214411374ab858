"""The registry of a large store: models with versions, aliases, stages and tags, straight into sqlite."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

_TEAMS = ("vision", "speech", "ranking", "fraud")
_TASKS = ("detector", "segmenter", "ranker", "forecaster", "embedder")
_USERS = ("ana", "bo", "chen")
_DAY = 86_400_000
_COLUMNS = {
    "registered_models": "name, creation_time, last_updated_time, description",
    "registered_model_tags": "name, key, value",
    "registered_model_aliases": "name, alias, version",
    "model_versions": "name, version, creation_time, last_updated_time, description, current_stage, source, run_id,"
    " status, status_message, storage_location",
    "model_version_tags": "name, version, key, value",
}


def model_name(number: int) -> str:
    """Names that sort otherwise than they were made."""
    return f"{_TEAMS[number % len(_TEAMS)]}-{_TASKS[number % len(_TASKS)]}-{number:05d}"


def insert_models(db: sqlite3.Connection, models: int, versions: int, runs: Sequence[str]) -> None:
    """So many models with so many versions each, whose runs are these, in turn; the newest is registered now."""
    now = int(time.time() * 1000)
    for number in range(models):
        rows = _rows(number, models, versions, runs, now)
        for table, columns in _COLUMNS.items():
            marks = ",".join("?" * (columns.count(",") + 1))
            db.executemany(f"insert into {table} ({columns}) values ({marks})", rows[table])


def _rows(number: int, models: int, versions: int, runs: Sequence[str], now: int) -> dict[str, list[tuple[Any, ...]]]:
    dice, name = random.Random(number), model_name(number)
    born = now - int(365 * _DAY * (models - number) / models) - _DAY
    each = (now - born) // max(1, versions)
    team, owner = _TEAMS[number % len(_TEAMS)], dice.choice(_USERS)
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    rows["registered_models"].append((name, born, now - dice.randrange(each + 1), f"Model {number} of {team}."))
    rows["registered_model_tags"] += [(name, "team", team), (name, "owner", owner)]
    held = {"champion": versions - 2, "challenger": versions, "baseline": 1}
    rows["registered_model_aliases"] += [
        (name, alias, version) for alias, version in held.items() if 0 < version <= versions
    ]
    for version in range(1, versions + 1):
        run = runs[(number * versions + version) % len(runs)]
        made = born + each * version - each // 2
        left = versions - version
        stage = "Production" if left == 2 else "Staging" if left == 0 else "Archived" if left > 5 else "None"
        status = "READY" if left or number % 50 else "PENDING_REGISTRATION"
        source = f"files/{run}/model"
        rows["model_versions"].append(
            (name, version, made, made, f"Round {version}.", stage, source, run, status, None, source)
        )
        tags = {"user": owner, "commit": f"{dice.getrandbits(160):040x}"}
        if version % 3 == 0:
            tags["reviewed"] = dice.choice(_USERS)
        rows["model_version_tags"] += [(name, version, key, value) for key, value in tags.items()]
    return rows
