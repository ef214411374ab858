"""`compare`: metrics and varying params of some runs in one table, then their environments, code and data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from runtower.acts import export
from runtower.acts.run_compare import Figure, MetricRow, RunComparison, compare
from runtower.acts.run_config import PARAMS, of_run
from runtower.acts.run_origins import Origins, origins_of
from runtower.acts.seed_words import SAID_OF_SPREADS, group_labels
from runtower.acts.sides import told_once
from runtower.commands import origin_listing
from runtower.commands.compare_groups import (
    exact_group_rows,
    group_record,
    group_rows,
    metric_title,
)
from runtower.commands.diff_listing import plain_json
from runtower.commands.listing import resolved, write
from runtower.commands.opening import Asked, context, opened
from runtower.commands.tables import csv_lines, plain_lines
from runtower.config.rows import Unset
from runtower.config.rules import said_of
from runtower.config.tree import dotted
from runtower.config.words import said
from runtower.present.markdown import markdown_lines
from runtower.present.numbers import exact
from runtower.present.spans import inert


@dataclass(frozen=True, slots=True)
class CompareWish:
    """What is asked for: `form` '' (for people), json, csv or md; with `seeds` groups instead of runs; metrics at a
    `step`, None for the last one."""

    form: str = ""
    where: str = ""
    strict: bool = False
    seeds: bool = False
    step: int | None = None


def print_comparison(asked: Asked, texts: Sequence[str], wish: CompareWish) -> None:
    """Print it. Raises TowerError."""
    asyncio.run(_print(asked, texts, wish))


async def _print(asked: Asked, texts: Sequence[str], wish: CompareWish) -> None:
    work = context(asked)
    async with opened(work, asked.patience) as tower:
        named = (resolved(tower.catalogue, text, wish.where, work.settings.metrics) for text in texts)
        rows = list(dict.fromkeys(named))
        found = await compare(tower, rows, work.settings, wish.strict, wish.step)
        origins = await origins_of(tower, rows, Path.cwd())
    runs = [run.label for run in found.runs]
    labels = group_labels(found.groups, runs) if wish.seeds else runs
    if wish.form == "json":
        write([_json(found, origins)])
    elif wish.form == "csv":
        lines = exact_group_rows(found) if wish.seeds else chain(_exact_rows(found), origin_listing.csv_rows(origins))
        write(csv_lines(["kind", "key", "figure", *labels], lines))
    else:
        shown = group_rows(found) if wish.seeds else _rows(found)
        if wish.form == "md":
            write(markdown_lines(["", *labels], shown))
            write(["\n", _summary(found, wish.seeds), *origin_listing.markdown(origins, runs)])
        else:
            write(plain_lines(["", *labels], shown, [False] * (len(labels) + 1)))
            write([_summary(found, wish.seeds), *origin_listing.plain(origins, runs)])


# -- for people


def _rows(found: RunComparison) -> Iterator[list[str]]:
    for metric in found.metrics:
        yield [metric_title(metric, found), *(_figure(one, found.step) for one in metric.figures)]
        if any(one.best is not None for one in metric.figures):
            yield [
                f"{metric.key} {metric.goal}",
                *("" if one.best is None else exact(one.best) for one in metric.figures),
            ]
    for row in found.params.rows:
        yield [dotted(row.path), *map(said, row.values)]


def _figure(one: Figure, step: int | None) -> str:
    """`0.2207 +0.0093 worse`, `0.2114 best`, `0.3 at 9` where there is none at the step that was asked for."""
    if one.last is None:
        return "not logged"
    value = one.last if step is None else one.at
    if value is None:
        return "not yet logged"
    words = [exact(value)]
    if one.at_step is not None and one.at_step != step:
        words.append(f"at {one.at_step}")
    if one.delta is not None:
        words.append(f"{one.delta:+.4g}")
    words.append("best" if one.leads else one.direction)
    return " ".join(word for word in words if word)


def _summary(found: RunComparison, seeds: bool) -> str:
    varying = f"{len(found.params.rows)} params vary" if found.params.rows else "no param varies"
    text = f"{varying}, {found.params.equal} equal{said_of(found.params.hidden)}"
    if seeds:
        text += f"\n{SAID_OF_SPREADS}"
    elif any(len(group) > 1 for group in found.groups):
        text += "\nSome of the runs differ only in what is ignored: --seeds takes them together, with their spread."
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
        for figure in ("last", "at", "at_step", "best", "delta"):
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
        "step": found.step,
        "groups": found.groups,
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
            "at": number(one.at),
            "at_step": one.at_step,
            "best": number(one.best),
            "delta": number(one.delta),
            "direction": one.direction or None,
            "leads": one.leads,
        }
        for one in metric.figures
    ]
    groups = [group_record(one) for one in metric.groups]
    return {"key": metric.key, "goal": metric.goal or None, "values": values, "groups": groups}
