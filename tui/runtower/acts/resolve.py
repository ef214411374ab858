"""From what a user types to one run: id, unique prefix of an id, unique name, `@best:KEY`. The only place that does."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from runtower.acts.choose import goal
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query.mask import Mask
from runtower.domain import runs
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.runs import ColumnKey, Kind
from runtower.settings import MetricSettings

BEST: Final = "@best:"
_CANDIDATES: Final = 10


def resolve(catalogue: Catalogue, text: str, metrics: Mapping[str, MetricSettings], among: Mask | None = None) -> int:
    """The global row of a run, of those that are `among` (by global row). Raises NotFound (nothing, or several),
    Invalid (a goal that isn't known)."""
    there = catalogue.alive() if among is None else catalogue.alive() & among
    if text.startswith(BEST):
        return _best(catalogue, text.removeprefix(BEST).removeprefix("metrics."), metrics, there)
    if not text:
        raise Invalid("An empty text names no run.", "Give an id, the beginning of one, a name or @best:METRIC.")
    by_prefix: list[int] = []
    for number, table in enumerate(catalogue.sources):
        rows = catalogue.global_rows(number)
        for local, run_id in enumerate(table.run_ids()):
            if run_id.startswith(text) and there[rows[local]]:
                by_prefix.append(int(rows[local]))
    exact = [row for row in by_prefix if catalogue.run_key(row).run_id == text]
    if exact:
        return _only(catalogue, text, exact)
    named = _named(catalogue, text, there)
    return _only(catalogue, text, sorted({*by_prefix, *named}))


def metric_key(catalogue: Catalogue, text: str) -> ColumnKey:
    """The metric of that name, with or without `metrics.`. Raises NotFound with the nearest names."""
    known_keys = catalogue.keys()
    known = [key.key for key in known_keys if key.kind is Kind.METRIC]
    for name in (text, text.removeprefix("metrics.")):
        if name in known:
            return ColumnKey(Kind.METRIC, name)
    near = difflib.get_close_matches(text, known, 3, 0.5) or sorted(known)[:_CANDIDATES]
    raise NotFound(f"No run has a metric '{text}'.", f"There is {', '.join(near)}." if near else "")


def _best(catalogue: Catalogue, text: str, metrics: Mapping[str, MetricSettings], there: Mask) -> int:
    key = metric_key(catalogue, text)
    wanted = goal(key.key, metrics)
    if not wanted:
        raise Invalid(
            f"Whether a small or a large {key.key} is good isn't known.",
            f"Set metrics.{key.key}.goal to min or max in the settings.",
        )
    values = catalogue.numbers(key).values.copy()
    values[~there | ~np.isfinite(values) | _deleted(catalogue)] = np.nan
    if np.isnan(values).all():
        which = "No run" if there.sum() == catalogue.alive().sum() else "No run that matches the query"
        raise NotFound(f"{which} has a finite {key.key}.")
    return int(np.nanargmin(values) if wanted == "min" else np.nanargmax(values))


def _deleted(catalogue: Catalogue) -> Mask:
    lifecycle = catalogue.texts(runs.LIFECYCLE)
    gone = [code for code, word in enumerate(lifecycle.words.to_pylist()) if word == "deleted"]
    return np.isin(lifecycle.codes, gone)


def _named(catalogue: Catalogue, text: str, there: Mask) -> Sequence[int]:
    names = catalogue.texts(runs.NAME)
    codes = [code for code, word in enumerate(names.words.to_pylist()) if word == text]
    hits: list[int] = np.flatnonzero(np.isin(names.codes, codes) & there).tolist()
    living = [row for row in hits if not _deleted(catalogue)[row]]
    return living or hits


def _only(catalogue: Catalogue, text: str, rows: Sequence[int]) -> int:
    if len(rows) == 1:
        return rows[0]
    if not rows:
        raise NotFound(f"No run is called '{text}' or has an id that begins so.", "runtower runs lists them.")
    names = catalogue.texts(runs.NAME)
    candidates = [f"{catalogue.run_key(row).run_id} ({names.text(row) or 'no name'})" for row in rows[:_CANDIDATES]]
    more = f", and {len(rows) - _CANDIDATES} more" if len(rows) > _CANDIDATES else ""
    raise NotFound(f"'{text}' fits {len(rows)} runs: {', '.join(candidates)}{more}.", "Give a whole id.")
