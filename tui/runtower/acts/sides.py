"""What is recorded of several runs, side by side: a row a thing, a column a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from runtower.acts.export import Record


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing, and what each run has of it, in the order of the runs; None where nothing is recorded.

    `sure` is false where equal values don't mean that the things are equal, as for large files of one size. `silent`
    are the places of runs that record nothing of this sort at all: what they have isn't known, so they don't count.
    """

    name: str
    values: tuple[str | None, ...]
    sure: bool = True
    silent: frozenset[int] = frozenset()

    @property
    def same(self) -> bool | None:
        """Whether all runs have the same; None where that can't be told."""
        told = {value for place, value in enumerate(self.values) if place not in self.silent}
        if len(told) > 1:
            return False
        return True if self.sure and self.is_compared else None

    @property
    def is_compared(self) -> bool:
        """Whether there are two runs to be compared in it."""
        return len(self.values) - len(self.silent) > 1


@dataclass(frozen=True, slots=True)
class Facts:
    """Things of one sort. `note`: what one has to know to read them, such as where they are from; a few words or ''."""

    title: str
    rows: tuple[Fact, ...]
    note: str = ""

    @property
    def differing(self) -> tuple[Fact, ...]:
        """Those that aren't the same, or perhaps aren't; without those of which only one run tells."""
        return tuple(row for row in self.rows if row.same is not True and row.is_compared)

    def summary(self) -> str:
        """`2 differ, 31 the same, 1 can't be told`, `nothing recorded`, or `33 recorded, by one run only`."""
        if not self.rows:
            return "nothing recorded"
        if not any(row.is_compared for row in self.rows):
            return f"{len(self.rows)} recorded, by one run only"
        count = {same: sum(row.same is same for row in self.rows) for same in (False, True, None)}
        words = ((False, "differ" if count[False] != 1 else "differs"), (True, "the same"), (None, "can't be told"))
        return ", ".join(f"{count[same]} {said}" for same, said in words if count[same])


def side_by_side(sides: Sequence[Mapping[str, str]], order: Iterable[str] = ()) -> tuple[Fact, ...]:
    """A row for each name that one of the sides has, in this order, the others after them by name.

    A side without any is silent.
    """
    names = dict.fromkeys(name for name in order if any(name in side for side in sides))
    names |= dict.fromkeys(sorted({name for side in sides for name in side}))
    silent = frozenset(place for place, side in enumerate(sides) if not side)
    return tuple(Fact(name, tuple(side.get(name) for side in sides), silent=silent) for name in names)


def labels_of(records: Sequence[Record]) -> list[str]:
    """What tells runs from each other: their names, or else their ids."""
    return told_apart([record["name"] or record["run_id"] for record in records], [r["run_id"] for r in records])


def told_apart(names: Sequence[str], run_ids: Sequence[str]) -> list[str]:
    """The names, with the beginning of the run's id where two have the same."""
    often = Counter(names)
    return [name if often[name] == 1 else f"{name} ({run_id[:8]})" for name, run_id in zip(names, run_ids, strict=True)]


def told_once(said: Sequence[str], whose: Sequence[str]) -> str:
    """What is said of several runs, once for those of which it is the same: `a.txt (lr=0.1, lr=0.2); b.txt (owl)`.

    Where it is the same for all no run is named; empty texts are left out.
    """
    return "; ".join(_grouped(said, whose))


def _grouped(said: Sequence[str], whose: Sequence[str]) -> Iterator[str]:
    for text in dict.fromkeys(one for one in said if one):
        runs = [name for one, name in zip(said, whose, strict=True) if one == text]
        yield text if len(runs) == len(said) else f"{text} ({', '.join(runs)})"
