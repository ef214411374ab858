"""A version folder as a row: its attributes, params and latest metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from runtower.domain import runs
from runtower.domain.runs import Kind, Status
from runtower.sources.csvlogger.contract import HPARAMS_FILE, METRICS_FILE, QUIET, WRITING
from runtower.sources.csvlogger.folders import FileStamp, VersionFolder
from runtower.sources.csvlogger.hparams import read_hparams
from runtower.sources.csvlogger.metrics_file import MetricsFile
from runtower.sources.gathered import metric_cells, param_cells
from runtower.sources.leaves import Param, Unreadable
from runtower.sources.port import Cells, Numbers, RowError, Texts


@dataclass(slots=True)
class VersionRun:
    """One run as last read. `start_ms` is the oldest mtime of its files ever seen (UTC epoch ms)."""

    folder: VersionFolder
    metrics: MetricsFile
    start_ms: float
    is_writing: bool = False
    params: list[Param] = field(default_factory=list)
    problems: tuple[str, ...] = ()
    _hparams_read: FileStamp | None = None
    _hparams_problem: str = ""

    @classmethod
    def of(cls, folder: VersionFolder) -> VersionRun:
        """A run that was not read yet."""
        return cls(folder, MetricsFile(folder.path / METRICS_FILE), _oldest_ms(folder))

    def refresh(self, folder: VersionFolder, now_s: float) -> None:
        """Read what is new in the folder's files."""
        if folder.hparams != self._hparams_read:
            self._read_hparams(folder)
        try:
            self.metrics.catch_up(folder.metrics)
            unread = ""
        except OSError as error:
            unread = f"metrics.csv can't be read: {error.strerror}."
        malformed = f"metrics.csv: {self.metrics.problem}" if self.metrics.problem else ""
        self.problems = tuple(text for text in (self._hparams_problem, unread, malformed) if text)
        self.is_writing = folder.is_written_at(now_s)
        self.start_ms = min(self.start_ms, _oldest_ms(folder))
        self.folder = folder

    def _read_hparams(self, folder: VersionFolder) -> None:
        self.params, self._hparams_problem, self._hparams_read = [], "", folder.hparams
        if folder.hparams is None:
            return
        try:
            self.params = read_hparams(folder.path / HPARAMS_FILE)
        except Unreadable as error:
            self._hparams_problem = str(error)


def experiment_of(run_id: str) -> str:
    """The experiment's id: the path of the folder that the version folder is in, '.' for the root."""
    return run_id.rpartition("/")[0] or "."


def cells_of(found: Sequence[VersionRun], root_name: str) -> list[Cells]:
    """All cells of these runs, in their order."""
    cells: list[Cells] = [
        Texts(Kind.ATTRIBUTE, runs.NAME.key, None, [_name(run.folder.run_id, root_name) for run in found]),
        Texts(
            Kind.ATTRIBUTE,
            runs.STATUS.key,
            None,
            [str(Status.RUNNING if run.is_writing else Status.UNKNOWN) for run in found],
        ),
        Texts(Kind.ATTRIBUTE, runs.SOURCE_STATUS.key, None, [WRITING if run.is_writing else QUIET for run in found]),
        Texts(Kind.ATTRIBUTE, runs.EXPERIMENT_ID.key, None, [experiment_of(run.folder.run_id) for run in found]),
        Texts(Kind.ATTRIBUTE, runs.LIFECYCLE.key, None, ["active"] * len(found)),
        Texts(Kind.ATTRIBUTE, runs.ARTIFACT_URI.key, None, [run.folder.path.as_uri() for run in found]),
        Numbers(Kind.ATTRIBUTE, runs.START_TIME.key, None, np.array([run.start_ms for run in found], np.float64)),
    ]
    cells += param_cells([run.params for run in found])
    cells += metric_cells([run.metrics.latest for run in found])
    return cells


def errors_of(found: Sequence[VersionRun]) -> list[RowError]:
    """What couldn't be read of these runs."""
    return [RowError(run.folder.run_id, text) for run in found for text in run.problems]


def _name(run_id: str, root_name: str) -> str:
    """The version folder with the folder it is in: 'lightning_logs/version_3'."""
    parts = [part for part in run_id.split("/") if part != "."]
    return "/".join([root_name, *parts][-2:])


def _oldest_ms(folder: VersionFolder) -> float:
    stamps = [folder.metrics] + ([folder.hparams] if folder.hparams is not None else [])
    return float(min(stamp.mtime_ns for stamp in stamps) // 1_000_000)
