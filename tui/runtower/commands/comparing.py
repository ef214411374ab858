"""`compare`: metrics and varying params of some runs in one table, then their environments, code and data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from runtower.acts import export
from runtower.acts.run_compare import Figure, MetricRow, RunComparison, compare
from runtower.acts.run_config import PARAMS, of_run
from runtower.acts.run_origins import Origins, origins_of
from runtower.acts.sides import told_once
from runtower.commands import origin_listing
from runtower.commands.diff_listing import plain_json
from runtower.commands.listing import resolved, write
from runtower.commands.opening import Asked, context, opened
from runtower.commands.tables import csv_lines, plain_lines
from runtower.config.rows import Unset
from runtower.config.tree import dotted
from runtower.config.words import said
from runtower.present.markdown import markdown_lines
from runtower.present.numbers import exact
from runtower.present.spans import inert


def print_comparison(asked: Asked, texts: Sequence[str], where: str, strict: bool, form: str) -> None:
    """Print it; `form` is '' (for people), json, csv or md. Raises TowerError."""
    asyncio.run(_print(asked, texts, where, strict, form))


async def _print(asked: Asked, texts: Sequence[str], where: str, strict: bool, form: str) -> None:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        named = (resolved(tower.catalogue, text, where, work.settings.metrics) for text in texts)
        rows = list(dict.fromkeys(named))
        found = await compare(tower, rows, work.settings, strict)
        origins = await origins_of(tower, rows, Path.cwd())
    labels = [run.label for run in found.runs]
    if form == "json":
        write([_json(found, origins)])
    elif form == "csv":
        rows_of_all = chain(_exact_rows(found), origin_listing.csv_rows(origins))
        write(csv_lines(["kind", "key", "figure", *labels], rows_of_all))
    elif form == "md":
        write(markdown_lines(["", *labels], _rows(found)))
        write(["\n", _summary(found), *origin_listing.markdown(origins, labels)])
    else:
        write(plain_lines(["", *labels], _rows(found), [False] * (len(labels) + 1)))
        write([_summary(found), *origin_listing.plain(origins, labels)])


# -- for people


def _rows(found: RunComparison) -> Iterator[list[str]]:
    for metric in found.metrics:
        yield [metric.key, *(_figure(one) for one in metric.figures)]
        if any(one.best is not None for one in metric.figures):
            yield [
                f"{metric.key} {metric.goal}",
                *("" if one.best is None else exact(one.best) for one in metric.figures),
            ]
    for row in found.params.rows:
        yield [dotted(row.path), *map(said, row.values)]


def _figure(one: Figure) -> str:
    """`0.2207 +0.0093 worse`, `0.2114 best`."""
    if one.last is None:
        return "not logged"
    words = [exact(one.last)]
    if one.delta is not None:
        words.append(f"{one.delta:+.4g}")
    words.append("best" if one.leads else one.direction)
    return " ".join(word for word in words if word)


def _summary(found: RunComparison) -> str:
    varying = f"{len(found.params.rows)} params vary" if found.params.rows else "no param varies"
    text = f"{varying}, {found.params.equal} equal"
    if found.params.hidden:
        rules = dict.fromkeys(one.rule for one in found.params.hidden)
        text += f", {len(found.params.hidden)} ignored by rules ({', '.join(rules)})"
    origin = _config_origin(found)
    return f"{text}\n" + (f"config: {inert(origin)}\n" if origin != PARAMS else "")


def _config_origin(found: RunComparison) -> str:
    """Where the configs are from: once where it is the same, else with whose they are."""
    parts = [
        origin.replace(of_run(run.name, run.run_id), "", 1)
        for run, origin in zip(found.runs, found.configs, strict=True)
    ]
    return told_once(parts, [run.label for run in found.runs])


# -- for machines


def _exact_rows(found: RunComparison) -> Iterator[list[str]]:
    for metric in found.metrics:
        for figure in ("last", "best", "delta"):
            values = [getattr(one, figure) for one in metric.figures]
            if any(value is not None for value in values):
                yield ["metric", metric.key, figure, *map(_exact, values)]
    for row in found.params.rows:
        yield ["param", dotted(row.path), "", *("" if isinstance(v, Unset) else said(v) for v in row.values)]


def _exact(value: float | None) -> str:
    return "" if value is None else str(export.number(value))


def _json(found: RunComparison, origins: Origins) -> str:
    record = {
        "runs": [
            {"source": run.source, "run_id": run.run_id, "name": run.name, "status": run.status, "config": origin}
            for run, origin in zip(found.runs, found.configs, strict=True)
        ],
        "metrics": [_metric_record(metric) for metric in found.metrics],
        "params": [
            {
                "path": dotted(row.path),
                "values": [{} if isinstance(v, Unset) else {"value": plain_json(v)} for v in row.values],
            }
            for row in found.params.rows
        ],
        "equal": found.params.equal,
        "ignored": [{"path": dotted(one.path), "rule": one.rule} for one in found.params.hidden],
        **origin_listing.record(origins),
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def _metric_record(metric: MetricRow) -> dict[str, Any]:
    def number(value: float | None) -> Any:
        return None if value is None else export.number(value)

    values = [
        {
            "last": number(one.last),
            "best": number(one.best),
            "delta": number(one.delta),
            "direction": one.direction or None,
            "leads": one.leads,
        }
        for one in metric.figures
    ]
    return {"key": metric.key, "goal": metric.goal or None, "values": values}
