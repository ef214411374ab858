"""One read-only connection to an MLflow SQLite file: opened, watched for change, and its errors in our words."""

from __future__ import annotations

import importlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from runtower.domain.errors import Broken, Busy, Forbidden, Invalid, NotFound, TooNew, TooOld, TowerError
from runtower.sources.mlflow import contract
from runtower.sources.mlflow.turns import Turns

if TYPE_CHECKING:
    from runtower.sources.mlflow.bulk import Bulk

WAIT_FOR_LOCK_S: Final = 2.0
_CACHE_KIB: Final = 8192

# (data_version, device, inode, and for a store that can't be locked: its mtime and size)
Stamp = tuple[int, int, int, int, int]
Row = tuple[Any, ...]


class UndecodableText(Broken):
    """A text in the file isn't UTF-8; after `Database.read_leniently` it is read with replacement characters."""


class Database:
    """A read-only connection. Every method raises TowerError and nothing else for what the disk can do."""

    def __init__(self, path: Path, turns: Turns | None = None) -> None:
        """`turns` is shared by all that this process opens on the file."""
        self.path = path
        self._turns = turns or Turns()
        self._flags = ""
        self.revision = ""
        self.has_step_index = False
        self.has_workspaces = False
        self.immutable = False
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._place = (0, 0)
        self._text_factory: type[str] | Callable[[bytes], str] = str
        self._open()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @property
    def place(self) -> tuple[int, int]:
        """Device and inode of the file that is open."""
        return self._place

    def reopen_if_replaced(self) -> bool:
        """Whether another file has come to this path; it is open then. Raises NotFound while there is none."""
        with self._lock:
            if self._connection is not None and self._place == self._where():
                return False
            self.close()
            self._open()
            return True

    def stamp(self) -> Stamp:
        """A value that changes with each committed write; costs a few microseconds."""
        with self.failures():
            version = int(self._connected().execute("PRAGMA data_version").fetchone()[0])
            if not self.immutable:
                return (version, *self._place, 0, 0)
            stat = os.stat(self.path)
            return (version, *self._place, stat.st_mtime_ns, stat.st_size)

    def renew_if_immutable(self) -> None:
        """A store opened without locks is never looked at again by SQLite: open it anew."""
        if self.immutable:
            with self._lock:
                self.close()
                self._open()

    def read_leniently(self) -> None:
        """From here on decode texts with replacement characters, which is slower."""
        with self._lock:
            self._text_factory = _text_of
            if self._connection is not None:
                self._connection.text_factory = _text_of

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One read transaction: all that is read inside is of one moment. Keep it short, it holds writers up."""
        with self.failures():
            connection = self._connected()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def shrink(self) -> None:
        """Give back the memory of pages that were read; they are read again when they are needed."""
        with self.failures():
            self._connected().execute("PRAGMA shrink_memory")

    @contextmanager
    def bulk(self) -> Iterator[Bulk]:
        """Whole tables at once; not from inside `reading`. Raises Unsuited."""
        # Deferred: only a first look at a large store needs ADBC, and its import takes 20 ms.
        module = importlib.import_module("runtower.sources.mlflow.bulk")
        bulk: Bulk = module.Bulk(_uri_of(self.path, self._flags), self._turns)
        try:
            yield bulk
        finally:
            bulk.close()

    @contextmanager
    def failures(self) -> Iterator[None]:
        """SQLite's errors become ours; the connection is held by one thread at a time."""
        with self._lock, self._turns.together():
            try:
                yield
            except sqlite3.Error as error:
                raise self._in_our_words(error) from error
            except OSError as error:
                raise self._unreadable(error) from error

    def check_schema(self, connection: sqlite3.Connection) -> None:
        """Raises TooNew or TooOld where the schema isn't one that was tried, Invalid where it isn't MLflow's."""
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in tables or not tables >= contract.TABLES:
            raise Invalid(
                f"{self.path} is an SQLite file but not an MLflow store.",
                "Give the path of the file that MLflow writes, usually mlflow.db.",
            )
        versions = [str(row[0]) for row in connection.execute("SELECT version_num FROM alembic_version")]
        self.revision = versions[0] if len(versions) == 1 else "+".join(sorted(versions)) or "(none)"
        check_revision(self.revision, f"sqlite:///{self.path}")

    def _open(self) -> None:
        self._place = self._where()
        self.immutable = False
        try:
            self._connect("mode=ro")
        except sqlite3.OperationalError as error:
            # A store in WAL mode on a read-only mount: SQLite can't make its shared memory there.
            if _code_of(error) != sqlite3.SQLITE_CANTOPEN or os.access(self.path.parent, os.W_OK):
                raise self._in_our_words(error) from error
            self._connect_immutable()
        except sqlite3.Error as error:
            raise self._in_our_words(error) from error

    def _connect_immutable(self) -> None:
        try:
            self._connect("mode=ro&immutable=1")
        except sqlite3.Error as error:
            raise self._in_our_words(error) from error
        self.immutable = True

    def _connect(self, flags: str) -> None:
        connection = sqlite3.connect(
            _uri_of(self.path, flags),
            uri=True,
            timeout=WAIT_FOR_LOCK_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.text_factory = _text_of
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("PRAGMA temp_store = MEMORY")
            self.check_schema(connection)
            self._look_at_schema(connection)
        except (sqlite3.Error, TowerError):
            connection.close()
            raise
        connection.text_factory = self._text_factory
        self._connection = connection
        self._flags = flags

    def _look_at_schema(self, connection: sqlite3.Connection) -> None:
        indexes = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(experiments)")}
        self.has_step_index = contract.STEP_INDEX in indexes
        self.has_workspaces = "workspace" in columns

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._open()
        assert self._connection is not None
        return self._connection

    def _where(self) -> tuple[int, int]:
        try:
            stat = os.stat(self.path)
        except (FileNotFoundError, NotADirectoryError) as error:
            self.close()
            raise NotFound(
                f"There is no MLflow store at {self.path}.",
                "Check the path; a store is made by the first run that logs there, never by runtower.",
            ) from error
        except OSError as error:
            raise self._unreadable(error) from error
        return stat.st_dev, stat.st_ino

    def _unreadable(self, error: OSError) -> TowerError:
        return Forbidden(f"{self.path} can't be read: {error.strerror}.", "Check its permissions and its folder's.")

    def _in_our_words(self, error: sqlite3.Error) -> TowerError:
        code = _code_of(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Busy(
                f"{self.path} is locked: another program holds a write lock, and held it for {WAIT_FOR_LOCK_S:g} s.",
                "It is read again at the next look; if it stays so, find the program that writes there.",
            )
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
            return Invalid(f"{self.path} is not an SQLite file.", "Give the path of the file that MLflow writes.")
        if code == sqlite3.SQLITE_READONLY:
            return Busy(
                f"{self.path} holds the unfinished write of a program that died.",
                "Open it once with a program that may write, for instance: sqlite3 FILE 'select 1'.",
            )
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
            return Forbidden(f"{self.path} can't be opened for reading: {error}.", "Check its permissions.")
        if code == sqlite3.SQLITE_CORRUPT:
            return Invalid(f"{self.path} is damaged: {error}.", "Restore it from a backup, or try sqlite3's .recover.")
        if "UTF-8" in str(error):
            return UndecodableText(f"{self.path} holds a text that isn't UTF-8: {error}.", "Read it leniently.")
        return Broken(f"Reading {self.path} failed: {error}.", "Please report it with this message.")


def check_revision(revision: str, uri: str) -> None:
    """Raises TooNew or TooOld where a schema isn't one of those that were tried."""
    if revision in contract.TRIED_REVISIONS:
        return
    newest = f"{contract.TRIED_REVISIONS[-1]} (MLflow {contract.NEWEST_TRIED})"
    oldest = f"{contract.TRIED_REVISIONS[0]} (MLflow {contract.OLDEST_TRIED})"
    if revision in contract.OLDER_REVISIONS:
        raise TooOld(
            f"The MLflow store {uri} has the schema {revision}; the oldest that can be read is {oldest}.",
            f"Make a backup, then run: mlflow db upgrade {uri}",
        )
    raise TooNew(
        f"The MLflow store {uri} has the schema {revision}; the newest that is known is {newest}.",
        "Upgrade runtower, and the mlflow beside it.",
    )


def _uri_of(path: Path, flags: str) -> str:
    # quote() leaves '/' alone and encodes '?', '#' and '%', which a URI would read as its own.
    return f"file:{quote(str(path))}?{flags}"


def _text_of(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _code_of(error: sqlite3.Error) -> int:
    # The low byte is the primary code; the rest says which kind of it.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
