"""A run opened from the table, with the marked ones or its children; a failed one at the end of its log."""

from __future__ import annotations

from typing import Final

from runtower.acts.compare_rows import rows_to_compare
from runtower.screens.view_keys import ViewKeys

_FAILED: Final = "FAILED"


class OpenKeys(ViewKeys):
    """What the keys do that lead from the table into a run."""

    async def do_look_open(self) -> None:
        """The run, and the marked ones or else its children with it, on a screen of its own; a group folds."""
        row = self.desk.browser.row_at(self.table.cursor)
        if row is None:
            await self.do_look_fold()
            return
        from runtower.domain.runs import STATUS  # noqa: PLC0415  numpy comes after the first paint

        alone = not self.desk.browser.marks
        failed = alone and self.desk.tower.catalogue.texts(STATUS).text(row) == _FAILED
        self._open(row, "log" if failed else "", failed)

    def do_log_open(self) -> None:
        """The run at its log."""
        row = self.desk.browser.row_at(self.table.cursor)
        assert row is not None
        self._open(row, "log", False)

    def _open(self, row: int, tab: str, or_else: bool) -> None:
        browser = self.desk.browser
        others = sorted(browser.marks) or browser.below(row)
        self.open_run([row, *(one for one in others if one != row)], tab, or_else)

    def do_look_compare(self) -> None:
        """The marked runs beside each other, or this one beside the baseline, on a screen of its own."""
        from runtower.screens.compare_screen import CompareScreen  # noqa: PLC0415  as for an opened run

        assert self.face is not None
        rows, _ = rows_to_compare(self.desk.browser, self.desk.browser.row_at(self.table.cursor))
        self.covered = True
        self.app.push_screen(CompareScreen(self.keymap, self.glyphs, self.face, rows), self._uncovered)

    def do_models_open(self) -> None:
        """The registries, on a screen of their own."""
        from runtower.screens.models_screen import ModelsScreen  # noqa: PLC0415  as for an opened run

        assert self.face is not None
        self.covered = True
        self.app.push_screen(ModelsScreen(self.keymap, self.glyphs, self.face), self._uncovered)

    def do_pipeline_open(self) -> None:
        """The stages of DVC's projects, on a screen of their own."""
        from runtower.screens.pipeline_screen import PipelineScreen  # noqa: PLC0415  as for an opened run

        assert self.face is not None
        self.covered = True
        self.app.push_screen(PipelineScreen(self.keymap, self.glyphs, self.face), self._uncovered)

    async def do_look_fold(self) -> None:
        """Fold or unfold the children or the group."""
        browser = self.desk.browser
        spot = browser.view.spot_at(self.table.cursor)
        if spot is not None and browser.fold(spot):
            await self._order()
