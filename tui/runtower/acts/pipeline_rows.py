"""Stages as rows of a table, those of a foreach or matrix folded into one, and what is to be said of one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final

from runtower.acts.listed import Cell, Head, ListedRow
from runtower.domain.pipelines import Stage, StageState
from runtower.present.glyphs import Glyphs
from runtower.present.pipeline_cells import stage_state, why_text
from runtower.present.spans import Line, Span

_WORST: Final = (
    StageState.RUNNING,
    StageState.CHANGED,
    StageState.MISSING,
    StageState.NEVER,
    StageState.UPSTREAM,
    StageState.FROZEN,
    StageState.FRESH,
)


def stage_heads(stages: Sequence[tuple[int, Stage]]) -> list[Head]:
    """The columns."""
    above = max((len(", ".join(stage.upstream)) for _, stage in stages), default=0)
    return [
        Head("name", "stage", 16, grows=True),
        Head("state", "state", 16),
        Head("why", "why", 30, grows=True),
        Head("above", "builds on", max(9, min(28, above)), least=100),
    ]


def stage_rows(stages: Sequence[tuple[int, Stage]], unfolded: set[str], glyphs: Glyphs) -> list[ListedRow]:
    """Each after those that it builds on; a group stands where its first stage would."""
    groups: dict[tuple[int, str], list[Stage]] = {}
    for number, stage in stages:
        if stage.group:
            groups.setdefault((number, stage.group), []).append(stage)
    rows: list[ListedRow] = []
    shown: set[tuple[int, str]] = set()
    for number, stage in stages:
        members = groups.get((number, stage.group), [])
        if len(members) < 2:
            rows.append(_row(number, stage, stage.name, glyphs))
        elif (number, stage.group) not in shown:
            shown.add((number, stage.group))
            is_open = stage.group in unfolded
            rows.append(_group_row(number, stage.group, members, is_open, glyphs))
            for one in members if is_open else ():
                branch = glyphs.corner if one is members[-1] else glyphs.branch
                rows.append(_row(number, one, f" {branch} {one.name.partition('@')[2]}", glyphs))
    return rows


def group_of(row_id: Hashable) -> str:
    """The foreach or matrix stage whose row this is, '' for a stage's own."""
    return str(row_id[2]) if isinstance(row_id, tuple) and row_id[0] == "group" else ""


def _row(number: int, stage: Stage, name: str, glyphs: Glyphs) -> ListedRow:
    state, tone = stage_state(stage.state)
    reasons = [why_text(why, glyphs.arrow) for why in stage.why]
    more = f"  +{len(reasons) - 1}" if len(reasons) > 1 else ""
    why = f"{reasons[0]}{more}" if reasons else ""
    cells = {
        "name": Cell(name, "bright" if stage.state.is_stale else "", stage.name),
        "state": Cell(state, tone, _WORST.index(stage.state)),
        "why": Cell(why, "dim" if stage.state is not StageState.CHANGED else "", why or None, begins=True),
        "above": Cell(", ".join(stage.upstream), "dim", begins=True),
    }
    return ListedRow(("stage", number, stage.name), cells, " ".join([stage.command, *stage.deps, *stage.outs]))


def _group_row(number: int, group: str, members: Sequence[Stage], is_open: bool, glyphs: Glyphs) -> ListedRow:
    counts = Counter(stage.state for stage in members)
    worst = next(state for state in _WORST if counts[state])
    mark = glyphs.descending if is_open else glyphs.folded
    told = ", ".join(f"{counts[state]} {state}" for state in _WORST if counts[state])
    cells = {
        "name": Cell(f"{mark} {group}", "bright" if worst.is_stale else "", group),
        "state": Cell(str(worst), stage_state(worst)[1], _WORST.index(worst)),
        "why": Cell(f"{len(members)} stages: {told}", "dim", begins=True),
        "above": Cell(""),
    }
    return ListedRow(("group", number, group), cells, " ".join(stage.name for stage in members))


def about_stage(stage: Stage, glyphs: Glyphs) -> list[Line]:
    """All there is to say of a stage, the reasons first."""
    first: list[Span] = [stage_state(stage.state)]
    if stage.is_frozen and stage.state is not StageState.FROZEN:
        first.append((", frozen", "dim"))
    lines: list[Line] = [tuple(first), *((("  " + why_text(why, glyphs.arrow), ""),) for why in stage.why)]
    told = (
        ("command", stage.command.replace("\n", "; ")),
        ("builds on", ", ".join(stage.upstream)),
        ("deps", ", ".join(stage.deps)),
        ("params", ", ".join(stage.params)),
        ("outs", ", ".join(stage.outs)),
        ("declared", stage.file),
    )
    return lines + [((f"{name:<11}", "dim"), (text, "")) for name, text in told if text]
