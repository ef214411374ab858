"""Which metric and which columns an experiment shows until its user says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import numpy as np

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.segment import Ints
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import MISSING_BITS, number_of
from runtower.settings import MetricSettings

_CANDIDATES: Final = 60
_SAMPLE: Final = 400
_PARAMS: Final = 6
_METRICS: Final = 2
_STAGES: Final = (r"(^|[/_.\-])(val|valid|validation|eval|dev)", r"(^|[/_.\-])test", r"(^|[/_.\-])train")
_BOOKKEEPING: Final = re.compile(
    r"(^|[/_.])(epoch|step|global_step|lr|lr-\w+|learning_rate|time|throughput|seed|.*_time|time.*|grad_norm)$|^system/",
    re.IGNORECASE,
)
_SMALL_IS_GOOD: Final = re.compile(
    r"loss|err(or)?(?![a-z])|perplexity|ppl|rmse|mae|mse|wer|cer|fid|nll|bpb|latency|regret", re.IGNORECASE
)
_LARGE_IS_GOOD: Final = re.compile(
    r"acc(uracy)?|auc|auroc|f1|map(?![a-z])|precision|recall|r2|bleu|rouge|score|reward|iou|dice|ndcg|hit",
    re.IGNORECASE,
)
_TELLING: Final = (
    re.compile(r"(^|[._/])(lr|learning_rate)$", re.IGNORECASE),
    re.compile(r"(^|[._/])(model|arch|architecture|backbone|network)([._/]name)?$", re.IGNORECASE),
)
_NOISE: Final = re.compile(r"path|dir|uri|url|(^|[._/])(seed|name|id|uuid|host|user|version)$", re.IGNORECASE)


def goal(metric: str, settings: Mapping[str, MetricSettings]) -> str:
    """`min` or `max`: from the settings, else by the name, '' where the name tells nothing."""
    known = settings.get(metric)
    if known is not None and known.goal:
        return known.goal
    if _SMALL_IS_GOOD.search(metric):
        return "min"
    return "max" if _LARGE_IS_GOOD.search(metric) else ""


def goal_of(key: ColumnKey, settings: Mapping[str, MetricSettings]) -> str:
    """`goal` of a column: '' for what is no metric."""
    return goal(key.key, settings) if key.kind is Kind.METRIC else ""


def metrics_in_order(catalogue: Catalogue, rows: Ints) -> list[ColumnKey]:
    """The metrics of these runs, the most telling first: what most runs share, validation before test before
    training, losses before other figures, bookkeeping (epoch, lr, system metrics) last."""
    shares = _shares(catalogue, rows, Kind.METRIC)
    most = max(shares.values(), default=0.0)

    def place(key: ColumnKey) -> tuple[bool, bool, int, bool, float, str]:
        stage = next((n for n, pattern in enumerate(_STAGES) if re.search(pattern, key.key, re.IGNORECASE)), 1)
        return (
            bool(_BOOKKEEPING.search(key.key)),
            shares[key] < most / 2,
            stage,
            not _SMALL_IS_GOOD.search(key.key),
            -shares[key],
            key.key,
        )

    return sorted(shares, key=place)


def params_in_order(catalogue: Catalogue, rows: Ints) -> list[ColumnKey]:
    """The params worth a column, the most telling first: by coverage and variety, learning rate and model first; from
    three runs on without those that are the same in all; paths, names and seeds last."""
    rows = _sample(rows)
    worth: dict[ColumnKey, tuple[bool, float, bool, int, str]] = {}
    for key in _widest(catalogue, rows, Kind.PARAM):
        words = [word for word in catalogue.texts_at(key, rows) if word is not None]
        used, share = list(dict.fromkeys(words)), len(words) / max(1, len(rows))
        if not used or (len(used) < 2 and share == 1.0 and len(rows) >= 3):
            continue
        longest = max(map(len, used[:50]))
        every_run_its_own = len(used) >= max(3, len(rows)) and not any(
            number_of(word) is not None for word in used[:50]
        )
        telling = next((n for n, pattern in enumerate(_TELLING) if pattern.search(key.key)), len(_TELLING))
        noise = bool(_NOISE.search(key.key)) or longest > 40 or every_run_its_own
        worth[key] = (noise and telling == len(_TELLING), -round(share, 1), len(used) < 2, telling, key.key)
    return sorted(worth, key=lambda key: worth[key])


def param_values(catalogue: Catalogue, rows: Ints) -> tuple[dict[ColumnKey, list[str | None]], int]:
    """The params of these runs with the values they have (None: a run without it), by name; and at how many of the runs
    was looked, evenly over them."""
    rows = _sample(rows)
    found: dict[ColumnKey, list[str | None]] = {}
    for key in sorted(_widest(catalogue, rows, Kind.PARAM)):
        words = list(dict.fromkeys(catalogue.texts_at(key, rows)))
        if words != [None]:
            numbers = {word: number_of(word) for word in words if word is not None}
            found[key] = sorted(words, key=lambda word: _in_column_order(word, numbers))
    return found, len(rows)


def _in_column_order(word: str | None, numbers: Mapping[str, float | None]) -> tuple[bool, bool, float, str]:
    number = numbers[word] if word is not None else None
    return word is None, number is None, number if number is not None else 0.0, word or ""


def first_columns(catalogue: Catalogue, rows: Ints) -> tuple[ColumnKey | None, list[ColumnKey], list[ColumnKey]]:
    """The metric of the curve, further metrics, and params, for a first look at these runs."""
    metrics = metrics_in_order(catalogue, rows)
    return (metrics[0] if metrics else None), metrics[1 : 1 + _METRICS], params_in_order(catalogue, rows)[:_PARAMS]


def _shares(catalogue: Catalogue, rows: Ints, kind: Kind) -> dict[ColumnKey, float]:
    """Which part of the runs has each key, for the keys with the widest coverage in the whole catalogue."""
    rows = _sample(rows)
    shares: dict[ColumnKey, float] = {}
    for key in _widest(catalogue, rows, kind):
        there = catalogue.numbers_at(key, rows).view(np.int64) != MISSING_BITS
        if there.any():
            shares[key] = float(there.mean())
    return shares


def _widest(catalogue: Catalogue, rows: Ints, kind: Kind) -> list[ColumnKey]:
    """The keys that most runs have, and, of a small experiment in a large catalogue, those of its own."""
    coverage = {key: count for key, count in catalogue.coverage().items() if key.kind is kind}
    widest = sorted(coverage, key=lambda key: (-coverage[key], key.key))[:_CANDIDATES]
    if len(coverage) > _CANDIDATES and len(rows) < catalogue.size // 2:
        widest = list(dict.fromkeys([*widest, *_keys_of(catalogue, rows, kind)]))
    return widest


def _sample(rows: Ints) -> Ints:
    """Enough of these runs to tell what most have."""
    return rows[:: max(1, len(rows) // _SAMPLE)]


def _keys_of(catalogue: Catalogue, rows: Ints, kind: Kind) -> list[ColumnKey]:
    """Keys of a few of these runs: a small experiment's own keys are rare in a large store."""
    found: dict[ColumnKey, None] = {}
    for row in rows[:: max(1, len(rows) // 4)][:4].tolist():
        found.update((cell.key, None) for cell in catalogue.cells(row) if cell.key.kind is kind)
    return list(found)[:_CANDIDATES]
