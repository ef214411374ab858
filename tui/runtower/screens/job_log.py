"""The log of a job: the page that shows that of a run, opened from the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtower.acts.job_files import JobFiles
from runtower.acts.run_log import LogFiles
from runtower.screens.log_screen import LogScreen
from runtower.screens.run_tabs import Opened

if TYPE_CHECKING:
    from runtower.acts.face import Face
    from runtower.domain.jobs import Job
    from runtower.present.glyphs import Glyphs
    from runtower.screens.keys import KeyScreen

_TAB = "log"


class JobLogScreen(LogScreen):
    """A job has no other pages to turn to."""

    def why_not(self, action_id: str) -> str:
        return "a job has only its log" if action_id.startswith("tab.") else super().why_not(action_id)


def open_log(screen: KeyScreen, face: Face, glyphs: Glyphs, job: Job) -> None:
    """Put it over a screen."""
    files: LogFiles = JobFiles(face.desk.box, job)
    opened = Opened(face=face, glyphs=glyphs, tabs=(_TAB,), files=files, home="jobs")
    screen.app.push_screen(JobLogScreen(screen.keymap, opened))
