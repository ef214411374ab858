"""Which keys a segment has, and where the cells of each lie.

Ten runs with 5,000 keys of their own are 50,000 entries in each piece of the table: they stay columns, sorted by family
and key, and an entry becomes an object when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.domain.runs import ColumnKey, Kind

KINDS: Final = (Kind.ATTRIBUTE, Kind.METRIC, Kind.PARAM, Kind.TAG)
KIND_CODE: Final = {kind: code for code, kind in enumerate(KINDS)}
_FEW: Final = 512


class Entry(NamedTuple):
    """Where the cells of one key lie: a slice of a dense or sparse block, and of the dictionary."""

    is_text: bool
    dense: bool
    start: int
    cells: int
    dict_start: int
    dict_count: int
    ordered: bool


class Slices(NamedTuple):
    """Where the cells and words of some entries lie: arrays of one length."""

    dense: NDArray[np.bool_]
    starts: NDArray[np.int64]
    cells: NDArray[np.int64]
    word_starts: NDArray[np.int64]


class Directory(Mapping[ColumnKey, Entry]):
    """The entries of a segment by key; iterates in the order of families and keys."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        """`batch` as `directory_of` made it."""
        self._keys: pa.StringArray = batch.column(1)
        self._kinds: NDArray[np.uint8] = batch.column(0).to_numpy()
        self._columns = [column.to_numpy(zero_copy_only=False) for column in batch.columns[2:]]

    def __len__(self) -> int:
        return len(self._kinds)

    def __iter__(self) -> Iterator[ColumnKey]:
        for kind, key in zip(self._kinds.tolist(), self._keys.to_pylist(), strict=True):
            yield ColumnKey(KINDS[kind], key)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, ColumnKey) and self._find(key) >= 0

    def __getitem__(self, key: ColumnKey) -> Entry:
        place = self._find(key)
        if place < 0:
            raise KeyError(key)
        return self.entry(place)

    def get(self, key: ColumnKey, default: Any = None) -> Any:
        place = self._find(key)
        return default if place < 0 else self.entry(place)

    def key(self, place: int) -> ColumnKey:
        """The key of the entry at a place."""
        return ColumnKey(KINDS[self._kinds[place]], self._keys[place].as_py())

    def entry(self, place: int) -> Entry:
        is_text, dense, start, cells, dict_start, dict_count, ordered = (column[place] for column in self._columns)
        return Entry(
            bool(is_text), bool(dense), int(start), int(cells), int(dict_start), int(dict_count), bool(ordered)
        )

    def cell_counts(self) -> Iterator[tuple[ColumnKey, int]]:
        """How many cells each key has."""
        yield from zip(self, self.cells.tolist(), strict=True)

    def texts_of_keys(self) -> Iterator[tuple[ColumnKey, bool]]:
        """Whether each key's cells are texts."""
        yield from zip(self, self.is_text.tolist(), strict=True)

    def of_kind(self, kind: Kind) -> list[ColumnKey]:
        """The keys of one family."""
        low, high = self._range(kind)
        return [ColumnKey(kind, key) for key in self._keys.slice(low, high - low).to_pylist()]

    @cached_property
    def dense_places(self) -> NDArray[np.intp]:
        """The places of the entries that have a cell for every run."""
        return np.flatnonzero(self._columns[1])

    def holders(self, is_text: bool, spots: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
        """For spots in the sparse block of numbers or of texts the place of the entry each lies in, with the spot."""
        places, starts = self._sparse[is_text]
        at = np.searchsorted(starts, spots, side="right") - 1
        yield from zip(places[at].tolist(), spots.tolist(), strict=True)

    def names(self) -> pa.StringArray:
        """Family and key of each entry in one text, the same in each directory."""
        return pa.compute.binary_join_element_wise(pa.array(self._kinds).cast(pa.string()), self._keys, ":")

    @property
    def kinds(self) -> NDArray[np.uint8]:
        """By entry the code of its family."""
        return self._kinds

    @property
    def is_text(self) -> NDArray[np.bool_]:
        """By entry whether it holds texts."""
        is_text: NDArray[np.bool_] = self._columns[0]
        return is_text

    @property
    def cells(self) -> NDArray[np.int64]:
        """By entry how many cells it has."""
        cells: NDArray[np.int64] = self._columns[3]
        return cells

    def slices(self, places: NDArray[np.intp]) -> Slices:
        """Of the entries at these places."""
        _, dense, starts, cells, word_starts, _, _ = (column[places] for column in self._columns)
        return Slices(dense, starts, cells, word_starts)

    @cached_property
    def _sparse(self) -> dict[bool, tuple[NDArray[np.intp], NDArray[np.int64]]]:
        dense, starts = self._columns[1], self._columns[2]
        found = {}
        for is_text in (False, True):
            places = np.flatnonzero((self.is_text == is_text) & ~dense & (self.cells > 0))
            places = places[np.argsort(starts[places], kind="stable")]
            found[is_text] = places, starts[places]
        return found

    @cached_property
    def _few(self) -> dict[ColumnKey, int]:
        return {key: place for place, key in enumerate(self)}

    def _range(self, kind: Kind) -> tuple[int, int]:
        code = KIND_CODE[kind]
        return int(np.searchsorted(self._kinds, code)), int(np.searchsorted(self._kinds, code, side="right"))

    def _find(self, key: ColumnKey) -> int:
        if len(self) <= _FEW:
            return self._few.get(key, -1)
        low, high = self._range(key.kind)
        end = high
        while low < high:
            middle = (low + high) // 2
            if self._keys[middle].as_py() < key.key:
                low = middle + 1
            else:
                high = middle
        return low if low < end and self._keys[low].as_py() == key.key else -1


def directory_of(
    kinds: NDArray[np.uint8], keys: pa.StringArray, columns: Mapping[str, NDArray[Any]]
) -> list[tuple[str, pa.Array]]:
    """Entries given in any order as the named columns of a directory. `columns` by the field names of `Entry`."""
    table = pa.table({"kind": pa.array(kinds), "key": keys})
    order = pa.compute.sort_indices(table, sort_keys=[("kind", "ascending"), ("key", "ascending")]).to_numpy()
    named: list[tuple[str, pa.Array]] = [("kind", pa.array(kinds[order])), ("key", keys.take(pa.array(order)))]
    return named + [(name, pa.array(columns[name][order])) for name in Entry._fields]
