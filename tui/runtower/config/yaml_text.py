"""YAML text to a tree, as OmegaConf reads it and in a thirtieth of its time.

libyaml's parser gives events; what is made of them here is what `OmegaConf.create` makes (see yaml_scalars.py), but for
interpolations, which stay texts. A key that stands twice is an error, and nothing is ever constructed but plain values.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runtower.config.tree import Key, Scalar, Tree
from runtower.config.yaml_scalars import BY_TAG, plain
from runtower.domain.errors import Invalid

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 200
_MOST: Final = 2_000_000  # values; aliases of aliases can make more of a small file than any memory holds
_PATHS: Final = "tag:yaml.org,2002:python/object/apply:pathlib."
_MERGE: Final = object()


def read_text(text: str, origin: str) -> dict[Key, Tree]:
    """The tree of a YAML or, where `origin` ends in .json, a JSON document; an empty one is an empty map.

    Raises Invalid, which says the line.
    """
    tree = read_any(text, origin)
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise Invalid(f"{origin} holds {_kind(tree)}, no config.", "A config is a map, such as 'lr: 0.001'.")
    return tree


def read_any(text: str, origin: str) -> Tree:
    """The same of a document that may also be a list or a single value; None for an empty one."""
    return _json(text, origin) if origin.endswith(".json") else _Reader(origin).read(text)


def read_otherwise(text: str, origin: str, scalar: Callable[[str], Scalar]) -> Tree:
    """The same of YAML for somebody who reads scalars otherwise: `scalar` gives the value of one without quotes, or
    raises ValueError. Raises Invalid for all tags too, since what they mean is as uncertain."""
    return _Reader(origin, scalar).read(text)


def _kind(tree: Tree) -> str:
    return "a list" if isinstance(tree, list) else "a single value"


class _Reader:
    """Makes values of events, one document."""

    def __init__(self, origin: str, scalar: Callable[[str], Scalar] = plain) -> None:
        self._origin = origin
        self._plain = scalar
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._count = 0
        self._known: dict[str, Tree] = {}

    def read(self, text: str) -> Tree:
        parser: Any = None
        try:
            parser = _Loader(text)
            self._next: Callable[[], Any] = parser.get_event
            self._next()  # the stream begins
            if isinstance(self._next(), yaml.StreamEndEvent):
                return None
            tree = self._value(self._next(), 0)
            self._next()  # the document ends
            more = self._next()
            if not isinstance(more, yaml.StreamEndEvent):
                raise self._wrong(more, "a second document begins, and a config is one")
            return tree
        except yaml.MarkedYAMLError as error:
            line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
            raise Invalid(f"{self._origin}{line}: this is no YAML: {error.problem or error.context}.", _MEND) from None
        except yaml.YAMLError as error:
            raise Invalid(f"{self._origin} is no YAML: {str(error).splitlines()[0]}.", _MEND) from None
        finally:
            if parser is not None:
                parser.dispose()

    def _value(self, event: Any, depth: int) -> Tree:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._count += 1
            value = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (value, 1)
            return value
        if kind is yaml.AliasEvent:
            return self._alias(event)
        if depth > _DEEPEST:
            raise self._wrong(event, f"it is nested more than {_DEEPEST} times")
        before = self._count
        made = self._map(event, depth) if kind is yaml.MappingStartEvent else self._list(event, depth)
        self._count += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (made, self._count - before)
        return made

    def _map(self, start: Any, depth: int) -> dict[Key, Tree]:
        self._collection_tag(start, "map")
        own: dict[Key, Tree] = {}
        merged: list[Tree] = []
        while True:
            event = self._next()
            if type(event) is yaml.MappingEndEvent:
                break
            key = self._value(event, depth + 1) if not _is_merge(event) else _MERGE
            value = self._value(self._next(), depth + 1)
            if key is _MERGE:
                merged += self._merged(event, value)
                continue
            try:
                if key in own:
                    raise self._wrong(event, f"the key {key} is there twice")
            except TypeError:
                raise self._wrong(event, "a list or a map can't be a key") from None
            own[key] = value
        for one in merged:  # the first of several wins, and what is written here wins over all
            own = {**one, **own}
        return own

    def _merged(self, event: Any, value: Tree) -> list[Tree]:
        maps = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in maps):
            raise self._wrong(event, "<< takes a map or a list of maps")
        return maps

    def _list(self, start: Any, depth: int) -> Tree:
        out: list[Tree] = []
        while True:
            event = self._next()
            if type(event) is yaml.SequenceEndEvent:
                break
            out.append(self._value(event, depth + 1))
        if start.tag is not None and start.tag.startswith(_PATHS):
            return "/".join(str(part) for part in out).replace("//", "/")
        self._collection_tag(start, "seq")
        return out

    def _collection_tag(self, start: Any, usual: str) -> None:
        if start.tag not in (None, "!", f"tag:yaml.org,2002:{usual}"):
            raise self._wrong(start, f"the tag {start.tag} isn't known")

    def _scalar(self, event: Any) -> Tree:
        text: str = event.value
        if event.tag is None or event.tag == "!":
            if event.tag == "!" or not event.implicit[0]:
                return text
            known = self._known
            if text in known:
                return known[text]
            try:
                known[text] = value = self._plain(text)
            except ValueError as error:
                raise self._wrong(event, f"'{text[:40]}' can't be read: {error}") from None
            return value
        maker = BY_TAG.get(event.tag) if self._plain is plain else None
        if maker is None:
            raise self._wrong(event, f"the tag {event.tag} isn't known")
        try:
            return maker(text)
        except ValueError as error:
            raise self._wrong(event, f"'{text[:40]}' can't be read: {error}") from None

    def _alias(self, event: Any) -> Tree:
        if event.anchor not in self._anchors:
            raise self._wrong(event, f"nothing before this is called &{event.anchor}")
        value, size = self._anchors[event.anchor]
        self._count += size
        if self._count > _MOST:
            raise self._wrong(event, f"with its aliases it holds more than {_MOST:,} values")
        return value

    def _wrong(self, event: Any, what: str) -> Invalid:
        return Invalid(f"{self._origin}, line {event.start_mark.line + 1}: {what}.", _MEND)


_MEND: Final = "Correct it."


def _is_merge(event: Any) -> bool:
    return bool(type(event) is yaml.ScalarEvent and event.value == "<<" and event.tag is None and event.implicit[0])


def _json(text: str, origin: str) -> Tree:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise Invalid(f"{origin}: the key {twice} is there twice.", _MEND)
        return made

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise Invalid(f"{origin}, line {error.lineno}: this is no JSON: {error.msg}.", _MEND) from None
    except (RecursionError, ValueError):
        raise Invalid(f"{origin} is no JSON that can be read.", _MEND) from None
