"""What interpolations come to, leaf by leaf, so that a bad one spoils no other. OmegaConf does the work."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from omegaconf import OmegaConf
from omegaconf.errors import (
    InterpolationKeyError,
    InterpolationToMissingValueError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
)
from omegaconf.resolvers import oc

from runtower.config.tree import Key, KeyPath, Place, Tree, is_interpolated

_ENVIRONMENT: Final = "oc.env"
_SWITCHING: Final = threading.Lock()  # OmegaConf's resolvers are the process's
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
            with _without_environment():
                return self._resolved(path)
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

    def _resolved(self, path: KeyPath) -> Tree:
        if self._config is None:
            try:
                self._config = OmegaConf.create(self._tree)
            except OmegaConfBaseException:  # it reads all or nothing
                self._config = OmegaConf.create(_readable(self._tree))
        found = self._config
        for part in path:
            found = found[part.number if isinstance(part, Place) else part]
        return OmegaConf.to_container(found, resolve=True) if OmegaConf.is_config(found) else found


@contextmanager
def _without_environment() -> Iterator[None]:
    """The environment of whoever looks is not that of the run, and may hold what nobody should see. A resolver's name
    can be put together of other values, so that it is taken away instead of looked for in texts."""
    with _SWITCHING:
        OmegaConf.clear_resolver(_ENVIRONMENT)
        try:
            yield
        finally:
            OmegaConf.register_new_resolver(_ENVIRONMENT, oc.env, replace=True)


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


def _readable(value: Tree) -> Tree:
    """The tree with another text where OmegaConf can't read an interpolation."""
    if isinstance(value, dict):
        return {key: _readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_readable(one) for one in value]
    if is_interpolated(value):
        try:
            OmegaConf.create([value])
        except OmegaConfBaseException:
            return _UNREADABLE
    return value


def _unsupported(said: str) -> str:
    found = _RESOLVER.search(said)
    name = found[1] if found else ""
    if name == "runtower.unreadable":
        return "OmegaConf can't read it"
    if name in (_ENVIRONMENT, "env"):
        return "it reads the run's environment"
    return f"the resolver {name} is not known here" if name else "its resolver is not known here"
