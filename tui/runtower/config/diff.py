"""What makes one config out of another: a tree of differences, none where the configs are the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from runtower.config.same import canonical, is_same
from runtower.config.tree import Key, Tree

_MOST_PAIRS: Final = 4_000_000  # of items of two lists; above that they are compared place by place


@dataclass(frozen=True, slots=True)
class Added:
    """Only the second config has it."""

    value: Tree


@dataclass(frozen=True, slots=True)
class Removed:
    """Only the first config has it."""

    value: Tree


@dataclass(frozen=True, slots=True)
class Changed:
    """Both have it, and not the same."""

    before: Tree
    after: Tree


@dataclass(frozen=True, slots=True)
class MapDiff:
    """Two maps: what differs, by key, in the order of the first and then of the second."""

    items: dict[Key, Difference]


@dataclass(frozen=True, slots=True)
class ItemDiff:
    """An item of a list. `before` and `after` are its places, from 0; None where it isn't."""

    before: int | None
    after: int | None
    difference: Difference


@dataclass(frozen=True, slots=True)
class ListDiff:
    """Two lists, as wholes, and which items differ, in the order in which they stand."""

    before: list[Tree]
    after: list[Tree]
    items: tuple[ItemDiff, ...]


Difference = Added | Removed | Changed | MapDiff | ListDiff


def diff(a: dict[Key, Tree], b: dict[Key, Tree], strict: bool = False) -> MapDiff:
    """What turns `a` into `b`; without items where they are the same. `strict` tells 1 from 1.0 and from '1'."""
    return MapDiff(_map_items(a, b, strict))


def _map_items(a: dict[Key, Tree], b: dict[Key, Tree], strict: bool) -> dict[Key, Difference]:
    found: dict[Key, Difference] = {}
    for key, before in a.items():
        if key not in b:
            found[key] = Removed(before)
            continue
        after = b[key]
        if before is after:
            continue
        kind = type(before)
        if kind is dict or kind is list:
            different = _between(before, after, strict)
            if different is not None:
                found[key] = different
        elif not (kind is type(after) and before == after) and not is_same(before, after, strict):
            found[key] = Changed(before, after)
    for key, after in b.items():
        if key not in a:
            found[key] = Added(after)
    return found


def _between(before: Tree, after: Tree, strict: bool) -> Difference | None:
    if isinstance(before, dict) and isinstance(after, dict):
        items = _map_items(before, after, strict)
        return MapDiff(items) if items else None
    if isinstance(before, list) and isinstance(after, list):
        listed = _list_items(before, after, strict)
        return ListDiff(before, after, tuple(listed)) if listed else None
    return None if is_same(before, after, strict) else Changed(before, after)


# -- lists


def _list_items(a: list[Tree], b: list[Tree], strict: bool) -> list[ItemDiff]:
    old = [canonical(one, strict) for one in a]
    new = [canonical(one, strict) for one in b]
    begin, shorter = 0, min(len(old), len(new))
    while begin < shorter and old[begin] == new[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    left, right = old[begin : len(old) - end], new[begin : len(new) - end]
    found: list[ItemDiff] = []
    for first, last, to, until in _stretches(left, right):
        found += _replaced(a, b, range(begin + first, begin + last), range(begin + to, begin + until), strict)
    return found


def _stretches(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int, int, int]]:
    """Where the two differ: [first, last) of one against [to, until) of the other."""
    if not left or not right or len(left) * len(right) > _MOST_PAIRS:
        return [(0, len(left), 0, len(right))] if left or right else []
    matcher: SequenceMatcher[Any] = SequenceMatcher(None, left, right, autojunk=False)
    return [(first, last, to, until) for tag, first, last, to, until in matcher.get_opcodes() if tag != "equal"]


def _replaced(a: list[Tree], b: list[Tree], old: range, new: range, strict: bool) -> list[ItemDiff]:
    """Items against items: in pairs, and what is left over was taken away or put in."""
    found: list[ItemDiff] = []
    for i, j in zip(old, new, strict=False):
        different = _between(a[i], b[j], strict)
        if different is not None:
            found.append(ItemDiff(i, j, different))
    found += [ItemDiff(i, None, Removed(a[i])) for i in old[len(new) :]]
    found += [ItemDiff(None, j, Added(b[j])) for j in new[len(old) :]]
    return found


# -- the other way


def apply(difference: MapDiff, a: dict[Key, Tree]) -> dict[Key, Tree]:
    """What `a` becomes: `apply(diff(a, b), a)` is the same as `b`. `a` itself stays as it is."""
    out = dict(a)
    for key, one in difference.items.items():
        if isinstance(one, Removed):
            del out[key]
        else:
            out[key] = _applied(one, a.get(key))
    return out


def _applied(difference: Difference, before: Any) -> Tree:
    if isinstance(difference, MapDiff):
        return apply(difference, before)
    if isinstance(difference, ListDiff):
        return _list_applied(difference, before)
    assert not isinstance(difference, Removed)
    return difference.value if isinstance(difference, Added) else difference.after


def _list_applied(difference: ListDiff, before: list[Tree]) -> list[Tree]:
    gone = {item.before for item in difference.items if isinstance(item.difference, Removed)}
    changed = {item.before: item.difference for item in difference.items if item.after is not None}
    out = [
        _applied(changed[place], one) if place in changed else one
        for place, one in enumerate(before)
        if place not in gone
    ]
    for item in difference.items:  # in the order of their places in the new list
        if isinstance(item.difference, Added) and item.after is not None:
            out.insert(item.after, item.difference.value)
    return out
