"""Columns that no source sends: they follow from other columns and from which source a run is of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from runtower.catalog.columns import Column, NumberColumn, TextColumn
from runtower.catalog.segment import Floats
from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.domain.values import MISSING_BITS

if TYPE_CHECKING:
    from runtower.catalog.catalogue import Catalogue

# The number of no source: a row whose store was replaced by another.
DEAD: Final = 255


def _experiment(catalogue: Catalogue) -> TextColumn:
    """Names of experiments; an id without a name stands for itself."""
    ids = catalogue.texts(runs.EXPERIMENT_ID)
    codes = ids.codes.copy()
    words: list[str] = []
    id_words = ids.words.to_pylist()
    for number, table in enumerate(catalogue.sources):
        rows = catalogue.global_rows(number)
        mine = codes[rows]
        codes[rows] = np.where(mine < 0, -1, mine + len(words))
        words += [table.experiments[word].name if word in table.experiments else word for word in id_words]
    from_words = pa.array(words, pa.string())
    return TextColumn(codes, from_words, np.zeros(len(words), np.uint8), _spelled(from_words))


def _source(catalogue: Catalogue) -> TextColumn:
    words = pa.array([table.name for table in catalogue.sources], pa.string())
    codes = catalogue.source_numbers().astype(np.int32)
    codes[codes == DEAD] = -1
    return TextColumn(codes, words, np.zeros(len(words), np.uint8), _spelled(words))


def _run_id(catalogue: Catalogue) -> TextColumn:
    words = pa.array([run_id for table in catalogue.sources for run_id in table.run_ids()], pa.string())
    codes = np.full(catalogue.size, -1, np.int32)
    offset = 0
    for number, table in enumerate(catalogue.sources):
        codes[catalogue.global_rows(number)] = np.arange(offset, offset + table.size)
        offset += table.size
    return TextColumn(codes, words, np.zeros(len(words), np.uint8), _spelled(words))


def _duration(catalogue: Catalogue) -> NumberColumn:
    """Milliseconds from start to end; missing while a run goes on (what is on the screen counts it up)."""
    start, end = catalogue.numbers(runs.START_TIME), catalogue.numbers(runs.END_TIME)
    values: Floats = end.values - start.values
    values.view(np.int64)[start.missing | end.missing] = MISSING_BITS
    return NumberColumn(values)


def _spelled(words: pa.StringArray) -> Floats:
    """Names are never taken for numbers."""
    return NumberColumn.empty(len(words)).values


DERIVED: Final[dict[ColumnKey, Callable[[Catalogue], Column]]] = {
    runs.EXPERIMENT: _experiment,
    runs.SOURCE: _source,
    runs.RUN_ID: _run_id,
    runs.DURATION: _duration,
}
