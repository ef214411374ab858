"""The columns of the table: which, in which order, how wide. Chosen once, then the user's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.cells import cell_len

from runtower.domain import runs
from runtower.domain.runs import ColumnKey, Kind

# What only this table has: the sparkline of the chosen metric. A family of its own keeps it from any run's keys.
CURVE: Final = ColumnKey(Kind.ATTRIBUTE, "curve")

_TITLES: Final = {
    runs.NAME: "run",
    runs.STATUS: "state",
    runs.START_TIME: "started",
    runs.END_TIME: "ended",
    runs.LAST_LOGGED: "logged",
    runs.DURATION: "took",
    runs.GIT_COMMIT: "commit",
    runs.SOURCE_NAME: "script",
}
_WIDTHS: Final = {
    runs.NAME: 22,
    runs.STATUS: 9,
    CURVE: 12,
    runs.START_TIME: 9,
    runs.END_TIME: 9,
    runs.LAST_LOGGED: 9,
    runs.DURATION: 6,
    runs.USER: 8,
    runs.EXPERIMENT: 16,
    runs.GIT_COMMIT: 8,
    runs.SOURCE: 12,
    runs.RUN_ID: 12,
}
RIGHT: Final = frozenset({runs.DURATION})
NARROWEST: Final = 3
WIDEST: Final = 80


@dataclass(frozen=True, slots=True)
class Shown:
    """A column on the screen; `width` in cells. A guest is only there as long as only columns that differ are."""

    key: ColumnKey
    width: int
    is_guest: bool = False

    @property
    def title(self) -> str:
        return title(self.key)


def title(key: ColumnKey) -> str:
    """What a column's head says."""
    return _TITLES.get(key, key.key)


def width_for(key: ColumnKey, samples: Sequence[str] = ()) -> int:
    """A first width: a fixed one for what is always the same, else what the head and some values need."""
    if key in _WIDTHS:
        return _WIDTHS[key]
    if key.kind is Kind.METRIC:
        return min(14, max(8, cell_len(key.key) + 1))
    longest = max((cell_len(sample) for sample in samples), default=6)
    return min(18, max(min(cell_len(key.key) + 1, 12), min(longest, 16), 5))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns from left to right, and the one that column keys act on. The first, the name, stays where it is;
    `hidden` ones aren't on the screen now, as the runs don't differ in them."""

    columns: tuple[Shown, ...]
    active: int = 1
    hidden: frozenset[ColumnKey] = frozenset()

    @property
    def active_key(self) -> ColumnKey:
        return self.columns[self.active].key

    def move(self, by: int) -> Layout:
        """Another column becomes the active one."""
        places = self.places
        here = places.index(self.active) if self.active in places else 0
        return self.turn_to(places[max(0, min(here + by, len(places) - 1))])

    def turn_to(self, place: int) -> Layout:
        """The column at a place becomes the active one, or the next one that is on the screen."""
        seen = self.places
        return replace(self, active=next((one for one in seen if one >= place), seen[-1] if seen else 0))

    def hide(self) -> Layout:
        """Without the active column; the name can't be hidden."""
        if self.active == 0:
            return self
        columns = self.columns[: self.active] + self.columns[self.active + 1 :]
        return replace(self, columns=columns).turn_to(self.active)

    def shift(self, by: int) -> Layout:
        """The active column changes places with its neighbour."""
        there = self.move(by).active
        if self.active == 0 or there in (0, self.active):
            return self
        columns = list(self.columns)
        columns.insert(there, columns.pop(self.active))
        return replace(self, columns=tuple(columns), active=there)

    def resize(self, by: int) -> Layout:
        """The active column gets narrower or wider."""
        columns = list(self.columns)
        here = columns[self.active]
        columns[self.active] = replace(here, width=max(NARROWEST, min(WIDEST, here.width + by)))
        return replace(self, columns=tuple(columns))

    def toggle(self, key: ColumnKey, width: int) -> Layout:
        """Show a column at the end, or hide it."""
        if any(shown.key == key for shown in self.columns):
            kept = tuple(shown for shown in self.columns if shown.key != key or key == runs.NAME)
            return Layout(kept, min(self.active, len(kept) - 1))
        return replace(self, columns=(*self.columns, Shown(key, width)))

    @property
    def shown(self) -> tuple[ColumnKey, ...]:
        """The keys from left to right, hidden ones too."""
        return tuple(shown.key for shown in self.columns)

    @property
    def places(self) -> tuple[int, ...]:
        """Which of the columns are on the screen, from left to right."""
        return tuple(place for place, shown in enumerate(self.columns) if shown.key not in self.hidden)

    def narrowed(self, kept: Collection[ColumnKey], guests: Sequence[Shown]) -> Layout:
        """Only the name and those that are to be kept, and guests beside them; all others are hidden."""
        known = {shown.key: shown for shown in self.columns if shown.is_guest}
        own = tuple(shown for shown in self.columns if not shown.is_guest)
        hidden = frozenset(shown.key for shown in own[1:] if shown.key not in kept)
        came = tuple(known.get(guest.key, guest) for guest in guests)
        return self._turned(Layout((*own, *came), 0, hidden))

    @property
    def whole(self) -> Layout:
        """The user's own columns, and all of them."""
        return self._turned(Layout(tuple(shown for shown in self.columns if not shown.is_guest), 0))

    def _turned(self, other: Layout) -> Layout:
        """Another layout with the same active column, or one near it."""
        if not other.columns:
            return other
        key = self.active_key
        return other.turn_to(other.shown.index(key) if key in other.shown else self.active)


def first_layout(
    metric: ColumnKey | None, metrics: Sequence[ColumnKey], params: Sequence[ColumnKey], several_experiments: bool
) -> Layout:
    """The columns before a user chose any: name, state, the metric and its curve, then what tells runs apart."""
    keys: list[ColumnKey] = [runs.NAME, runs.STATUS]
    if metric is not None:
        keys += [metric, CURVE]
    keys += [*params[:1], runs.START_TIME, *metrics[:1], *params[1:3], runs.DURATION]
    if several_experiments:
        keys.append(runs.EXPERIMENT)
    keys += [runs.USER, *params[3:], *metrics[1:]]
    return Layout(tuple(Shown(key, width_for(key)) for key in keys), 2 if metric is not None else 1)
