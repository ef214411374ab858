"""hparams.yaml as flat params. Nothing in it is ever constructed: a tag like !!python/object leaves text."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml  # type: ignore[import-untyped]

from runtower.sources.leaves import Param, Unreadable, leaves

_LARGEST: Final = 4 * 1024 * 1024
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
    return leaves(content)
