"""What has to hold before MLflow may open a store, because MLflow makes what it doesn't find.

Opening a database that lacks tables creates them, one without experiments gets a 'Default', and a folder without
`.trash` gets that. Each is refused here instead.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import mlflow
import sqlalchemy
from mlflow.store.db.utils import _get_latest_schema_revision  # what MLflow itself compares with; not public

from runtower.domain.errors import Invalid, TooNew, TooOld, TowerError
from runtower.sources.mlflow import contract
from runtower.sources.mlflow.address import Address, StoreShape
from runtower.sources.mlflow.database_errors import driver_missing, not_connected

_DATABASES: Final = ("sqlite", "postgresql", "mysql", "mssql")
_TRASH: Final = ".trash"


def check_before_mlflow(address: Address) -> None:
    """Raises Invalid, TooNew, TooOld or Unreachable where MLflow would change or refuse the store."""
    if address.shape is StoreShape.FOLDER and address.path is not None:
        _check_folder(address.path)
    elif _is_database(address):
        _check_database(address, _check_store)


def check_registry_before_mlflow(address: Address) -> None:
    """The same for a store of which only the registry of models is used: it needs no experiment, and no run."""
    if _is_database(address):
        _check_database(address, _check_schema)


def _is_database(address: Address) -> bool:
    return address.uri.split(":", 1)[0].split("+", 1)[0] in _DATABASES


def _check_folder(path: Path) -> None:
    if not (path / _TRASH).is_dir():
        raise Invalid(
            f"{path} is not an MLflow file store: it has no folder {_TRASH}, which MLflow makes in each.",
            f"Give the path of the folder that MLflow writes, usually mlruns. If it is one, make {_TRASH} in it.",
        )


def _check_database(address: Address, check: Callable[[sqlalchemy.Connection, Address], None]) -> None:
    try:
        engine = sqlalchemy.create_engine(_read_only_url(address))
        try:
            with engine.connect() as connection:
                check(connection, address)
        finally:
            engine.dispose()
    except TowerError:
        raise
    except ImportError as error:
        raise driver_missing(address, error) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise not_connected(address, str(error.args[0] if error.args else error)) from error


def _read_only_url(address: Address) -> str | sqlalchemy.URL:
    if address.path is None:
        return address.uri
    return sqlalchemy.URL.create("sqlite", database=str(address.path))


def _check_store(connection: sqlalchemy.Connection, address: Address) -> None:
    _check_schema(connection, address)
    if not connection.execute(sqlalchemy.text("SELECT count(*) FROM experiments")).scalar():
        raise Invalid(f"{address.shown} holds no experiment yet.", "Look again when the first run has been logged.")


def _check_schema(connection: sqlalchemy.Connection, address: Address) -> None:
    tables = set(sqlalchemy.inspect(connection).get_table_names())
    if "alembic_version" not in tables or not tables >= contract.TABLES:
        raise Invalid(f"{address.shown} is a database but not an MLflow store.", "Give the one that MLflow writes.")
    found = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar() or "(none)"
    wanted = _get_latest_schema_revision()  # type: ignore[no-untyped-call]
    if found != wanted:
        what = (
            f"The MLflow store {address.shown} has the schema {found}; the installed MLflow {mlflow.__version__} reads"
            f" {wanted} only."
        )
        if found in contract.TRIED_REVISIONS or found in contract.OLDER_REVISIONS:
            raise TooOld(what, f"Make a backup, then run: mlflow db upgrade {address.shown}")
        raise TooNew(what, "Upgrade runtower, and the mlflow beside it.")
