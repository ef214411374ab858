"""Text with meaning: pieces of a line, each with a tone that a theme turns into a style."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len, set_cell_size

from runtower.present.glyphs import UNICODE, Glyphs

Span = tuple[str, str]
Line = tuple[Span, ...]

# What isn't plain text: C0 and C1 controls, bidirectional marks and overrides, zero-width and line separators.
_HOSTILE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def inert(text: str, glyphs: Glyphs = UNICODE) -> str:
    """Text from outside as something that only shows: each control or direction character becomes a visible one."""
    if text.isascii() and text.isprintable():
        return text

    def visible(match: re.Match[str]) -> str:
        char = match.group()
        if char == "\x1b":
            return glyphs.escape
        return glyphs.newline if char in "\r\n\u2028\u2029" else glyphs.control

    return _HOSTILE.sub(visible, text)


def shortened(text: str, width: int, glyphs: Glyphs = UNICODE) -> str:
    """Text in at most `width` cells, cut in the middle so that the telling end stays."""
    if width <= 0:
        return ""
    if len(text) <= width and (text.isascii() or cell_len(text) <= width):
        return text
    if width <= 3:
        return set_cell_size(text, width).rstrip()
    tail = (width - 1) * 3 // 5
    head = width - 1 - tail
    return set_cell_size(text, head) + glyphs.cut + _last_cells(text, tail)


def shortened_pair(before: str, after: str, width: int, glyphs: Glyphs = UNICODE) -> tuple[str, str]:
    """Two texts in at most `width` cells each; of two long ones what differs stays in sight."""
    if max(len(before), len(after)) > width:
        same = next((n for n, (x, y) in enumerate(zip(before, after, strict=False)) if x != y), 0)
        if same > width // 2:
            begin = max(0, min(same - width // 4, max(len(before), len(after)) - width + 1))
            before, after = (glyphs.cut + text[begin:] for text in (before, after))
    return shortened(before, width, glyphs), shortened(after, width, glyphs)


def _last_cells(text: str, width: int) -> str:
    tail = text[-width:]
    while cell_len(tail) > width:
        tail = tail[1:]
    return tail


def padded(text: str, width: int, right: bool = False) -> str:
    """Text in exactly `width` cells, measured as a terminal draws it."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def plain(line: Line) -> str:
    """The characters of a line."""
    return "".join(text for text, _ in line)


def wrapped(line: Line, width: int) -> list[Line]:
    """A line of one span as several that fit; one of several spans stays as it is."""
    if len(line) != 1 or len(line[0][0]) <= width:
        return [line]
    text, tone = line[0]
    indent = " " * (len(text) - len(text.lstrip()))
    pieces = textwrap.wrap(text.strip(), max(10, width - len(indent)), break_long_words=True)
    return [((indent + piece, tone),) for piece in pieces]


def shortened_end(text: str, width: int, glyphs: Glyphs) -> str:
    """Cut at the end: a list of things tells most at its beginning."""
    return text if len(text) <= width else padded(text, max(0, width - 1)) + glyphs.cut


def side_by_side(left: Sequence[Line], right: Sequence[Line], left_width: int, glyphs: Glyphs) -> list[Line]:
    """Two columns with a rule between them; the left one in exactly `left_width` cells."""
    gap: Line = ((f" {glyphs.down} ", "rule"),)
    return [(*_fitted(one, left_width), *gap, *two) for one, two in zip_longest(left, right, fillvalue=())]


def _fitted(line: Line, width: int) -> Line:
    """A line in exactly `width` cells."""
    out: list[tuple[str, str]] = []
    left = width
    for text, tone in line:
        if left <= 0:
            break
        piece = padded(text, min(len(padded(text, left)), left)) if len(text) > left else text
        out.append((piece, tone))
        left -= len(piece)
    if left > 0:
        out.append((" " * left, ""))
    return tuple(out)
