"""Where a target is: the kind of store behind a tracking URI, its canonical address, and no credentials in either."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from runtower.domain.targets import without_credentials

_SQLITE_MAGIC = b"SQLite format 3\0"
_LONGEST = 300


class StoreShape(StrEnum):
    """How a store is reached."""

    SQLITE = "sqlite"
    FOLDER = "folder"
    SERVER = "server"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Address:
    """A target's place. `uri` is what MLflow is given (it may hold credentials), `shown` what people read; `path` is
    absolute for the two kinds that are on this machine."""

    shape: StoreShape
    uri: str
    shown: str
    path: Path | None = None


def short(text: str) -> str:
    """What another program says, as one line of at most 300 characters without credentials."""
    line = without_credentials(" ".join(text.split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def address_of(uri: str) -> Address:
    """The address that a URI or a path stands for. Looks at the disk, changes nothing."""
    scheme = urlsplit(uri).scheme.lower()
    if scheme == "sqlite" or scheme.startswith("sqlite+"):
        return _sqlite_address(_sqlite_path(uri))
    if scheme == "file":
        return _folder_address(Path(unquote(urlsplit(uri).path)))
    if scheme in ("http", "https"):
        return Address(StoreShape.SERVER, uri, _canonical(uri))
    if len(scheme) > 1:
        return Address(StoreShape.OTHER, uri, _canonical(uri))
    path = Path(uri).expanduser()
    if path.is_file() or (not path.exists() and path.suffix in {".db", ".sqlite", ".sqlite3"}):
        return _sqlite_address(path)
    return _folder_address(path)


def has_sqlite_magic(path: Path) -> bool:
    """Whether a file begins as SQLite files do. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC


def _sqlite_path(uri: str) -> Path:
    # SQLAlchemy's form: three slashes begin a relative path, four an absolute one; the path itself isn't quoted, and
    # what follows a '?' are options, unless that is how the file is called.
    whole = uri.split(":", 1)[1].removeprefix("//").removeprefix("/")
    return Path(whole if Path(whole).exists() else whole.split("?", 1)[0])


def _sqlite_address(path: Path) -> Address:
    real = path.absolute().resolve()
    return Address(StoreShape.SQLITE, f"sqlite:///{real}", f"sqlite:///{real}", real)


def _folder_address(path: Path) -> Address:
    whole = path.absolute().resolve()
    return Address(StoreShape.FOLDER, whole.as_uri(), whole.as_uri(), whole)


def _canonical(uri: str) -> str:
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2].lower()
    return without_credentials(urlunsplit((parts.scheme.lower(), host, parts.path.rstrip("/"), parts.query, "")))
