"""What runs have beside each other, as lines that fold: one column for each run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from runtower.acts.run_rows import Spot
from runtower.present.glyphs import Glyphs
from runtower.present.markdown import markdown_lines
from runtower.present.spans import Line, Span, inert, shortened

GUTTER, NAME, NOTE = "gutter", "name", "note"
_NO_RUN: Final = (GUTTER, NAME, NOTE)
_SAMPLE: Final = 1000
_INDENT: Final = 2


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A line. `path` is its whole name, `label` what of it is shown at its `depth`; a section has lines below it.

    `number` is its place among what the sheet knows; `differs`: whether the runs are not all alike in it.
    """

    path: str
    label: str
    depth: int = 0
    number: int = -1
    differs: bool = True
    is_section: bool = False


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """An artifact of both runs, or with `commits` a file at the one of the first and at that of the second."""

    path: str
    commits: tuple[str, str] | None = None


class Sheet(ABC):
    """Lines and what each run has there. `summary` is said below them, `empty` in their place where there are none;
    `heads` are those of the columns where these aren't the runs."""

    def __init__(
        self,
        rows: Sequence[SheetRow],
        summary: str,
        empty: str,
        has_notes: bool = False,
        heads: Sequence[str] = (),
    ) -> None:
        self.rows = tuple(rows)
        self.summary = summary
        self.empty = empty
        self.has_notes = has_notes
        self.heads = tuple(heads)

    @abstractmethod
    def cells(self, row: SheetRow, runs: Sequence[int], width: int) -> Sequence[Line]:
        """What these of the runs have, each in at most `width` cells."""

    @abstractmethod
    def full(self, row: SheetRow, run: int) -> str:
        """What one run has, uncut."""

    def note(self, row: SheetRow) -> str:
        """What is to be said of the line besides."""
        return ""

    def file(self, row: SheetRow) -> ComparedFile | None:
        """The file that both of two runs have, where the line is about one whose content differs, or may."""
        return None

    def origin(self, run: int) -> str:
        """Where all that one run has was read; '' where that is no question."""
        return ""


class SheetRows:
    """The lines of a sheet that are shown: those that differ, or all, without those in folded sections."""

    def __init__(self, sheet: Sheet, glyphs: Glyphs, only: bool = True) -> None:
        self.version = 0
        self.sheet = sheet
        self.only = only
        self.folded: set[str] = set()
        self.needle = ""
        self._glyphs = glyphs
        self._below = _differing_below(sheet.rows)
        self._shown: list[int] = []
        self._widths: tuple[int, int, int] | None = None
        self.lay()

    def __len__(self) -> int:
        return len(self._shown)

    def line_id(self, index: int) -> Hashable:
        return self._shown[index]

    def at(self, index: int) -> SheetRow | None:
        """The line that stands there."""
        return self.sheet.rows[self._shown[index]] if 0 <= index < len(self._shown) else None

    def index_of(self, path: str) -> int:
        """Where a line stands, or the section that it is folded into; 0 where neither is shown."""
        best = 0
        for index, place in enumerate(self._shown):
            row = self.sheet.rows[place]
            if row.path == path:
                return index
            if row.is_section and path.startswith(row.path):
                best = index
        return best

    # -- what is shown

    def lay(self) -> None:
        """After another choice of what is shown."""
        self.version += 1
        self._shown = [place for place, row in self._wanted() if row.differs or not self.only]

    def _wanted(self) -> list[tuple[int, SheetRow]]:
        if not self.folded:
            return list(enumerate(self.sheet.rows))
        out = []
        deeper: int | None = None
        for place, row in enumerate(self.sheet.rows):
            if deeper is not None and row.depth > deeper:
                continue
            deeper = row.depth if row.is_section and row.path in self.folded else None
            out.append((place, row))
        return out

    def fold(self, index: int) -> int:
        """Fold or unfold the section of a line; where that one stands now."""
        row = self.at(index)
        if row is None:
            return index
        place = self._shown[index] if row.is_section else self._above(self._shown[index])
        if place is None:
            return index
        path = self.sheet.rows[place].path
        self.folded ^= {path}
        self.lay()
        return self.index_of(path)

    def _above(self, place: int) -> int | None:
        """Where the section of a line stands among all."""
        rows = self.sheet.rows
        return next((n for n in range(place, -1, -1) if rows[n].depth < rows[place].depth), None)

    def fold_all(self) -> None:
        """All sections, or none."""
        sections = {row.path for row in self.sheet.rows if row.is_section}
        self.folded = set() if self.folded else sections
        self.lay()

    # -- what is looked for

    def next(self, index: int, step: int) -> int | None:
        """The next line that is a hit or else that differs, inside of folded sections too: they unfold."""
        rows = self.sheet.rows
        here = self._shown[index] if 0 <= index < len(self._shown) else -1
        ahead = range(here + 1, len(rows)) if step > 0 else range(here - 1, -1, -1)
        for place in ahead:
            row = rows[place]
            if self.is_hit(row) if self.needle else row.differs and not row.is_section:
                return self._brought(place)
        return None

    def is_hit(self, row: SheetRow) -> bool:
        return not row.is_section and (row.differs or not self.only) and self._holds(row)

    def _holds(self, row: SheetRow) -> bool:
        return self.needle.casefold() in row.path.casefold()

    def hits(self) -> tuple[int, int]:
        """How many lines hold what is looked for, and how many more that aren't shown because they don't differ."""
        if not self.needle:
            return 0, 0
        found = [row for row in self.sheet.rows if not row.is_section and self._holds(row)]
        shown = sum(self.is_hit(row) for row in found)
        return shown, len(found) - shown

    def _brought(self, place: int) -> int:
        """Where a line stands once the sections above it are unfolded."""
        above = self._above(place)
        while above is not None:
            self.folded.discard(self.sheet.rows[above].path)
            above = self._above(above)
        self.lay()
        return self._shown.index(place)

    # -- cells

    def widths(self, runs: int) -> tuple[int, int, int]:
        """How many cells the names, the values and the notes take, as far as the first lines tell; the same whatever
        is folded."""
        if self._widths is None:
            self._widths = self._measured(runs)
        return self._widths

    def _measured(self, runs: int) -> tuple[int, int, int]:
        rows = sorted(self.sheet.rows, key=lambda row: not row.differs)[:_SAMPLE]
        names = max((_INDENT * row.depth + len(row.label) + 2 * row.is_section for row in rows), default=0)
        plain = [row for row in rows if not row.is_section]
        values = max((len(self.sheet.full(row, run)) for row in plain for run in range(min(runs, 2))), default=0)
        notes = max((len(self.sheet.note(row)) for row in rows), default=0) if self.sheet.has_notes else 0
        return names, values, notes

    def cells(self, index: int, columns: Sequence[Spot], cursor: bool) -> Sequence[Line]:
        row = self.sheet.rows[self._shown[index]]
        runs = [int(column.id) for column in columns if column.id not in _NO_RUN]
        width = next((column.width for column in columns if column.id not in _NO_RUN), 0)
        values = iter([()] * len(runs) if row.is_section else self.sheet.cells(row, runs, width))
        out: list[Line] = []
        for column in columns:
            if column.id == GUTTER:
                out.append(((self._glyphs.cursor if cursor else "", "bright"),))
            elif column.id == NAME:
                out.append(self._name(row, column.width))
            elif column.id == NOTE:
                out.append((self._note(row, column.width),))
            else:
                out.append(next(values))
        return out

    def _name(self, row: SheetRow, width: int) -> Line:
        glyphs = self._glyphs
        lead = " " * min(row.depth * _INDENT, max(0, width - 8))
        tone = "" if row.differs else "dim"
        if row.is_section:
            folded = row.path in self.folded
            mark = f"{glyphs.folded} " if folded else ""
            tone = "title"
        else:
            mark = ""
            if self.needle and self.is_hit(row):
                tone = "hit"
        text = shortened(inert(row.label, glyphs), width - len(lead) - len(mark), glyphs)
        return ((lead + mark, "dim"), (text, tone))

    def _note(self, row: SheetRow, width: int) -> Span:
        note = self.sheet.note(row)
        if row.is_section and row.path in self.folded and (count := self._below.get(row.path, 0)):
            note = f"{count} differ" + (f", {note}" if note else "")
        return (shortened(inert(note, self._glyphs), width, self._glyphs), "dim")


def markdown(sheet: Sheet, names: Sequence[str]) -> str:
    """A table of the lines that differ, their values in full."""
    notes = [""] if sheet.has_notes else []
    rows = [row for row in sheet.rows if row.differs and not row.is_section]
    lines = [
        [row.path, *(sheet.full(row, run) for run in range(len(names))), *(sheet.note(row) for _ in notes)]
        for row in rows
    ]
    return "".join(markdown_lines(["", *names, *notes], lines))


def _differing_below(rows: Sequence[SheetRow]) -> dict[str, int]:
    """Of each section how many lines below it differ."""
    counts: dict[str, int] = {}
    above: list[SheetRow] = []
    for row in rows:
        while above and above[-1].depth >= row.depth:
            above.pop()
        if row.is_section:
            above.append(row)
        elif row.differs:
            for section in above:
                counts[section.path] = counts.get(section.path, 0) + 1
    return counts
