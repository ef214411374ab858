"""The pipeline of a DVC project: its stages, how each is and why, and running them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from runtower.acts.face import Face
from runtower.acts.listed import Head
from runtower.acts.pipeline_rows import about_stage, group_of, stage_heads, stage_rows
from runtower.acts.repro import WAYS, command_of, last_of
from runtower.domain.pipelines import Stage
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.pipeline_cells import holders_text, in_short
from runtower.present.spans import Line as Spans
from runtower.present.spans import inert
from runtower.screens.confirm import Confirm
from runtower.screens.copying import copy_out
from runtower.screens.dvc_jobs import dvc_question, start_dvc, why_no_dvc
from runtower.screens.job_log import open_log
from runtower.screens.listed_screen import ListedScreen
from runtower.screens.menu import Choice, Menu

_FOOTER: Final = ("find.filter", "app.help", "stage.repro", "log.open", "stage.fold", "columns.sort", "app.back")


class PipelineScreen(ListedScreen):
    """One method an action: `do_` + its id."""

    place: ClassVar[str] = "pipeline"
    footer_keys = _FOOTER
    open_action = "stage.fold"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face) -> None:
        super().__init__(keymap, glyphs, face)
        self.pipelines = face.desk.pipelines
        self._unfolded: set[str] = set()
        self._ends = [self.pipelines.watch(), face.desk.box.watch("jobs")]

    def on_unmount(self) -> None:
        for end in self._ends:
            end()

    # -- drawing

    def draw(self) -> None:
        super().draw()
        if self.is_there:
            self.listed.take(stage_rows(self.pipelines.known, self._unfolded, self.glyphs))
            self.draw_rows()

    def heads(self) -> Sequence[Head]:
        return stage_heads(self.pipelines.known)

    def status(self) -> tuple[Spans, Spans]:
        left: Spans = ((" runtower  ", "title"), ("1 runs ", "dim"), ("[3 pipeline]", "active"))
        stages = [stage for _, stage in self.pipelines.known]
        right: list[tuple[str, str]] = [(in_short(stages), "")] if stages else []
        held = [text for number in self.pipelines.numbers for text in self._held(number)]
        if held:
            right.insert(0, (f"{inert(held[0], self.glyphs)[: max(10, self.size.width - 70)]}   ", "state-running"))
        if self.face.desk.paused:
            right.append(("  paused (w)", "warning"))
        return left, (*right, (" ", ""))

    def _held(self, number: int) -> list[str]:
        found = self.pipelines.of(number).pipeline
        return holders_text(found) if found is not None else []

    def instead(self) -> Sequence[Spans]:
        if self.listed.total:
            return ()
        said: list[Spans] = []
        for number in self.pipelines.numbers:
            read = self.pipelines.of(number)
            problems = [str(read.error)] if read.error is not None else []
            problems += read.pipeline.problems if read.pipeline is not None else ()
            said += [((inert(problem, self.glyphs), "warning"),) for problem in problems]
        if said:
            return [*said, (), (("r", "key"), (" looks again; it is looked at every few seconds too", ""))]
        if not self.pipelines.numbers:
            return [(("None of these sources is a DVC project.", ""),)]
        return [(("Reading the pipeline ...", "dim"),)]

    def about(self) -> tuple[str, Sequence[Spans]]:
        stage = self.stage_here
        if stage is None:
            group = group_of(self.here)
            command = next((stage.command for _, stage in self.pipelines.known if stage.group == group), "")
            return group, [(("enter or za shows its stages", "dim"),), (("such as   ", "dim"), (command, ""))]
        return stage.name, about_stage(stage, self.glyphs)

    # -- which stage

    @property
    def stage_here(self) -> Stage | None:
        return next(
            (stage for number, stage in self.pipelines.known if ("stage", number, stage.name) == self.here), None
        )

    @property
    def _number(self) -> int:
        assert isinstance(self.here, tuple)
        return int(self.here[1])

    @property
    def _folder(self) -> Path:
        return Path(self.pipelines.folder(self._number)).expanduser().absolute()

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id == "live.refresh":
            return ""
        if reason := super().why_not(action_id):
            return reason
        stage = self.stage_here
        if action_id == "stage.fold":
            grouped = bool(group_of(self.here)) or bool(stage is not None and stage.group)
            return "" if grouped else "it is none of a foreach or matrix"
        if action_id == "stage.repro":
            return why_no_dvc(self.face.desk, self._number, self._folder, self.glyphs)
        if action_id == "log.open" and last_of(self.face.desk.box.jobs.values(), self._folder) is None:
            return "no dvc was run from here in this project"
        if action_id == "take.command" and stage is None:
            return "choose one of its stages (enter shows them)"
        return ""

    def do_stage_fold(self) -> None:
        stage = self.stage_here
        group = stage.group if stage is not None else group_of(self.here)
        self._unfolded ^= {group}
        if stage is not None:
            self._cursor_id, self._laid = ("group", self._number, group), -1
        self.draw()

    def do_stage_repro(self) -> None:
        """Choose how, see the command, then it runs as a job."""
        stage, group, folder = self.stage_here, group_of(self.here), self._folder
        name = stage.name if stage is not None else group
        commands = {way.id: command_of(way, name, folder, os.environ) for way in WAYS}
        found = [Choice(way.id, way.text, "", shlex.join(["dvc", *commands[way.id][1:]])) for way in WAYS]

        def chosen(values: list[str] | None) -> None:
            if values:
                self._confirm(commands[values[0]], folder)

        self.app.push_screen(Menu(f"dvc repro {inert(name, self.glyphs)}", found), chosen)

    def _confirm(self, command: list[str], folder: Path) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._launch(command, folder), exit_on_error=False)

        self.app.push_screen(Confirm("run the pipeline", dvc_question(command, folder), "run it"), answered)

    async def _launch(self, command: list[str], folder: Path) -> None:
        title = f"dvc {' '.join(command[1:])}"[:60]
        if said := await start_dvc(self.app, self.face.desk, command, folder, title, self.glyphs):
            self.say(f"{said}; {self.keymap.shown('log.open')} shows its log")
            self.pipelines.refresh()

    def do_log_open(self) -> None:
        job = last_of(self.face.desk.box.jobs.values(), self._folder)
        assert job is not None
        open_log(self, self.face, self.glyphs, job)

    async def do_take_command(self) -> None:
        stage = self.stage_here
        assert stage is not None
        self.say(await copy_out(self.app, stage.command, self.face.desk.copied_file))

    def do_live_refresh(self) -> None:
        self.pipelines.refresh()

    def do_models_runs(self) -> None:
        self.dismiss()

    def do_app_back(self) -> None:
        if not self.one_back():
            self.dismiss()
