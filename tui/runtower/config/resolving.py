"""What interpolations come to, leaf by leaf, so that a bad one spoils no other. OmegaConf does the work."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
            self._config = OmegaConf.create(_without_environment(self._tree))
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


def _without_environment(value: Tree) -> Tree:
    if isinstance(value, dict):
        return {key: _without_environment(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_environment(one) for one in value]
    return _ENVIRONMENT.sub(_UNKNOWN, value) if is_interpolated(value) else value


def _unsupported(said: str) -> str:
    found = _RESOLVER.search(said)
    name = found[1] if found else ""
    if name.startswith("runtower."):
        return "it reads the run's environment"
    return f"the resolver {name} is not known here" if name else "its resolver is not known here"
