"""A diff of configs as text for people, Markdown, JSON, YAML, and overrides."""

from __future__ import annotations

import json
import math
import shlex
import shutil
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from runtower.acts.config_diff import ConfigDiff
from runtower.config.resolving import Broken
from runtower.config.rows import Row, Unset
from runtower.config.tree import Tree, dotted
from runtower.config.words import NOT_SET, yaml_of_changes
from runtower.present.markdown import markdown_lines
from runtower.present.spans import inert, padded, shortened, shortened_pair

_WIDEST: Final = 40  # of a value where nobody says how wide a line may be
_NARROWEST: Final = 12
_FRAME: Final = 11  # what stands between and around the columns
_NOTE: Final = 20
_WIDEST_NAME: Final = 32
_CHOICES: Final = "choices"
_TOP: Final = "top level"


def plain(found: ConfigDiff) -> Iterator[str]:
    """Aligned, a section for each top key; choices of Hydra's first. A terminal's width is kept where notes let it."""
    yield f"A  {inert(found.a.origin)}\n"
    yield f"B  {inert(found.b.origin)}\n"
    lines = [*_choice_lines(found), *_lines(found)]
    if lines:
        names = min(_WIDEST_NAME, max(len(inert(name)) for _, name, *_ in lines))
        room = _room(names, max(len(note) for *_, note in lines))
        values = max(len(shortened_pair(inert(before), inert(after), room)[0]) for _, _, before, after, _ in lines)
    for section, own in groupby(lines, key=lambda line: line[0]):
        yield f"{inert(section)}\n" if section else ""
        for _, name, before, after, note in own:
            old, new = shortened_pair(inert(before), inert(after), room)
            label = padded(shortened(inert(name), names), names)
            tail = f"   {inert(note)}" if note else ""
            yield f"  {label}  {padded(old, values)} -> {new}{tail}\n"
    yield f"{found.summary()}\n"


_Line = tuple[str, str, str, str, str]


def _room(names: int, notes: int) -> int:
    """How many cells each of the two values may take."""
    if not sys.stdout.isatty():
        return _WIDEST
    left = shutil.get_terminal_size().columns - names - _FRAME - min(notes, _NOTE)
    return max(_NARROWEST, left // 2)


def _choice_lines(found: ConfigDiff) -> list[_Line]:
    return [(_CHOICES, one.group, one.before or NOT_SET, one.after or NOT_SET, "") for one in found.choices]


def _lines(found: ConfigDiff) -> list[_Line]:
    """Section, name, values and note: what stands at the top first, then section after section."""
    sections = [_section(row, bool(found.choices)) for row in found.rows]
    order = {name: place for place, name in enumerate(dict.fromkeys(["", _TOP, *sections]))}
    pairs = sorted(zip(sections, found.rows, strict=True), key=lambda pair: order[pair[0]])
    return [(section, _name(row), *found.said(row), found.note(row)) for section, row in pairs]


def _section(row: Row, has_choices: bool) -> str:
    if len(row.path) == 1:
        return _TOP if row.follows or has_choices else ""
    head = dotted(row.path[:1])
    return f"{head} (another choice)" if row.follows else head


def _name(row: Row) -> str:
    return dotted(row.path[1:] if len(row.path) > 1 else row.path)


def markdown(found: ConfigDiff) -> Iterator[str]:
    """A table with a line for each difference."""
    lines = [[name, before, after, note] for _, name, before, after, note in _choice_lines(found)]
    lines += [[row.name, *found.said(row), found.note(row)] for row in found.rows]
    yield from markdown_lines(["config", found.a.origin, found.b.origin, ""], lines)
    yield f"\n{found.summary()}\n"


def as_yaml(found: ConfigDiff) -> str:
    return yaml_of_changes(found.difference, found.b.tree)


def override_lines(found: ConfigDiff) -> Iterator[str]:
    """One a line, each quoted for a shell. On a terminal control characters in them are shown, not sent."""
    is_seen = sys.stdout.isatty()
    for text in found.overrides.texts:
        quoted = shlex.quote(text)
        yield f"{inert(quoted) if is_seen else quoted}\n"


# -- JSON


def as_json(found: ConfigDiff) -> str:
    """One object, as docs/interfaces.md describes it."""
    record = {
        "a": {"origin": found.a.origin},
        "b": {"origin": found.b.origin},
        "choices": [{"group": one.group, "before": one.before, "after": one.after} for one in found.choices],
        "differences": [_record(found, row) for row in found.rows],
        "equal": found.equal,
        "ignored": [{"path": dotted(one.path), "rule": one.rule} for one in found.hidden],
        "overrides": list(found.overrides.texts),
        "unsaid": [{"path": dotted(one.path), "why": one.why} for one in found.overrides.unsaid],
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _record(found: ConfigDiff, row: Row) -> dict[str, Any]:
    out: dict[str, Any] = {"path": row.name, "kind": str(row.kind)}
    for name, value, resolved in (
        ("before", row.before, found.resolved[0]),
        ("after", row.after, found.resolved[1]),
    ):
        if isinstance(value, Unset):
            continue
        out[name] = plain_json(value)
        if row.path in resolved:
            known = resolved[row.path]
            out[f"{name}_resolved"] = None if isinstance(known, Broken) else plain_json(known)
            if isinstance(known, Broken):
                out[f"{name}_broken"] = known.reason
    return out | {"note": row.note, "follows": row.follows or None}


def plain_json(value: Tree) -> Any:
    """A value as JSON can hold it: NaN and the infinities are words."""
    if isinstance(value, dict):
        return {str(key): plain_json(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain_json(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
