"""The sources of a sitting as rows of a table, and what is to be said of one of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from runtower.acts.desk import Desk
from runtower.acts.run_rows import Spot
from runtower.acts.status import age_of, next_try, sign
from runtower.domain.targets import without_credentials
from runtower.link.events import State
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, inert, shortened
from runtower.present.times import clock


@dataclass(frozen=True, slots=True)
class _Row:
    """One source's cells by the id of their column, without the gutter."""

    cells: dict[str, Line]
    shown: bool


class SourceRows:
    """What the table of sources shows; `look` brings it up to date."""

    def __init__(self, desk: Desk, glyphs: Glyphs) -> None:
        self.version = 0
        self._desk = desk
        self._glyphs = glyphs
        self._rows: list[_Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def line_id(self, index: int) -> int:
        return index

    def look(self) -> None:
        """Take in how the sources are now."""
        rows = [self._row(number) for number in range(len(self._desk.targets))]
        if rows != self._rows:
            self._rows = rows
            self.version += 1

    def cells(self, index: int, columns: Sequence[Spot], cursor: bool) -> Sequence[Line]:
        row, glyphs = self._rows[index], self._glyphs
        here = glyphs.cursor if cursor else " "
        gutter: Line = ((here, "bright"), (glyphs.marked if row.shown else " ", "marked"), (" ", ""))
        return [gutter if one.id == "gutter" else self._fitting(row.cells[one.id], one) for one in columns]

    def _fitting(self, line: Line, column: Spot) -> Line:
        return tuple((shortened(text, column.width, self._glyphs), tone) for text, tone in line)

    def _row(self, number: int) -> _Row:
        desk, target, health = self._desk, self._desk.targets[number], self._desk.tower.health(number)
        identity, table = desk.tower.identities.get(number), desk.tower.catalogue.sources[number]
        shown, known = desk.browser.chooses(number), bool(table.size or health.complete)
        experiments = sum(not one.deleted for one in table.experiments.values())
        trip = health.round_trip
        where = identity.address if identity is not None else without_credentials(target.uri)
        return _Row(
            {
                "source": ((inert(target.name, self._glyphs), "bright" if shown else "dim"),),
                "state": (self._state(number),),
                "runs": ((f"{int(table.alive().sum()):,}" if known else "", ""),),
                "exps": ((f"{experiments:,}" if known else "", ""),),
                "answer": ((f"{trip * 1000:,.0f} ms" if trip is not None and health.state is State.LIVE else "", ""),),
                "access": (("read-only" if target.read_only else "", "dim"),),
                "where": ((inert(where, self._glyphs), "dim"),),
            },
            shown,
        )

    def _state(self, number: int) -> tuple[str, str]:
        target, health = self._desk.targets[number], self._desk.tower.health(number)
        glyph, tone = sign(health, bool(target.held), self._glyphs)
        if target.held:
            return f"{glyph} untrusted", tone
        match health.state:
            case State.LIVE:
                return f"{glyph} answers" if health.complete else f"{glyph} reading", tone
            case State.STARTING:
                return f"{glyph} opening", tone
            case _:
                return f"{glyph} {age_of(health).strip() or 'no answer'}", tone

    def about(self, number: int) -> list[Line]:
        """All that there is to say of one source, the most urgent first."""
        desk, target, health = self._desk, self._desk.targets[number], self._desk.tower.health(number)
        identity, now = desk.tower.identities.get(number), time.time() * 1000
        said: list[tuple[str, str]] = []
        if target.held:
            said.append((f"{target.held} T shows what it would get, and asks.", "warning"))
        elif health.error is not None:
            heard = f"It last answered at {clock(health.heard_ms, now)}." if health.heard_ms is not None else ""
            words = (health.error.tried, health.error.remedy, heard, next_try(health))
            said.append((" ".join(word for word in words if word), "warning"))
        said += [(notice, "warning") for notice in health.notices]
        said.append((identity.address if identity is not None else without_credentials(target.uri), "bright"))
        said.append((f"{target.kind}{f', {identity.how}' if identity is not None else ''}", ""))
        said.append((desk.sources.origin(number), "dim"))
        said.append((self._what_is_shown(number), "dim"))
        return [((inert(text, self._glyphs), tone),) for text, tone in said if text]

    def _what_is_shown(self, number: int) -> str:
        browser = self._desk.browser
        if not self._desk.tower.catalogue.sources[number].size:
            return ""
        if browser.chooses(number):
            return "Its runs are shown." if browser.query.experiments is None else "Runs of it are shown."
        return "Experiments of others are chosen (E): its runs aren't shown." if browser.shows(number) else ""

    def summary(self) -> str:
        """How many sources there are, and of how many the runs are shown."""
        desk = self._desk
        count, shown = len(desk.targets), len(desk.sources.chosen)
        runs = int(desk.browser.shown_rows().sum())
        return (
            f"{count} source{'s' if count != 1 else ''}, {'all' if shown == count else shown} shown, "
            f"{runs:,} run{'s' if runs != 1 else ''}"
        )
