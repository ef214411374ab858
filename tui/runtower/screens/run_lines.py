"""The lines around the runs table: its heads, the rule over the pane, the footer. Made of what is known; no state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from runtower.actions import BY_ID
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Span, inert, shortened
from runtower_widgets.table_cells import TableColumn

if TYPE_CHECKING:
    from runtower.acts.run_rows import RunRows
    from runtower.domain.runs import ColumnKey

_FOOTER: Final = (
    "find.filter",
    "app.help",
    "find.query",
    "look.open",
    "mark.toggle",
    "columns.sort",
    "look.differences",
    "find.experiments",
    "columns.choose",
    "look.compare",
    "mark.baseline",
    "find.mine",
    "change.edit",
    "find.sources",
)
_SHORTEST_NAME: Final = 12


def table_columns(rows: RunRows, order: Mapping[ColumnKey, bool], glyphs: Glyphs, width: int) -> list[TableColumn]:
    """The heads of the table on a screen of `width` cells; `order` says of the sorted ones whether descending."""
    columns = [TableColumn("gutter", "", 3, frozen=True)]
    for place in rows.layout.places:
        shown = rows.layout.columns[place]
        right = rows.formats.is_right(shown.key)
        title = inert(shown.title, glyphs)
        mark = ""
        if shown.key in order:
            mark = glyphs.descending if order[shown.key] else glyphs.ascending
        title = shortened(title, shown.width - len(mark), glyphs) + mark
        tone = "active" if place == rows.layout.active else ""
        # In a small split the name gives way, so that state, metric and curve remain.
        wide = max(_SHORTEST_NAME, min(shown.width, width - 37)) if place == 0 else shown.width
        columns.append(TableColumn(shown.key.value, title, wide, right, place == 0, tone))
    return columns


def footer(keymap: Keymap, why_not: Callable[[str], str], width: int, actions: Sequence[str] = _FOOTER) -> list[Span]:
    """The keys that can be pressed now, as many as fit; `/ filter` and `? keys` always."""
    spans: list[Span] = [(" ", "")]
    left = width - 1
    shown = [action_id for action_id in actions if not why_not(action_id) and keymap.shown(action_id)]
    keep = [a for a in shown if a in ("find.filter", "app.help")]
    for action_id in shown:
        text = f" {BY_ID[action_id].short}   "
        key = keymap.shown(action_id)
        rest = sum(len(f"{keymap.shown(a)} {BY_ID[a].short}   ") for a in keep if a != action_id)
        if action_id not in keep and len(key) + len(text) > left - rest:
            continue
        keep = [a for a in keep if a != action_id]
        spans += [(key, "key"), (text, "dim")]
        left -= len(key) + len(text)
    return spans


def rule(name: str, base_name: str, width: int, halves: bool, glyphs: Glyphs) -> list[Span]:
    """The rule over the pane, with the run's name in it; over the right half what it is compared with ('': nothing)."""
    dash = glyphs.rule
    name = shortened(inert(name, glyphs), max(8, width // 2 - 8), glyphs)
    spans: list[Span] = [(f" {dash}{dash} ", "rule"), (name, "bright"), (" ", "")]
    used = len(name) + 5
    if halves and width >= 80:
        half = (width - 1) // 2 + 2
        spans.append((dash * max(0, half - used - 1) + glyphs.tee, "rule"))
        used = max(used, half)
        if base_name:
            said = shortened(f"differs from the baseline {inert(base_name, glyphs)}", width - used - 6, glyphs)
            spans += [(f"{dash}{dash} ", "rule"), (said, "title"), (" ", "")]
            used += len(said) + 4
    spans.append((dash * max(0, width - used - 1), "rule"))
    return spans


def ending(spans: Sequence[Span], room: int | str) -> list[Span]:
    """The first pieces that fit whole."""
    out: list[Span] = []
    left = room if isinstance(room, int) else 0
    for text, tone in spans:
        left -= len(text)
        if left < 0:
            break
        out.append((text, tone))
    return out
