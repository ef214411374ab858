"""What stands on the screen, line by line: the view that a query gives.

A view is a list of lines, not of copies: of each its kind, which run or group it is, how deep it stands, and flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runtower.catalog.grouping import Groups
from runtower.catalog.segment import Ints

RUN: Final = 0  # kinds of lines
GROUP: Final = 1

DIM: Final = 1  # an ancestor of a hit or the line of a group, not a hit itself
PARENT: Final = 2  # has rows below it in this view
FOLDED: Final = 4  # those rows are not shown
LAST: Final = 8  # the last child of its parent here
PINNED: Final = 16


class OnGroup(NamedTuple):
    """The line of a group, by what the group is known by (None: the runs without a value)."""

    key: str | None


Spot = int | OnGroup  # what stands on a line, wherever that is: a run's global row, or a group


@dataclass(frozen=True)
class View:
    """Lines from top to bottom. `kinds` says what each is, `refs` which: a run's global row, a group's number in
    `groups`. `hits` counts the runs that the query asked for (ancestors and folded away ones apart: a folded hit
    counts), `within` all runs of the chosen experiments and user."""

    kinds: NDArray[np.uint8]
    refs: Ints
    depth: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    hits: int
    within: int
    hit_rows: Ints
    groups: Groups | None = None

    @classmethod
    def empty(cls) -> View:
        return cls.of_runs(np.empty(0, np.int32), 0)

    @classmethod
    def of_runs(cls, rows: Ints, within: int) -> View:
        """A flat list of hits."""
        zeros = np.zeros(len(rows), np.uint8)
        return cls(zeros, rows, zeros.copy(), zeros.copy(), len(rows), within, rows)

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def rows(self) -> Ints:
        """The runs that have a line, from top to bottom."""
        rows: Ints = self.refs[self.kinds == RUN]
        return rows

    def index_of(self, spot: Spot) -> int:
        """Where a run or a group stands, -1 where it isn't shown."""
        if isinstance(spot, OnGroup):
            number = self.groups.find(spot.key) if self.groups is not None else -1
            found = np.flatnonzero((self.kinds == GROUP) & (self.refs == number))
        else:
            found = np.flatnonzero((self.kinds == RUN) & (self.refs == spot))
        return int(found[0]) if len(found) else -1

    def spot_at(self, index: int) -> Spot | None:
        """What stands on a line, None beyond the last one."""
        group = self.group_at(index)
        if group is not None and self.groups is not None:
            return OnGroup(self.groups.keys[group])
        return self.run_at(index)

    def run_at(self, index: int) -> int | None:
        """The run on a line, None where none stands there."""
        here = 0 <= index < len(self) and self.kinds[index] == RUN
        return int(self.refs[index]) if here else None

    def group_at(self, index: int) -> int | None:
        """The number of the group whose line this is, None where it isn't one."""
        here = 0 <= index < len(self) and self.kinds[index] == GROUP
        return int(self.refs[index]) if here else None


def in_groups(groups: Groups, folded: frozenset[str | None], within: int) -> View:
    """A line for each group, and below it its runs, less what is folded away."""
    count = np.diff(groups.starts)
    shut = np.zeros(len(groups), bool)
    shut[[number for key in folded if (number := groups.find(key)) >= 0]] = True
    shown = np.where(shut, 0, count)
    end = np.cumsum(shown + 1)
    head = end - shown - 1
    kinds = np.zeros(int(end[-1]) if len(end) else 0, np.uint8)
    kinds[head] = GROUP
    is_run = kinds == RUN
    refs = np.empty(len(kinds), np.int32)
    refs[head] = np.arange(len(groups), dtype=np.int32)
    refs[is_run] = groups.rows[np.repeat(~shut, count)]
    flags = np.zeros(len(kinds), np.uint8)
    flags[end[~shut] - 1] = LAST
    flags[head] = np.where(shut, DIM | PARENT | FOLDED, DIM | PARENT)
    _ = groups.keys  # worked out in the caller's thread, and not while a key waits
    return View(kinds, refs, is_run.astype(np.uint8), flags, len(groups.rows), within, groups.rows, groups)
