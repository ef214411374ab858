"""Environment, code and data of compared runs as text for people, Markdown, CSV and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from runtower.acts.git_changes import CodeChange
from runtower.acts.run_origins import Origins
from runtower.acts.sides import Fact, Facts
from runtower.commands.tables import plain_lines
from runtower.present.markdown import markdown_lines
from runtower.present.spans import inert

_NONE: Final = "none"
_MOST: Final = 40  # rows of a table, and lines of a stat, that people are shown


def plain(found: Origins, labels: Sequence[str]) -> Iterator[str]:
    """What differs, a table for each sort of facts that has any, and how much is the same."""
    for facts in _recorded(found):
        yield "\n"
        if facts.differing:
            yield from plain_lines([facts.title, *labels], _rows(facts), [False] * (len(labels) + 1))
        yield f"{_summary(facts)}\n"
    for change in found.changes:
        yield "\n"
        yield f"{_head(change)}\n"
        yield from (f"{line}\n" for line in _stat_lines(change))


def markdown(found: Origins, labels: Sequence[str]) -> Iterator[str]:
    """The same as tables, with git's stat as code."""
    for facts in _recorded(found):
        yield f"\n{_summary(facts)}\n"
        if facts.differing:
            yield "\n"
            yield from markdown_lines([facts.title, *labels], _rows(facts))
    for change in found.changes:
        yield f"\n{_head(change)}\n"
        lines = _stat_lines(change)
        if lines:
            yield "\n"
            yield from (f"    {line}\n" for line in lines)


def csv_rows(found: Origins) -> Iterator[list[str]]:
    """All facts: the section, the name, which sort of facts, and a value a run, '' where nothing is recorded."""
    for section, sorts in found.sections:
        for facts in sorts:
            title = "" if facts.title == section else facts.title
            for row in facts.rows:
                yield [section, row.name, title, *_values(row, "")]


def record(found: Origins) -> dict[str, Any]:
    """The keys of `compare --json` that are about these, as docs/interfaces.md describes them."""
    out: dict[str, Any] = {section: [_facts_record(facts) for facts in sorts] for section, sorts in found.sections}
    out["changes"] = [
        {
            "before": one.before,
            "after": one.after,
            "stat": one.stat,
            "stat_cut": one.stat_cut,
            "diff": one.text,
            "diff_cut": one.cut,
            "why": one.why or None,
        }
        for one in found.changes
    ]
    return out


def _facts_record(facts: Facts) -> dict[str, Any]:
    rows = [{"name": row.name, "same": row.same, "values": list(row.values)} for row in facts.rows]
    return {"title": facts.title, "rows": rows, "note": facts.note}


def _recorded(found: Origins) -> Iterator[Facts]:
    """Those of which somebody has recorded something, or of which something is to be said."""
    for _, sorts in found.sections:
        yield from (facts for facts in sorts if facts.rows or facts.note)


def _rows(facts: Facts) -> Iterator[list[str]]:
    for row in facts.differing[:_MOST]:
        yield [row.name, *_values(row, _NONE)]


def _values(row: Fact, nothing: str) -> list[str]:
    unsure = "" if row.sure else " (content not compared)"
    return [nothing if value is None else f"{value}{unsure}" for value in row.values]


def _summary(facts: Facts) -> str:
    said = f"{facts.title}: {facts.summary()}"
    if (more := len(facts.differing) - _MOST) > 0:
        said += f", of which {more:,} aren't shown (--json has them)"
    return inert(f"{said}; {facts.note}" if facts.note else said)


def _head(change: CodeChange) -> str:
    if change.why:
        return inert(f"from {change.before[:12]} to {change.after[:12]}: {change.why}")
    said = f"git diff --stat {change.before[:12]} {change.after[:12]}"
    return said if change.stat else f"{said}: nothing differs"


def _stat_lines(change: CodeChange) -> list[str]:
    lines = [inert(line.rstrip()) for line in change.stat.splitlines()]
    if len(lines) <= _MOST:
        return lines
    left_out = len(lines) - _MOST
    if change.stat_cut:
        return [*lines[:_MOST], f" and more than {left_out:,} others"]
    return [*lines[: _MOST - 1], f" and {left_out:,} others", lines[-1]]
