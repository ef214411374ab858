"""What is recorded of runs besides config and metrics, as lines: environment, code, data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from runtower.acts.git_changes import CodeChange
from runtower.acts.run_data import ARTIFACTS
from runtower.acts.sheets import ComparedFile, Sheet, SheetRow
from runtower.acts.sides import Fact, Facts
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line, inert, shortened, shortened_pair

_NONE: Final = "not recorded"
_PAIR: Final = 2
_SHORT: Final = 8  # digits of a commit
_FILE: Final = re.compile(r"diff --git a/.+ b/(.+)")
_UNSURE: Final = "content not compared"


class FactsSheet(Sheet):
    """Facts in their sections; below those of the code what changed between the commits, file by file.

    `commits` are those of the runs, in their order.
    """

    def __init__(
        self,
        sorts: Sequence[Facts],
        glyphs: Glyphs,
        empty: str,
        changes: Sequence[CodeChange] = (),
        commits: Sequence[str | None] = (),
    ) -> None:
        self._glyphs = glyphs
        self._commits = commits
        self._facts: list[Fact] = []
        self._files: dict[int, ComparedFile] = {}
        self._notes: dict[str, str] = {}
        rows: list[SheetRow] = []
        for facts in sorts:
            if facts.rows or facts.note:
                rows += self._section(facts)
        for change in changes:
            rows += self._changed(change)
        said = [f"{facts.title}: {facts.summary()}" for facts in sorts if facts.rows]
        super().__init__(rows, "; ".join(said), empty, has_notes=True)

    def _section(self, facts: Facts) -> Iterator[SheetRow]:
        self._notes[facts.title] = facts.note
        yield SheetRow(facts.title, facts.title, differs=bool(facts.differing) or not facts.rows, is_section=True)
        for fact in facts.rows:
            if facts.title == ARTIFACTS and len(fact.values) == _PAIR and None not in fact.values:
                self._files[len(self._facts)] = ComparedFile(fact.name)
            yield self._row(fact, f"{facts.title} {fact.name}", fact.same is not True and fact.is_compared)

    def _changed(self, change: CodeChange) -> Iterator[SheetRow]:
        """The files of a change; in the columns of the runs with the later commit how many lines came and went."""
        before, after = change.before[:_SHORT], change.after[:_SHORT]
        title = f"changes {before} {self._glyphs.arrow} {after}"
        self._notes[title] = change.why or ("of the first 512 KB of the diff" if change.cut else "")
        yield SheetRow(title, title, is_section=True)
        for path, (came, went) in changed_files(change.text).items():
            said = f"+{came} -{went}"
            self._files[len(self._facts)] = ComparedFile(path, (change.before, change.after))
            values = tuple(said if commit == change.after else "" for commit in self._commits)
            yield self._row(Fact(path, values), f"{title} {path}", True)

    def _row(self, fact: Fact, path: str, differs: bool) -> SheetRow:
        self._facts.append(fact)
        return SheetRow(path, fact.name, 1, len(self._facts) - 1, differs)

    def cells(self, row: SheetRow, runs: Sequence[int], width: int) -> Sequence[Line]:
        fact = self._facts[row.number]
        texts = [inert(self.full(row, run), self._glyphs) for run in range(len(fact.values))]
        if len(texts) == _PAIR:
            texts = list(shortened_pair(texts[0], texts[1], width, self._glyphs))
        return [((shortened(texts[run], width, self._glyphs), _tone(fact, run)),) for run in runs]

    def file(self, row: SheetRow) -> ComparedFile | None:
        return self._files.get(row.number)

    def full(self, row: SheetRow, run: int) -> str:
        value = self._facts[row.number].values[run]
        return _NONE if value is None else value

    def note(self, row: SheetRow) -> str:
        if row.is_section:
            return self._notes.get(row.path, "")
        fact = self._facts[row.number]
        return "" if fact.sure or fact.same is False else _UNSURE


def _tone(fact: Fact, run: int) -> str:
    value = fact.values[run]
    if value is None or fact.same is True or (run and value == fact.values[0]):
        return "dim"
    return "bright" if run else ""


def changed_files(patch: str) -> Mapping[str, tuple[int, int]]:
    """Of a patch as git writes it, by path, how many lines were added and removed."""
    counts: dict[str, tuple[int, int]] = {}
    path = ""
    in_hunk = False
    for line in patch.splitlines():
        if found := _FILE.fullmatch(line):
            path, in_hunk = found[1], False
            counts[path] = 0, 0
        elif line.startswith("@@"):
            in_hunk = True
        elif in_hunk and line[:1] in "+-" and line:
            came, went = counts[path]
            counts[path] = (came + 1, went) if line[0] == "+" else (came, went + 1)
    return counts
