"""States in words, glyph first, so that no colour is needed to read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runtower.domain.runs import Status
from runtower.domain.silence import Lost, Silence
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, Span
from runtower.present.times import duration, short

_WORDS: Final = {
    Status.RUNNING: ("running", "run", "R", "state-running"),
    Status.FINISHED: ("finished", "ok", "D", ""),
    Status.FAILED: ("failed", "fail", "F", "state-failed"),
    Status.KILLED: ("killed", "kill", "K", "state-killed"),
    Status.SCHEDULED: ("waiting", "wait", "Q", "dim"),
    Status.UNKNOWN: ("unknown", "?", "", "dim"),
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


def doubtful(doubt: Silence | Lost, glyphs: Glyphs, width: int) -> Span:
    """What a run whose status says RUNNING is called when it isn't heard of: `▶ silent 3h`, `? lost`; short `▶S`, `?L`.

    `silent` stays in the colour of what it is known to be, running; only proof makes it another state.
    """
    if isinstance(doubt, Lost):
        return (f"{glyphs.unknown} lost" if width >= 6 else f"{glyphs.unknown}L"), "state-killed"
    length = short(doubt.for_ms)
    for text in (f"{glyphs.running} silent {length}", f"silent {length}", f"silent{length}", "silent"):
        if len(text) <= width:
            return text, "state-running"
    return f"{glyphs.running}S", "state-running"


def in_words(doubt: Silence | Lost) -> str:
    """The same as a sentence's part, beside the run's usual interval."""
    if isinstance(doubt, Lost):
        return f"lost: {doubt.proof}"
    if not doubt.ever:
        return f"nothing logged since it began {short(doubt.for_ms)} ago"
    usual = f", usually every {duration(doubt.usual_ms)}" if doubt.usual_ms is not None else ""
    return f"silent {short(doubt.for_ms)}{usual}"


def children_within(counts: Mapping[str, int], glyphs: Glyphs, width: int) -> Line | None:
    """The same in at most `width` cells, closer together where it has to be; None where there is no room for it."""
    lines = (children(counts, glyphs, narrow) for narrow in (False, True))
    return next((line for line in lines if sum(len(text) for text, _ in line) <= width), None)


def children(counts: Mapping[str, int], glyphs: Glyphs, narrow: bool = False) -> Line:
    """What a parent says of its children: `1▶ 1✓ 1✗`."""
    spans: list[Span] = []
    for status, (glyph_name, _, _, tone) in _WORDS.items():
        count = counts.get(status, 0)
        if count:
            gap = " " if spans and not narrow else ""
            spans.append((f"{gap}{count}{getattr(glyphs, glyph_name)}", tone or "dim"))
    return tuple(spans)
