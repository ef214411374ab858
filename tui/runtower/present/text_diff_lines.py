"""Two matched texts as lines on a screen: side by side, or below each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from runtower.present.glyphs import UNICODE, Glyphs
from runtower.present.spans import Line, Span, inert, padded, shortened_end
from runtower.present.text_diff import ADDED, CHANGED, GAP, REMOVED, SAME, DiffRow, common

_SIGNS: Final = {SAME: " ", CHANGED: "~", ADDED: "+", REMOVED: "-"}
_TONES: Final = {SAME: "", CHANGED: "hit", ADDED: "better", REMOVED: "worse"}
_TAB: Final = 4
_GUTTER: Final = 9  # cursor, number, sign and the spaces between them
_KEPT_BEFORE: Final = 8


@dataclass(frozen=True)
class DiffLines:
    """What is drawn; `changes` are the lines at which a change begins."""

    lines: Sequence[Line]
    changes: Sequence[int]


def side_by_side(rows: Sequence[DiffRow], width: int, glyphs: Glyphs = UNICODE) -> DiffLines:
    """Both texts beside each other, in lines of at most `width` cells."""
    half = half_of(width)
    lines: list[Line] = []
    changes: list[int] = []
    before = SAME
    for row in rows:
        if row.kind not in (SAME, GAP) and before in (SAME, GAP):
            changes.append(len(lines))
        before = row.kind
        if row.kind == GAP:
            lines.append(_gap(row, glyphs))
            continue
        left, right = _sides(row, half - _GUTTER, glyphs)
        lines.append(
            (
                *_numbered(row.left_number, row.kind, left, half, True),
                (f" {glyphs.down} ", "rule"),
                *_numbered(row.right_number, row.kind, right, width - half - 3, False),
            )
        )
    return DiffLines(lines, changes)


def half_of(width: int) -> int:
    """How many cells the left text has."""
    return (width - 3) // 2


def unified(rows: Sequence[DiffRow], width: int, glyphs: Glyphs = UNICODE) -> DiffLines:
    """One text, of each change first what was and then what is."""
    lines: list[Line] = []
    changes: list[int] = []
    room = width - _GUTTER
    for is_change, block in _blocks(rows):
        if not is_change:
            for row in block:
                text = _fitted(_plain(row.right, glyphs), 0, 0, room, "", glyphs)
                lines.append(
                    _gap(row, glyphs) if row.kind == GAP else _numbered(row.right_number, SAME, text, 0, False)
                )
            continue
        changes.append(len(lines))
        sides = [(row, _sides(row, room, glyphs)) for row in block]
        for row, (left, _) in sides:
            if row.left_number:
                lines.append(_numbered(row.left_number, REMOVED, left, 0, False))
        for row, (_, right) in sides:
            if row.right_number:
                lines.append(_numbered(row.right_number, ADDED, right, 0, False))
    return DiffLines(lines, changes)


def _blocks(rows: Sequence[DiffRow]) -> Iterator[tuple[bool, list[DiffRow]]]:
    """Rows that differ, and rows that don't, together as they follow each other."""
    block: list[DiffRow] = []
    was = False
    for row in rows:
        is_change = row.kind not in (SAME, GAP)
        if block and is_change != was:
            yield was, block
            block = []
        block.append(row)
        was = is_change
    if block:
        yield was, block


def _numbered(number: int, kind: str, text: Line, width: int, is_padded: bool) -> Line:
    """A line of one text after its number and sign; the place of one that isn't there stays empty."""
    if not number:
        return ((" " * width, ""),) if is_padded else ((" " * (_GUTTER - 1), ""),)
    head: Line = ((f" {number:>5} ", "dim"), (f"{_SIGNS[kind]} ", _TONES[kind]))
    used = _GUTTER + sum(cell_len(piece) for piece, _ in text)
    return (*head, *text, *([(" " * (width - used), "")] if is_padded and used < width else []))


def _gap(row: DiffRow, glyphs: Glyphs) -> Line:
    lines = "line" if row.skipped == 1 else "lines"
    return ((f"       {glyphs.rule * 2} {row.skipped:,} equal {lines} {glyphs.rule * 2}", "faint"),)


def _sides(row: DiffRow, room: int, glyphs: Glyphs) -> tuple[Line, Line]:
    """Both texts of a row in `room` cells; of a changed one the part that differs stands out, and is in sight."""
    left, right = _plain(row.left, glyphs), _plain(row.right, glyphs)
    if row.kind != CHANGED:
        tone = _TONES[row.kind]
        return _fitted(left, 0, 0, room, tone, glyphs), _fitted(right, 0, 0, room, tone, glyphs)
    shorter = min(len(left), len(right))
    first = common(left, right, shorter)
    last = common(left[::-1], right[::-1], shorter - first)
    return (
        _fitted(left, first, len(left) - last, room, "worse", glyphs),
        _fitted(right, first, len(right) - last, room, "better", glyphs),
    )


def _plain(text: str, glyphs: Glyphs) -> str:
    return inert(text.expandtabs(_TAB), glyphs)


def _fitted(text: str, first: int, last: int, room: int, tone: str, glyphs: Glyphs) -> Line:
    """A text in at most `room` cells. From `first` to `last` it has the tone, where they are one place all of it; a
    long one begins shortly before that."""
    room = max(1, room)
    if first == last == 0:
        return ((_cut(text, room, glyphs), tone),)
    if cell_len(text) > room and first > room - _KEPT_BEFORE:
        dropped = first - _KEPT_BEFORE
        text, first, last = glyphs.cut + text[dropped:], _KEPT_BEFORE + 1, last - dropped + 1
    shown = _cut(text, room, glyphs)
    pieces: tuple[Span, ...] = ((shown[:first], ""), (shown[first:last], tone), (shown[last:], ""))
    return tuple(piece for piece in pieces if piece[0])


def _cut(text: str, room: int, glyphs: Glyphs) -> str:
    if text.isascii() or cell_len(text) == len(text):
        return shortened_end(text, room, glyphs)
    return text if cell_len(text) <= room else padded(text, room - 1).rstrip() + glyphs.cut
