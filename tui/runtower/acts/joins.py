"""What belongs to a run, and which run something belongs to: by what each says of itself, else by what fits only once.

Nothing is stored: links are worked out of what is known now, for the run or the job that is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from runtower.acts.box import Box
from runtower.acts.job_runs import JOB_TAG, SLURM_TAGS, is_in_time, rows_with, runs_of_job
from runtower.acts.tower import Tower
from runtower.catalog.catalogue import Catalogue
from runtower.domain import runs
from runtower.domain.box import OutputFolder, Process
from runtower.domain.jobs import Job, JobState, Where
from runtower.domain.links import Link, Relation
from runtower.domain.runs import ColumnKey, Kind, RunKey, Status
from runtower.jobs.proofs import PROCESS_TAG

_GUESSED_MS: Final = 15 * 60_000.0
_MADE_MS: Final = 120_000.0
_SKEW_MS: Final = 2_000.0
_PROCESS: Final = ColumnKey(Kind.TAG, PROCESS_TAG)
_MOST_SAME: Final = 50
_DVC_TAGS: Final = ("DVC_EXP_NAME", "dvc_exp_name", "dvc.exp_name")
_WANDB_TAGS: Final = ("wandb_run_id", "wandb.run_id", "wandb/run_id")


class Joins:
    """Asked on the loop; costs as much as the few processes, jobs and cells that it looks at."""

    def __init__(self, tower: Tower, box: Box) -> None:
        self._tower = tower
        self._box = box
        self._guessed: tuple[tuple[int, int, int], dict[int, int]] = ((-1, -1, -1), {})
        self._of_job: dict[str, tuple[tuple[int, int], list[int]]] = {}

    # -- of a run

    def of_run(self, row: int) -> list[Link]:
        """All that belongs to a run (a global row): process, GPUs, job, folder, log, W&B, DVC, other sources' runs."""
        same = [Link(Relation.RUN, key.run_id, evidence, sure) for key, evidence, sure in self.same_as(row)]
        return [*self._around(row), *same]

    def _around(self, row: int) -> list[Link]:
        """The same without other runs, whose search costs more."""
        said = self._said(row)
        process, evidence, sure = self._process_of(row, said)
        links: list[Link] = []
        job = self._job_of(row, said, process)
        if job is not None:
            links.append(job)
        if process is not None:
            links.append(Link(Relation.PROCESS, str(process.pid), evidence, sure))
            links += self._of_process(process, sure)
        elif job is not None and (known := self._box.jobs.get(job.target)) is not None and known.pid:
            links += self._gpus(known.pid, f"its job {job.target} is on it", True)
        links += self._folders_of(row, said, process, job)
        known = self._box.jobs.get(job.target) if job is not None else None
        if known is not None and known.log:
            links.append(Link(Relation.LOG, known.log, f"what its job {known.id} prints", job.sure if job else True))
        for tag in _WANDB_TAGS:
            if tag in said:
                links.append(Link(Relation.WANDB, said[tag], f"its tag {tag}"))
        return list(dict.fromkeys(links))

    def same_as(self, row: int) -> list[tuple[RunKey, str, bool]]:
        """Runs of other sources that are the same thing: DVC's experiment by its name, and the commit that it was made
        of; each with how that is known."""
        catalogue, said = self._tower.catalogue, self._said(row)
        own, sources = catalogue.run_key(row), catalogue.source_numbers()
        found: dict[int, str] = {}
        kind, _, rest = own.run_id.partition(":")
        if kind == "exp":
            name = rest.partition("@")[0]
            found |= {one: f"its tag {tag}" for tag in _DVC_TAGS for one in rows_with(catalogue, _tag(tag), name)}
        process = self.process_of(row)
        named = [(f"its tag {tag}", said[tag]) for tag in _DVC_TAGS if tag in said]
        if process is not None and "DVC_EXP_NAME" in process.environ:
            named.append(("DVC_EXP_NAME in its process", process.environ["DVC_EXP_NAME"]))
        for evidence, name in named:
            found |= {one: evidence for one in rows_with(catalogue, runs.NAME, name) if _kind(catalogue, one) == "exp"}
        commit = catalogue.texts(runs.GIT_COMMIT).text(row)
        for one in rows_with(catalogue, runs.GIT_COMMIT, commit)[:_MOST_SAME] if commit else ():
            found.setdefault(one, "made of the same git commit")
        return [
            (catalogue.run_key(one), evidence, True) for one, evidence in found.items() if sources[one] != sources[row]
        ]

    def process_of(self, row: int) -> Process | None:
        """The process that a run lives in, None where none is known."""
        return self._process_of(row, self._said(row))[0]

    def lives_in(self, row: int) -> str:
        """What a running run lives in, short: `gpu 2, pid 4711, j12`; what is guessed has a question mark."""
        found: dict[Relation, list[str]] = {}
        for link in self._around(row):
            if link.relation in (Relation.GPU, Relation.PROCESS, Relation.JOB):
                found.setdefault(link.relation, []).append(link.target + ("" if link.sure else "?"))
        words = {Relation.GPU: "gpu", Relation.PROCESS: "pid", Relation.JOB: "job"}
        said = [f"{word} {','.join(found[relation])}" for relation, word in words.items() if relation in found]
        job = next((self._box.jobs[name] for name in found.get(Relation.JOB, ()) if name in self._box.jobs), None)
        if job is not None and job.state is JobState.WAIT and job.reason:
            said.append(job.reason)
        return ", ".join(said)

    # -- of a job, a process

    def of_job(self, job: Job) -> list[Link]:
        """All that belongs to a job."""
        links = [Link(Relation.RUN, _run_id(key), evidence, sure) for key, evidence, sure in self.runs_of_job(job)]
        if job.pid and not job.state.is_over:
            links.append(Link(Relation.PROCESS, str(job.pid), "as its supervisor wrote it down"))
            links += self._gpus(job.pid, "its process is on it", True)
        if job.where is Where.SLURM:
            for process in self._box.processes.values():
                if _slurm_id(process.environ) == job.id:
                    links.append(Link(Relation.PROCESS, str(process.pid), "SLURM_JOB_ID in its environment"))
                    links += self._gpus(process.pid, "its process is on it", True)
            links += self._submitit(job.id)
        if job.log:
            links.append(Link(Relation.LOG, job.log, "where its output goes"))
        return list(dict.fromkeys(links))

    def runs_of_job(self, job: Job) -> list[tuple[RunKey, str, bool]]:
        """Its runs, with how that is known and whether it is sure."""
        catalogue = self._tower.catalogue
        version = (self._box.version, catalogue.size)
        known = self._of_job.get(job.id)
        if known is None or known[0] != version:
            if len(self._of_job) > 2_000:
                self._of_job.clear()
            known = self._of_job[job.id] = (version, runs_of_job(catalogue, job))
        found = {catalogue.run_key(row): ("the run's tags name the job", True) for row in known[1]}
        for process in self._box.processes.values():
            if process.environ.get("RUNTOWER_JOB") == job.id or (job.pid and process.group == job.pid):
                for key, evidence, sure in self.runs_of_process(process):
                    found.setdefault(key, (evidence, sure))
        return [(key, *how) for key, how in found.items()]

    def runs_of_process(self, process: Process) -> list[tuple[RunKey, str, bool]]:
        """The runs that a process logs, as `runs_of_job`."""
        catalogue = self._tower.catalogue
        found: dict[RunKey, tuple[str, bool]] = {}
        run_id = process.environ.get("MLFLOW_RUN_ID")
        if run_id:
            for row in rows_with(catalogue, runs.RUN_ID, run_id):
                found[catalogue.run_key(row)] = ("MLFLOW_RUN_ID in the process's environment", True)
        for row in self._rows_naming(process):
            found.setdefault(catalogue.run_key(row), (f"the run's tag {PROCESS_TAG} names the process", True))
        guessed = next((row for row, pid in self._guesses().items() if pid == process.pid), None)
        if guessed is not None and not found:
            found[catalogue.run_key(guessed)] = (_GUESS, False)
        return [(key, *how) for key, how in found.items()]

    # -- how it is known

    def _process_of(self, row: int, said: dict[str, str]) -> tuple[Process | None, str, bool]:
        words = said.get(PROCESS_TAG, "").split()
        if len(words) == 4 and words[2].isdecimal():
            process = self._box.processes.get(int(words[2]))
            if process is not None and str(process.start_ticks) == words[3]:
                return process, f"its tag {PROCESS_TAG}", True
        run_id = self._tower.catalogue.run_key(row).run_id
        for process in self._box.processes.values():
            if process.environ.get("MLFLOW_RUN_ID") == run_id:
                return process, "MLFLOW_RUN_ID in the process's environment", True
        pid = self._guesses().get(row)
        found = self._box.processes.get(pid) if pid is not None else None
        return found, _GUESS if found is not None else "", False

    def _job_of(self, row: int, said: dict[str, str], process: Process | None) -> Link | None:
        host, _, name = said.get(JOB_TAG, "").rpartition(":")
        job = self._box.jobs.get(name) if name else None
        start = self._tower.catalogue.numbers(runs.START_TIME).number(row)
        if job is not None and job.host == host and is_in_time(job, start):
            return Link(Relation.JOB, name, f"its tag {JOB_TAG}")
        for tag in SLURM_TAGS:
            job = self._box.jobs.get(said.get(tag, ""))
            if job is not None and is_in_time(job, start):
                return Link(Relation.JOB, job.id, f"its tag {tag}")
        run_id = self._tower.catalogue.run_key(row).run_id
        for one in self._box.jobs.values():
            if one.run_id == run_id:
                return Link(Relation.JOB, one.id, "the job was told to use this run")
        if process is not None:
            for name, variable in (
                (process.environ.get("RUNTOWER_JOB", ""), "RUNTOWER_JOB"),
                (_slurm_id(process.environ), "SLURM_JOB_ID"),
            ):
                if name in self._box.jobs:
                    return Link(Relation.JOB, name, f"{variable} in its process's environment")
        return None

    def _of_process(self, process: Process, sure: bool) -> Iterator[Link]:
        yield from self._gpus(process.pid, f"its process {process.pid} is on it", sure)
        if name := process.environ.get("DVC_EXP_NAME"):
            yield Link(Relation.DVC, name, "DVC_EXP_NAME in its process's environment", sure)
        if name := process.environ.get("WANDB_RUN_ID"):
            yield Link(Relation.WANDB, name, "WANDB_RUN_ID in its process's environment", sure)

    def _gpus(self, pid: int, evidence: str, sure: bool) -> list[Link]:
        found = self._box.gpus_of(self._box.family(pid))
        return [Link(Relation.GPU, str(gpu.index), evidence, sure) for gpu, _ in found]

    def _folders_of(self, row: int, said: dict[str, str], process: Process | None, job: Link | None) -> Iterator[Link]:
        known, found = self._box.folders, False
        for key, text in said.items():
            if text.startswith("/") and text.rstrip("/") in known:
                yield from _folder(known[text.rstrip("/")], f"it says so: {key}", True)
                found = True
        if process is not None and process.folder in known:
            yield from _folder(known[process.folder], f"its process {process.pid} runs in it", True)
            found = True
        if job is not None:
            yield from self._submitit(job.target)

        if not found and (folder := self._fitting_folder(row)) is not None:
            yield from _folder(folder, "guessed: Hydra made it for that script just before the run began", False)
        ids = {said[tag] for tag in _WANDB_TAGS if tag in said}
        ids |= {process.environ["WANDB_RUN_ID"]} if process is not None and "WANDB_RUN_ID" in process.environ else set()
        for one in known.values() if ids else ():
            if one.kind == "wandb" and one.id in ids:
                yield from _folder(one, f"W&B's folder of its run {one.id}", True)

    def _fitting_folder(self, row: int) -> OutputFolder | None:
        """The only folder of Hydra's whose log has the script's name, and that was made in the two minutes before."""
        catalogue = self._tower.catalogue
        start, script = catalogue.numbers(runs.START_TIME).number(row), catalogue.texts(runs.SOURCE_NAME).text(row)
        if start is None or not script:
            return None
        log = os.path.splitext(os.path.basename(script))[0] + ".log"
        fits = [
            folder
            for folder in self._box.folders.values()
            if folder.kind == "hydra"
            and 0 <= start - folder.made_ms + _SKEW_MS <= _MADE_MS
            and os.path.basename(folder.log) == log
        ]
        return fits[0] if len(fits) == 1 else None

    def _submitit(self, slurm_id: str) -> Iterator[Link]:
        for folder in self._box.folders.values():
            if folder.kind == "submitit" and folder.id == slurm_id:
                yield from _folder(folder, f"submitit's folder of Slurm job {slurm_id}", True)

    def _rows_naming(self, process: Process) -> list[int]:
        column = self._tower.catalogue.texts(_PROCESS)
        ending = f" {process.pid} {process.start_ticks}"
        words = {str(word) for word in column.words.to_pylist() if str(word).endswith(ending)}
        return [row for word in words for row in rows_with(self._tower.catalogue, _PROCESS, word)]

    def _guesses(self) -> dict[int, int]:
        """Running runs that name no process, each with the pid of the only one that fits only it.

        It fits where the user is the same, the script of the run is an argument of the process, and the run began
        within a quarter of an hour after the process.
        """
        catalogue = self._tower.catalogue
        version = (self._box.version, catalogue.size, len(catalogue.sources))
        if self._guessed[0] == version:
            return self._guessed[1]
        fits: dict[int, list[int]] = {}
        taken: dict[int, int] = {}
        sourced, users = catalogue.texts(runs.SOURCE_NAME), catalogue.texts(runs.USER)
        starts, named = catalogue.numbers(runs.START_TIME), catalogue.texts(_PROCESS)
        known = self._free_processes()
        for row in rows_with(catalogue, runs.STATUS, Status.RUNNING):
            script, start = os.path.basename(sourced.text(row) or ""), starts.number(row)
            if not script or start is None or named.text(row) is not None:
                continue
            for process in known:
                begun = process.started_ms - 2000 <= start <= process.started_ms + _GUESSED_MS
                if not begun or users.text(row) != process.user:
                    continue
                if any(os.path.basename(word) == script for word in process.command):
                    fits.setdefault(row, []).append(process.pid)
                    taken[process.pid] = taken.get(process.pid, 0) + 1
        found = {}
        for row, pids in fits.items():
            leaders = _leaders(pids, self._box.processes)
            if len(leaders) == 1 and taken[leaders[0]] == 1:
                found[row] = leaders[0]
        self._guessed = (version, found)
        return found

    def _free_processes(self) -> list[Process]:
        """Those that no run names, and that name none."""
        column = self._tower.catalogue.texts(_PROCESS)
        words = column.words.to_pylist()
        named = {tuple(str(words[code]).split()[2:]) for code in set(column.codes[column.codes >= 0].tolist())}
        return [
            process
            for process in self._box.processes.values()
            if "MLFLOW_RUN_ID" not in process.environ and (str(process.pid), str(process.start_ticks)) not in named
        ]

    def _said(self, row: int) -> dict[str, str]:
        """Params and tags of a run."""
        return {
            cell.key.key: cell.text
            for cell in self._tower.catalogue.cells(row)
            if cell.text and cell.key.kind in (Kind.PARAM, Kind.TAG)
        }


_GUESS: Final = "guessed: same user and script, begun at that time, and nothing else fits"


def _tag(name: str) -> ColumnKey:
    return ColumnKey(Kind.TAG, name)


def _kind(catalogue: Catalogue, row: int) -> str:
    """What a run of DVC's is: exp, commit, queued."""
    return catalogue.run_key(row).run_id.partition(":")[0]


def _leaders(pids: list[int], known: dict[int, Process]) -> list[int]:
    """Without the workers that one of the others started."""
    return [pid for pid in pids if pid not in known or known[pid].parent not in pids]


def _folder(folder: OutputFolder, evidence: str, sure: bool) -> Iterator[Link]:
    yield Link(Relation.FOLDER, folder.path, evidence, sure)
    if folder.log:
        yield Link(Relation.LOG, folder.log, evidence, sure)


def _slurm_id(environ: dict[str, str]) -> str:
    """As squeue writes it: `4711`, or `4711_3` of an array."""
    array, member = environ.get("SLURM_ARRAY_JOB_ID", ""), environ.get("SLURM_ARRAY_TASK_ID", "")
    return f"{array}_{member}" if array and member else environ.get("SLURM_JOB_ID", "")


def _run_id(key: RunKey) -> str:
    return key.run_id
