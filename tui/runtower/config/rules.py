"""Which differences don't count: patterns of dotted paths, such as `*.seed`. What they hid is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate

from runtower.config.diff import Added, Difference, ItemDiff, ListDiff, MapDiff, Removed
from runtower.config.tree import KeyPath, Place, Tree, dotted, leaves


@dataclass(frozen=True, slots=True)
class Hidden:
    """A difference that a rule hid."""

    path: KeyPath
    rule: str


def said_of(hidden: Sequence[Hidden]) -> str:
    """`, 3 ignored by rules (seed, paths)`, to stand behind what counts; '' for none."""
    rules = dict.fromkeys(one.rule for one in hidden)
    return f", {len(hidden)} ignored by rules ({', '.join(rules)})" if hidden else ""


class Rules:
    """Glob patterns; one that fits a map or a list holds for all below it."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._any = re.compile("|".join(f"(?:{translate(one)})" for one in patterns) or r"(?!)")
        self._each = [(one, re.compile(translate(one))) for one in patterns]

    def rule_of(self, path: KeyPath) -> str | None:
        """The first pattern that fits; the place of a list's item is written as `[0]`."""
        text = dotted(path)
        if not self._any.match(text):
            return None
        return next(one for one, pattern in self._each if pattern.match(text))

    def split(self, difference: MapDiff) -> tuple[MapDiff, list[Hidden]]:
        """The differences that count, and those that don't."""
        if not self._patterns:
            return difference, []
        hidden: list[Hidden] = []
        return self._map(difference, (), hidden), hidden

    def _map(self, difference: MapDiff, above: KeyPath, hidden: list[Hidden]) -> MapDiff:
        kept: dict[object, Difference] = {}
        for key, one in difference.items.items():
            left = self._left(one, (*above, key), hidden)
            if left is not None:
                kept[key] = left
        return MapDiff(kept)

    def _left(self, one: Difference, path: KeyPath, hidden: list[Hidden]) -> Difference | None:
        rule = self.rule_of(path)
        if rule is not None:
            hidden += [Hidden(below, rule) for below in _paths(one, path)]
            return None
        if isinstance(one, MapDiff):
            rest = self._map(one, path, hidden)
            return rest if rest.items else None
        if isinstance(one, ListDiff):
            return self._list(one, path, hidden)
        if isinstance(one, Added | Removed) and isinstance(one.value, dict) and one.value:
            tree = self._tree(one.value, path, hidden)
            return replace(one, value=tree) if tree else None
        return one

    def _list(self, difference: ListDiff, path: KeyPath, hidden: list[Hidden]) -> ListDiff | None:
        kept: list[ItemDiff] = []
        for item in difference.items:
            place = item.after if item.after is not None else item.before
            assert place is not None
            left = self._left(item.difference, (*path, Place(place)), hidden)
            if left is not None:
                kept.append(replace(item, difference=left))
        return replace(difference, items=tuple(kept)) if kept else None

    def _tree(self, tree: dict[object, Tree], above: KeyPath, hidden: list[Hidden]) -> dict[object, Tree]:
        kept: dict[object, Tree] = {}
        for key, value in tree.items():
            path = (*above, key)
            rule = self.rule_of(path)
            if rule is not None:
                hidden += [Hidden(below, rule) for below, _ in leaves(value, path)]
            elif isinstance(value, dict) and value:
                if below := self._tree(value, path, hidden):
                    kept[key] = below
            else:
                kept[key] = value
        return kept


def _paths(one: Difference, path: KeyPath) -> Iterator[KeyPath]:
    """The paths of single differences at and below one."""
    if isinstance(one, MapDiff):
        for key, below in one.items.items():
            yield from _paths(below, (*path, key))
    elif isinstance(one, Added | Removed):
        for place, _ in leaves(one.value, path):
            yield place
    else:
        yield path
