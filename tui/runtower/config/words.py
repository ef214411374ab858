"""Values and trees as text: one line for a table, YAML for a file. Both are read back as the same values."""

from __future__ import annotations

import re
from typing import Any, Final
from unicodedata import category

import yaml  # type: ignore[import-untyped]

from runtower.config.diff import Added, ListDiff, MapDiff, Removed
from runtower.config.resolving import Broken
from runtower.config.rows import Unset
from runtower.config.tree import Key, KeyPath, Tree, dotted
from runtower.config.yaml_scalars import is_plain_text

NOT_SET: Final = "not set"
_SIMPLE: Final = re.compile(r"[^\s'\"\[\]{},#&*!|>%@`:=-][^\n'\"\[\]{},#]*(?<!\s)\Z")
_BREAKS: Final = "\x85\u2028\u2029"
_HAS_COLON: Final = re.compile(r":(?:\s|\Z)|\s#")


def said(value: Tree | Unset) -> str:
    """A value in one line, as YAML writes it inside of brackets: a text that looks like a number has quotes."""
    if isinstance(value, Unset):
        return NOT_SET
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{said(key)}: {said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(said, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:
            return ".nan"
        return repr(value) if abs(value) != float("inf") else (".inf" if value > 0 else "-.inf")
    return str(value)


def _text(text: str) -> str:
    if text.startswith("${") and "\n" not in text:
        return text  # an interpolation is known by its face
    if text == "???" or text.startswith("/"):
        return text
    if text and _SIMPLE.match(text) and is_plain_text(text) and not _HAS_COLON.search(text) and text != NOT_SET:
        return text
    return "'" + text.replace("'", "''").replace("\n", "\\n") + "'"


def resolved_said(value: Tree | Unset, resolved: Tree | Broken | None, known: bool) -> str:
    """A value with what its interpolations come to behind it, where it has any (`known`)."""
    if not known:
        return said(value)
    if isinstance(resolved, Broken):
        return f"{said(value)} (broken)"
    return f"{said(value)} (is {said(resolved)})"


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Quotes what OmegaConf would read as something else than a text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    style = None if text and is_plain_text(text) and not text.startswith("=") else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def yaml_of(tree: Tree) -> str:
    """A tree as YAML, its keys in their order; `read_text` and OmegaConf make the same of it.

    Where a text has marks that turn around what is shown (bidirectional controls), or breaks that PyYAML doesn't bring
    back, all of it is ASCII.
    """

    def dumped(unicode: bool) -> str:
        return str(yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=120))

    text = dumped(True)
    is_odd = not text.isascii() and any(one in _BREAKS or category(one) == "Cf" for one in text)
    return dumped(False) if is_odd else text


def yaml_of_changes(difference: MapDiff, b: dict[Key, Tree]) -> str:
    """What the second config has at the differences, as YAML to put over the first one; what it hasn't is a comment."""
    gone: list[str] = []
    tree = _changes(difference, b, (), gone)
    lead = "".join(f"# not set: {name}\n" for name in gone)
    return lead + (yaml_of(tree) if tree else "")


def _changes(difference: MapDiff, b: dict[Key, Tree], above: KeyPath, gone: list[str]) -> dict[Key, Tree]:
    out: dict[Key, Tree] = {}
    for key, one in difference.items.items():
        if isinstance(one, Removed):
            gone.append(said(dotted((*above, key))))
        elif isinstance(one, MapDiff):
            if below := _changes(one, b[key], (*above, key), gone):
                out[key] = below
        else:
            out[key] = one.value if isinstance(one, Added) else b[key] if isinstance(one, ListDiff) else one.after
    return out
