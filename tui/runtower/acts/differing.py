"""In which columns some runs differ: of those of the table, and in which of their params beside these. No Textual."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from runtower.acts import choose
from runtower.acts.browse import Browser
from runtower.catalog.columns import Column, NumberColumn
from runtower.catalog.segment import Ints
from runtower.catalog.tree import Mask, Tree
from runtower.config.flat import path_of, typed
from runtower.config.rules import Rules
from runtower.config.same import canonical
from runtower.domain.runs import ColumnKey, Kind

_FIRST_LOOK: Final = 1000
_FEW: Final = 50


@dataclass(frozen=True)
class Differing:
    """What some runs differ in: `own` of the columns that were asked for, `others` among their further params, the most
    telling first. `asked` counts all that were looked at."""

    own: frozenset[ColumnKey]
    others: tuple[ColumnKey, ...]
    asked: int

    @property
    def count(self) -> int:
        return len(self.own) + len(self.others)


def question(browser: Browser, rows: Ints, own: Sequence[ColumnKey], ignore: Sequence[str]) -> Callable[[], Differing]:
    """What finds out in which columns these runs (global rows) differ; to be called in any thread.

    Of the further params those are left out that a pattern of `ignore` fits.
    """
    catalogue = browser.catalogue
    columns = {key: catalogue.column(key) for key in own}
    beside, childless = catalogue.beside(), _childless(browser.tree, rows)

    def find() -> Differing:
        rules = Rules(ignore)
        params = [key for key in _params(browser, rows) if key not in columns and not _is_ignored(rules, key)]
        mine = frozenset(key for key, column in columns.items() if differs(key, column, rows, childless))
        others = tuple(key for key in params if differs(key, beside(key), rows, childless))
        return Differing(mine, others, len(columns) + len(params))

    return find


def differs(key: ColumnKey, column: Column, rows: Ints, childless: Mask) -> bool:
    """Whether these runs don't all have the same there. `1e-3` and `0.001` are the same param, and NaN is NaN. Having
    none is another value, except for a parent, whose children have it."""
    first = slice(None, _FIRST_LOOK)
    if len(rows) > _FIRST_LOOK and differs(key, column, rows[first], childless[first]):
        return True
    is_set = ~column.missing[rows]
    if not is_set.any():
        return False
    if (childless & ~is_set).any():
        return True
    if isinstance(column, NumberColumn):
        values = column.values[rows[is_set]]
        return not bool(((values == values[0]) | (np.isnan(values) & np.isnan(values[0]))).all())
    used = _used(column.codes[rows[is_set]], len(column.words))
    words = (str(column.words[int(code)].as_py()) for code in used)
    if key.kind is not Kind.PARAM:
        return len(set(column.words.take(pa.array(used)).to_pylist())) > 1
    one = canonical(typed(next(words)), False)
    return any(canonical(typed(word), False) != one for word in words)


def _used(codes: Ints, count: int) -> NDArray[np.intp]:
    """The codes that occur; faster than sorting them."""
    seen = np.zeros(count, bool)
    seen[codes] = True
    return np.flatnonzero(seen)


def _childless(tree: Tree | None, rows: Ints) -> Mask:
    """Of these runs those that no other run calls its parent."""
    if tree is None or not tree.nested:
        return np.ones(len(rows), bool)
    parents = np.zeros(max(len(tree.parent), int(rows.max(initial=-1)) + 1), bool)
    parents[tree.parent[tree.parent >= 0]] = True
    return ~parents[rows]


def _params(browser: Browser, rows: Ints) -> list[ColumnKey]:
    """The params of these runs, the most telling first: all of a few runs, of many the most frequent ones."""
    catalogue = browser.catalogue
    if len(rows) <= _FEW:
        cells = (cell for row in rows.tolist() for cell in catalogue.cells(row) if cell.text is not None)
        known = {cell.key for cell in cells if cell.key.kind is Kind.PARAM}
    else:
        known = set(choose.param_values(catalogue, rows)[0])
    telling = [key for key in choose.params_in_order(catalogue, rows) if key in known]
    return [*telling, *sorted(known - set(telling))]


def _is_ignored(rules: Rules, key: ColumnKey) -> bool:
    """Whether a rule of diffs fits the param, or what it lies below."""
    path = path_of(key.key)
    return any(rules.rule_of(path[: depth + 1]) is not None for depth in range(len(path)))
