"""GPUs: use, memory, temperature and power of each, the processes on it with their owners, and which run each is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar, Final

from runtower.acts.face import Face
from runtower.acts.gpu_rows import about_gpu, about_process, gpu_heads, gpu_rows, host_line, index_of, pid_of
from runtower.acts.job_control import Running
from runtower.acts.listed import Head
from runtower.domain.box import Process
from runtower.domain.links import Link, Relation
from runtower.domain.runs import RunKey
from runtower.keymap import Keymap
from runtower.present.glyphs import Glyphs
from runtower.present.spans import Line as Spans
from runtower.screens.box_screen import BoxScreen
from runtower_widgets.line import Line

_FOOTER: Final = (
    "find.filter",
    "app.help",
    "gpu.open",
    "links.open",
    "job.interrupt",
    "columns.sort",
    "jobs.open",
    "app.back",
)


class GpusScreen(BoxScreen):
    """One method an action: `do_` + its id."""

    place: ClassVar[str] = "gpus"
    footer_keys = _FOOTER
    open_action = "gpu.open"

    def __init__(self, keymap: Keymap, glyphs: Glyphs, face: Face, target: str = "") -> None:
        """`target`: the index of the GPU on which the cursor stands first."""
        super().__init__(keymap, glyphs, face, "gpus")
        self._target = target

    # -- drawing

    def draw(self) -> None:
        super().draw()
        if not self.is_there:
            return
        names: dict[int, str] = {}
        for gpu in self.box.gpus.gpus if self.box.gpus is not None else ():
            for one in gpu.processes:
                process = self.box.processes.get(one.pid)
                found = self._runs_of(process)
                if found:
                    key, _, sure = found[0]
                    names[one.pid] = self.run_name(key) + ("" if sure else "?")
                elif process is not None and (name := process.environ.get("RUNTOWER_JOB")):
                    names[one.pid] = f"job {name}"
        self.listed.take(gpu_rows(self.box, names, self.glyphs, time.time() * 1000))
        if self._target and (place := self.listed.index_of(("gpu", int(self._target)))) >= 0:
            self._target = ""
            self._cursor_id, self._laid = self.listed.shown[place].id, -1
        self.draw_rows()
        self.query_one("#said", Line).say(((" ", ""), *host_line(self.box.host, self.size.width - 1)))

    def _runs_of(self, process: Process | None) -> list[tuple[RunKey, str, bool]]:
        """Those of a process, else of what started it or shares its group."""
        if process is None:
            return []
        joins, known = self.face.desk.joins, self.box.processes
        if found := joins.runs_of_process(process):
            return found
        for pid in (process.parent, process.group):
            other = known.get(pid)
            if other is not None and other.is_ours and (found := joins.runs_of_process(other)):
                return found
        job = self.box.jobs.get(process.environ.get("RUNTOWER_JOB", ""))
        return joins.runs_of_job(job) if job is not None else []

    def heads(self) -> Sequence[Head]:
        return gpu_heads()

    def status(self) -> tuple[Spans, Spans]:
        right: list[tuple[str, str]] = [*self.gpus_busy()]
        if self.box.gpus is not None and self.box.gpus.driver and self.size.width >= 100:
            right.append((f"driver {self.box.gpus.driver}", "dim"))
        if self.face.desk.paused:
            right.append(("  paused (w)", "warning"))
        return self.screens_line("6 gpu"), (*right, (" ", ""))

    def instead(self) -> Sequence[Spans]:
        if self.listed.total:
            return ()
        if self.box.gpus is None:
            return [(("Asking the driver ...", "dim"),)]
        lines: list[Spans] = [((self.box.gpus.said, ""),), ()]
        lines.append(host_line(self.box.host, self.size.width - 4))
        return [*lines, (), ((self.keymap.shown("jobs.open"), "key"), (" shows the jobs; they need no GPU", ""))]

    def about(self) -> tuple[str, Sequence[Spans]]:
        process, now = self.process_here, time.time() * 1000
        if pid := pid_of(self.here):
            found = [(self.run_name(key), evidence, sure) for key, evidence, sure in self._runs_of(process)]
            return f"process {pid}", about_process(process, found, now)
        assert self.box.gpus is not None
        gpu = next(one for one in self.box.gpus.gpus if one.index == index_of(self.here))
        return f"gpu {gpu.index}  {gpu.name}", about_gpu(gpu, self.box.gpus.driver)

    # -- which process

    @property
    def process_here(self) -> Process | None:
        """The one under the cursor; on a GPU's own row the only one that is on it."""
        pid = pid_of(self.here) if self.here is not None else 0
        if not pid and self.here is not None and self.box.gpus is not None:
            on = [gpu.processes for gpu in self.box.gpus.gpus if gpu.index == index_of(self.here)]
            pid = on[0][0].pid if on and len(on[0]) == 1 else 0
        return self.box.processes.get(pid)

    def running_here(self) -> Running | None:
        process = self.process_here
        if process is None:
            return None
        desk = self.face.desk
        job = desk.box.jobs.get(process.environ.get("RUNTOWER_JOB", ""))
        if job is not None and not job.state.is_over:
            return desk.control.of_job(job)
        keys = [key for key, _, sure in self._runs_of(process) if sure]
        return Running(f"process {process.pid}", None, process, keys)

    def links_here(self) -> Sequence[Link]:
        process = self.process_here
        if process is None:
            return ()
        links = [Link(Relation.RUN, key.run_id, evidence, sure) for key, evidence, sure in self._runs_of(process)]
        job = self.box.jobs.get(process.environ.get("RUNTOWER_JOB", ""))
        if job is not None:
            links.append(Link(Relation.JOB, job.id, "RUNTOWER_JOB in its environment"))
        if process.folder:
            links.append(Link(Relation.FOLDER, process.folder, "it runs there"))
        return links

    def runs_here(self) -> Sequence[RunKey]:
        return [key for key, _, _ in self._runs_of(self.process_here)]

    # -- keys

    def why_not(self, action_id: str) -> str:
        if action_id in ("jobs.open", "models.runs"):
            return ""
        if reason := super().why_not(action_id):
            return reason
        if action_id in ("job.interrupt", "job.terminate", "job.kill"):
            return self.why_no_stop() if self.process_here is not None else "choose a process"
        if action_id in ("links.open", "gpu.open"):
            return self.why_no_links()
        return ""

    def do_gpu_open(self) -> None:
        """To the run of the process; where several things belong to it, the choice."""
        runs = self.runs_here()
        if len(runs) == 1:
            self.go_to_run(runs[0])
        else:
            self.do_links_open()

    def do_jobs_open(self) -> None:
        self.dismiss("jobs ")
