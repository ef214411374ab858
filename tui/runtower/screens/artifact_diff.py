"""An artifact is compared with another one: the one that was marked, or that of the same path in another run."""

from __future__ import annotations

from functools import partial

from runtower.acts.run_files import RunFiles
from runtower.acts.text_files import artifact
from runtower.domain.artifacts import Artifact
from runtower.domain.runs import RunKey
from runtower.present.spans import inert
from runtower.screens.menu import Choice, Menu
from runtower.screens.run_tabs import OpenedRun, RunTab


class DiffKeys(RunTab):
    """What the keys do that mark a file and compare one."""

    opened: OpenedRun

    @property
    def chosen(self) -> Artifact | None:
        """The file under the cursor."""
        raise NotImplementedError

    @property
    def _key(self) -> RunKey:
        """The opened run, whatever its row is by now."""
        return self.opened.files.key

    def marked_here(self) -> str:
        """The path of the marked file where it is one of this run, else ''."""
        marked = self.opened.desk.marked_file
        return marked[1] if marked is not None and marked[0] == self._key else ""

    def do_artifact_mark(self) -> None:
        found, desk = self.chosen, self.opened.desk
        assert found is not None
        marked = self._key, found.path
        desk.marked_file = None if desk.marked_file == marked else marked
        if desk.marked_file is not None:
            key = self.keymap.shown("artifact.diff")
            self.say(f"{inert(found.name, self.glyphs)} is marked: {key} on another file compares the two")
        self.draw()

    def why_no_diff(self) -> str:
        return "" if self._others() else "mark another file, or make another run the baseline"

    def _others(self) -> list[tuple[int, str, str]]:
        """What there is to compare with: row, path, and what it is. A marked file goes before all others."""
        found, desk = self.chosen, self.opened.desk
        if found is None:
            return []
        marked = desk.marked_file
        if marked is not None and marked != (self._key, found.path):
            row = int(desk.tower.catalogue.rows_of([marked[0]])[0])
            if row >= 0:
                return [(row, marked[1], "marked")]
        base, opened = desk.browser.baseline, [*self.opened.rows[1:], *sorted(desk.browser.marks)]
        rows = dict.fromkeys([*([base] if base is not None else []), *opened])
        kinds = {row: "baseline" if row == base else "" for row in rows}
        catalogue = desk.tower.catalogue
        return [(row, found.path, kind) for row, kind in kinds.items() if catalogue.run_key(row) != self._key]

    def do_artifact_diff(self) -> None:
        others = self._others()
        if len(others) == 1:
            self._compare(others[0][0], others[0][1])
            return
        found = self.chosen
        assert found is not None
        name = self.opened.face.name_of
        offers = [Choice(str(row), inert(name(row), self.glyphs), "", kind) for row, _, kind in others]

        def chose(values: list[str] | None) -> None:
            if values:
                self._compare(int(values[0]), found.path)

        self.app.push_screen(Menu(f"compare {inert(found.name, self.glyphs)} with that of", offers), chose)

    def _compare(self, row: int, path: str) -> None:
        """The other file at the left, the one under the cursor at the right."""
        from runtower.screens.text_diff import Side, TextDiffScreen  # noqa: PLC0415  only who compares needs it

        found, desk = self.chosen, self.opened.desk
        assert found is not None
        left, right = (
            Side(files.name, path, partial(artifact, files, path))
            for files, path in ((RunFiles(desk.tower, row), path), (self.opened.files, found.path))
        )
        self.app.push_screen(TextDiffScreen(self.keymap, self.glyphs, self.face, left, right))
