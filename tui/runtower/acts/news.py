"""What happened while nobody looked, in one line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from runtower.acts.choose import goal
from runtower.catalog.catalogue import Catalogue
from runtower.catalog.segment import Ints
from runtower.domain import runs
from runtower.domain.runs import ColumnKey
from runtower.present.numbers import exact
from runtower.present.times import clock
from runtower.settings import MetricSettings


def since(
    catalogue: Catalogue,
    rows: Ints,
    seen_ms: int,
    now_ms: float,
    metric: ColumnKey | None,
    settings: Mapping[str, MetricSettings],
) -> str:
    """`since yesterday 18:10: 4 finished, 1 failed, new best val_loss 0.198`; '' where nothing happened."""
    if not seen_ms or not len(rows):
        return ""
    started = catalogue.numbers(runs.START_TIME).values[rows]
    ended = catalogue.numbers(runs.END_TIME).values[rows]
    late = ended > seen_ms
    status = catalogue.texts(runs.STATUS)
    parts = []
    for word, said in (("FINISHED", "finished"), ("FAILED", "failed"), ("KILLED", "killed")):
        count = sum(status.text(row) == word for row in rows[late].tolist())
        if count:
            parts.append(f"{count} {said}")
    going = int(((started > seen_ms) & ~late).sum())
    if going:
        parts.append(f"{going} started")
    best = _new_best(catalogue, rows, late, metric, settings)
    if best:
        parts.append(best)
    return f"since {clock(seen_ms, now_ms)}: {', '.join(parts)}" if parts else ""


def _new_best(
    catalogue: Catalogue,
    rows: Ints,
    late: np.ndarray[tuple[int], np.dtype[np.bool_]],
    metric: ColumnKey | None,
    settings: Mapping[str, MetricSettings],
) -> str:
    wanted = goal(metric.key, settings) if metric is not None else ""
    if metric is None or not wanted:
        return ""
    values = catalogue.numbers(metric).values[rows]
    values = values if wanted == "min" else -values
    new, old = values[late & np.isfinite(values)], values[~late & np.isfinite(values)]
    if not len(new) or not len(old) or new.min() >= old.min():
        return ""
    best = float(new.min() if wanted == "min" else -new.min())
    return f"new best {metric.key} {exact(best)}"
