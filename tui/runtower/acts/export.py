"""Whole runs as plain objects, in the shape of `--json`, made a block at a time to need little memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.segment import Ints, Segment, TextCells
from runtower.domain import runs
from runtower.domain.runs import Kind
from runtower.domain.values import is_missing

_BLOCK: Final = 2000
_FAMILIES: Final = {Kind.METRIC: "metrics", Kind.PARAM: "params", Kind.TAG: "tags"}
_TIMES: Final = frozenset(key.key for key in runs.TIME_ATTRIBUTES)
Record = dict[str, Any]


def number(value: float) -> float | int | str | None:
    """A number as JSON can hold it: NaN and the infinities are words, 'no value' is null."""
    if is_missing(value):
        return None
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def records(catalogue: Catalogue, rows: Sequence[int]) -> Iterator[Record]:
    """One object a run, in the order of `rows` (global)."""
    for start in range(0, len(rows), _BLOCK):
        block = np.asarray(rows[start : start + _BLOCK], np.int32)
        yield from _block(catalogue, block)


def _block(catalogue: Catalogue, block: Ints) -> list[Record]:
    values: dict[int, dict[Kind, dict[str, Any]]] = {row: {kind: {} for kind in Kind} for row in block.tolist()}
    for source, table in enumerate(catalogue.sources):
        globals_ = catalogue.global_rows(source)
        mine = np.flatnonzero(np.isin(globals_, block)).astype(np.int32)
        if not len(mine):
            continue
        for segment in table.segments:
            local = mine[np.isin(mine, segment.rows)]
            if len(local):
                _add(values, segment, local, globals_)
    return [_record(catalogue, row, values[row]) for row in block.tolist()]


def _add(values: dict[int, dict[Kind, dict[str, Any]]], segment: Segment, local: Ints, globals_: Ints) -> None:
    """What one piece says; a piece that gives runs whole takes back what older pieces said of them."""
    if segment.whole:
        for row in globals_[local].tolist():
            for family in values[row].values():
                family.clear()
    for key, entry in segment.entries.items():
        cells = segment.texts(key) if entry.is_text else segment.numbers(key)
        if not len(cells.rows):
            continue
        at = np.minimum(np.searchsorted(cells.rows, local), len(cells.rows) - 1)
        hit = cells.rows[at] == local
        if not hit.any():
            continue
        owners, places = globals_[local[hit]].tolist(), at[hit]
        if isinstance(cells, TextCells):
            codes = cells.codes[places]
            words = cells.texts.take(np.maximum(codes, 0)).to_pylist() if len(cells.texts) else [None] * len(codes)
            said = [word if code >= 0 else None for word, code in zip(words, codes.tolist(), strict=True)]
        else:
            said = [number(value) for value in cells.values[places].tolist()]
        for owner, value in zip(owners, said, strict=True):
            family = values[owner][key.kind]
            if value is None:
                family.pop(key.key, None)
            else:
                family[key.key] = value


def _record(catalogue: Catalogue, row: int, values: dict[Kind, dict[str, Any]]) -> Record:
    key, known = catalogue.run_key(row), values[Kind.ATTRIBUTE]
    experiment_id = known.get("experiment_id")
    experiment = catalogue.source_of(row).experiments.get(experiment_id or "")
    out: Record = {
        "source": key.source,
        "experiment": experiment.name if experiment is not None else experiment_id,
        "run_id": key.run_id,
    }
    for attribute in (runs.NAME, runs.STATUS, runs.SOURCE_STATUS, *runs.TIME_ATTRIBUTES):
        value = known.get(attribute.key)
        out[attribute.key] = int(value) if attribute.key in _TIMES and isinstance(value, float) else value
    for attribute in (
        runs.EXPERIMENT_ID,
        runs.USER,
        runs.LIFECYCLE,
        runs.PARENT,
        runs.SOURCE_NAME,
        runs.GIT_COMMIT,
        runs.ARTIFACT_URI,
    ):
        out[attribute.key] = known.get(attribute.key)
    for kind, name in _FAMILIES.items():
        out[name] = dict(sorted(values[kind].items()))
    return out
