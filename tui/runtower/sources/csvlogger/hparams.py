"""hparams.yaml as flat params. Nothing in it is ever constructed: a tag like !!python/object leaves text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml  # type: ignore[import-untyped]

from runtower.domain.runs import ValueType

_LARGEST: Final = 4 * 1024 * 1024
_DEEPEST: Final = 64
_MOST_VALUES: Final = 100_000
_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _TextForUnknownTags(_Base):  # type: ignore[misc]
    """A safe loader that also takes files of Lightning's with Python objects in them."""


def _as_text(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return f"{node.tag.rpartition(':')[2]} {node.value}".strip()
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


def _time_as_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_TextForUnknownTags.add_multi_constructor("", _as_text)
_TextForUnknownTags.add_constructor("tag:yaml.org,2002:timestamp", _time_as_text)

Param = tuple[str, str, ValueType]


class Unreadable(Exception):
    """A file that makes no sense; the text says why."""


def read_hparams(path: Path) -> list[Param]:
    """(key, text, type) for each leaf; nested keys joined by '.', lists as canonical JSON. Raises Unreadable."""
    try:
        if path.stat().st_size > _LARGEST:
            raise Unreadable(f"{path.name} is larger than {_LARGEST >> 20} MiB.")
        # Unknown tags become text above, no class of anyone's is looked up.
        content = yaml.load(path.read_bytes(), Loader=_TextForUnknownTags)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise Unreadable(f"{path.name} is no YAML: {' '.join(str(error).split())[:200]}") from error
    except OSError as error:
        raise Unreadable(f"{path.name} can't be read: {error.strerror}.") from error
    if content is None:
        return []
    if not isinstance(content, dict):
        raise Unreadable(f"{path.name} holds a {type(content).__name__} where a mapping should be.")
    # Of two spellings of one key, a nested and a dotted one, the later counts.
    return list({param[0]: param for param in _leaves("", content, 0, _Budget())}.values())


class _Budget:
    """Anchors can make a small file stand for a billion values."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unreadable(f"The file stands for more than {_MOST_VALUES} values.")


def _leaves(prefix: str, value: object, depth: int, budget: _Budget) -> Iterator[Param]:
    budget.spend()
    if isinstance(value, dict) and value and depth < _DEEPEST:
        for key, below in value.items():
            name = key if isinstance(key, str) else str(_plain(key, 0, budget))
            yield from _leaves(f"{prefix}.{name}" if prefix else name, below, depth + 1, budget)
        return
    yield prefix, *_text_of(value, budget)


def _text_of(value: object, budget: _Budget) -> tuple[str, ValueType]:
    """A value as text and what it was; all but text as canonical JSON."""
    match value:
        case str():
            return value, ValueType.TEXT
        case bool():
            return json.dumps(value), ValueType.BOOLEAN
        case int():
            return str(value), ValueType.INTEGER
        case float():
            return (json.dumps(value) if math.isfinite(value) else str(value)), ValueType.FLOAT
        case None:
            return "null", ValueType.NULL
        case _:
            plain = _plain(value, 0, budget)
            return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")), ValueType.JSON


def _plain(value: object, depth: int, budget: _Budget) -> object:
    budget.spend()
    # An anchor may hold itself; beyond this depth it is only named.
    if depth >= _DEEPEST:
        return "..."
    match value:
        case dict():
            return {str(key): _plain(below, depth + 1, budget) for key, below in value.items()}
        case list() | tuple() | set():
            return [_plain(below, depth + 1, budget) for below in value]
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return str(value)
