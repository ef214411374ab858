"""Comparisons that a run must fulfil, as simple as any system that searches for runs has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtower.domain.runs import ColumnKey, Kind

Comparator = Literal["=", "!=", "<", "<=", ">", ">=", "like", "ilike", "set", "missing"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`value` is a number for metrics and times (UTC epoch ms), a text for all else, None for 'set' and 'missing'."""

    kind: Kind
    key: str
    comparator: Comparator
    value: float | str | None = None

    @property
    def column(self) -> ColumnKey:
        return ColumnKey(self.kind, self.key)
