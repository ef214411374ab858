"""A browser's view, put away at the end of a sitting and brought back in the next one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from runtower.acts.browse import Browser
from runtower.acts.remember import KeptColumn, KeptLayout, KeptView, run_pair
from runtower.catalog.catalogue import Catalogue
from runtower.domain.errors import Invalid
from runtower.domain.runs import ColumnKey, Kind, RunKey


def bring_back(kept: KeptView, browser: Browser) -> None:
    """Last time's sources, experiments (where some were chosen), order, groups, filter, query, marks, pins, folds,
    baseline and cursor.

    Runs that aren't known any more are left out.
    """
    catalogue = browser.catalogue
    numbers = {table.name: number for number, table in enumerate(catalogue.sources)}
    shown = frozenset(numbers[name] for name in kept.sources or () if name in numbers)
    browser.choose_sources(shown or None)
    if kept.chosen:
        chosen = {(numbers[source], one) for source, one in kept.experiments or () if source in numbers}
        browser.choose_experiments(frozenset(chosen) if kept.experiments is not None and chosen else None)
    browser.show_tree(kept.tree)
    browser.group_by(kept.group.column() if kept.group is not None else None)
    browser.query = replace(browser.query, folded_groups=frozenset(kept.folded_groups))
    if kept.sort:
        sort = tuple((ColumnKey(Kind(kind), key), descending) for kind, key, descending in kept.sort)
        browser.query = replace(browser.query, sort=sort)
    try:
        browser.set_filter(kept.filter)
    except Invalid:
        browser.clear_filter()
    try:
        browser.set_where(kept.where)
    except Invalid:
        browser.set_where("")
    browser.marks = {row for row in _rows(catalogue, kept.marks) if row >= 0}
    browser.pins = [row for row in _rows(catalogue, kept.pins) if row >= 0]
    folded = frozenset(row for row in _rows(catalogue, kept.folded) if row >= 0)
    browser.query = replace(browser.query, folded=folded)
    browser.baseline = _row(catalogue, kept.baseline)
    browser.cursor = _row(catalogue, kept.cursor)


def put_away(
    browser: Browser, before: KeptView, layouts: dict[str, KeptLayout], *, mine: bool, own_scale: bool
) -> KeptView:
    """What to remember; what isn't of the browser stays as it was `before`."""
    catalogue, query = browser.catalogue, browser.query
    alive = catalogue.alive()

    def pair(row: int) -> tuple[str, str]:
        return run_pair(catalogue.run_key(row))

    chosen = query.experiments
    return KeptView(
        seen_ms=int(time.time() * 1000),
        sources=None if query.sources is None else [catalogue.sources[n].name for n in sorted(query.sources)],
        experiments=None if chosen is None else [(catalogue.sources[n].name, one) for n, one in sorted(chosen)],
        chosen=True,
        mine=mine,
        tree=query.tree,
        own_scale=own_scale,
        filter=browser.filter_text,
        where=query.where.whole if query.where is not None else "",
        group=KeptColumn.of(query.group) if query.group is not None else None,
        folded_groups=sorted(query.folded_groups, key=lambda key: (key is None, key)),
        sort=[(str(key.kind), key.key, descending) for key, descending in query.sort],
        layouts=layouts,
        marks=[pair(row) for row in sorted(browser.marks) if alive[row]],
        pins=[pair(row) for row in browser.pins if alive[row]],
        folded=[pair(row) for row in sorted(query.folded) if alive[row]],
        baseline=pair(browser.baseline) if browser.baseline is not None and alive[browser.baseline] else None,
        cursor=pair(browser.cursor) if isinstance(browser.cursor, int) and alive[browser.cursor] else None,
        details=before.details,
        demo_dismissed=before.demo_dismissed,
        launch=before.launch,
    )


def _rows(catalogue: Catalogue, pairs: Sequence[tuple[str, str]]) -> list[int]:
    return [int(row) for row in catalogue.rows_of([RunKey(*pair) for pair in pairs])] if pairs else []


def _row(catalogue: Catalogue, pair: tuple[str, str] | None) -> int | None:
    row = _rows(catalogue, [pair])[0] if pair else -1
    return row if row >= 0 else None
