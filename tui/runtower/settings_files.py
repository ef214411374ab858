"""Reads settings: flags over environment over the project's file over the user's over defaults.

Lists replace, maps merge. Whatever is wrong is an `Invalid` that names where it stands and the nearest right word.
OmegaConf is imported here, so import this only where a file, a variable or a flag exists.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, get_type_hints

import yaml  # type: ignore[import-untyped]
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from runtower.actions import BY_ID
from runtower.acts.discover import absolute_uri, holds_credentials
from runtower.domain.errors import Invalid
from runtower.domain.happenings import What
from runtower.folders import Folders
from runtower.promote import declared
from runtower.settings import (
    AlertSettings,
    DiffSettings,
    MetricSettings,
    PromoteSettings,
    Settings,
    SourceSettings,
    ViewSettings,
)
from runtower.settings_quick import PREFIX, PROJECT_FILE, settings_files, variables

Path_ = tuple[str, ...]

_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "theme": ("auto", "dark", "light", "contrast"),
    "glyphs": ("auto", "unicode", "ascii"),
    "goal": ("", "min", "max"),
}
_ITEMS: Final[Mapping[str, type]] = {
    "sources": SourceSettings,
    "metrics": MetricSettings,
    "views": ViewSettings,
    "alerts": AlertSettings,
}
_PARTS: Final[Mapping[str, type]] = {"diff": DiffSettings, "promote": PromoteSettings}
_FREE_MAPS: Final = frozenset({"keys", "options", "gates"})
_ADDED_UP: Final = ("promote", "protected")  # no file takes away what another one protects
_SECRET: Final = re.compile(r"(?i)password|passwd|token|secret|api[_-]?key|credential|auth|cookie|headers\..*key")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and by dotted key where each value came from (a file, a variable, a flag, 'default')."""

    settings: Settings
    origins: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Layer:
    origin: str
    values: Mapping[Path_, object]


def load(folder: Path, environ: Mapping[str, str], folders: Folders, flags: Mapping[str, str]) -> Loaded:
    """Read everything. `flags`: dotted key -> text. Raises Invalid."""
    layers = [_file_layer(file) for file in settings_files(folder, folders)]
    for name, text in variables(environ).items():
        layers.append(_Layer(name, dict([_spoken(_variable_path(name), text, name)])))
    for key, text in flags.items():
        layers.append(_Layer(f"--{key}", dict([_spoken(tuple(key.split(".")), text, f"--{key}")])))
    config: Any = OmegaConf.structured(Settings)
    origins = {".".join(path): "default" for path, _ in _leaves(dataclasses.asdict(Settings()), ())}
    for layer in layers:
        for path, value in layer.values.items():
            if path == _ADDED_UP and isinstance(value, list):
                value = [*config.promote.protected, *value]
            config = _with(config, path, value, layer.origin)
            origins[".".join(path)] = layer.origin
    try:
        settings = cast(Settings, OmegaConf.to_object(config))
    except OmegaConfBaseException as error:
        raise Invalid(
            f"The settings can't be put together: {_first_line(error)}.", "Look at the ${...} in them."
        ) from None
    _check_whole(settings, origins)
    return Loaded(settings, origins)


# -- files


def _file_layer(file: Path) -> _Layer:
    try:
        config = OmegaConf.load(file)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Invalid(
            f"{file}, line {line}: this is no YAML: {error.problem or error.context}.", "Correct it."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} is no YAML: {_first_line(error)}.", "Correct it.") from None
    except OSError as error:
        if error.strerror is None:  # what OmegaConf says of a file that holds a single word or number
            raise Invalid(f"{file} has no settings in it.", "It has to be a map, such as 'theme: dark'.") from None
        raise Invalid(f"{file} can't be read: {error.strerror}.", "Look at its permissions.") from None
    data = OmegaConf.to_container(config, resolve=False)
    if not isinstance(data, dict):
        raise Invalid(f"{file} has no settings in it.", "It has to be a map, such as 'theme: dark'.")
    values = {path: value for path, value in _leaves(data, ()) if _known(path, value, str(file))}
    if file.name == PROJECT_FILE:
        values = {path: _trusted(path, value, file) for path, value in values.items()}
    return _Layer(str(file), values)


def _trusted(path: Path_, value: object, file: Path) -> object:
    """What came with a repository may name a server, but neither credentials nor parts of this machine's environment.

    Relative paths in it begin where the file is.
    """
    text, key = str(value), ".".join(path)
    if "${" in text:
        raise Invalid(f"{file}: {key} reads other values (${{...}}), which a project's file may not.", "Write it out.")
    if path[0] != "sources":
        return value
    remedy = "Keep credentials in your own settings.yaml, or in MLflow's variables."
    if path[-1] in ("uri", "registry_uri"):
        if holds_credentials(text):
            raise Invalid(f"{file}: {key} holds credentials, which a project's file may not.", remedy)
        return absolute_uri(text, file.parent)
    if len(path) > 2 and path[2] == "options" and _SECRET.search(path[-1]):
        raise Invalid(f"{file}: {key} holds credentials, which a project's file may not.", remedy)
    return value


def _leaves(data: Mapping[Any, Any], above: Path_) -> Iterator[tuple[Path_, object]]:
    """Values that are no maps. An empty map says nothing."""
    for key, value in data.items():
        path = (*above, str(key))
        if isinstance(value, Mapping):
            yield from _leaves(value, path)
            if not value and not above:
                yield path, {}
        else:
            yield path, value


# -- variables and flags


def _variable_path(name: str) -> Path_:
    """RUNTOWER_METRICS__val_loss__GOAL: names of settings in any case, a map's own keys as they are written."""
    return tuple(part.lower() if part.isupper() else part for part in name.removeprefix(PREFIX).split("__"))


def _spoken(path: Path_, text: str, origin: str) -> tuple[Path_, object]:
    value: object = [part.strip() for part in text.split(",") if part.strip()] if _is_list(path) else text
    _known(path, value, origin)
    return path, value


def _is_list(path: Path_) -> bool:
    item = _ITEMS.get(path[0]) if len(path) == 3 else None
    return path in (("redact",), ("diff", "ignore"), ("promote", "protected"), ("promote", "on_promote")) or (
        item is not None and str(get_type_hints(item).get(path[2])) == "list[str]"
    )


# -- checks


def _known(path: Path_, value: object, origin: str) -> bool:
    """Whether there is something to set. Raises Invalid where the path names no setting."""
    kind: type | None = Settings
    for place, key in enumerate(path):
        if kind is None:
            break
        fields = {field.name for field in dataclasses.fields(kind)}
        if key not in fields:
            raise _unknown(path[: place + 1], fields, origin)
        if key in _ITEMS:
            return _known_item(path, value, origin, _ITEMS[key])
        if key in _FREE_MAPS:
            return _known_free(path, place, value, origin)
        if key in _PARTS and not place:
            if len(path) == 1:
                if value is None or value == {}:
                    return False
                raise Invalid(f"{origin}: {key} has to be a map.", "docs/settings.md shows an example.")
            kind = _PARTS[key]
            continue
        kind = None
        if place + 1 < len(path):
            name = ".".join(path[: place + 1])
            raise Invalid(f"{origin}: {name} is a single value, not a map.", f"Write '{key}: ...'.")
    return True


def _known_item(path: Path_, value: object, origin: str, item: type) -> bool:
    if len(path) < 3:
        if value is None or value == {}:
            return False
        raise Invalid(f"{origin}: {'.'.join(path)} has to be a map.", "docs/settings.md shows an example.")
    fields = {field.name for field in dataclasses.fields(item)}
    if path[2] not in fields:
        raise _unknown(path[:3], fields, origin)
    return True


def _known_free(path: Path_, place: int, value: object, origin: str) -> bool:
    if len(path) == place + 1:
        if value is None or value == {}:
            return False
        raise Invalid(f"{origin}: {'.'.join(path)} has to be a map.", "docs/settings.md shows an example.")
    if path[0] == "keys" and ".".join(path[1:]) not in BY_ID:
        raise _unknown(("keys", ".".join(path[1:])), set(BY_ID), origin)
    return True


def _unknown(path: Path_, known: set[str], origin: str) -> Invalid:
    near = difflib.get_close_matches(path[-1], sorted(known), 1, 0.5)
    remedy = f"Did you mean {'.'.join((*path[:-1], near[0]))}?" if near else f"Known are {', '.join(sorted(known))}."
    return Invalid(f"{origin}: there is no setting {'.'.join(path)}.", remedy)


def _with(config: Any, path: Path_, value: object, origin: str) -> Any:
    """The configuration with one value more. Raises Invalid where it is of the wrong type."""
    choices = _CHOICES.get(path[-1]) if len(path) == 1 or path[0] == "metrics" else None
    if choices is not None and value not in choices and "${" not in str(value):
        near = difflib.get_close_matches(str(value), choices, 1, 0.5)
        hint = (
            f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(word or repr('') for word in choices)}."
        )
        raise Invalid(f"{origin}: {'.'.join(path)} can't be {value!r}.", hint)
    path = ("keys", ".".join(path[1:])) if path[0] == "keys" else path
    nested: Any = value
    for key in reversed(path):
        nested = {key: nested}
    try:
        return OmegaConf.merge(config, OmegaConf.create(nested))
    except OmegaConfBaseException:
        wanted = _wanted(path)
        given = "nothing" if value is None else f"'{value}'"
        raise Invalid(
            f"{origin}: {'.'.join(path)} has to be {wanted}, not {given}.", "docs/settings.md lists them."
        ) from None


def _wanted(path: Path_) -> str:
    owner: type = _ITEMS[path[0]] if path[0] in _ITEMS and len(path) > 2 else _PARTS.get(path[0], Settings)
    hint = get_type_hints(owner).get(path[-1] if owner is not Settings else path[0], str)
    words = {bool: "true or false", float: "a number", int: "a whole number", str: "a text"}
    return words.get(hint, "a list of texts" if _is_list(path) else "a text")


def _check_whole(settings: Settings, origins: Mapping[str, str]) -> None:
    if not settings.interval >= 0.1:
        raise Invalid(f"{origins['interval']}: interval has to be 0.1 seconds or more.", "The default is 2.")
    for name, source in settings.sources.items():
        if not source.uri:
            said = next((origin for key, origin in origins.items() if key.startswith(f"sources.{name}.")), "")
            raise Invalid(f"{said}: sources.{name} has no uri.", f"Add sources.{name}.uri.")
    for name, metric in settings.metrics.items():
        if metric.digits < 0:
            raise Invalid(f"{origins[f'metrics.{name}.digits']}: digits of {name} can't be negative.", "0 chooses.")
    for name, alert in settings.alerts.items():
        odd = [word for word in alert.tell if word not in What.__members__.values()]
        if odd:
            said = origins[f"alerts.{name}.tell"]
            near = difflib.get_close_matches(odd[0], list(What), 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else f"Choose of {', '.join(What)}."
            raise Invalid(f"{said}: alerts.{name}.tell can't hold '{odd[0]}'.", hint)
        if not alert.timeout > 0:
            raise Invalid(
                f"{origins[f'alerts.{name}.timeout']}: timeout of alerts.{name} has to be above 0.", "It is 30."
            )
    if not settings.promote.timeout > 0:
        raise Invalid(f"{origins['promote.timeout']}: promote.timeout has to be above 0.", "It is 30.")
    for model, targets in settings.gates.items():
        try:
            declared.check({model: targets})
        except Invalid as error:
            files = dict.fromkeys(origin for key, origin in origins.items() if f"{key}.".startswith(f"gates.{model}."))
            raise Invalid(f"{' and '.join(files)}: {error.tried}", error.remedy) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
