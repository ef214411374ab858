"""The beginning of a file as lines: text, JSON, YAML, Markdown, tables; of binary files what they begin with."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from rich.cells import cell_len, chop_cells

from runtower.present.console import console_lines
from runtower.present.glyphs import UNICODE, Glyphs
from runtower.present.sizes import size_text
from runtower.present.spans import Line, inert, padded, shortened_end

FIRST_BYTES: Final = 64 * 1024
_TAB: Final = 4
_WIDEST_CELL: Final = 28
_MOST_LINES: Final = 5_000
_HEX_BYTES: Final = 16
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|-?inf", re.IGNORECASE)
_CONSOLE: Final = re.compile(r"\x1b\[|\r(?!\n)")
_HEADING: Final = re.compile(r"#{1,6} ")


@dataclass(frozen=True)
class Preview:
    """`said` tells what of the file this is: `first 64 KB of 3.2 MB, as JSON`."""

    lines: Sequence[Line]
    said: str
    is_binary: bool = False


def preview(
    name: str, data: bytes, total: int | None, width: int, as_text: bool = False, glyphs: Glyphs = UNICODE
) -> Preview:
    """A file of that name that begins with `data`, in lines of at most `width` cells. `as_text`: whatever it holds."""
    is_cut = total is not None and total > len(data)
    size = f"first {size_text(len(data))} of {size_text(total or 0)}" if is_cut else size_text(len(data))
    if not data:
        return Preview([(("The file is empty.", "dim"),)], size)
    text = text_of(data)
    if text is None and not as_text:
        return Preview(_binary(data, glyphs), f"binary, {size_text(total if total is not None else len(data))}", True)
    if text is None:
        text, kind = data.decode("utf-8", "replace"), "as text"
    else:
        kind = ""
    ending = name.rpartition(".")[2].lower()
    if ending in ("csv", "tsv") and not as_text:
        lines = _table(text, "\t" if ending == "tsv" else ",", is_cut, width, glyphs)
        return Preview(lines, f"{size}, as a table")
    if ending == "json" and not is_cut and not as_text:
        pretty = spread_json(text)
        kind = "as JSON, spread out" if pretty != text else kind
        text = pretty
    if not as_text and _CONSOLE.search(text):
        text, kind = "\n".join(console_lines(text, glyphs)), "as console output"
    marked = ending in ("md", "markdown")
    lines = [short for line in text.splitlines()[:_MOST_LINES] for short in _wrapped(line, width, marked, glyphs)]
    return Preview(lines, f"{size}, {kind}" if kind else size)


def text_of(data: bytes) -> str | None:
    """None for what is no text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) - error.start < 4:  # a letter that was cut at the end
            return data[: error.start].decode("utf-8-sig")
    odd = sum(byte >= 0x80 or (byte < 0x20 and byte not in b"\t\n\r\f\x1b\b") for byte in data[:8192])
    return data.decode("utf-8", "replace") if odd * 10 < min(len(data), 8192) else None


def _binary(data: bytes, glyphs: Glyphs) -> list[Line]:
    lines: list[Line] = [(("This is no text. It begins so:", ""),), ()]
    for start in range(0, min(len(data), 8 * _HEX_BYTES), _HEX_BYTES):
        row = data[start : start + _HEX_BYTES]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else glyphs.control for byte in row)
        lines.append(((f"{row.hex(' '):<{_HEX_BYTES * 3}} ", "dim"), (letters, "")))
    return lines


def spread_json(text: str) -> str:
    """JSON over several lines, where all of it stands in a few; as it is where it can't be read."""
    if text.count("\n") * 120 > len(text):
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _wrapped(line: str, width: int, marked: bool, glyphs: Glyphs) -> list[Line]:
    shown = inert(line.expandtabs(_TAB), glyphs)
    tone = "title" if marked and _HEADING.match(line) else ""
    if len(shown) <= width and (shown.isascii() or cell_len(shown) <= width):
        return [((shown, tone),)]
    pieces = (
        [shown[start : start + width] for start in range(0, len(shown), width)]
        if shown.isascii()
        else chop_cells(shown, max(2, width))
    )
    return [((piece, tone),) for piece in pieces]


def _table(text: str, delimiter: str, is_cut: bool, width: int, glyphs: Glyphs) -> list[Line]:
    """Aligned columns, numbers at the right; the last line of a part is left out, as it may be half."""
    whole = text.rpartition("\n")[0] if is_cut else text
    try:
        rows = list(csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter))[:_MOST_LINES]
    except csv.Error:
        return [short for line in text.splitlines()[:_MOST_LINES] for short in _wrapped(line, width, False, glyphs)]
    shown = [[shortened_end(inert(cell.strip(), glyphs), _WIDEST_CELL, glyphs) for cell in row] for row in rows if row]
    if not shown:
        return []
    columns = list(zip_longest(*shown, fillvalue=""))
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    right = [all(not cell or _NUMBER.fullmatch(cell) for cell in column[1:]) for column in columns]
    lines: list[Line] = []
    for number, row in enumerate(shown):
        cells = (padded(cell, w, side) for cell, w, side in zip(row, widths, right, strict=False))
        lines.append((("  ".join(cells), "title" if number == 0 else ""),))
    return lines
