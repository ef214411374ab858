"""Two artifacts as texts to compare: how much of them is read, and what is said where that isn't all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtower.acts.git_changes import file_at
from runtower.acts.run_files import RunFiles
from runtower.domain.artifacts import MOST_BYTES, Piece
from runtower.domain.errors import Invalid, NotFound
from runtower.present.preview import spread_json, text_of
from runtower.present.sizes import size_text
from runtower.present.text_diff import TextDiff, diff_of

MOST: Final = 512 * 1024
MOST_LINES: Final = 5_000


@dataclass(frozen=True)
class TextFile:
    """A file as text, as far as it was read. `size` in bytes, None where it isn't known; `lines` without their
    ends; `cut` says that they aren't all, else ''."""

    path: str
    data: bytes
    size: int | None
    lines: Sequence[str]
    cut: str


@dataclass(frozen=True)
class ComparedTexts:
    """Two texts and how they differ. `note` says what the lines don't show: that they were cut, or other line ends."""

    left: TextFile
    right: TextFile
    diff: TextDiff
    note: str

    @property
    def is_same(self) -> bool:
        """Whether nothing differs in what was read, nor the sizes."""
        return self.left.data == self.right.data and self.left.size == self.right.size


async def compared(left: Awaitable[TextFile], right: Awaitable[TextFile]) -> ComparedTexts:
    """Read both, and match their lines off the loop. Raises TowerError: Invalid for a file that is no text."""
    a, b = await asyncio.gather(left, right)
    diff = await asyncio.to_thread(diff_of, a.lines, b.lines)
    notes = [f"{one.path}: {one.cut}" for one in (a, b) if one.cut]
    if a.cut and a.cut == b.cut:
        notes = [f"of both {a.cut}"]
    if not diff.is_different and a.data != b.data:
        notes.append("only line ends or spacing that isn't shown differ")
    return ComparedTexts(a, b, diff, "; ".join(notes))


async def is_rest_same(found: ComparedTexts, left: tuple[RunFiles, str], right: tuple[RunFiles, str]) -> bool:
    """Whether two files are the same behind the part that was compared; reads all of it. Raises TowerError."""
    offset, size = len(found.left.data), found.left.size or 0
    while offset < size:
        a, b = await asyncio.gather(*(files.part(path, offset, MOST_BYTES) for files, path in (left, right)))
        if a.data != b.data:
            return False
        if not a.data:
            break  # it became shorter meanwhile
        offset += len(a.data)
    return True


async def artifact(files: RunFiles, path: str) -> TextFile:
    """The beginning of a run's file. Raises TowerError: Invalid for one that is no text."""
    try:
        piece = await files.part(path, 0, MOST)
    except NotFound as error:
        raise NotFound(f"{files.name} has no {path}.", "Choose a file that both runs have.") from error
    return _text_file(path, piece)


async def revision(folder: Path, commit: str, path: str) -> TextFile:
    """The beginning of a file in a commit of a folder's repository; empty where it isn't there. Raises Invalid."""
    data, total = await file_at(folder, commit, path, MOST)
    return _text_file(path, Piece(data, 0, total))


def _text_file(path: str, piece: Piece) -> TextFile:
    is_cut = piece.total is not None and piece.total > len(piece.data)
    text = text_of(piece.data)
    if text is None:
        size = f", {size_text(piece.total)}" if piece.total is not None else ""
        raise Invalid(f"{path} is no text{size}, so its lines can't be compared.", "Choose a text file.")
    if path.lower().endswith(".json") and not is_cut:
        text = spread_json(text)
    lines = text.split("\n")
    if is_cut or not lines[-1]:
        lines.pop()  # half a line, or what stands after the last end of a line
    cut = ""
    if is_cut:
        cut = f"the first {size_text(len(piece.data))} of {size_text(piece.total or 0)} are compared"
    if len(lines) > MOST_LINES:
        cut = f"the first {MOST_LINES:,} lines are compared"
        lines = lines[:MOST_LINES]
    return TextFile(path, piece.data, piece.total, [line.removesuffix("\r") for line in lines], cut)
