"""Flat params (MLflow's, CSV loggers') to trees: `optim.lr` and `optim/lr` go below `optim`; texts get types."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtower.config.tree import Key, Tree
from runtower.domain.values import number_of

_SEPARATORS: Final = re.compile(r"[./]")
_INT: Final = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,999})\Z")
_WORDS: Final[Mapping[str, bool | None]] = {
    "True": True,
    "true": True,
    "False": False,
    "false": False,
    "None": None,
    "null": None,
}
_CLOSES: Final = {"[": "]", "{": "}", "(": ")"}
_LONGEST: Final = 100_000  # characters that are tried as a list or a map


def path_of(name: str) -> tuple[str, ...]:
    """Where a flat param belongs in a tree."""
    return tuple(_SEPARATORS.split(name))


def trees_of(runs: Sequence[Mapping[str, str]]) -> list[dict[Key, Tree]]:
    """A tree for each run's params. What is a value in one of the runs and a parent in the same or another one can't be
    both: there the longer key stays flat, in all of them, so that they stay comparable. A map logged as one text, `{}`
    most of all, is a parent like one that was logged key by key."""
    names = {name for run in runs for name in run}
    paths = {name: path_of(name) for name in names}
    known: dict[str, Tree] = {}
    values = {paths[name] for name in names if not _is_map(name, paths[name], runs, paths, known)}
    places: dict[str, tuple[str, ...]] = {}
    taken: set[tuple[str, ...]] = set()
    for name in sorted(names):
        path = paths[name]
        above = any(path[:depth] in values for depth in range(1, len(path)))
        is_flat = above or not all(path) or path in taken  # a.b and a/b are two params
        places[name] = (name,) if is_flat else path
        taken.add(places[name])
    return [_tree(run, places, known) for run in runs]


def _is_map(
    name: str,
    path: tuple[str, ...],
    runs: Sequence[Mapping[str, str]],
    paths: Mapping[str, tuple[str, ...]],
    known: dict[str, Tree],
) -> bool:
    """Whether a param is the text of a map in every run that has it, and none has keys below it as well."""
    for run in runs:
        text = run.get(name)
        if text is None:
            continue
        if not text.startswith("{") or not isinstance(_typed(text, known), dict):
            return False
        if any(paths[other][: len(path)] == path for other in run if other != name):
            return False
    return True


def _typed(text: str, known: dict[str, Tree]) -> Tree:
    if text not in known:
        known[text] = typed(text)
    return known[text]


def _tree(run: Mapping[str, str], places: Mapping[str, tuple[str, ...]], known: dict[str, Tree]) -> dict[Key, Tree]:
    tree: dict[Key, Tree] = {}
    for name, text in run.items():
        place = places[name]
        holder: Any = tree
        for part in place[:-1]:
            holder = holder.setdefault(part, {})
        holder[place[-1]] = _typed(text, known)
    return tree


def typed(text: str) -> Tree:
    """The value that a text was made of by `str` or JSON, as far as that can be told; else the text.

    A list or a map is read as JSON or as Python's literal, never evaluated. What was cut off stays a text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    number = number_of(text) if text and text == text.strip() else None
    if number is not None:
        if math.isinf(number) and any(letter.isdigit() for letter in text):
            return text  # 1e999, or a commit such as 12e4567
        return text if re.match(r"[+-]?0[0-9]", text) and "." not in text else number
    if text[:1] in _CLOSES and text[-1:] == _CLOSES[text[0]] and len(text) <= _LONGEST:
        return _literal(text)
    return text


def _literal(text: str) -> Tree:
    for read in (json.loads, ast.literal_eval):
        try:
            return _as_tree(read(text))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text


def _as_tree(value: Any) -> Tree:
    """Tuples become lists. Raises ValueError for what no config holds (a set, bytes, a complex number)."""
    if isinstance(value, (list, tuple)):
        return [_as_tree(one) for one in value]
    if isinstance(value, dict):
        return {key if isinstance(key, str) else _scalar(key): _as_tree(one) for key, one in value.items()}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ValueError(f"{type(value).__name__} is no value of a config")
