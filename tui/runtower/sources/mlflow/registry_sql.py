"""A registry of models in an MLflow SQLite file, by a handful of statements however many models there are.

Source of the schema: `mlflow/store/model_registry/dbmodels/models.py` of MLflow 3.17.2. Read are, and nothing else:

    registered_models(name, description, creation_time, last_updated_time[, workspace])
    model_versions(name, version, creation_time, last_updated_time, description, user_id, current_stage, source,
                   run_id, status, status_message[, storage_location][, workspace])
    registered_model_tags(name, key, value[, workspace])
    model_version_tags(name, version, key, value[, workspace])
    registered_model_aliases(name, alias, version[, workspace])
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from runtower.domain.models import NO_STAGE, READY, Model, ModelNow, ModelVersion
from runtower.sources.mlflow.database import Database, Row
from runtower.sources.mlflow.registry import (
    DELETED,
    Origin,
    is_prompt,
    logged_model_of,
    newest_by_stage,
    no_model,
    no_registry,
    no_version,
)
from runtower.sources.mlflow.scope import workspace_from_environment

_HAS_REGISTRY: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'registered_models'"
_MODELS: Final = "SELECT name, description, creation_time, last_updated_time FROM registered_models WHERE "
_TAGS: Final = "SELECT name, key, value FROM registered_model_tags WHERE "
_ALIASES: Final = "SELECT name, alias, version FROM registered_model_aliases WHERE "
_NEWEST: Final = "SELECT name, current_stage, max(version) FROM model_versions WHERE "
_VERSIONS: Final = (
    "SELECT version, run_id, source, status, status_message, current_stage, description, user_id, creation_time,"
    " last_updated_time FROM model_versions WHERE "
)
_VERSION_TAGS: Final = "SELECT version, key, value FROM model_version_tags WHERE "
_ORIGIN: Final = "SELECT source, run_id FROM model_versions WHERE "
_STORED: Final = "SELECT storage_location FROM model_versions WHERE "
_HAS_LOCATION: Final = "SELECT 1 FROM pragma_table_info('model_versions') WHERE name = 'storage_location'"
_LIVE: Final = f"current_stage != '{DELETED}'"
_ONE: Final = f" AND {_LIVE} AND version = ?"

Pair = tuple[Any, Any]


def opened(path: Path) -> SqlRegistry:
    """A file that keeps models only. Raises as `Database`."""
    database = Database(path)

    def current() -> Database:
        if not database.reopen_if_replaced():
            database.renew_if_immutable()
        return database

    return SqlRegistry(current, database.close)


class SqlRegistry:
    """Satisfies Registry, over a database that another object opens, watches and closes."""

    def __init__(self, database: Callable[[], Database], close: Callable[[], None] | None = None) -> None:
        self._database = database
        self._close = close

    def close(self) -> None:
        if self._close is not None:
            self._close()

    def models(self) -> Sequence[Model]:
        database = self._database()
        with _reading(database) as connection:
            there = _Scope(connection, database)
            rows = there.rows(_MODELS)
            tags = there.by_name(_TAGS)
            aliases = there.by_name(_ALIASES)
            newest = there.by_name(_NEWEST, f" AND {_LIVE} GROUP BY name, current_stage")
        found = []
        for name, description, created, updated in sorted(rows):
            own = _texts(tags.get(name, ()))
            if is_prompt(own):
                continue
            stages, latest = newest_by_stage(dict(newest.get(name, ())))
            found.append(
                Model(name, description or "", own, _sorted(aliases.get(name, ())), stages, latest, created, updated)
            )
        return found

    def model(self, name: str) -> ModelNow:
        database = self._database()
        with _reading(database) as connection:
            there = _Scope(connection, database, name)
            row = next(iter(there.rows(_MODELS)), None)
            tags = _texts((key, value) for _, key, value in there.rows(_TAGS))
            if row is None or is_prompt(tags):
                raise no_model(name, str(database.path))
            aliases = _sorted((alias, version) for _, alias, version in there.rows(_ALIASES))
            rows = there.rows(_VERSIONS, f" AND {_LIVE} ORDER BY version DESC")
            version_tags: dict[int, dict[str, str]] = {}
            for number, key, value in there.rows(_VERSION_TAGS):
                version_tags.setdefault(number, {})[key] = value or ""
        versions = tuple(_version(name, one, version_tags.get(one[0], {}), aliases) for one in rows)
        stages, latest = newest_by_stage({one.stage: int(one.version) for one in reversed(versions)})
        return ModelNow(Model(name, row[1] or "", tags, aliases, stages, latest, row[2], row[3]), versions)

    def origin(self, name: str, version: str) -> Origin:
        database = self._database()
        with _reading(database) as connection:
            found = _Scope(connection, database, name).rows(_ORIGIN, _ONE, (version,))
        if not found:
            raise no_version(name, version, str(database.path))
        source, run_id = found[0]
        return Origin(source or "", run_id or "")

    def stored(self, name: str, version: str) -> str:
        database = self._database()
        with _reading(database) as connection:
            has_location = connection.execute(_HAS_LOCATION).fetchone() is not None
            found = _Scope(connection, database, name).rows(_STORED, _ONE, (version,)) if has_location else []
        return (found[0][0] or "") if found else ""


class _Scope:
    """Statements about one workspace where the schema has them, and about one model where it is named."""

    def __init__(self, connection: sqlite3.Connection, database: Database, name: str | None = None) -> None:
        self._connection = connection
        said = {"workspace": workspace_from_environment() if database.has_workspaces else None, "name": name}
        self._where = " AND ".join(f"{key} = ?" for key, value in said.items() if value is not None) or "1"
        self._values = tuple(value for value in said.values() if value is not None)

    def rows(self, statement: str, further: str = "", values: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(f"{statement}{self._where}{further}", (*self._values, *values)).fetchall()

    def by_name(self, statement: str, further: str = "") -> dict[str, list[Pair]]:
        """Rows of three by the first of them."""
        found: dict[str, list[Pair]] = {}
        for name, key, value in self.rows(statement, further):
            found.setdefault(name, []).append((key, value))
        return found


@contextmanager
def _reading(database: Database) -> Iterator[sqlite3.Connection]:
    with database.reading() as connection:
        if connection.execute(_HAS_REGISTRY).fetchone() is None:
            raise no_registry(str(database.path), "it has no tables for one.")
        yield connection


def _version(name: str, row: Row, tags: dict[str, str], aliases: dict[str, str]) -> ModelVersion:
    number, run_id, source, status, message, stage, description, user, created, updated = row
    version = str(number)
    return ModelVersion(
        model=name,
        version=version,
        run_id=run_id or "",
        source=source or "",
        status=status or READY,
        status_message=message or "",
        stage=stage or NO_STAGE,
        description=description or "",
        tags=tags,
        aliases=tuple(alias for alias, holder in aliases.items() if holder == version),
        user=user or "",
        model_id=logged_model_of(source or ""),
        created=created,
        updated=updated,
    )


def _texts(pairs: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {key: value or "" for key, value in pairs}


def _sorted(pairs: Iterable[tuple[str, int]]) -> dict[str, str]:
    return {alias: str(version) for alias, version in sorted(pairs)}
