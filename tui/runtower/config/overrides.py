"""A diff as Hydra overrides: given after those of the first config's run, they turn it into the second config.

Hydra 1.3 merges maps and refuses some things (`ConfigLoaderImpl._apply_overrides_to_config`): `~key` fails where the
value is null, missing or an interpolation that can't be resolved, so such a value is set first; a list can't be merged
with a map, so the one is taken away before the other is added. Each text here is one argument, as Hydra takes it; a
shell wants it quoted once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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
_BEFORE_QUOTE: Final = {quote: re.compile(rf"(\\*)({quote}|\Z)") for quote in "'\""}


@dataclass(frozen=True, slots=True)
class Overrides:
    """`texts` in the order in which they apply; `unsaid` are differences that they leave."""

    texts: tuple[str, ...]
    unsaid: tuple[Unsaid, ...]


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A difference that no override makes, and why, as a sentence without its subject."""

    path: KeyPath
    why: str


_HOLDS: Final = "holds a key that can't be named in Hydra's grammar"
_NO_WORDS: Final = "can't be named in Hydra's grammar"


class Unsayable(Exception):
    """Hydra's grammar has no words for it."""


def overrides_of(difference: MapDiff, b: dict[Key, Tree], groups: Mapping[str, str] | None = None) -> Overrides:
    """The overrides that make `b` of the config that it differs from.

    `groups`: what is known of Hydra's groups, by name the option in `b`. Where a key has the name of a group, Hydra
    takes `key=...` for the choice of an option, so that such a map is only changed from inside.
    """
    writer = _Writer(groups or {})
    writer.map(difference, b, ())
    return Overrides(tuple(writer.texts), tuple(writer.unsaid))


class _Writer:
    def __init__(self, groups: Mapping[str, str]) -> None:
        self.texts: list[str] = []
        self.unsaid: list[Unsaid] = []
        self._groups = groups

    def map(self, difference: MapDiff, b: dict[Key, Tree], path: KeyPath) -> None:
        """Key by key; a map with a key that can't be named is replaced as a whole."""
        odd = [key for key in difference.items if not _is_nameable((*path, key))]
        if odd and path and self._replaced(path, b):
            return
        self.unsaid += [Unsaid((*path, key), _NO_WORDS) for key in odd]
        for key, one in difference.items.items():
            if key not in odd:
                self._one(one, b.get(key), (*path, key))

    def _one(self, one: Difference, after: Any, path: KeyPath) -> None:
        if isinstance(one, MapDiff):
            self.map(one, after, path)
        elif len(path) == 1 and path[0] in self._groups:
            self._group(one, path)
        elif isinstance(one, ListDiff):
            self._said(path, lambda: [f"{dotted(path)}={value_text(after)}"])
        elif isinstance(one, Removed):
            self.texts += _removal(path, one.value)
        elif isinstance(one, Added):
            self._added(path, one.value)
        else:
            self._changed(path, one)

    def _group(self, one: Difference, path: KeyPath) -> None:
        """What has a group's name: a map is filled or emptied key by key, anything else is the choice of an option."""
        before = one.value if isinstance(one, Removed) else one.before if isinstance(one, Changed) else None
        after = one.value if isinstance(one, Added) else one.after if isinstance(one, Changed) else None
        option = self._groups[str(path[0])]
        if isinstance(after, dict) and after and before is None:
            self._below(path, after)
        elif isinstance(before, dict) and after in (None, {}) and all(_is_nameable((*path, key)) for key in before):
            for key, value in before.items():
                self.texts += _removal((*path, key), value)
            if after is None:
                why = f"stays an empty map: it has the name of a group of Hydra's, where B chose {option}"
                self.unsaid.append(Unsaid(path, why))
        else:
            why = f"has the name of a group of Hydra's and takes one of its options; B chose {option}"
            self.unsaid.append(Unsaid(path, why))

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
                self.unsaid.append(Unsaid((*path, key), _NO_WORDS))

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
            self.unsaid.append(Unsaid(path, _HOLDS))


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
    """Bare where that is surely read as the same text, else in quotes: double ones where there is none in it, as a
    shell wants single ones around. A quote in it, and each backslash before a quote or the end, is escaped."""
    if _BARE.match(text) and not _TYPED.match(text):
        return text
    quote = "'" if '"' in text else '"'
    body = _BEFORE_QUOTE[quote].sub(lambda found: found[1] * 2 + (f"\\{quote}" if found[2] else ""), text)
    return f"{quote}{body}{quote}"


def _key(key: Key) -> str:
    """A key inside of a map, which takes no quotes. Raises Unsayable."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return repr(key)
    if not isinstance(key, str) or not _KEY_CHARACTERS.match(key) or _TYPED.match(key) or _NUMBER_KEY.match(key):
        raise Unsayable(str(key))
    return _ESCAPED.sub(r"\\\1", key)
