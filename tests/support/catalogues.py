"""Catalogues out of plain dictionaries, for tests of what stands on one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.encoding import encode
from runtower.catalog.segment import Segment
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Experiment, Kind
from runtower.domain.values import MISSING
from runtower.sources.port import Cells, Delta, ListsRuns, Numbers, Texts

_NUMBERS = {runs.START_TIME, runs.END_TIME}
Run = Mapping[str, Any]


def key_of(name: str) -> ColumnKey:
    """`metrics.loss`, `params.lr`, `tags.team`, or an attribute's own name."""
    family, dot, key = name.partition(".")
    return ColumnKey(Kind(family[:-1]), key) if dot else ColumnKey(Kind.ATTRIBUTE, name)


def catalogue_of(given: Sequence[Run], experiments: Sequence[Experiment] = (), source: str = "lab") -> Catalogue:
    """One source; row n is run `r{n}` (or its `id`). A key that a run hasn't is missing there."""
    catalogue = Catalogue()
    catalogue.source(source)
    add_runs(catalogue, given, 0, experiments)
    return catalogue


def add_runs(
    catalogue: Catalogue, given: Sequence[Run], first: int, experiments: Sequence[Experiment] = (), source: int = 0
) -> None:
    """More runs of a source, as rows from `first` on."""
    ids = [str(run.get("id", f"r{first + place}")) for place, run in enumerate(given)]
    cells: list[Cells] = []
    for name in dict.fromkeys(name for run in given for name in run if name != "id"):
        key = key_of(name)
        at = np.array([place for place, run in enumerate(given) if name in run], np.int32)
        values = [run[name] for run in given if name in run]
        if key.kind is Kind.METRIC or key in _NUMBERS:
            cells.append(Numbers(*key, at, np.array([MISSING if v is None else v for v in values], np.float64)))
        else:
            cells.append(Texts(*key, at, values))
    rows = np.arange(first, first + len(given), dtype=np.int32)
    segment = Segment.read(encode(Delta(ids, cells, b""), rows))
    catalogue.add(source, first + 1, segment, experiments=experiments or None)


def catalogue_from(source: ListsRuns) -> Catalogue:
    """All that a source has, as its first look tells it."""
    catalogue, rows = Catalogue(), dict[str, int]()
    catalogue.source("lab")
    for seq, delta in enumerate(source.changes(b"", ())):
        places = np.array([rows.setdefault(run_id, len(rows)) for run_id in delta.run_ids], np.int32)
        segment = Segment.read(encode(delta, places)) if len(places) else None
        catalogue.add(0, seq + 1, segment, experiments=delta.experiments)
    return catalogue
