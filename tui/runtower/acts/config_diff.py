"""Two configs beside each other: what counts, what rules hide, what only follows from a choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import cached_property
from re import IGNORECASE, compile
from typing import Final

from runtower.config.diff import MapDiff, diff
from runtower.config.overrides import Overrides, overrides_of
from runtower.config.resolving import Broken, Resolver
from runtower.config.rows import Choice, Kind, Row, Unset, choices_of, equal_count, rows_of
from runtower.config.rules import Hidden, Rules, said_of
from runtower.config.tree import Config, Key, KeyPath, Tree, dotted
from runtower.config.words import resolved_said

_WHOLE: Final = (Unset, dict)  # a map as a value is told as written


@dataclass(frozen=True)
class ConfigDiff:
    """Of `a` and `b` the differences that count, as a tree and as rows, and the rest counted."""

    a: Config
    b: Config
    difference: MapDiff
    choices: tuple[Choice, ...]
    rows: tuple[Row, ...]
    equal: int
    hidden: tuple[Hidden, ...]

    @property
    def is_different(self) -> bool:
        return bool(self.rows or self.choices)

    @cached_property
    def overrides(self) -> Overrides:
        """Of Hydra, to be given after those of `a`."""
        known = {**dict.fromkeys(self.a.choices, "null"), **self.b.choices}
        return overrides_of(self.difference, self.b.tree, known)

    @cached_property
    def resolvers(self) -> tuple[Resolver, Resolver]:
        """What finds the value of an interpolation, of each of the configs."""
        return Resolver(self.a.tree), Resolver(self.b.tree)

    @cached_property
    def resolved(self) -> tuple[dict[KeyPath, Tree | Broken], dict[KeyPath, Tree | Broken]]:
        """What the interpolations in the rows come to, in each of the configs."""
        before = [row.path for row in self.rows if not isinstance(row.before, _WHOLE) and _is_at(row, self.a.tree)]
        after = [row.path for row in self.rows if not isinstance(row.after, _WHOLE)]
        a, b = self.resolvers
        return a.all(before), b.all(after)

    def said(self, row: Row) -> tuple[str, str]:
        """The values of both in one line each, with what their interpolations come to."""
        old, new = self.resolved
        before = resolved_said(row.before, old.get(row.path), row.path in old)
        return before, resolved_said(row.after, new.get(row.path), row.path in new)

    def note(self, row: Row) -> str:
        """Which items of a list, another type, a broken interpolation; '' where the values say all."""
        notes = [row.note] if row.note else []
        if row.kind is Kind.RETYPED:
            notes.append(f"was {_type(row.before)}, is {_type(row.after)}")
        for side, resolved in zip("AB", self.resolved, strict=True):
            if isinstance(broken := resolved.get(row.path), Broken):
                notes.append(f"{side}: {broken.reason}")
        return "; ".join(notes)

    def summary(self) -> str:
        """`6 differ, 41 equal, 3 ignored by rules (seed, paths)`, or `1 choice and 6 values differ, ...`."""
        differ = f"{len(self.rows)} differ" if self.rows else "nothing differs"
        if self.choices:
            choices, values = len(self.choices), len(self.rows)
            differ = f"{choices} choice{'s' if choices > 1 else ''} and {values} value{'s' * (values != 1)} differ"
        return f"{differ}, {self.equal} equal{said_of(self.hidden)}"


def compared(a: Config, b: Config, ignore: Sequence[str], redact: Sequence[str], strict: bool) -> ConfigDiff:
    """Compare them. What `redact` names is left out of both before anything looks at it."""
    a, b = without(a, redact), without(b, redact)
    choices = choices_of(a, b)
    whole = diff(a.tree, b.tree, strict)
    kept, hidden = Rules(ignore).split(whole)
    rows = rows_of(kept, choices)
    return ConfigDiff(a, b, kept, tuple(choices), tuple(rows), equal_count(a.tree, b.tree, strict), tuple(hidden))


def without(config: Config, redact: Sequence[str]) -> Config:
    """The config without values whose names match one of the patterns, in any case."""
    if not redact:
        return config
    pattern = compile("|".join(f"(?:{translate(one)})" for one in redact), IGNORECASE)

    def kept(tree: Tree, above: KeyPath) -> Tree:
        if isinstance(tree, list):
            return [kept(one, above) for one in tree]
        if not isinstance(tree, dict):
            return tree
        out: dict[Key, Tree] = {}
        for key, value in tree.items():
            path = (*above, key)
            if not pattern.match(dotted(path)):
                out[key] = kept(value, path) if isinstance(value, dict | list) else value
        return out

    return replace(config, tree=kept(config.tree, ()))


def _type(value: Tree | Unset) -> str:
    words = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a map"}
    return words.get(type(value), "null")


def _is_at(row: Row, tree: Tree) -> bool:
    """Whether the row's path leads to its value in the first config: the places in lists are those of the second."""
    for part in row.path:
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        else:
            return False
    return True
