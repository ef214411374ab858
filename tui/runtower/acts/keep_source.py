"""Names a source in the project's runtower.yaml, or takes it out again."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from runtower.acts import trust
from runtower.acts.discover import REGISTRY, absolute_uri, discover, holds_credentials, kind_of, portable, target_of
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.targets import Target
from runtower.folders import Folders
from runtower.settings import Settings
from runtower.settings_quick import Given, given, project_file

_SECTION: Final = "sources"
_NAME: Final = re.compile(r"\w[\w -]*")
_OWN: Final = "Name it in your own settings.yaml, or keep the credentials in MLflow's variables."


def wrong_name(name: str, taken: Sequence[str]) -> str:
    """What is wrong with the name of a new source; '' where nothing is."""
    if not _NAME.fullmatch(name):
        return "a name is letters, digits, '-', '_' and spaces"
    return f"there is a source {name} already" if name in taken else ""


def described(name: str, uri: str, kind: str, read_only: bool, folder: Path) -> Target:
    """The one source that a path or URI stands for; a name of its own for ''. Raises NotFound, Invalid."""
    if kind:
        kinds = sorted({point.name for point in importlib.metadata.entry_points(group="runtower.sources")})
        if kind not in kinds:
            raise Invalid(f"There is no source of kind '{kind}'.", f"There is {', '.join(kinds)}.")
        return Target(name, kind, absolute_uri(uri, folder), read_only)
    found = target_of(uri, folder).targets
    if len(found) > 1:
        raise Invalid(f"{uri} holds {len(found)} sources.", f"Name one: {', '.join(one.uri for one in found)}.")
    return replace(found[0], name=name or found[0].name, read_only=read_only)


def why_not_kept(target: Target) -> str:
    """Why a source can't be named in a project's file; '' where it can."""
    addresses = (target.uri, target.options.get(REGISTRY, ""))
    if any(map(holds_credentials, addresses)) or target.options.keys() - {REGISTRY}:
        return "its address holds credentials, which a project's file may not"
    return "its address has ${ in it, which settings take for another value" if "${" in "".join(addresses) else ""


def add(target: Target, folder: Path, environ: Mapping[str, str], folders: Folders) -> tuple[Path, list[str]]:
    """Name a source in the project's file; gives the file and the names that were written.

    Whoever names a server himself trusts it. Raises Invalid, Conflict.
    """
    known = given(folder, environ, folders)
    targets = written(target, known.settings, folder, environ)
    wrong = wrong_name(target.name, [*known.settings.sources, *(one.name for one in targets[:-1])])
    if wrong:
        raise Invalid(f"'{target.name}' can't be added: {wrong}.", "`runtower sources` lists them.")
    wrong = why_not_kept(target)
    if wrong:
        raise Invalid(f"{target.name} can't be kept: {wrong}.", _OWN)
    from runtower.acts.write_entry import write_entry  # noqa: PLC0415  the YAML parser comes only to write

    file = project_file(folder)
    for one in targets:
        write_entry(file, _SECTION, one.name, _entry(one, file.parent))
    names = [one.name for one in targets]
    doubts = trust.doubts(given(folder, environ, folders), folder, environ, folders)
    trust.trust([doubts[name] for name in names if name in doubts], folders)
    return file, names


def written(target: Target, settings: Settings, folder: Path, environ: Mapping[str, str]) -> tuple[Target, ...]:
    """What naming a source writes: before the first one what was found in the folder, which is no longer searched."""
    beside = () if settings.sources else discover(folder, environ).targets
    return (*(one for one in beside if one.uri != target.uri and not why_not_kept(one)), target)


def remove(name: str, folder: Path, environ: Mapping[str, str], folders: Folders) -> Path:
    """Take a source out of the project's file; gives the file. Raises NotFound, Invalid, Conflict."""
    from runtower.acts.write_entry import remove_entry  # noqa: PLC0415  as above

    file = project_file(folder)
    origin = _origin(given(folder, environ, folders), name)
    if not file.is_file() or (origin and origin != str(file)):
        raise NotFound(
            f"{file} names no source '{name}'.",
            f"It is named in {origin}: take it out there." if origin else "`runtower sources` lists them.",
        )
    remove_entry(file, _SECTION, name)
    return file


def _origin(known: Given, name: str) -> str:
    return known.origins.get(f"{_SECTION}.{name}.uri", "")


def _entry(target: Target, folder: Path) -> dict[str, Any]:
    uri = portable(target.uri, folder)
    entry: dict[str, Any] = {"uri": uri}
    if target.kind != kind_of(target.uri):
        entry = {"kind": target.kind, "uri": uri}
    if registry := target.options.get(REGISTRY):
        entry["options"] = {REGISTRY: portable(registry, folder)}
    return {**entry, "read_only": True} if target.read_only else entry
