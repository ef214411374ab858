"""The symbols of the product. Each has one meaning everywhere, and a plain ASCII twin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of symbols; every one is a single cell wide, but the plain `spread` two."""

    running: str = "▶"
    finished: str = "✓"
    failed: str = "✗"
    killed: str = "■"
    waiting: str = "…"
    unknown: str = "?"
    cursor: str = ">"
    marked: str = "+"
    pinned: str = "^"
    baseline: str = "*"
    ascending: str = "▴"
    descending: str = "▾"
    branch: str = "├"
    corner: str = "└"
    stem: str = "│"
    folded: str = "▸"
    rule: str = "─"
    tee: str = "┬"
    down: str = "│"
    healthy: str = "●"
    stale: str = "◐"
    off: str = "○"
    arrow: str = "→"
    within: str = "›"
    cut: str = "…"
    escape: str = "␛"
    newline: str = "⏎"
    control: str = "·"
    odd: str = "×"
    spread: str = "±"
    spark: str = "▁▂▃▄▅▆▇█"


UNICODE: Final = Glyphs()
ASCII: Final = Glyphs(
    running=">",
    finished="v",
    failed="x",
    killed="#",
    waiting=".",
    unknown="?",
    cursor=">",
    marked="+",
    pinned="^",
    baseline="*",
    ascending="^",
    descending="v",
    branch="|",
    corner="`",
    stem="|",
    folded="+",
    rule="-",
    tee="+",
    down="|",
    healthy="*",
    stale="~",
    off="o",
    arrow=">",
    within=">",
    cut="~",
    escape="^",
    newline="/",
    control=".",
    odd="x",
    spread="+-",
    spark="_.,-=+*#",
)
