"""A diff as Hydra overrides: given after those of the first config's run, they turn it into the second config.

Hydra 1.3 merges maps and refuses some things (`ConfigLoaderImpl._apply_overrides_to_config`): `~key` fails where the
value is null, missing or an interpolation that can't be resolved, so such a value is set first; a list can't be merged
with a map, so the one is taken away before the other is added. Each text here is one argument, as Hydra takes it; a
shell wants it quoted once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from runtower.config.diff import Added, Changed, Difference, ListDiff, MapDiff, Removed
from runtower.config.tree import MISSING, Key, KeyPath, Tree, dotted, is_interpolated

_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*\Z")
_FIRST_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_PLACE: Final = re.compile(r"(?:0|[1-9][0-9]*)\Z")
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/.-]*\Z")
_KEY_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_/\-\\+.$%*@?|()\[\]{}:=, \t]+\Z")
_ESCAPED: Final = re.compile(r"([\\()\[\]{}:=, \t])")
_TYPED: Final = re.compile(r"(?i)(?:null|true|false|[+-]?(?:inf|nan))\Z")
_NUMBER_KEY: Final = re.compile(r"[+-]?[0-9._]+(?:[eE][+-]?[0-9_]+)?\Z")
_BEFORE_QUOTE: Final = re.compile(r"(\\*)('|\Z)")


@dataclass(frozen=True, slots=True)
class Overrides:
    """`texts` in the order in which they apply; `unsaid` are differences that Hydra's grammar has no words for."""

    texts: tuple[str, ...]
    unsaid: tuple[KeyPath, ...]


class Unsayable(Exception):
    """Hydra's grammar has no words for it."""


def overrides_of(difference: MapDiff, b: dict[Key, Tree]) -> Overrides:
    """The overrides that make `b` of the config that it differs from."""
    writer = _Writer()
    writer.map(difference, b, ())
    return Overrides(tuple(writer.texts), tuple(writer.unsaid))


class _Writer:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.unsaid: list[KeyPath] = []

    def map(self, difference: MapDiff, b: dict[Key, Tree], path: KeyPath) -> None:
        """Key by key; a map with a key that can't be named is replaced as a whole."""
        odd = [key for key in difference.items if not _is_nameable((*path, key))]
        if odd and path and self._replaced(path, b):
            return
        self.unsaid += [(*path, key) for key in odd]
        for key, one in difference.items.items():
            if key not in odd:
                self._one(one, b.get(key), (*path, key))

    def _one(self, one: Difference, after: Any, path: KeyPath) -> None:
        if isinstance(one, MapDiff):
            self.map(one, after, path)
        elif isinstance(one, ListDiff):
            self._said(path, lambda: [f"{dotted(path)}={value_text(after)}"])
        elif isinstance(one, Removed):
            self.texts += _removal(path, one.value)
        elif isinstance(one, Added):
            self._added(path, one.value)
        else:
            self._changed(path, one)

    def _added(self, path: KeyPath, value: Tree) -> None:
        if not isinstance(value, dict) or not value:
            self._said(path, lambda: [f"+{dotted(path)}={value_text(value)}"])
        elif all(_is_nameable((*path, key)) for key in value):
            for key, below in value.items():  # leaf by leaf: a group's name doesn't take a map
                self._added((*path, key), below)
        else:
            try:
                self.texts.append(f"+{dotted(path)}={value_text(value)}")
            except Unsayable:
                self.texts.append(f"+{dotted(path)}={{}}")
                self._below(path, value)

    def _below(self, path: KeyPath, value: dict[Key, Tree]) -> None:
        for key, below in value.items():
            if _is_nameable((*path, key)):
                self._added((*path, key), below)
            else:
                self.unsaid.append((*path, key))

    def _changed(self, path: KeyPath, one: Changed) -> None:
        name, value = dotted(path), one.after
        add = f"{name}="
        if isinstance(value, dict | list) and isinstance(one.before, dict | list):
            add = f"+{name}="
        removal = [f"~{name}"] if add.startswith("+") else []
        if not isinstance(value, dict):
            self._said(path, lambda: [*removal, f"{add}{value_text(value)}"])
            return
        try:
            self.texts += [*removal, f"{add}{value_text(value)}"]
        except Unsayable:
            self.texts += [*removal, f"{add}{{}}"]
            self._below(path, value)

    def _replaced(self, path: KeyPath, whole: Tree) -> bool:
        try:
            self.texts += [f"~{dotted(path)}", f"+{dotted(path)}={value_text(whole)}"]
        except Unsayable:
            return False
        return True

    def _said(self, path: KeyPath, make: Any) -> None:
        try:
            self.texts += make()
        except Unsayable:
            self.unsaid.append(path)


def _removal(path: KeyPath, value: Tree) -> list[str]:
    name = dotted(path)
    is_unseen = value is None or value == MISSING or is_interpolated(value)
    return [f"{name}=0", f"~{name}"] if is_unseen else [f"~{name}"]


def _is_nameable(path: KeyPath) -> bool:
    """Whether Hydra's grammar has a word for the path, which OmegaConf splits again as we do."""
    if not all(isinstance(part, str) for part in path):
        return False
    if len(path) == 1:
        return bool(_FIRST_NAME.match(str(path[0])) or _NAME.match(str(path[0])))
    return all(_NAME.match(str(part)) or _PLACE.match(str(part)) for part in path)


# -- values


def value_text(value: Tree) -> str:
    """A value as Hydra reads it back. Raises Unsayable."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    return "".join(_pieces(value))


def _pieces(value: Tree) -> Iterator[str]:
    if isinstance(value, list):
        yield f"[{','.join(_each(value))}]"
    else:
        yield f"{{{','.join(f'{_key(key)}:{value_text(one)}' for key, one in value.items())}}}"


def _each(values: Iterable[Tree]) -> Iterator[str]:
    return (value_text(value) for value in values)


def _text(text: str) -> str:
    """Bare where that is surely read as the same text, else in single quotes: a quote in it, and each backslash before
    a quote or the end, is escaped."""
    if _BARE.match(text) and not _TYPED.match(text):
        return text
    body = _BEFORE_QUOTE.sub(lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{body}'"


def _key(key: Key) -> str:
    """A key inside of a map, which takes no quotes. Raises Unsayable."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return repr(key)
    if not isinstance(key, str) or not _KEY_CHARACTERS.match(key) or _TYPED.match(key) or _NUMBER_KEY.match(key):
        raise Unsayable(str(key))
    return _ESCAPED.sub(r"\\\1", key)
