"""States in words, glyph first, so that no colour is needed to read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runtower.domain.runs import Status
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, Span

_WORDS: Final = {
    Status.RUNNING: ("running", "run", "R", "state-running"),
    Status.FINISHED: ("finished", "ok", "D", ""),
    Status.FAILED: ("failed", "fail", "F", "state-failed"),
    Status.KILLED: ("killed", "kill", "K", "state-killed"),
    Status.SCHEDULED: ("waiting", "wait", "Q", "dim"),
    Status.UNKNOWN: ("unknown", "lost", "L", "dim"),
}


def state(status: str | None, source_status: str | None, glyphs: Glyphs, narrow: bool = False) -> Span:
    """`▶ run`, `✗ fail`; narrow `▶R`. A state only the source knows (CSVLogger's 'quiet') is said in its own word."""
    known = Status.__members__.get(status or "", Status.UNKNOWN)
    glyph_name, word, letter, tone = _WORDS[known]
    glyph: str = getattr(glyphs, glyph_name)
    if narrow:
        return f"{glyph}{letter}", tone
    if known is Status.UNKNOWN:
        word = source_status or "?"
    return f"{glyph} {word}", tone


def children(counts: Mapping[str, int], glyphs: Glyphs, narrow: bool = False) -> Line:
    """What a parent says of its children: `1▶ 1✓ 1✗`."""
    spans: list[Span] = []
    for status, (glyph_name, _, _, tone) in _WORDS.items():
        count = counts.get(status, 0)
        if count:
            gap = " " if spans and not narrow else ""
            spans.append((f"{gap}{count}{getattr(glyphs, glyph_name)}", tone or "dim"))
    return tuple(spans)
