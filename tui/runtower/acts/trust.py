"""Which servers a project's file names that nobody has trusted yet, what they would get, and the record of it.

A repository that one cloned may name a server in its runtower.yaml. Until its folder is trusted nothing is sent there:
neither credentials of the environment, of ~/.mlflow or of the user's own settings, nor a question. Standard library and
msgspec only, since this runs before the first paint.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from runtower.acts.discover import REGISTRY, is_server
from runtower.domain.errors import Invalid
from runtower.domain.targets import Target, without_credentials
from runtower.folders import Folders, put
from runtower.settings import SourceSettings
from runtower.settings_quick import Given, project_file

_VERSION: Final = 1
# What of a source says neither where questions go nor what goes with them, nor how well the way is guarded.
_HARMLESS: Final = frozenset({"read_only", "options.workspace", "options.interval", "options.timeout"})
_ON_THIS_MACHINE: Final = re.compile(
    r"(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?(/.*)?", re.IGNORECASE
)
_VARIABLES: Final = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_CLIENT_CERT_PATH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_AUTH",
)
_FILES_ALONE: Final = ("csvlogger", "dvc")
_FILES: Final = (".mlflow/credentials",)
# What the libraries behind MlflowClient take by themselves.
_OF_CLIENTS: Final = ("PGPASSWORD", "PGPASSFILE", "DATABRICKS_TOKEN", "AWS_SECRET_ACCESS_KEY")
_FILES_OF_CLIENTS: Final = (".netrc", ".pgpass", ".my.cnf", ".databrickscfg", ".aws/credentials")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A server that a project's file names, or changes the way to. `says` is what the file says of it, as `key: value`;
    `gets` names the credentials that it would be sent, in words and never by value. `mark` stands for what was said.
    `is_hook`: it is no server but a program that would be run (`hook_trust`)."""

    name: str
    address: str
    file: Path
    says: tuple[str, ...]
    gets: tuple[str, ...]
    mark: str
    is_hook: bool = False

    @property
    def held(self) -> str:
        """Why it isn't asked or run, as a sentence."""
        if self.is_hook:
            return f"{self.file} names the hook of {self.name}, and its folder isn't trusted yet: it wasn't run."
        return f"{self.file} names {self.address}, and its folder isn't trusted yet: nothing was sent there."


class _Trusted(msgspec.Struct):
    """One source that was trusted, and when (UTC epoch ms)."""

    name: str
    address: str
    at: int


class Record(msgspec.Struct):
    """What is trusted of one folder, by mark."""

    folder: str
    trusted: dict[str, _Trusted] = {}
    version: int = _VERSION


def questionable(known: Given, folder: Path, environ: Mapping[str, str]) -> list[Doubt]:
    """The sources that need trust, whether they have it or not: servers that the project's file of `folder` names, but
    for those on this machine that would get no credentials."""
    file = project_file(folder)
    found = []
    for name, source in known.settings.sources.items():
        said = _said(known, name, source, str(file))
        asked = _asked(source)
        if not said or not asked:
            continue
        gets = tuple(_gets(source, said, environ))
        if source.kind == "mlflow" and all(map(_is_on_this_machine, asked)) and not gets:
            continue
        mark = hashlib.sha256(msgspec.json.encode((name, source.kind, source.uri, sorted(said.items())))).hexdigest()
        lines = tuple(f"{key}: {without_credentials(value)}" for key, value in sorted(said.items()))
        found.append(Doubt(name, " and ".join(map(without_credentials, asked)), file, lines, gets, mark))
    return found


def doubts(known: Given, folder: Path, environ: Mapping[str, str], folders: Folders) -> dict[str, Doubt]:
    """By name the sources that aren't trusted yet."""
    found = questionable(known, folder, environ)
    trusted = record_of(found[0].file.parent, folders).trusted if found else {}
    return {doubt.name: doubt for doubt in found if doubt.mark not in trusted}


def configured(known: Given, folder: Path, environ: Mapping[str, str], folders: Folders) -> tuple[Target, ...]:
    """The sources of the settings; those that aren't trusted yet are held."""
    doubted = doubts(known, folder, environ, folders)
    return tuple(
        Target(
            name,
            source.kind or "mlflow",
            source.uri,
            source.read_only,
            dict(source.options),
            doubted[name].held if name in doubted else "",
        )
        for name, source in known.settings.sources.items()
    )


# -- the record


def record_of(folder: Path, folders: Folders) -> Record:
    """What is trusted of a folder; nothing where there is no record, or one that can't be read."""
    real = os.path.realpath(folder)
    try:
        record = msgspec.json.decode(_file(real, folders).read_bytes(), type=Record)
    except (OSError, msgspec.MsgspecError):
        return Record(real)
    return record if record.folder == real and record.version == _VERSION else Record(real)


def trust(found: Sequence[Doubt], folders: Folders) -> None:
    """Record that these servers may be asked, as their file names them now. Raises Invalid where it can't be kept."""
    if not found:
        return
    record = record_of(found[0].file.parent, folders)
    now = time.time_ns() // 1_000_000
    for doubt in found:
        record.trusted = {mark: one for mark, one in record.trusted.items() if one.name != doubt.name}
        record.trusted[doubt.mark] = _Trusted(doubt.name, doubt.address, now)
    file = _file(record.folder, folders)
    try:
        put(file, msgspec.json.encode(record))
    except OSError as error:
        raise Invalid(f"{file} can't be written: {error.strerror}.", "Look at its permissions.") from error


def records(folders: Folders) -> list[Record]:
    """Everything that is trusted, by folder."""
    found = []
    for file in sorted(_shelf(folders).glob("*.json")):
        try:
            found.append(msgspec.json.decode(file.read_bytes(), type=Record))
        except (OSError, msgspec.MsgspecError):
            continue  # one that can't be read trusts nobody
    return sorted(found, key=lambda record: record.folder)


def revoke(folder: Path, folders: Folders) -> bool:
    """Trust nothing of a folder any more; False where nothing was. Raises Invalid."""
    file = _file(os.path.realpath(folder), folders)
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Invalid(f"{file} can't be removed: {error.strerror}.", "Look at its permissions.") from error
    return True


def _shelf(folders: Folders) -> Path:
    return folders.state / "trust"


def _file(real: str, folders: Folders) -> Path:
    return _shelf(folders) / f"{hashlib.sha256(real.encode()).hexdigest()[:24]}.json"


# -- what is said, and what would be sent


def _said(known: Given, name: str, source: SourceSettings, file: str) -> dict[str, str]:
    """What the project's file says of a source that matters."""
    values = {"uri": source.uri, "kind": source.kind, **{f"options.{key}": one for key, one in source.options.items()}}
    return {
        key: str(value)
        for key, value in values.items()
        if key not in _HARMLESS and known.origins.get(f"sources.{name}.{key}") == file
    }


def _gets(source: SourceSettings, said: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """What would be sent along, in words."""
    own = [key for key in source.options if f"options.{key}" not in said and f"options.{key}" not in _HARMLESS]
    if own:
        yield f"the options {', '.join(sorted(own))} of your own settings"
    are_web = all(address.lower().startswith(("http:", "https:")) for address in _asked(source))
    by_client = not are_web or source.options.get("path") == "client"
    variables = [name for name in (*_VARIABLES, *(_OF_CLIENTS if by_client else ())) if environ.get(name, "").strip()]
    if variables:
        yield f"{', '.join(variables)} of the environment"
    home = Path(environ.get("HOME") or Path.home())
    for name in (*_FILES, *(_FILES_OF_CLIENTS if by_client else ())):
        if (home / name).exists():
            yield f"~/{name}"


def _asked(source: SourceSettings) -> list[str]:
    """The addresses of those who would be asked, for runs and for models; none where it is all files."""
    if source.kind != "mlflow":
        return [source.uri] if source.kind not in _FILES_ALONE else []
    addresses = dict.fromkeys((source.uri, source.options.get(REGISTRY, "")))
    return [address for address in addresses if is_server(address)]


def _is_on_this_machine(address: str) -> bool:
    """Whether an http address can be nothing but this machine's."""
    scheme, _, rest = address.partition("://")
    return scheme.lower() in ("http", "https") and bool(_ON_THIS_MACHINE.fullmatch(rest))
