"""What the keys do that stop what runs, and jump along what belongs together, on every screen that shows such."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runtower.domain.errors import TowerError
from runtower.domain.jobs import JobState
from runtower.domain.links import Link, Relation
from runtower.present.spans import inert
from runtower.screens.confirm import Confirm
from runtower.screens.copying import copy_out
from runtower.screens.keys import KeyScreen
from runtower.screens.menu import Choice, Menu

if TYPE_CHECKING:
    from runtower.acts.face import Face
    from runtower.acts.job_control import Running
    from runtower.domain.jobs import Job
    from runtower.domain.runs import RunKey
    from runtower.present.glyphs import Glyphs


class StopKeys(KeyScreen):
    """One method an action: `do_` + its id. A screen says what is meant."""

    glyphs: Glyphs
    face: Any

    @abstractmethod
    def running_here(self) -> Running | None:
        """What `I`, `T` and `K` would stop; None where nothing is known."""

    def why_no_stop(self) -> str:
        """Why it can't be stopped, '' where it can."""
        face: Face = self.face
        return face.desk.control.why_not(self.running_here())

    def do_job_interrupt(self) -> None:
        self._ask_stop("INT")

    def do_job_terminate(self) -> None:
        self._ask_stop("TERM")

    def do_job_kill(self) -> None:
        self._ask_stop("KILL")

    def _ask_stop(self, signal: str) -> None:
        running = self.running_here()
        assert running is not None
        face: Face = self.face
        waits = running.job is not None and running.job.state is JobState.WAIT
        verb = "take it back" if waits else f"send {signal}"

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._stop(running, signal), exit_on_error=False)
            else:
                self.say("all is left as it was")

        title = f"{'take back' if waits else 'stop'} {inert(running.name, self.glyphs)[:60]}"
        self.app.push_screen(Confirm(title, face.desk.control.question(running, signal), verb), answered)

    async def _stop(self, running: Running, signal: str) -> None:
        face: Face = self.face
        try:
            self.say(await face.desk.control.stop(running, signal))
        except TowerError as error:
            self.app.notify(inert(str(error), self.glyphs), severity="warning", markup=False)


class LinkKeys(StopKeys):
    """The menu of what belongs to the row, and where each leads."""

    @abstractmethod
    def links_here(self) -> Sequence[Link]:
        """What belongs to what stands under the cursor."""

    @abstractmethod
    def runs_here(self) -> Sequence[RunKey]:
        """The runs among them."""

    @abstractmethod
    def go_to_run(self, key: RunKey) -> None:
        """Open a run."""

    @abstractmethod
    def go_to(self, screen: str, target: str) -> None:
        """To `jobs` with the cursor on a job, or to `gpus` on a GPU."""

    def why_no_links(self) -> str:
        """Why there is nothing to go to, '' where there is."""
        return "" if self.links_here() else "nothing that belongs to it is known on this machine or in Slurm"

    def do_links_open(self) -> None:
        face: Face = self.face
        links = self.links_here()
        names = {key.run_id: key for key in self.runs_here()}
        offered = []
        for place, link in enumerate(links):
            text = link.target
            if link.relation is Relation.RUN and link.target in names:
                row = int(face.desk.tower.catalogue.rows_of([names[link.target]])[0])
                text = face.name_of(row) if row >= 0 else link.target
            sure = "" if link.sure else "?"
            offered.append(Choice(str(place), f"{link.relation} {inert(text, self.glyphs)}{sure}", "", link.evidence))

        async def chosen(values: list[str] | None) -> None:
            if values:
                await self._follow(links[int(values[0])], names)

        foot = "type to search   enter goes there, of a path or an id a copy is taken   esc back"
        self.app.push_screen(Menu("what belongs to it", offered, footer=foot), chosen)

    async def _follow(self, link: Link, names: dict[str, RunKey]) -> None:
        face: Face = self.face
        if link.relation is Relation.RUN and link.target in names:
            self.go_to_run(names[link.target])
        elif link.relation is Relation.JOB:
            self.go_to("jobs", link.target)
        elif link.relation is Relation.GPU:
            self.go_to("gpus", link.target)
        elif link.relation is Relation.LOG and (job := self._job_with(link.target)) is not None:
            self.open_job_log(job)
        else:
            self.say(await copy_out(self.app, link.target, face.desk.copied_file))

    def _job_with(self, log: str) -> Job | None:
        face: Face = self.face
        return next((job for job in face.desk.box.jobs.values() if job.log == log), None)

    def open_job_log(self, job: Job) -> None:
        """The log of a job, on a screen of its own."""
        from runtower.screens.job_log import open_log  # noqa: PLC0415  numpy comes after the first paint

        open_log(self, self.face, self.glyphs, job)
