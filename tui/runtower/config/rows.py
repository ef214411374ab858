"""A diff as a list: one row for each single difference, and what of them only follows from one of Hydra's choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runtower.config.diff import Added, Changed, Difference, ListDiff, MapDiff, Removed
from runtower.config.same import is_retyped, is_same
from runtower.config.tree import Config, KeyPath, Place, Tree, dotted, leaves


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RETYPED = "retyped"


class Unset:
    """What stands where a config has no value; null is a value."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


@dataclass(frozen=True, slots=True)
class Row:
    """One difference. `note` says which items of a list; `follows` is the group of Hydra's whose choice brought it."""

    path: KeyPath
    kind: Kind
    before: Tree | Unset
    after: Tree | Unset
    note: str = ""
    follows: str = ""

    @property
    def name(self) -> str:
        return dotted(self.path)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of Hydra's groups of which another option was chosen; None where the group wasn't there."""

    group: str
    before: str | None
    after: str | None


def choices_of(a: Config, b: Config) -> list[Choice]:
    """The groups that were chosen differently, without Hydra's own; nothing where one of them knows of no choices."""
    if not a.choices or not b.choices:
        return []
    groups = [group for group in dict.fromkeys([*a.choices, *b.choices]) if not group.startswith("hydra/")]
    pairs = [Choice(group, a.choices.get(group), b.choices.get(group)) for group in groups]
    return [one for one in pairs if one.before != one.after]


def rows_of(difference: MapDiff, choices: list[Choice] | None = None) -> list[Row]:
    """All single differences, in the order of the configs."""
    packages = {_package(one.group): one.group for one in choices or []}
    return list(_map_rows(difference, (), packages))


def _package(group: str) -> KeyPath:
    """Where a group's values are unless its file says otherwise: `model/head` at model.head, `db@backup` at backup."""
    name, _, package = group.partition("@")
    return tuple((package or name.replace("/", ".")).split("."))


def _map_rows(difference: MapDiff, above: KeyPath, packages: Mapping[KeyPath, str]) -> Iterator[Row]:
    for key, one in difference.items.items():
        yield from _rows(one, (*above, key), packages)


def _rows(one: Difference, path: KeyPath, packages: Mapping[KeyPath, str]) -> Iterator[Row]:
    if isinstance(one, MapDiff):
        yield from _map_rows(one, path, packages)
    elif isinstance(one, ListDiff):
        yield from _list_rows(one, path, packages)
    else:
        yield from _single(one, path, _followed(path, packages))


def _followed(path: KeyPath, packages: Mapping[KeyPath, str]) -> str:
    for depth in range(len(path), 0, -1):
        if (group := packages.get(path[:depth])) is not None:
            return group
    return ""


def _single(one: Added | Removed | Changed, path: KeyPath, follows: str) -> Iterator[Row]:
    if isinstance(one, Added):
        for place, value in leaves(one.value, path):
            yield Row(place, Kind.ADDED, UNSET, value, follows=follows)
    elif isinstance(one, Removed):
        for place, value in leaves(one.value, path):
            yield Row(place, Kind.REMOVED, value, UNSET, follows=follows)
    else:
        kind = Kind.RETYPED if is_retyped(one.before, one.after) else Kind.CHANGED
        yield Row(path, kind, one.before, one.after, follows=follows)


def _list_rows(one: ListDiff, path: KeyPath, packages: Mapping[KeyPath, str]) -> Iterator[Row]:
    """A list of plain values is one row; what differs inside of items that are maps or lists are rows of their own."""
    follows = _followed(path, packages)
    if not any(isinstance(value, dict | list) for value in (*one.before, *one.after)):
        yield Row(path, Kind.CHANGED, one.before, one.after, _note(one), follows)
        return
    for item in one.items:
        place = item.after if item.after is not None else item.before
        assert place is not None
        below = (*path, Place(place))
        if isinstance(item.difference, Added):
            yield Row(below, Kind.ADDED, UNSET, item.difference.value, "item put in", follows)
        elif isinstance(item.difference, Removed):
            yield Row(below, Kind.REMOVED, item.difference.value, UNSET, "item taken out", follows)
        else:
            yield from _rows(item.difference, below, packages)


def _note(one: ListDiff) -> str:
    changed = [item.after + 1 for item in one.items if item.before is not None and item.after is not None]
    added = sum(item.before is None for item in one.items)
    removed = sum(item.after is None for item in one.items)
    said = []
    if len(changed) == 1:
        said.append(f"item {changed[0]} of {len(one.after)}")
    elif changed:
        said.append(f"{len(changed)} of {len(one.after)} items")
    said += [f"{count} {word}" for count, word in ((added, "put in"), (removed, "taken out")) if count]
    return ", ".join(said)


def equal_count(a: Mapping[object, Tree], b: Mapping[object, Tree], strict: bool) -> int:
    """How many single values are the same in both; a list counts as one."""
    count = 0
    for key, value in a.items():
        if key not in b:
            continue
        other = b[key]
        if isinstance(value, dict) and isinstance(other, dict) and (value or other):
            count += equal_count(value, other, strict)
        elif value is other or is_same(value, other, strict):
            count += 1
    return count
