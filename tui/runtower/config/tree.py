"""What a config is: maps, lists and scalars, with where it came from. Interpolations and `???` are kept as written."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Scalar = None | bool | int | float | str
# A tree: dict, list or scalar. The keys of a dict are what YAML makes of them (mostly texts).
Tree = Any
Key = Hashable
KeyPath = tuple[Key, ...]

MISSING: Final = "???"


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Of what Hydra composed a config: the folder of its files, and the name of the first of them."""

    folder: str
    name: str


@dataclass(frozen=True, slots=True)
class Config:
    """A config and `origin`, in words, where it came from.

    `choices` are Hydra's groups with what was chosen; `overrides` what was typed when it was composed, of the files in
    `source`, None where that isn't known.
    """

    tree: dict[Key, Tree]
    origin: str
    choices: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    source: ConfigSource | None = None


def is_interpolated(value: Tree) -> bool:
    """Whether a value is made of others (`${...}`), as OmegaConf would see it."""
    return isinstance(value, str) and "${" in value


def leaves(tree: Tree, above: KeyPath = ()) -> Iterator[tuple[KeyPath, Tree]]:
    """All that holds nothing further: scalars, lists as wholes, empty maps."""
    if isinstance(tree, dict) and (tree or not above):
        for key, value in tree.items():
            yield from leaves(value, (*above, key))
    else:
        yield above, tree


def dotted(path: KeyPath) -> str:
    """`optim.betas[1]`: how a path is shown, and what rules look at. Whole numbers stand for places in lists."""
    out = ""
    for part in path:
        if isinstance(part, Place):
            out += f"[{part.number}]"
        else:
            out += f".{part}" if out else str(part)
    return out


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list, from 0, as a part of a path; a plain number there is the key of a map."""

    number: int
