"""Many configs at once: the paths at which they vary, and what each has there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtower.config.rows import UNSET, Unset
from runtower.config.rules import Hidden, Rules
from runtower.config.same import canonical
from runtower.config.tree import Key, KeyPath, Tree

_QUICK: Final = (str, int, bool)  # whose equality is ours once the types are the same: True equals 1 to Python


@dataclass(frozen=True, slots=True)
class Varying:
    """A path, and the value of each config there, in their order."""

    path: KeyPath
    values: tuple[Tree | Unset, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """What varies; `equal` counts the paths at which all are the same, `hidden` are those that a rule hid."""

    rows: tuple[Varying, ...]
    equal: int
    hidden: tuple[Hidden, ...]


def matrix(trees: Sequence[dict[Key, Tree]], rules: Rules, strict: bool = False) -> Matrix:
    """Compare all with all. Lists are compared as wholes."""
    walk = _Walk(rules, strict)
    walk.maps(list(trees), ())
    return Matrix(tuple(walk.rows), walk.equal, tuple(walk.hidden))


class _Walk:
    def __init__(self, rules: Rules, strict: bool) -> None:
        self._rules = rules
        self._strict = strict
        self.rows: list[Varying] = []
        self.hidden: list[Hidden] = []
        self.equal = 0

    def maps(self, trees: list[dict[Key, Tree]], above: KeyPath) -> None:
        """Maps that stand at the same path, an empty one for a config that has none there."""
        keys: dict[Key, None] = {}
        for tree in trees:
            keys.update(dict.fromkeys(tree))
        for key in keys:
            self._values([tree.get(key, UNSET) for tree in trees], (*above, key))

    def _values(self, values: list[Tree | Unset], path: KeyPath) -> None:
        first = values[0]
        kind = type(first)
        if kind in _QUICK and values.count(first) == len(values) and all(type(value) is kind for value in values):
            self.equal += 1
            return
        if any(isinstance(value, dict) and value for value in values) and not any(
            not isinstance(value, dict | Unset) for value in values
        ):
            self.maps([value if isinstance(value, dict) else {} for value in values], path)
            return
        if len({canonical(value, self._strict) if value is not UNSET else UNSET for value in values}) == 1:
            self.equal += 1
            return
        rule = self._rules.rule_of(path)
        if rule is not None:
            self.hidden.append(Hidden(path, rule))
        else:
            self.rows.append(Varying(path, tuple(values)))
