"""Two texts line by line: what was added, removed and changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

SAME, CHANGED, ADDED, REMOVED, GAP = "same", "changed", "added", "removed", "gap"
CONTEXT: Final = 3
_MOST_PAIRS: Final = 2500
_ALIKE: Final = 0.3


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of one text or both, with its number in each (from 1; 0 where it has none). Of a gap `skipped` tells how
    many lines aren't shown."""

    kind: str
    left: str = ""
    right: str = ""
    left_number: int = 0
    right_number: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class TextDiff:
    """All lines of two texts, matched."""

    rows: Sequence[DiffRow]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many lines are of each kind."""
        counts = dict.fromkeys((CHANGED, ADDED, REMOVED), 0)
        for row in self.rows:
            if row.kind in counts:
                counts[row.kind] += 1
        return counts

    @property
    def is_different(self) -> bool:
        return any(self.counts.values())

    def summary(self) -> str:
        """`3 changed, 1 added`."""
        said = [f"{count:,} {kind}" for kind, count in self.counts.items() if count]
        return ", ".join(said) or "no line differs"

    def around(self, context: int = CONTEXT) -> list[DiffRow]:
        """The lines that differ with a few before and after them, and gaps for the others."""
        near = [False] * len(self.rows)
        for place, row in enumerate(self.rows):
            if row.kind != SAME:
                first, last = max(0, place - context), min(len(near), place + context + 1)
                near[first:last] = [True] * (last - first)
        out: list[DiffRow] = []
        skipped = 0
        for row, is_near in zip(self.rows, near, strict=True):
            if not is_near:
                skipped += 1
                continue
            if skipped:
                out.append(DiffRow(GAP, skipped=skipped))
                skipped = 0
            out.append(row)
        return [*out, DiffRow(GAP, skipped=skipped)] if skipped else out


def diff_of(left: Sequence[str], right: Sequence[str]) -> TextDiff:
    """Match two texts line by line (difflib). Some 0.1 s for 5,000 lines: not for the UI's loop."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    inner = left[start : len(left) - end], right[start : len(right) - end]
    rows = [_same(left, right, n, n) for n in range(start)]
    # Its rule for lines that stand very often (blank ones) keeps a file of them from taking minutes.
    for tag, i, i_end, j, j_end in SequenceMatcher(None, *inner, autojunk=True).get_opcodes():
        i, i_end, j, j_end = i + start, i_end + start, j + start, j_end + start
        if tag == "equal":
            rows += [_same(left, right, i + n, j + n) for n in range(i_end - i)]
            continue
        for m, n in _paired(left[i:i_end], right[j:j_end]):
            if m is None:
                assert n is not None
                rows.append(DiffRow(ADDED, right=right[j + n], right_number=j + n + 1))
            elif n is None:
                rows.append(DiffRow(REMOVED, left=left[i + m], left_number=i + m + 1))
            else:
                kind = SAME if left[i + m] == right[j + n] else CHANGED
                rows.append(DiffRow(kind, left[i + m], right[j + n], i + m + 1, j + n + 1))
    rows += [_same(left, right, len(left) - n, len(right) - n) for n in range(end, 0, -1)]
    return TextDiff(rows)


def _paired(left: Sequence[str], right: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """The places of lines that were replaced by others: which line became which, in order. Those are paired that have
    most of their beginnings and ends in common; of very many, each with the one at its place."""
    if len(left) * len(right) > _MOST_PAIRS:
        both = min(len(left), len(right))
        rest: list[tuple[int | None, int | None]] = [(n, None) for n in range(both, len(left))]
        return [*((n, n) for n in range(both)), *rest, *((None, n) for n in range(both, len(right)))]
    # best[m][n]: the most that the lines from m and from n on can have in common.
    best = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    alike = [[_likeness(one, other) for other in right] for one in left]
    for m in range(len(left) - 1, -1, -1):
        for n in range(len(right) - 1, -1, -1):
            best[m][n] = max(best[m + 1][n], best[m][n + 1], best[m + 1][n + 1] + alike[m][n])
    pairs: list[tuple[int | None, int | None]] = []
    m = n = 0
    while m < len(left) and n < len(right):
        if alike[m][n] and best[m][n] == best[m + 1][n + 1] + alike[m][n]:
            pairs.append((m, n))
            m, n = m + 1, n + 1
        elif best[m][n] == best[m + 1][n]:
            pairs.append((m, None))
            m += 1
        else:
            pairs.append((None, n))
            n += 1
    return [*pairs, *((rest, None) for rest in range(m, len(left))), *((None, rest) for rest in range(n, len(right)))]


def _likeness(one: str, other: str) -> float:
    """Which part of two lines is the same at their beginnings and ends, without their indents; 0 where it is little."""
    if one == other:
        return 1.0
    one, other = one.strip(), other.strip()
    shorter = min(len(one), len(other))
    first = common(one, other, shorter)
    last = common(one[::-1], other[::-1], shorter - first)
    part = 2 * (first + last) / max(1, len(one) + len(other))
    return part if part >= _ALIKE else 0.0


def common(one: str, other: str, most: int) -> int:
    """How many characters two texts have in common from their beginning on, at most so many."""
    count = 0
    while count < most and one[count] == other[count]:
        count += 1
    return count


def _same(left: Sequence[str], right: Sequence[str], i: int, j: int) -> DiffRow:
    return DiffRow(SAME, left[i], right[j], i + 1, j + 1)
