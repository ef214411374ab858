"""Jobs: what runs, waits and ended, here and in Slurm; stopped, run again, followed, and where each leads."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from typing import ClassVar, Final

from runtower.acts.face import Face
from runtower.acts.job_control import Running
from runtower.acts.job_rows import about_job, array_of, job_heads, job_rows
from runtower.acts.listed import Head
from runtower.domain.errors import TowerError
from runtower.domain.jobs import Job, JobState, Where, as_one
from runtower.domain.links import Link
from runtower.domain.runs import RunKey
from runtower.jobs import slurm_programs, submit
from runtower.jobs.submit import Resources
from runtower.keymap import Keymap
from runtower.link.offloop import off_loop
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert
from runtower.screens.box_screen import BoxScreen
from runtower.screens.confirm import Confirm
from runtower.screens.copying import copy_out
from runtower.screens.launch_form import LaunchForm, Wish

_FOOTER: Final = (
    "find.filter",
    "app.help",
    "job.open",
    "log.open",
    "job.interrupt",
    "job.new",
    "links.open",
    "job.again",
    "columns.sort",
    "app.back",
)
_SECOND: Final = 1.0


class JobsScreen(BoxScreen):
    """One method an action: `do_` + its id."""

    place: ClassVar[str] = "jobs"
    footer_keys = _FOOTER
    open_action = "job.open"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, target: str = "") -> None:
        """`target`: the job on which the cursor stands first."""
        super().__init__(keymap, glyphs, face, "jobs")
        self._unfolded: set[str] = set()
        self._target = target

    def on_mount(self) -> None:
        self.set_interval(_SECOND, self._second)

    def _second(self) -> None:
        """Durations of what runs are told anew each second, while something does."""
        if any(job.state is JobState.RUN for job in self.box.jobs.values()) and not self.face.desk.paused:
            self.draw_soon()

    # -- drawing

    def draw(self) -> None:
        super().draw()
        if not self.is_there:
            return
        jobs, now = list(self.box.jobs.values()), time.time() * 1000
        self.listed.take(job_rows(jobs, self._unfolded, self.glyphs, now))
        if self._target and (place := self.listed.index_of(self._target)) >= 0:
            self._target = ""
            self._cursor_id = self.listed.shown[place].id
            self._laid = -1
        self.draw_rows()

    def heads(self) -> Sequence[Head]:
        return job_heads(list(self.box.jobs.values()))

    def status(self) -> tuple[Spans, Spans]:
        counts = {state: sum(job.state is state for job in self.box.jobs.values()) for state in JobState}
        said = [f"{counts[JobState.RUN]} running", f"{counts[JobState.WAIT]} waiting"]
        right: list[tuple[str, str]] = [*self.gpus_busy(), (", ".join(said), "")]
        if self.box.slurm_error:
            right.insert(0, ("Slurm doesn't answer   ", "warning"))
        if self.listed.needle:
            right.append((f", {len(self.listed)} of {self.listed.total} shown", "hit"))
        if self.face.desk.paused:
            right.append(("  paused (w)", "warning"))
        return self.screens_line("5 jobs"), (*right, (" ", ""))

    def instead(self) -> Sequence[Spans]:
        if self.listed.total:
            return ()
        if not self.box.is_told:
            return [(("Looking at this machine ...", "dim"),)]
        lines: list[Spans] = [(("No job was launched here yet.", ""),), ()]
        if self.box.slurm_error:
            lines = [((inert(self.box.slurm_error, self.glyphs), "warning"),), ()]
        key = self.keymap.shown("job.new")
        return [
            *lines,
            ((key, "key"), (" starts a command that outlives this terminal; in a shell that is", "")),
            (("  runtower launch -- python train.py", "bright"),),
            (),
            ((self.keymap.shown("gpus.open"), "key"), (" shows the GPUs and who is on them", "")),
        ]

    def about(self) -> tuple[str, Sequence[Spans]]:
        job = self.job_here
        if job is None:
            one = as_one(self._members_here())
            return f"array {one.id} {one.name}", about_job(one, (), {}, self.glyphs, time.time() * 1000)
        names = {key.run_id: self.run_name(key) for key in self.runs_here()}
        return f"{job.id} {job.name}", about_job(job, self.links_here(), names, self.glyphs, time.time() * 1000)

    # -- which job

    @property
    def job_here(self) -> Job | None:
        return self.box.jobs.get(str(self.here)) if self.here is not None and not array_of(self.here) else None

    def _members_here(self) -> list[Job]:
        array = array_of(self.here)
        return [job for job in self.box.jobs.values() if array and job.array == array]

    def running_here(self) -> Running | None:
        """The job, or its array as a whole."""
        job = self.job_here
        if job is None and (members := self._members_here()):
            job = as_one(members)
        return self.face.desk.control.of_job(job) if job is not None else None

    def links_here(self) -> Sequence[Link]:
        job = self.job_here
        return self.face.desk.joins.of_job(job) if job is not None else ()

    def runs_here(self) -> Sequence[RunKey]:
        job = self.job_here
        return [key for key, _, _ in self.face.desk.joins.runs_of_job(job)] if job is not None else ()

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id in ("job.new", "gpus.open", "models.runs"):
            return "runtower is read-only" if action_id == "job.new" and self.face.desk.settings.read_only else ""
        if reason := super().why_not(action_id):
            return reason
        job = self.job_here
        if action_id == "job.fold":
            return "" if array_of(self.here) or (job is not None and job.array) else "it is no member of an array"
        if action_id in ("job.interrupt", "job.terminate", "job.kill"):
            return self.why_no_stop()
        if job is None and action_id.split(".")[0] in ("job", "log", "links", "take") and action_id != "job.open":
            return "choose one of its members (enter shows them)"
        if job is None:
            return ""
        if action_id == "job.again":
            return self.face.desk.control.why_not_again(job)
        if action_id == "links.open":
            return self.why_no_links()
        if action_id == "log.open" and not job.log:
            return "Slurm doesn't say where its output goes" if job.where is Where.SLURM else "it has no log"
        if action_id == "take.command" and not job.command:
            return "its command isn't known"
        return ""

    def do_job_open(self) -> None:
        """An array folds; a job leads to its run, else to its log."""
        job = self.job_here
        if job is None:
            self.do_job_fold()
            return
        runs = self.runs_here()
        if len(runs) == 1:
            self.go_to_run(runs[0])
        elif runs:
            self.do_links_open()
        else:
            self.open_job_log(job)

    def do_job_fold(self) -> None:
        job = self.job_here
        array = job.array if job is not None else array_of(self.here)
        self._unfolded ^= {array}
        if job is not None:
            self._cursor_id, self._laid = ("array", array), -1
        self.draw()

    def do_gpus_open(self) -> None:
        self.dismiss("gpus ")

    def do_log_open(self) -> None:
        job = self.job_here
        assert job is not None
        self.open_job_log(job)

    async def do_take_command(self) -> None:
        job = self.job_here
        assert job is not None
        self.say(await copy_out(self.app, shlex.join(job.command), self.face.desk.copied_file))

    def do_job_again(self) -> None:
        job = self.job_here
        assert job is not None
        requeues = job.where is Where.SLURM and not job.state.is_over
        lines = [(" ".join(job.command) or job.name, "bright"), (f"in {job.folder}", "")]
        lines.append(("Slurm ends it and queues it again under its id" if requeues else "as a new job", ""))

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._again(job), exit_on_error=False)

        self.app.push_screen(Confirm(f"run {job.id} again", lines, "requeue" if requeues else "run again"), answered)

    async def _again(self, job: Job) -> None:
        try:
            self.say(await self.face.desk.control.again(job))
        except (TowerError, OSError) as error:
            self.app.notify(inert(str(error), self.glyphs), severity="warning", markup=False)

    async def do_job_new(self) -> None:
        why = slurm_programs.why_not()
        names: list[str] = []
        if not why and self.box.has_slurm:
            try:
                names = [one.name for one in await off_loop(submit.partitions)]
            except TowerError as error:
                why = str(error)
        elif not why:
            why = "Slurm's programs are here, and know of no cluster."
        desk = self.face.desk
        self.app.push_screen(LaunchForm(str(desk.project), desk.kept.launch, names, why), self._wished)

    async def _wished(self, wish: Wish | None) -> None:
        if wish is None:
            return
        desk, values = self.face.desk, wish.values
        desk.kept.launch = dict(values)
        number = {name: int(values[name] or 0) for name in ("gpus", "cpus")}
        resources = Resources(values["partition"], number["gpus"], values["memory"], values["time"], number["cpus"])
        request = desk.control.request(wish.words, desk.project, dict(os.environ), values["name"])
        try:
            name = await desk.control.launch(request, Where(values["on"]), resources)
        except TowerError as error:
            self.app.notify(inert(str(error), self.glyphs), severity="warning", markup=False)
            return
        self._target = name
        self.say(f"{name} was launched")
        self.draw_soon()
