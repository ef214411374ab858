"""Every run of every source, as columns that are made when somebody looks at them.

Global rows are dense int32, given once a session as runs become known; they are the identity of a run on the screen
(marks, cursor, pins). Only the UI's loop changes a catalogue; what it hands out may be read anywhere, and columns may
be asked for in any thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import RLock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.columns import Column, NumberColumn, TextColumn, joined
from runtower.catalog.derived import DEAD, DERIVED
from runtower.catalog.segment import Floats, Ints, RunCell, Segment
from runtower.catalog.source_table import SourceTable, put_numbers, with_texts
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Experiment, Kind, RunKey
from runtower.domain.values import MISSING, MISSING_BITS

_COLUMNS_KEPT: Final = 24
_NUMBER_ATTRIBUTES: Final = frozenset(runs.TIME_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Made:
    """Columns that were made beside the loop, up to date with the first `since` of `pieces`."""

    columns: Mapping[ColumnKey, Column]
    pieces: Sequence[tuple[int, Segment]]
    since: int


class Catalogue:
    """The sources' tables under one numbering of rows.

    `version` counts every change; `shape` only those that add or lose runs, names of experiments or parents.
    """

    def __init__(self) -> None:
        self.version = 0
        self.shape = 0
        self.sources: list[SourceTable] = []
        self._globals: list[Ints] = []  # by source: its row -> global row
        self._source_of = np.empty(0, np.uint8)
        self._local_of = np.empty(0, np.int32)
        self._columns: OrderedDict[ColumnKey, tuple[Column, int]] = OrderedDict()
        self._pieces: list[tuple[int, Segment]] = []  # what came since the columns were last forgotten
        self._making = RLock()

    # -- what changes it

    def source(self, name: str) -> int:
        """The number of a source, added when it is new."""
        for number, table in enumerate(self.sources):
            if table.name == name:
                return number
        with self._making:  # a thread may be going through both lists
            self.sources.append(SourceTable(name))
            self._globals.append(np.empty(0, np.int32))
        return len(self.sources) - 1

    def add(
        self,
        source: int,
        seq: int,
        segment: Segment | None,
        gone: Iterable[int] = (),
        experiments: Sequence[Experiment] | None = None,
        made: Made | None = None,
    ) -> None:
        """A piece of news of one source, with the columns that `preparing` made of it."""
        table = self.sources[source]
        before = table.size
        gone = list(gone)
        table.add(seq, segment, gone)
        self._number(source)
        self.version += 1
        if table.size != before or gone or (segment is not None and segment.count(runs.PARENT)):
            self.shape += 1
        if experiments is not None:
            table.experiments = {experiment.experiment_id: experiment for experiment in experiments}
            self.shape += 1
            self._columns.pop(runs.EXPERIMENT, None)
        if segment is not None:
            with self._making:
                self._pieces.append((source, segment))
                for key in DERIVED:
                    self._columns.pop(key, None)
                if made is not None and made.pieces is self._pieces and made.since == len(self._pieces):
                    self._columns.update((key, (column, made.since)) for key, column in made.columns.items())

    def preparing(self, source: int, segment: Segment) -> Callable[[], Made]:
        """What brings the present columns up to a large piece; to be called off the loop, then `add` the piece."""
        with self._making:
            pieces, since = self._pieces, len(self._pieces)
            current = {key: column for key, (column, made) in self._columns.items() if made == since}
        known, first = self._globals[source], self.size
        fresh = max(0, int(segment.rows[-1]) + 1 - len(known)) if len(segment.rows) else 0
        places = np.concatenate([known, np.arange(first, first + fresh, dtype=np.int32)])[segment.rows]

        def prepare() -> Made:
            found: dict[ColumnKey, Column] = {}
            for key, column in current.items():
                if key not in DERIVED:
                    found[key] = patched(key, column, first + fresh, [(places, segment)])
                    _ = found[key].missing  # worked out here and not while a key waits
            return Made(found, pieces, since + 1)

        return prepare

    def rebase(self, source: int, upto: int, base: Segment) -> None:
        """The source's process made one base of the pieces so far: nothing changes but where the cells lie.

        Columns that are up to date stay, over the words of the old pieces, until `renewal` is through.
        """
        with self._making:
            self.sources[source].rebase(upto, base)
            self._number(source)
            current = {key: column for key, (column, since) in self._columns.items() if since == len(self._pieces)}
            self._forget()
            self._columns.update((key, (column, 0)) for key, column in current.items())

    def renewal(self) -> Callable[[], Made]:
        """What makes the present columns anew out of the present pieces; to be called off the loop, then `renew`."""
        keys = [key for key in self._columns if key not in DERIVED]
        column_now, pieces = self.beside(), self._pieces
        since = len(pieces)

        def make() -> Made:
            return Made({key: column_now(key) for key in keys}, pieces, since)

        return make

    def renew(self, made: Made) -> None:
        """Put what `renewal` made in the place of the old columns, unless another base or store came meanwhile."""
        if made.pieces is self._pieces:
            with self._making:
                fresh = {key: (column, made.since) for key, column in made.columns.items() if key in self._columns}
                self._columns.update(fresh)

    def reset(self, source: int, base: Segment | None, experiments: Sequence[Experiment] = ()) -> None:
        """Another store answers under this name. Its old rows die; the new ones get new numbers."""
        table = self.sources[source]
        self._source_of[self._globals[source]] = DEAD
        table.reset(base)
        table.experiments = {experiment.experiment_id: experiment for experiment in experiments}
        self._globals[source] = np.empty(0, np.int32)
        self._number(source)
        self._forget()
        self.version += 1
        self.shape += 1

    def _number(self, source: int) -> None:
        known, table = self._globals[source], self.sources[source]
        fresh = table.size - len(known)
        if fresh <= 0:
            return
        first = len(self._source_of)
        self._globals[source] = np.concatenate([known, np.arange(first, first + fresh, dtype=np.int32)])
        self._source_of = np.concatenate([self._source_of, np.full(fresh, source, np.uint8)])
        self._local_of = np.concatenate([self._local_of, np.arange(len(known), table.size, dtype=np.int32)])

    def _forget(self) -> None:
        self._columns.clear()
        self._pieces = []

    # -- what it tells

    @property
    def size(self) -> int:
        """One more than the greatest global row."""
        return len(self._source_of)

    def alive(self) -> NDArray[np.bool_]:
        """By global row whether its source still has it."""
        alive = np.zeros(self.size, bool)
        for places, table in zip(self._globals, self.sources, strict=True):
            alive[places] = table.alive()
        return alive

    def source_of(self, row: int) -> SourceTable:
        return self.sources[int(self._source_of[row])]

    def source_numbers(self) -> NDArray[np.uint8]:
        """By global row the number of its source."""
        return self._source_of

    def run_key(self, row: int) -> RunKey:
        """Which run a row is; no run's key for one that died in a reset."""
        if self._source_of[row] == DEAD:
            return RunKey("", "")
        table = self.source_of(row)
        return RunKey(table.name, table.run_id(int(self._local_of[row])))

    def cells(self, row: int) -> list[RunCell]:
        """Everything that is known of one run."""
        return self.source_of(row).cells(int(self._local_of[row]))

    def rows_again(self, keys: Sequence[RunKey], rows: Sequence[int]) -> list[int]:
        """The rows that these runs have now, -1 for one that isn't known; others than these once some died."""
        if all(self._source_of[row] != DEAD for row in rows):
            return list(rows)
        return [int(row) for row in self.rows_of(keys)]

    def rows_of(self, keys: Sequence[RunKey]) -> Ints:
        """Global rows of runs, -1 for one that isn't known."""
        found = np.full(len(keys), -1, np.int32)
        for number, table in enumerate(self.sources):
            mine = [place for place, key in enumerate(keys) if key.source == table.name]
            if mine:
                rows = table.rows_of([keys[place].run_id for place in mine])
                known = rows >= 0
                found[np.array(mine)[known]] = self._globals[number][rows[known]]
        return found

    def keys(self) -> dict[ColumnKey, bool]:
        """Every key of any source, and whether it is text in all that have it."""
        out: dict[ColumnKey, bool] = {}
        for table in self.sources:
            for key, is_text in table.keys().items():
                out[key] = out.get(key, True) and is_text
        return out

    def key_count(self) -> int:
        """About how many keys there are (one in two pieces counts twice); costs nothing."""
        return sum(len(segment.entries) for table in self.sources for segment in table.segments)

    def coverage(self) -> dict[ColumnKey, int]:
        """About how many runs have each key."""
        counts: dict[ColumnKey, int] = {}
        for table in self.sources:
            for key, count in table.coverage().items():
                counts[key] = counts.get(key, 0) + count
        return counts

    def column(self, key: ColumnKey) -> Column:
        """The dense column of a key; one that no run has is all missing. The last 24 asked for are kept."""
        with self._making:
            found = self._columns.get(key)
            if found is None:
                column = self._make(key)
            else:
                column, since = found
                if since < len(self._pieces):
                    came = [(self._globals[source][piece.rows], piece) for source, piece in self._pieces[since:]]
                    column = patched(key, column, self.size, came)
            self._columns[key] = column, len(self._pieces)
            self._columns.move_to_end(key)
            while len(self._columns) > _COLUMNS_KEPT:
                self._columns.popitem(last=False)
            return column

    def beside(self) -> Callable[[ColumnKey], Column]:
        """What makes a column of all runs as they are now, in any thread, and keeps none: for a look at many keys. Not
        for a key that is derived."""
        places, tables = list(self._globals), [table.frozen() for table in self.sources]
        size = self.size
        return lambda key: column_of(key, size, places, tables)

    def numbers(self, key: ColumnKey) -> NumberColumn:
        """The column as numbers: of a text column those its texts spell."""
        column = self.column(key)
        return column.as_numbers() if isinstance(column, TextColumn) else column

    def texts(self, key: ColumnKey) -> TextColumn:
        """A column that is text, or none at all."""
        column = self.column(key)
        return column if isinstance(column, TextColumn) else TextColumn.empty(self.size)

    def numbers_at(self, key: ColumnKey, rows: Ints) -> Floats:
        """The key's numbers of some global rows, MISSING for none. Makes no column: for a look at many keys."""
        out = np.full(len(rows), MISSING)
        for table, mine in self._by_source(rows):
            out[mine] = table.numbers_at(key, self._local_of[rows[mine]])
        return out

    def texts_at(self, key: ColumnKey, rows: Ints) -> list[str | None]:
        """The key's texts of some global rows. Makes no column: for a look at many keys."""
        out = np.full(len(rows), None, object)
        for table, mine in self._by_source(rows):
            out[mine] = table.texts_at(key, self._local_of[rows[mine]])
        return list(out)

    def _by_source(self, rows: Ints) -> Iterator[tuple[SourceTable, NDArray[np.intp]]]:
        numbers = self._source_of[rows]
        for number, table in enumerate(self.sources):
            mine = np.flatnonzero(numbers == number)
            if len(mine):
                yield table, mine

    def _make(self, key: ColumnKey) -> Column:
        derive = DERIVED.get(key)
        return derive(self) if derive is not None else column_of(key, self.size, self._globals, self.sources)

    def global_rows(self, source: int) -> Ints:
        """By row of a source its global row."""
        return self._globals[source]


def column_of(key: ColumnKey, size: int, places: Sequence[Ints], tables: Sequence[SourceTable]) -> Column:
    """The dense column of a key of the sources' tables, `places` their rows' global rows."""
    if key.kind is Kind.METRIC or key in _NUMBER_ATTRIBUTES:
        values = NumberColumn.empty(size).values
        for spots, table in zip(places, tables, strict=True):
            values[spots] = table.numbers(key).values
        return NumberColumn(values)
    out = TextColumn.empty(size)
    for spots, table in zip(places, tables, strict=True):
        mine = table.texts(key)
        out.codes[spots] = np.where(mine.codes < 0, -1, mine.codes + len(out.words))
        out = joined(out, mine)
    return out


def patched(key: ColumnKey, column: Column, size: int, came: Sequence[tuple[Ints, Segment]]) -> Column:
    """A column brought up to date, looking at nothing but the pieces that came since, each with its global rows."""
    known = column.values if isinstance(column, NumberColumn) else column.codes
    if len(known) == size and not any(piece.whole or key in piece.entries for _, piece in came):
        return column
    if isinstance(column, NumberColumn):
        values = _grown(column.values, size)
        for places, piece in came:
            put_numbers(values, piece, key, places)
        return NumberColumn(values)
    codes = _grown(column.codes, size)
    for places, piece in came:
        column = with_texts(column, piece, key, places, codes)
    return column if column.codes is codes else replace(column, codes=codes)


def _grown(old: NDArray, size: int) -> NDArray:  # type: ignore[type-arg]
    """A copy of `size`; new places are missing."""
    new = np.empty(size, old.dtype)
    new[: len(old)] = old
    if old.dtype == np.float64:
        new[len(old) :].view(np.int64)[:] = MISSING_BITS
    else:
        new[len(old) :] = -1
    return new
