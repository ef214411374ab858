"""`runs`, `show` and `metric`: the runs table, one run, and one history, without a screen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from runtower.acts import export
from runtower.acts.resolve import metric_key, resolve
from runtower.acts.saved_views import named, read
from runtower.acts.tower import Tower
from runtower.acts.where import matching
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import NumberColumn
from runtower.catalog.grouping import Groups
from runtower.catalog.segment import Ints
from runtower.commands import group_listing
from runtower.commands.choosing import Wish, columns_of, metrics_of, view_of, where_of
from runtower.commands.opening import Asked, context, opened
from runtower.commands.tables import csv_lines, json_array, plain_lines
from runtower.domain import runs
from runtower.domain.errors import NotFound
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.series import MetricSeries
from runtower.link.wire import History
from runtower.present.markdown import markdown_lines
from runtower.present.numbers import exact
from runtower.present.spans import inert
from runtower.present.times import duration, iso
from runtower.settings import MetricSettings

_TIMES = runs.TIME_ATTRIBUTES


def list_runs(asked: Asked, wish: Wish, form: str) -> None:
    """Print the runs. Raises TowerError."""
    asyncio.run(_list_runs(asked, wish, form))


async def _list_runs(asked: Asked, wish: Wish, form: str) -> None:
    work = context(asked)
    saved = named(work.settings.views, wish.view) if wish.view else None
    experiments = wish.experiments or (saved.experiments if saved is not None else ())
    async with opened(work, asked.patience, experiments) as tower:
        catalogue = tower.catalogue
        view = read(saved, catalogue) if saved is not None else None
        found = view_of(catalogue, wish, view, work.settings.metrics)
        if found.groups is not None:
            keys = metrics_of(catalogue, wish, view, found.groups.rows)
            write(_grouped(catalogue, found.groups, keys, wish.limit, form, work.settings.metrics))
            return
        rows = found.rows
        if wish.limit is not None and len(rows) > wish.limit:
            sys.stderr.write(f"{wish.limit} of {len(rows)} runs; --limit cut the rest\n")
            rows = rows[: wish.limit]
        if form == "json":
            write(json_array(export.records(catalogue, rows.tolist())))
            return
        columns = columns_of(catalogue, wish, view, rows, bool(form))
        head = [key.key if key.kind is Kind.ATTRIBUTE else str(key) if form else key.key for key in columns]
        if form:
            lines = csv_lines if form == "csv" else markdown_lines
            write(lines(head, _cells(catalogue, columns, rows, exactly=True)))
        else:
            right = [isinstance(catalogue.column(key), NumberColumn) and key not in _TIMES for key in columns]
            write(plain_lines(head, _cells(catalogue, columns, rows, exactly=False), right))


def show_run(asked: Asked, text: str, where: str, form: str) -> None:
    """Print all that is known of one run, of those that `where` finds. Raises TowerError."""
    asyncio.run(_show_run(asked, text, where, form))


async def _show_run(asked: Asked, text: str, where: str, form: str) -> None:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        row = resolved(tower.catalogue, text, where, work.settings.metrics)
        record = next(export.records(tower.catalogue, [row]))
        write(json_array([record]) if form == "json" else _run_lines(record))


def print_metric(asked: Asked, text: str, key: str, where: str, form: str) -> None:
    """Print the whole history of the metric of a run, one of those that `where` finds. Raises TowerError."""
    asyncio.run(_print_metric(asked, text, key, where, form))


async def _print_metric(asked: Asked, text: str, key: str, where: str, form: str) -> None:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        row = resolved(tower.catalogue, text, where, work.settings.metrics)
        metric = metric_key(tower.catalogue, key)
        series = await _history(tower, row, metric)
        run = tower.catalogue.run_key(row)
        points = zip(series.steps.tolist(), series.times.tolist(), series.values.tolist(), strict=True)
        if form == "json":
            write(
                json_array(
                    {"run_id": run.run_id, "key": metric.key, "step": step, "time": then, "value": export.number(value)}
                    for step, then, value in points
                )
            )
            return
        rows = ([str(step), iso(then), _number(value)] for step, then, value in points)
        head = ["step", "time", "value"]
        write(csv_lines(head, rows) if form == "csv" else plain_lines(head, rows, [True, False, True]))


async def _history(tower: Tower, row: int, metric: ColumnKey) -> MetricSeries:
    run = tower.catalogue.run_key(row)
    link = tower.links[int(tower.catalogue.source_numbers()[row])]
    if tower.catalogue.numbers(metric).number(row) is None:
        raise NotFound(f"Run {run.run_id} has no metric '{metric.key}'.", f"runtower show {run.run_id} lists them.")
    return await link.ask(History(run.run_id, metric.key))


def _grouped(
    catalogue: Catalogue,
    groups: Groups,
    keys: Sequence[ColumnKey],
    most: int | None,
    form: str,
    metrics: Mapping[str, MetricSettings],
) -> Iterator[str]:
    """The groups instead of their runs."""
    if most is not None and len(groups) > most:
        sys.stderr.write(f"{most} of {len(groups)} groups; --limit cut the rest\n")
    records = group_listing.group_records(catalogue, groups, keys, metrics, len(groups) if most is None else most)
    if form == "json":
        return json_array(records)
    head = group_listing.head(groups.by, keys, bool(form))
    lines = group_listing.table(list(records), keys, bool(form))
    if form:
        return (csv_lines if form == "csv" else markdown_lines)(head, lines)
    return plain_lines(head, lines, [False, True, False, *([True] * (len(head) - 3))])


def resolved(catalogue: Catalogue, text: str, where: str, metrics: Mapping[str, MetricSettings]) -> int:
    return resolve(catalogue, text, metrics, matching(catalogue, where_of(catalogue, where)) if where else None)


# -- cells


def _cells(catalogue: Catalogue, columns: Sequence[ColumnKey], rows: Ints, exactly: bool) -> Iterator[list[str]]:
    """Texts by row. `exactly`: raw, numbers in full, ids whole; else as a person reads them."""
    known = [(key, catalogue.column(key)) for key in columns]
    for row in rows.tolist():
        out: list[str] = []
        for key, column in known:
            if isinstance(column, NumberColumn):
                value = column.number(row)
                out.append("" if value is None else _shown(key, value, exactly))
            else:
                text = column.text(row) or ""
                out.append(text[:8] if key == runs.RUN_ID and not exactly and len(text) == 32 else text)
        yield out


def _shown(key: ColumnKey, value: float, exactly: bool) -> str:
    if key in _TIMES:
        return _time(value)
    if exactly:
        return _number(value)
    return duration(value) if key == runs.DURATION else exact(value)


def _time(value: float) -> str:
    """ISO 8601; the number itself for a time that no calendar has."""
    try:
        return iso(value)
    except (OverflowError, OSError, ValueError):
        return repr(value)


def _number(value: float) -> str:
    if not np.isfinite(value):
        return str(export.number(value))
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _run_lines(record: export.Record) -> Iterator[str]:
    for name, value in record.items():
        if isinstance(value, dict):
            if value:
                yield f"\n{name}\n"
            for key, one in value.items():
                yield f"  {inert(key)}  {exact(one) if isinstance(one, float) else inert(str(one))}\n"
        elif value is not None:
            yield f"{name}  {_time(value) if isinstance(value, int) else inert(str(value))}\n"


def write(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()
