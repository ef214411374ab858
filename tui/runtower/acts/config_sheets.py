"""Configs beside each other as lines: two as a tree with all of their values, more as what varies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.acts.config_diff import ConfigDiff
from runtower.acts.sheets import Sheet, SheetRow
from runtower.config.matrix import Matrix, Varying
from runtower.config.resolving import Broken
from runtower.config.rows import UNSET, Kind, Row, Unset
from runtower.config.rules import said_of
from runtower.config.same import is_same
from runtower.config.tree import MISSING, Key, KeyPath, Place, Tree, dotted, is_interpolated
from runtower.config.words import NOT_SET, resolved_said, said
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, Span, inert, shortened, shortened_pair

_CHOICES: Final = "choices"
_NOTHING: Final = "None of these runs recorded a config."
_TONES: Final = {Kind.ADDED: "better", Kind.REMOVED: "worse", Kind.CHANGED: "bright", Kind.RETYPED: "warning"}


class PairSheet(Sheet):
    """Two configs as one tree. What rules hide counts as equal, and is said to be hidden."""

    def __init__(self, found: ConfigDiff, glyphs: Glyphs) -> None:
        self.found = found
        self._glyphs = glyphs
        self._rules = {one.path: one.rule for one in found.hidden}
        self._places: list[tuple[KeyPath, Tree | Unset, Tree | Unset, Row | None]] = []
        self._notes: dict[str, str] = {}
        self._single = {row.path: row for row in found.rows}
        self._in_lists: dict[KeyPath, list[Row]] = {}
        for row in found.rows:
            first = next((n for n, part in enumerate(row.path) if isinstance(part, Place)), None)
            if first is not None:
                self._in_lists.setdefault(row.path[:first], []).append(row)
        rows = [*self._choice_rows(), *self._tree_rows(found.a.tree, found.b.tree, (), 0)]
        has_values = bool(found.a.tree or found.b.tree)
        empty = "Nothing differs." if has_values else _NOTHING
        super().__init__(rows, found.summary() if has_values else "", empty, has_notes=True)

    # -- lines

    def _choice_rows(self) -> list[SheetRow]:
        rows = [
            self._row((one.group,), one.group, 1, one.before or NOT_SET, one.after or NOT_SET, None, True)
            for one in self.found.choices
        ]
        return [SheetRow(_CHOICES, _CHOICES, is_section=True), *rows] if rows else []

    def _row(
        self,
        path: KeyPath,
        label: str,
        depth: int,
        before: Tree | Unset,
        after: Tree | Unset,
        row: Row | None,
        differs: bool,
    ) -> SheetRow:
        self._places.append((path, before, after, row))
        return SheetRow(dotted(path), label, depth, len(self._places) - 1, differs)

    def _tree_rows(self, a: dict[Key, Tree], b: dict[Key, Tree], above: KeyPath, depth: int) -> list[SheetRow]:
        """The keys of both in the first one's order; on the top level what has nothing below it comes first."""
        plain: list[SheetRow] = []
        sections: list[SheetRow] = []
        for key in dict.fromkeys([*a, *b]):
            path = (*above, key)
            before, after = a.get(key, UNSET), b.get(key, UNSET)
            if _is_map(before) and _is_map(after) and (_map(before) or _map(after)):
                below = self._tree_rows(_map(before), _map(after), path, depth + 1)
                rows = [self._section(path, str(key), depth, below), *below]
            elif path in self._in_lists:
                below = [self._item_row(row, len(path), depth + 1) for row in self._in_lists[path]]
                rows = [self._section(path, str(key), depth, below), *below]
            else:
                row = self._single.get(path)
                rows = [self._row(path, str(key), depth, before, after, row, row is not None)]
            if depth == 0 and len(rows) > 1:
                sections += rows
            else:
                plain += rows
        return plain + sections

    def _item_row(self, row: Row, above: int, depth: int) -> SheetRow:
        """What differs inside of a list that has maps in it."""
        label = dotted(row.path[above:]).lstrip(".")
        return self._row(row.path, label, depth, row.before, row.after, row, True)

    def _section(self, path: KeyPath, label: str, depth: int, below: Sequence[SheetRow]) -> SheetRow:
        name = dotted(path)
        follows = {row.follows for place in below if place.number >= 0 and (row := self._places[place.number][3])}
        if len(follows) == 1 and (group := follows.pop()):
            self._notes[name] = f"follows the choice of {group}"
        return SheetRow(name, label, depth, differs=any(one.differs for one in below), is_section=True)

    # -- values

    def origin(self, run: int) -> str:
        return (self.found.b if run else self.found.a).origin

    def cells(self, row: SheetRow, runs: Sequence[int], width: int) -> Sequence[Line]:
        both = [inert(self.full(row, run), self._glyphs) for run in (0, 1)]
        short = shortened_pair(both[0], both[1], width, self._glyphs)
        return [((short[run], self._tone(row, run)),) for run in runs]

    def full(self, row: SheetRow, run: int) -> str:
        path, before, after, difference = self._places[row.number]
        if difference is not None:
            return self.found.said(difference)[run]
        value = after if run else before
        if row.differs:
            return str(value)  # the name of a choice is no value
        if isinstance(value, Unset) or not is_interpolated(value):
            return said(value)
        return resolved_said(value, self.found.resolvers[run].value(path), True)

    def _tone(self, row: SheetRow, run: int) -> str:
        _, before, after, difference = self._places[row.number]
        value = after if run else before
        if value == MISSING or self._is_broken(difference, run):
            return "warning"
        if isinstance(value, Unset) or not row.differs:
            return "dim"
        if difference is None:
            return "bright"  # another choice
        return "" if run == 0 and difference.kind is Kind.CHANGED else _TONES[difference.kind]

    def _is_broken(self, difference: Row | None, run: int) -> bool:
        return difference is not None and isinstance(self.found.resolved[run].get(difference.path), Broken)

    def note(self, row: SheetRow) -> str:
        if row.is_section:
            return self._notes.get(row.path, "")
        path, before, after, difference = self._places[row.number]
        if difference is not None:
            return self.found.note(difference)
        rule = self._rules.get(path)
        if rule is not None:
            return f"ignored by the rule {rule}"
        missing = MISSING in (before, after) if not isinstance(before, list | dict) else False
        return "??? is to be given" if missing else ""


def _is_map(value: Tree | Unset) -> bool:
    return isinstance(value, dict | Unset)


def _map(value: Tree | Unset) -> dict[Key, Tree]:
    return value if isinstance(value, dict) else {}


class MatrixSheet(Sheet):
    """More than two configs: what varies, in sections."""

    def __init__(self, found: Matrix, origins: Sequence[str], strict: bool, glyphs: Glyphs) -> None:
        self._origins = origins
        self._varying = found.rows
        self._strict = strict
        self._glyphs = glyphs
        self._said: dict[tuple[int, int], Span] = {}
        some = bool(found.rows or found.equal or found.hidden)
        empty = "Nothing varies." if some else _NOTHING
        super().__init__(_sections(found.rows), _summary(found) if some else "", empty)

    def cells(self, row: SheetRow, runs: Sequence[int], width: int) -> Sequence[Line]:
        out: list[Line] = []
        for run in runs:
            text, tone = self._cell(row.number, run)
            out.append(((shortened(text, width, self._glyphs), tone),))
        return out

    def _cell(self, number: int, run: int) -> Span:
        known = self._said.get((number, run))
        if known is None:
            values = self._varying[number].values
            value, first = values[run], values[0]
            unset = isinstance(value, Unset) or isinstance(first, Unset)
            alike = run > 0 and (value is first if unset else is_same(value, first, self._strict))
            tone = "dim" if alike or isinstance(value, Unset) else "bright" if run else ""
            known = self._said[number, run] = inert(said(value), self._glyphs), tone
        return known

    def origin(self, run: int) -> str:
        return self._origins[run]

    def full(self, row: SheetRow, run: int) -> str:
        return said(self._varying[row.number].values[run])


def _sections(varying: Sequence[Varying]) -> list[SheetRow]:
    """Lines with their sections above them; what stands at the top comes first."""
    order = sorted(range(len(varying)), key=lambda n: len(varying[n].path) > 1)
    rows: list[SheetRow] = []
    above: KeyPath = ()
    for number in order:
        path = varying[number].path
        same = next((n for n, (x, y) in enumerate(zip(above, path[:-1], strict=False)) if x != y), None)
        start = min(len(above), len(path) - 1) if same is None else same
        rows += [
            SheetRow(dotted(path[: depth + 1]), str(path[depth]), depth, is_section=True)
            for depth in range(start, len(path) - 1)
        ]
        above = path[:-1]
        rows.append(SheetRow(dotted(path), str(path[-1]), len(path) - 1, number))
    return rows


def _summary(found: Matrix) -> str:
    return f"{len(found.rows)} vary, {found.equal} equal{said_of(found.hidden)}"
