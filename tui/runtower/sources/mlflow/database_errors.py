"""What goes wrong on the way to a database that isn't a file, in our words."""

from __future__ import annotations

import sys
from typing import Final

from runtower.domain.errors import Invalid, NotFound, TowerError, Unauthorised, Unreachable
from runtower.sources.mlflow.address import Address, short

# The package that brings the module which SQLAlchemy imports for an address.
_PACKAGES: Final = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "asyncpg": "asyncpg",
    "MySQLdb": "mysqlclient",
    "pymysql": "pymysql",
    "pyodbc": "pyodbc",
    "pymssql": "pymssql",
}
_NOBODY: Final = ("refused", "timeout", "timed out", "could not translate", "resolve host", "no route", "unreachable")
_STRANGER: Final = ("authentication failed", "no password supplied", "access denied", "pg_hba.conf")


def driver_missing(address: Address, error: ImportError) -> Invalid:
    """The Python package that talks to this database isn't installed, or not whole."""
    module = (error.name or address.uri.split(":", 1)[0].partition("+")[2] or "psycopg").partition(".")[0]
    package = _PACKAGES.get(module, module)
    return Invalid(
        f"{address.shown} needs a driver that isn't installed beside runtower: the Python package {package}.",
        f"Install it: {sys.executable} -m pip install '{package}'",
    )


def not_connected(address: Address, said: str) -> TowerError:
    """The driver is there and the database doesn't let us in; `said` is what it says."""
    text = _plainly(said)
    low = text.casefold()
    if any(words in low for words in _STRANGER):
        return Unauthorised(
            f"The database {address.shown} wants other credentials: {text}",
            "Give user and password in the address (scheme://user:password@host/name), or as the database's own client"
            " takes them (PGPASSWORD, ~/.pgpass).",
        )
    if "does not exist" in low or "unknown database" in low:
        return NotFound(f"There is no database at {address.shown}: {text}", "Check the name at the end of the address.")
    if any(words in low for words in _NOBODY):
        return Unreachable(
            f"No database answers at {address.shown}: {text}",
            "Check that it runs and takes connections from here, and host and port; it is asked again.",
        )
    return Unreachable(f"The database {address.shown} can't be read: {text}", "Check address and credentials.")


def _plainly(text: str) -> str:
    # Drivers repeat themselves over many lines and begin with the class that they raise.
    line = " ".join(text.split())
    return short(line.split(") ", 1)[1] if line.startswith("(") and ") " in line else line)
