"""The keys of the runs screen that lead to jobs and GPUs, and stop what a run lives in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runtower.screens.job_keys import LinkKeys
from runtower.screens.register_keys import RegisterKeys

if TYPE_CHECKING:
    from runtower.acts.job_control import Running
    from runtower.domain.links import Link
    from runtower.domain.runs import RunKey


class BoxKeys(RegisterKeys, LinkKeys):
    """One method an action: `do_` + its id."""

    def do_jobs_open(self) -> None:
        self.go_to("jobs", "")

    def do_gpus_open(self) -> None:
        self.go_to("gpus", "")

    def go_to(self, screen: str, target: str) -> None:
        """One of the screens beside the runs; when it is left for the other one, that."""
        from runtower.screens.gpus_screen import GpusScreen  # noqa: PLC0415  as for an opened run
        from runtower.screens.jobs_screen import JobsScreen  # noqa: PLC0415  as for an opened run

        assert self.face is not None
        self.covered = True
        make = JobsScreen if screen == "jobs" else GpusScreen
        self.app.push_screen(make(self.keymap, self.glyphs, self.face, target), self._left_box)

    def _left_box(self, wanted: str | None) -> None:
        screen, _, target = (wanted or "").partition(" ")
        if screen:
            self.go_to(screen, target)
        else:
            self._uncovered(None)

    def go_to_run(self, key: RunKey) -> None:
        row = int(self.desk.tower.catalogue.rows_of([key])[0])
        if row >= 0:
            self.open_run([row])

    # -- what belongs to the run under the cursor

    @property
    def _row(self) -> int | None:
        return self.desk.browser.row_at(self.table.cursor) if self.face is not None else None

    def running_here(self) -> Running | None:
        row = self._row
        return self.desk.control.of_run(row) if row is not None else None

    def links_here(self) -> Sequence[Link]:
        row = self._row
        return self.desk.joins.of_run(row) if row is not None else ()

    def runs_here(self) -> Sequence[RunKey]:
        row = self._row
        return [key for key, _, _ in self.desk.joins.same_as(row)] if row is not None else ()

    def why_no_box(self, action_id: str) -> str:
        """Why one of these actions can't be done now, '' where it can."""
        if action_id in ("jobs.open", "gpus.open"):
            return ""
        if self._row is None:
            return "there is no run here"
        if action_id == "links.open":
            return self.why_no_links()
        row = self._row
        if not self.desk.editor.plans.is_running(row):
            return "it doesn't run"
        return self.why_no_stop()
