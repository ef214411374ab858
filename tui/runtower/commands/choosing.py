"""What the words of `runs`, `show` and `metric` mean: which rows, in which order or groups, and which columns."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runtower.acts.choose import first_columns, goal_of
from runtower.acts.layout import CURVE
from runtower.acts.saved_views import SavedView, experiments_of
from runtower.acts.where import understood
from runtower.catalog import view as views
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query.tree import Where
from runtower.catalog.segment import Ints
from runtower.catalog.view import Query, View
from runtower.domain import runs
from runtower.domain.errors import Invalid
from runtower.domain.runs import ColumnKey, Kind
from runtower.present.spans import inert
from runtower.settings import MetricSettings

_ATTRIBUTES: Final = {
    key.key: key
    for key in (*runs.TEXT_ATTRIBUTES, *runs.TIME_ATTRIBUTES, runs.RUN_ID, runs.EXPERIMENT, runs.SOURCE, runs.DURATION)
}


@dataclass(frozen=True)
class Wish:
    """What `runs` was asked for."""

    experiments: Sequence[str] = ()
    sort: str = ""
    columns: str = ""
    limit: int | None = None
    deleted: bool = False
    where: str = ""
    view: str = ""
    group: str = ""


def where_of(catalogue: Catalogue, text: str) -> Where:
    """A query; what is odd about it is said on stderr."""
    return _doubted(understood(catalogue, text))


def _doubted(where: Where) -> Where:
    for doubt in where.doubts:
        sys.stderr.write(f"runtower: {inert(doubt)}\n")
    return where


def view_of(
    catalogue: Catalogue,
    wish: Wish,
    view: SavedView | None,
    metrics: Mapping[str, MetricSettings],
) -> View:
    """The runs, in groups where these were asked for. What the words of the command say goes before what the view says.

    Raises Invalid, NotFound.
    """
    chosen = experiments_of(catalogue, wish.experiments)
    where = where_of(catalogue, wish.where) if wish.where else None
    query = Query(sort=(_sort(catalogue, wish.sort),)) if wish.sort else Query()
    if view is not None:
        chosen = chosen or view.experiments
        where = where or (_doubted(view.where) if view.where is not None else None)
        looked = (*query.searched, *(key for key in view.columns if key != CURVE))
        sort = query.sort if wish.sort else view.sort or query.sort
        query = replace(query, sources=view.sources, words=view.words, searched=tuple(dict.fromkeys(looked)), sort=sort)
    query = replace(query, experiments=chosen, where=where, now_ms=time.time() * 1000, tree=False, deleted=wish.deleted)
    largest = frozenset(key for key, _ in query.sort if goal_of(key, metrics) == "max")
    query = replace(query, group=column_named(catalogue, wish.group) if wish.group else None, largest=largest)
    return views.compute(views.frame_of(catalogue, query, None), query)


def _sort(catalogue: Catalogue, text: str) -> tuple[ColumnKey, bool]:
    name, _, direction = text.rpartition(":")
    if direction not in ("asc", "desc") or not name:
        name, direction = text, "asc"
    return column_named(catalogue, name), direction == "desc"


def column_named(catalogue: Catalogue, name: str) -> ColumnKey:
    """The column of a name: an attribute, `metrics.`, `params.` or `tags.` and a key, or a bare key of one of them.

    Raises Invalid.
    """
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    known = catalogue.keys()
    family, _, rest = name.partition(".")
    kinds = {f"{kind}s": kind for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG)}
    if family in kinds and (key := ColumnKey(kinds[family], rest)) in known:
        return key
    for kind in kinds.values():
        if (key := ColumnKey(kind, name)) in known:
            return key
    raise Invalid(f"There is no column '{name}'.", "Attributes, metrics.KEY, params.KEY and tags.KEY are columns.")


def columns_of(catalogue: Catalogue, wish: Wish, view: SavedView | None, rows: Ints, whole: bool) -> list[ColumnKey]:
    """The columns of a table of runs; `whole` for machines. Raises Invalid."""
    if wish.columns:
        return [column_named(catalogue, name.strip()) for name in wish.columns.split(",") if name.strip()]
    if view is not None and view.columns:
        return [runs.RUN_ID, runs.NAME, *(key for key in view.columns if key not in (CURVE, runs.RUN_ID))]
    metric, metrics, params = first_columns(catalogue, rows[:2000])
    chosen = [*([metric] if metric else []), *metrics, *params]
    many = len(catalogue.sources) > 1
    lead = [runs.SOURCE] if many else []
    if whole:
        return [*lead, runs.EXPERIMENT, runs.RUN_ID, runs.NAME, runs.STATUS, runs.START_TIME, runs.END_TIME, *chosen]
    return [*lead, runs.RUN_ID, runs.NAME, runs.STATUS, runs.START_TIME, runs.DURATION, *chosen]


def metrics_of(catalogue: Catalogue, wish: Wish, saved: SavedView | None, rows: Ints) -> list[ColumnKey]:
    """The metrics that are told of groups: those asked for, else those of the order, the view, or a first look.

    Raises Invalid for a column that is none.
    """
    if wish.columns:
        keys = [column_named(catalogue, name.strip()) for name in wish.columns.split(",") if name.strip()]
        odd = [key for key in keys if key.kind is not Kind.METRIC]
        if odd:
            raise Invalid(f"{odd[0]} is no metric.", "With --group, --columns names metrics.")
        return keys
    sort = [_sort(catalogue, wish.sort)[0]] if wish.sort else []
    view = [*saved.columns, *([saved.metric] if saved.metric else [])] if saved is not None else []
    asked = [key for key in dict.fromkeys([*sort, *view]) if key.kind is Kind.METRIC]
    metric = None if asked else first_columns(catalogue, rows[:2000])[0]
    return [metric] if metric is not None else asked
