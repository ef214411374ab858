"""The settings, quickly: defaults where nothing says otherwise, else the last validated result while nothing changed.

Standard library and msgspec only. Files are read and checked in settings_files.py, which takes a tenth of a second to
import and is left alone unless something is new.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from runtower import __version__
from runtower.acts.discover import kind_of, parts_of, project_root
from runtower.folders import Folders, put
from runtower.settings import Settings

PREFIX: Final = "RUNTOWER_"
PROJECT_FILE: Final = "runtower.yaml"
_TOLD: Final = ("sources.", "alerts.", "promote.")


class Given(msgspec.Struct):
    """The settings, and by dotted key where those of sources, alerts and hooks came from (a file or a variable)."""

    settings: Settings
    origins: dict[str, str] = {}


class _Kept(msgspec.Struct):
    key: str
    given: Given


def settings(folder: Path, environ: Mapping[str, str], folders: Folders) -> Settings:
    """All settings for a start in `folder`. Raises Invalid."""
    return given(folder, environ, folders).settings


def given(folder: Path, environ: Mapping[str, str], folders: Folders) -> Given:
    """All settings for a start in `folder`, with where its sources are defined. Raises Invalid."""
    files, said = settings_files(folder, folders), variables(environ)
    found = _settled(folder, environ, folders, files, said) if files or said else Given(Settings())
    for source in found.settings.sources.values():
        source.kind = source.kind or kind_of(source.uri)
    return found


def settings_files(folder: Path, folders: Folders) -> list[Path]:
    """The files that exist, the user's before the project's: the later wins."""
    return [file for file in (folders.config / "settings.yaml", project_file(folder)) if file.is_file()]


def project_file(folder: Path) -> Path:
    """The project's settings file: the nearest one that exists, else where it would be made."""
    root = project_root(folder.absolute())
    upward = (folder.absolute(), *folder.absolute().parents)
    files = [place / PROJECT_FILE for place in upward if place == root or root in place.parents]
    return next((file for file in files if file.is_file()), root / PROJECT_FILE)


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are settings."""
    return {name: environ[name] for name in sorted(environ) if name.startswith(PREFIX)}


def _settled(
    folder: Path, environ: Mapping[str, str], folders: Folders, files: list[Path], said: Mapping[str, str]
) -> Given:
    key = _key(files, said)
    kept = folders.cache / f"settings-{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]}.msgpack"
    known = _read(kept, key)
    if known is not None:
        return known
    from runtower import settings_files as reader  # noqa: PLC0415  omegaconf: only where something changed

    loaded = reader.load(folder, environ, folders, {})
    origins = {key: origin for key, origin in loaded.origins.items() if key.startswith(_TOLD)}
    found = Given(loaded.settings, origins)
    secrets = any(_has_credentials(source.uri) or source.options for source in found.settings.sources.values())
    hooks = [*(alert.hook for alert in found.settings.alerts.values()), found.settings.promote.on_promote]
    secrets = secrets or any(_may_be_secret(word) for hook in hooks for word in hook)
    if not secrets and not any(b"${" in file.read_bytes() for file in files):  # ${...} may read any variable
        _write(kept, _Kept(key, found))
    return found


def _key(files: list[Path], said: Mapping[str, str]) -> str:
    """Stands for the files as they are and for the variables, which may hold a secret and are only hashed."""
    stats = []
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            continue  # it vanished: the key without it fits no kept one
        stats.append((str(file), stat.st_mtime_ns, stat.st_size))
    whole = msgspec.msgpack.encode((__version__, stats, dict(said)))
    return hashlib.sha256(whole).hexdigest()


def _read(file: Path, key: str) -> Given | None:
    try:
        kept = msgspec.msgpack.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None
    return kept.given if kept.key == key else None


def _write(file: Path, kept: _Kept) -> None:
    """A full or read-only disk costs only the next start's time."""
    with contextlib.suppress(OSError):
        put(file, msgspec.msgpack.encode(kept))


def _may_be_secret(word: str) -> bool:
    """Whether a hook's argument may be a webhook's address or hold a token."""
    return "://" in word or "=" in word


def _has_credentials(uri: str) -> bool:
    return "@" in parts_of(uri).netloc or "?" in uri
