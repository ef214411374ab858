"""Params and metrics files as DVC reads them, each content read once.

YAML means other things to other programs, hence a reader of its own (`yaml12.py`); what that one won't read, TOML and
Python go to DVC's own parsers (dvc.utils.serialize).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from runtower.config.yaml_text import read_otherwise
from runtower.domain.errors import Invalid
from runtower.sources.dvc.places import LARGEST, Content
from runtower.sources.dvc.yaml12 import plain
from runtower.sources.leaves import Param, Unreadable, leaves

_MOST_KEPT: Final = 20_000
_OTHERS: Final = frozenset(("toml", "py"))


class Values:
    """What files hold, by content."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Any] = {}
        self._params: dict[tuple[str, str, tuple[str, ...]], list[Param]] = {}
        self._metrics: dict[tuple[str, str], dict[str, float]] = {}

    def document(self, path: str, content: Content) -> Any:
        """The whole document. Raises Unreadable."""
        key = (content.id, _ending(path))
        if key not in self._known:
            self._make_room(self._known)
            try:
                self._known[key] = _parsed(path, content)
            except Unreadable as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, Unreadable):
            raise found
        return found

    def params(self, path: str, content: Content, keys: Sequence[str]) -> list[Param]:
        """The params of a file: those of `keys`, dotted, or all where there are none. Raises Unreadable."""
        key = (content.id, _ending(path), tuple(keys))
        if key not in self._params:
            self._make_room(self._params)
            document = self.document(path, content)
            self._params[key] = leaves(some(document, keys) if keys else document) if document else []
        return self._params[key]

    def metrics(self, path: str, content: Content) -> dict[str, float]:
        """The numbers of a file, by dotted key; what isn't one is left out. Raises Unreadable."""
        key = (content.id, _ending(path))
        if key not in self._metrics:
            self._make_room(self._metrics)
            self._metrics[key] = dict(_numbers("", self.document(path, content)))
        return self._metrics[key]

    def _make_room(self, known: dict[Any, Any]) -> None:
        if len(known) > _MOST_KEPT:
            known.clear()


def _ending(path: str) -> str:
    return path.rpartition(".")[2].lower()


def _parsed(path: str, content: Content) -> Any:
    try:
        data = content.read()
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error.strerror}.") from error
    if len(data) > LARGEST:
        raise Unreadable(f"{path} is larger than {LARGEST >> 20} MiB.")
    try:
        text = data.decode("utf-8")
        if _ending(path) == "json":  # as DVC reads it
            return json.loads(text) if text.strip() else {}
        if _ending(path) not in _OTHERS:
            with suppress(Invalid):
                return read_otherwise(text, path, plain) or {}
        return _parser(path)(text, path)
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is no text.") from error
    except Exception as error:  # each parser raises errors of its own
        said = " ".join(str(error.__cause__ or error).split())[:200]
        raise Unreadable(f"{path} can't be understood: {said}") from error


def _parser(path: str) -> Callable[[str, str], Any]:
    """Imported where it is wanted: DVC's parsers take 0.15 s."""
    from dvc.utils.serialize import PARSERS  # noqa: PLC0415

    parser: Callable[[str, str], Any] = PARSERS[f".{_ending(path)}"]
    return parser


def some(document: Any, keys: Sequence[str]) -> dict[str, Any]:
    """Only what these dotted keys name, under those names."""
    found: dict[str, Any] = {}
    for key in keys:
        value = document
        for part in key.split("."):
            if isinstance(value, Mapping) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                break
        else:
            found[key] = value
    return found


def _numbers(prefix: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _numbers(f"{prefix}.{key}" if prefix else str(key), below)
    elif isinstance(value, int | float) and prefix:
        try:
            yield prefix, float(value)
        except OverflowError:
            yield prefix, math.inf if value > 0 else -math.inf
