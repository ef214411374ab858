"""Criteria in the words of MLflow's search filter.

Source of its grammar: `mlflow/utils/search_utils.py` of MLflow 3.17.2. It knows no escapes: a text stands in the one of
both quotation marks that it doesn't hold. Params and tags compare as texts; attributes are few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from runtower.domain import runs
from runtower.domain.criteria import Criterion
from runtower.domain.runs import ColumnKey, Kind
from runtower.sources.mlflow import contract

_FAMILIES: Final = {Kind.METRIC: "metrics", Kind.PARAM: "params", Kind.TAG: "tags"}
_NUMBERS: Final = ("=", "!=", "<", "<=", ">", ">=")
_TEXTS: Final = ("=", "!=", "like", "ilike")
_TIMES: Final = (runs.START_TIME, runs.END_TIME)
_ATTRIBUTES: Final[dict[ColumnKey, str]] = {
    runs.RUN_ID: "attributes.run_id",
    runs.NAME: "attributes.run_name",
    runs.STATUS: "attributes.status",
    runs.ARTIFACT_URI: "attributes.artifact_uri",
    runs.START_TIME: "attributes.start_time",
    runs.END_TIME: "attributes.end_time",
    # What isn't MLflow's own attribute, or is better known by its tag.
    runs.USER: f"tags.`{contract.TAG_USER}`",
    runs.PARENT: f"tags.`{contract.TAG_PARENT}`",
    runs.SOURCE_NAME: f"tags.`{contract.TAG_SOURCE_NAME}`",
    runs.GIT_COMMIT: f"tags.`{contract.TAG_GIT_COMMIT}`",
}


def filter_of(criteria: Sequence[Criterion]) -> str:
    """What of these can be said, joined by AND; '' where nothing can."""
    return " AND ".join(words for one in criteria if (words := _words(one)))


def _words(one: Criterion) -> str:
    name = _ATTRIBUTES.get(one.column, "") if one.kind is Kind.ATTRIBUTE else _name(one)
    if not name:
        return ""
    if one.comparator in ("set", "missing"):
        is_kept = one.kind in (Kind.PARAM, Kind.TAG)
        return f"{name} IS {'NOT ' if one.comparator == 'set' else ''}NULL" if is_kept else ""
    if isinstance(one.value, str):
        is_text = one.kind is not Kind.METRIC and one.column not in _TIMES and one.comparator in _TEXTS
        text = quoted(one.value)
        return f"{name} {one.comparator.upper()} {text}" if is_text and text else ""
    is_number = one.kind is Kind.METRIC or one.column in _TIMES
    if not is_number or one.value is None or not math.isfinite(one.value) or one.comparator not in _NUMBERS:
        return ""
    number = str(round(one.value)) if one.column in _TIMES else format(Decimal(repr(one.value)), "f")
    return f"{name} {one.comparator} {number}"


def _name(one: Criterion) -> str:
    mark = next((mark for mark in '`"' if mark not in one.key), "")
    return f"{_FAMILIES[one.kind]}.{mark}{one.key}{mark}" if mark and one.key.isprintable() else ""


def quoted(text: str) -> str:
    """A text as the filter takes it, '' for one that can't be said."""
    mark = next((mark for mark in "'\"" if mark not in text), "")
    return f"{mark}{text}{mark}" if mark and "\\" not in text and text.isprintable() else ""
