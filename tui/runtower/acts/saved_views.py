"""Views that are saved by name in the settings: from what is shown to one, and from one to what is shown."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from runtower.acts.browse import Browser
from runtower.acts.columns import Columns
from runtower.acts.layout import CURVE
from runtower.acts.where import understood
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.query import names
from runtower.catalog.query.tree import Where
from runtower.catalog.words_filter import WordsFilter, parse
from runtower.domain import runs
from runtower.domain.errors import Invalid, NotFound
from runtower.domain.runs import ColumnKey, Kind
from runtower.settings import ViewSettings

_DESCENDING: Final = ":desc"


@dataclass(frozen=True)
class SavedView:
    """A view, understood over a catalogue. `sources` and `experiments` None mean all; `columns` are those beside
    the name; `group` None is no grouping."""

    sources: frozenset[int] | None
    experiments: frozenset[tuple[int, str]] | None
    where: Where | None
    words: WordsFilter
    filter: str
    sort: tuple[tuple[ColumnKey, bool], ...]
    group: ColumnKey | None
    columns: tuple[ColumnKey, ...]
    metric: ColumnKey | None
    differing: bool = False


def named(views: Mapping[str, ViewSettings], name: str) -> ViewSettings:
    """The view of that name. Raises NotFound with the nearest names."""
    if name in views:
        return views[name]
    near = difflib.get_close_matches(name, views, 3, 0.5) or sorted(views)[:10]
    raise NotFound(f"No view is called '{name}'.", f"There is {', '.join(near)}." if near else "None is saved yet.")


def read(view: ViewSettings, catalogue: Catalogue) -> SavedView:
    """A view over what is known now. Raises Invalid for words without sense, NotFound for a source or an experiment."""
    columns = tuple(column_of(name) for name in view.columns)
    return SavedView(
        sources=sources_of(catalogue, view.sources),
        experiments=experiments_of(catalogue, view.experiments),
        where=understood(catalogue, view.where) if view.where.strip() else None,
        words=parse(view.filter),
        filter=view.filter,
        sort=tuple(
            (column_of(name.removesuffix(_DESCENDING)), name.endswith(_DESCENDING)) for name in view.sort if name
        ),
        group=_group_of(view.group),
        columns=tuple(key for key in columns if key != runs.NAME),
        metric=column_of(view.metric) if view.metric else None,
        differing=view.differing,
    )


def column_of(name: str) -> ColumnKey:
    """A column by its whole name. Raises Invalid for a key without its family."""
    if name == CURVE.key:
        return CURVE
    field = names.field_of(name, (0, len(name)))
    if field.family not in (None, Kind.ATTRIBUTE) and field.key:
        return ColumnKey(field.family, field.key)
    if field.key in names.ATTRIBUTES:
        return names.ATTRIBUTES[field.key]
    raise Invalid(f"A view's '{name}' is no column.", "Write metrics.KEY, params.KEY, tags.KEY or an attribute.")


def _group_of(name: str) -> ColumnKey | None:
    if name == CURVE.key:
        raise Invalid("A view can't group by the curve.", "Group by a param, a tag, an attribute or a metric.")
    return column_of(name) if name else None


def sources_of(catalogue: Catalogue, wanted: Sequence[str]) -> frozenset[int] | None:
    """Those sources of these names that are open; None for no name. Raises NotFound where none is."""
    numbers = {table.name: number for number, table in enumerate(catalogue.sources)}
    found = frozenset(numbers[name] for name in wanted if name in numbers)
    if wanted and not found:
        raise NotFound(f"There is no source '{wanted[0]}'.", f"Sources here: {', '.join(numbers)}.")
    return found or None


def experiments_of(catalogue: Catalogue, wanted: Sequence[str]) -> frozenset[tuple[int, str]] | None:
    """Experiments by name or id, in every source that has them; None for none. Raises NotFound with those there are."""
    if not wanted:
        return None
    known = [(n, one) for n, table in enumerate(catalogue.sources) for one in table.experiments.values()]
    chosen: set[tuple[int, str]] = set()
    for name in wanted:
        hits = {(n, one.experiment_id) for n, one in known if name in (one.name, one.experiment_id)}
        if not hits:
            there = ", ".join(sorted({one.name for _, one in known})[:10])
            raise NotFound(f"There is no experiment '{name}'.", f"There is {there}." if there else "There is none.")
        chosen |= hits
    return frozenset(chosen)


def show(view: SavedView, browser: Browser, columns: Columns) -> None:
    """Bring a view to the table; what it doesn't say is as at the first look. An order has to follow."""
    browser.choose_sources(view.sources)
    browser.choose_experiments(view.experiments)
    browser.filter_text = view.filter.strip()
    browser.query = replace(
        browser.query, words=view.words, where=view.where, sort=view.sort or ((runs.START_TIME, True),)
    )
    browser.group_by(view.group)
    columns.show_all()
    columns.lay_out()
    if view.columns:
        columns.show_exactly(view.columns, view.metric)
    elif view.metric is not None:
        columns.use_metric(view.metric)
    columns.only_differing = view.differing


def as_settings(browser: Browser, shown: Sequence[ColumnKey], metric: ColumnKey | None) -> ViewSettings:
    """What is shown now, as it is written."""
    chosen, query = browser.query.experiments, browser.query
    sources = browser.catalogue.sources
    known = [(sources[number].experiments.get(one), one) for number, one in sorted(chosen or ())]
    return ViewSettings(
        sources=[sources[number].name for number in sorted(query.sources or ())],
        experiments=list(dict.fromkeys(found.name if found is not None else one for found, one in known)),
        where=query.where.whole if query.where is not None else "",
        filter=browser.filter_text,
        sort=[names.spelled(key) + (_DESCENDING if descending else "") for key, descending in query.sort],
        group=names.spelled(query.group) if query.group is not None else "",
        columns=[names.spelled(key) for key in shown if key != runs.NAME],
        metric=names.spelled(metric) if metric is not None and CURVE in shown else "",
    )
