"""What a query that is being typed may go on with: names that runs have, comparisons, and values that occur."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import TextColumn
from runtower.catalog.query import gap as gaps
from runtower.catalog.query import names
from runtower.catalog.query.gap import Gap
from runtower.catalog.query.misread import Misread
from runtower.catalog.query.spelling import FAMILIES
from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind
from runtower.domain.values import number_of

_SHOWN_ATTRIBUTES: Final = (
    "name", "status", "start_time", "end_time", "duration", "user", "experiment", "source", "run_id", "git_commit",
    "source_name", "source_status", "parent",
)  # fmt: skip
_ON_NUMBERS: Final = ("<", "<=", ">", ">=", "=", "!=", "is nan", "is set", "is missing")
_ON_TEXTS: Final = ("=", "!=", "in (", "like", "ilike", "~", "is set", "is missing", "<", ">")
_ON_TIMES: Final = (">", "<", "=", "is missing")
_ORDER: Final = (Kind.METRIC, Kind.PARAM, Kind.TAG)
_TIMES: Final = ("2h ago", "today", "yesterday", "7 days ago")
_DURATIONS: Final = ("10m", "1h", "1h30m", "1d")
_MOST_VALUES: Final = 40


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` takes the place of the characters from `start` to the cursor; `detail` is a remark."""

    text: str
    start: int
    detail: str = ""


class Completer:
    """Completions over the keys as they were when it was made: once each time a query is begun."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        coverage = catalogue.coverage()
        said = [(names.spelled(key), key, coverage[key]) for key in coverage if key.kind is not Kind.ATTRIBUTE]
        said.sort(key=lambda one: (_ORDER.index(one[1].kind), one[1].key.startswith("mlflow."), -one[2], one[0]))
        counted = [(name, key.key, f"{key.kind}, in {count:,} runs") for name, key, count in said]
        tags = next((place for place, (_, key, _) in enumerate(said) if key.kind is Kind.TAG), len(said))
        attributes = [(name, name, "attribute") for name in _SHOWN_ATTRIBUTES]
        self._names = [*counted[:tags], *attributes, *counted[tags:]]
        self._known = set(coverage)

    def completions(self, before: str, most: int) -> list[Completion]:
        """What may stand at the end of `before`, the text up to the cursor; the likeliest first, at most so many."""
        gap = gaps.gap(before)
        found = [one for one in self._of(gap, before) if one.text.strip() != before[gap.start :].strip()]
        closed = before[-1:] in ("'", '"', "`") and gap.start == len(before)
        return [replace(one, text=f" {one.text}") if closed else one for one in found[:most]]

    def _of(self, gap: Gap, before: str) -> Iterable[Completion]:
        match gap.wants:
            case "name":
                return self._fitting_names(gap)
            case "comparison":
                return _begun(gap, self._comparisons(gap, before), " ")
            case "value":
                return self._values(gap, before)
            case "state":
                return _begun(gap, ("set", "missing", "nan"), " ")
            case "join":
                return _begun(gap, ("and", "or"), " ")
        return ()

    def _fitting_names(self, gap: Gap) -> list[Completion]:
        """Names that begin so, then those with a part that does, then those that contain it."""
        family, dot, rest = gap.typed.partition(".")
        kind = FAMILIES.get(family.lower()) if dot else None
        typed = (rest if kind is not None else gap.typed).casefold().lstrip('`"')
        ranked: list[tuple[int, int, Completion]] = []
        for place, (spelled, key, detail) in enumerate(self._names):
            if kind is not None and not detail.startswith(kind):
                continue
            rank = _rank(key.casefold(), typed)
            if rank is None and kind is None and spelled.startswith(typed):
                rank = 3
            if rank is not None:
                ranked.append((rank, place, Completion(f"{spelled} ", gap.start, detail)))
        return [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2])]

    def _key(self, gap: Gap, before: str) -> ColumnKey | None:
        try:
            return None if gap.field is None else names.column_of(gap.field, self._known, before)
        except Misread:
            return None

    def _comparisons(self, gap: Gap, before: str) -> Sequence[str]:
        key = self._key(gap, before)
        if key is None:
            return ()
        if key in runs.TIME_ATTRIBUTES or key == runs.DURATION:
            return _ON_TIMES
        return _ON_NUMBERS if key.kind is Kind.METRIC else _ON_TEXTS

    def _values(self, gap: Gap, before: str) -> Iterable[Completion]:
        key = self._key(gap, before)
        if key is None or key.kind is Kind.METRIC:
            return ()
        if key in runs.TIME_ATTRIBUTES:
            return _begun(gap, _TIMES)
        if key == runs.DURATION:
            return _begun(gap, _DURATIONS)
        column = self._catalogue.column(key)
        return _occurring(gap, column) if isinstance(column, TextColumn) else ()


def _rank(name: str, typed: str) -> int | None:
    if name.startswith(typed):
        return 0
    at = name.find(typed)
    if at < 0:
        return None
    return 1 if not name[at - 1].isalnum() else 2


def _begun(gap: Gap, words: Sequence[str], after: str = "") -> list[Completion]:
    return [Completion(word + after, gap.start) for word in words if word.startswith(gap.typed.lower())]


def _occurring(gap: Gap, column: TextColumn) -> list[Completion]:
    """Values with the typed letters in them: those that begin so first, then by how many runs have them."""
    if not len(column.words):
        return []
    fits = pc.match_substring(column.folded, gap.typed.lower()).to_numpy(zero_copy_only=False)
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.words))
    places = np.flatnonzero(fits & (counts > 0))
    places = places[np.argsort(-counts[places], kind="stable")][:_MOST_VALUES]
    found: dict[str, int] = {}
    for word, count in zip(column.words.take(pa.array(places)).to_pylist(), counts[places].tolist(), strict=True):
        found[word] = found.get(word, 0) + count
    ordered = sorted(found, key=lambda word: (not word.lower().startswith(gap.typed.lower()), -found[word], word))
    said = [(_written(word), found[word]) for word in ordered]
    return [Completion(text, gap.start, f"{count:,} run{'s' if count != 1 else ''}") for text, count in said if text]


def _written(word: str) -> str:
    """A value as a query writes it: a number bare, a text in quotes; '' for one that holds both kinds of them."""
    if number_of(word) is not None and word.strip() == word and "nan" not in word.lower():
        return word
    for mark in ("'", '"'):
        if mark not in word and word.isprintable() and not word.endswith("\\"):
            return f"{mark}{word}{mark}"
    return ""
