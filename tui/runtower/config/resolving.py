"""What interpolations come to, leaf by leaf, so that a bad one spoils no other. OmegaConf does the work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from omegaconf import OmegaConf
from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationToMissingValueError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)

from runtower.config.tree import Key, KeyPath, Place, Tree, is_interpolated

# The environment of whoever looks is not that of the run, and may hold what nobody should see.
_ENVIRONMENT: Final = re.compile(r"\$\{\s*(?:oc\.)?env\s*:")
_UNKNOWN: Final = "${runtower.of_the_run:"
_UNREADABLE: Final = "${runtower.unreadable:}"
_RESOLVER: Final = re.compile(r"Unsupported interpolation type (\S+)")


@dataclass(frozen=True, slots=True)
class Broken:
    """An interpolation without a value, and why, in a few words."""

    reason: str


class Resolver:
    """Resolves values of one config; OmegaConf reads it once, at the first interpolation."""

    def __init__(self, tree: dict[Key, Tree]) -> None:
        self._tree = tree
        self._config: Any = None

    def value(self, path: KeyPath) -> Tree | Broken:
        """What stands at a path with its interpolations resolved; Broken where one of them can't be."""
        try:
            config = self._read()
            for part in path:
                config = config[part.number if isinstance(part, Place) else part]
            if OmegaConf.is_config(config):
                return OmegaConf.to_container(config, resolve=True)
            return config
        except InterpolationToMissingValueError:
            return Broken("its value is missing (???)")
        except UnsupportedInterpolationType as error:
            return Broken(_unsupported(str(error)))
        except InterpolationKeyError as error:
            return Broken(str(error).partition("\n")[0].removeprefix("InterpolationKeyError raised while resolving: "))
        except (OmegaConfBaseException, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
            return Broken((str(error).partition("\n")[0] or type(error).__name__)[:120])

    def all(self, paths: Iterable[KeyPath]) -> dict[KeyPath, Tree | Broken]:
        """The resolved values of those paths at which an interpolation stands."""
        return {path: self.value(path) for path in paths if _has_any(at(self._tree, path))}

    def _read(self) -> Any:
        if self._config is None:
            tree = _with_texts(self._tree, _without_environment)
            try:
                self._config = OmegaConf.create(tree)
            except OmegaConfBaseException:  # it reads all or nothing
                self._config = OmegaConf.create(_with_texts(tree, _readable))
        return self._config


def at(tree: Tree, path: KeyPath) -> Tree:
    """What stands at a path. Raises KeyError, IndexError."""
    for part in path:
        tree = tree[part.number if isinstance(part, Place) else part]
    return tree


def _has_any(value: Tree) -> bool:
    if isinstance(value, dict):
        return any(map(_has_any, value.values()))
    if isinstance(value, list):
        return any(map(_has_any, value))
    return is_interpolated(value)


def _with_texts(value: Tree, change: Callable[[str], str]) -> Tree:
    """The tree with its interpolations changed."""
    if isinstance(value, dict):
        return {key: _with_texts(one, change) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_texts(one, change) for one in value]
    return change(value) if is_interpolated(value) else value


def _without_environment(text: str) -> str:
    return _ENVIRONMENT.sub(_UNKNOWN, text)


def _readable(text: str) -> str:
    try:
        OmegaConf.create([text])
    except OmegaConfBaseException:
        return _UNREADABLE
    return text


def _unsupported(said: str) -> str:
    found = _RESOLVER.search(said)
    name = found[1] if found else ""
    if name == "runtower.unreadable":
        return "OmegaConf can't read it"
    if name.startswith("runtower."):
        return "it reads the run's environment"
    return f"the resolver {name} is not known here" if name else "its resolver is not known here"
