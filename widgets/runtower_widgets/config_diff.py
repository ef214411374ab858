"""Several things beside each other, line by line: a tree that folds, a column for each, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rich.cells import cell_len

from runtower_widgets.row_table import RowTable
from runtower_widgets.table_cells import TableColumn, TableRows

NAME, NOTE = "name", "note"

_GUTTER: Final = 1
_SHORTEST: Final = 8
_NAME_MOST: Final = 40
_EACH: Final = 20
_EACH_MOST: Final = 44
_NOTE_MOST: Final = 36
_TWO: Final = 2


class DiffRows(TableRows, Protocol):
    """What stands beside each other. The ids of its columns are `name`, the number of each thing, and `note`."""

    def next(self, index: int, step: int) -> int | None:
        """Where the next difference stands, None for no further one."""
        ...

    def fold(self, index: int) -> int:
        """Fold or unfold what a line belongs to; where the cursor goes."""
        ...


@dataclass(frozen=True, slots=True)
class Wants:
    """How many cells the names, the values and the notes would like to have; no notes: 0."""

    name: int
    value: int
    note: int = 0


class ConfigDiff(RowTable):
    """A table of differences. The first thing stays at the left when there are too many for the screen."""

    diff: DiffRows | None = None

    def compare(self, rows: DiffRows, columns: Sequence[TableColumn], cursor: int | None = None) -> None:
        """Show these rows in columns of `columns_of`."""
        if rows is not self.diff or columns != self.columns or cursor is not None:
            self.diff = rows
            self.show(rows, columns, cursor)
        else:
            self.sync()

    def jump(self, step: int) -> bool:
        """To the next difference, or back; whether there is one."""
        found = self.diff.next(self.cursor, step) if self.diff is not None else None
        if found is None:
            return False
        self.sync()
        self.move_to(found)
        return True

    def fold(self) -> None:
        """The section of the cursor's line."""
        if self.diff is not None:
            self.cursor = self.diff.fold(self.cursor)
            self.sync()
            self.refresh()


def columns_of(width: int, heads: Sequence[str], wants: Wants, shorten: Callable[[str, int], str]) -> list[TableColumn]:
    """A column for the names, one for each head, and for two things one for what is to be said of a difference."""
    names = max(_SHORTEST, min(wants.name, _NAME_MOST, width * 3 // 10))
    room = width - _GUTTER - 1 - names - 1
    notes = 0
    if len(heads) == _TWO:
        longest = max(wants.value, *(cell_len(head) for head in heads))
        notes = min(wants.note, _NOTE_MOST, max(0, room // 5))
        each = max(_SHORTEST, min(longest, (room - notes - (1 if notes else 0) - _TWO) // _TWO))
        notes = min(wants.note, max(0, room - _TWO * (each + 1)))
    else:
        each = max(_SHORTEST, min(_EACH_MOST, max(_EACH, wants.value), (room - 2) // 2))
        each = min(each, max(_EACH, room // len(heads) - 1))
    columns = [TableColumn("gutter", "", _GUTTER, frozen=True), TableColumn(NAME, "", names, frozen=True)]
    for number, head in enumerate(heads):
        columns.append(TableColumn(str(number), shorten(head, each), each, frozen=number == 0 or len(heads) == _TWO))
    if notes:
        columns.append(TableColumn(NOTE, "", notes, frozen=len(heads) == _TWO))
    return columns
