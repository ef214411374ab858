"""Lightning's CSVLogger folders as a source.

A run is a version folder. What its files don't say is said so: there is no end time; the start is the oldest time of
change seen among its files, which for a file that grows is the moment of runtower's first look at worst; and a
finished process can't be told from a dead one, so a file that is quiet for a minute makes the status UNKNOWN.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from runtower.domain.artifacts import Folder, Piece
from runtower.domain.errors import NotFound
from runtower.domain.runs import Experiment
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries
from runtower.sources import disk
from runtower.sources.coarse import curves_of, logged
from runtower.sources.csvlogger.contract import METRICS_FILE
from runtower.sources.csvlogger.folders import VersionFolder, version_folders
from runtower.sources.csvlogger.metrics_file import read_series
from runtower.sources.csvlogger.rows import VersionRun, cells_of, errors_of, experiment_of
from runtower.sources.port import Delta, Identity, Known

CHUNK_RUNS: Final = 500
_NONCE: Final = 16


class _Cursor(msgspec.Struct, array_like=True):
    """What a cursor holds: a crc32 of each run's file stamps and state as last given."""

    root: str
    experiments: int
    given: dict[str, int]


class CsvLoggerSource:
    """Satisfies ListsRuns, ReadsHistory and ReadsArtifacts. `clock` gives epoch seconds."""

    def __init__(self, root: Path, known: Known, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._clock = clock
        self._remembered = set(known.run_ids)
        self._runs: dict[str, VersionRun] = {}
        self._state = _Cursor(str(root), 0, {})
        self._cursor = b""
        self._is_complete = False

    def identity(self) -> Identity:
        uri = self._root.as_uri()
        return Identity(f"csvlogger {uri}", uri, "metrics.csv and hparams.yaml, read directly")

    def close(self) -> None:
        self._runs.clear()

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        """The port's `changes`; `focus` makes no difference, each look sees all files."""
        self._check_root()
        self._resume(cursor)
        now = self._clock()
        folders = {folder.run_id: folder for folder in version_folders(self._root)}
        gone = sorted((self._state.given.keys() | self._remembered) - folders.keys())
        self._remembered = set()
        for run_id in gone:
            self._state.given.pop(run_id, None)
            self._runs.pop(run_id, None)
        experiments = self._experiments_of(folders)
        stale = [folder for folder in folders.values() if self._state.given.get(folder.run_id) != _crc(folder, now)]
        stale.sort(key=lambda folder: folder.metrics.mtime_ns, reverse=True)
        if not stale and not gone and experiments is None and self._is_complete:
            return
        for begin in range(0, max(len(stale), 1), CHUNK_RUNS):
            piece = [self._read(folder, now) for folder in stale[begin : begin + CHUNK_RUNS]]
            self._is_complete = begin + CHUNK_RUNS >= len(stale)
            yield self._delta(piece, now, gone, experiments, len(folders))
            gone, experiments = [], None

    def history(self, run_id: str, key: str) -> MetricSeries:
        return logged(self._series(run_id, key), run_id, key)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = COARSE_BUCKETS) -> Sequence[CoarseCurve]:
        return curves_of(run_ids, lambda run_id: self._series(run_id, key), buckets)

    def artifacts(self, run_id: str, folder: str) -> Folder:
        """The files of the run's own folder; other runs' folders below it too."""
        return disk.listed(self._folder(run_id), folder)

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        return disk.part(self._folder(run_id), path, offset, most)

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        return disk.pieces(self._folder(run_id), path)

    def _folder(self, run_id: str) -> Path:
        # An id comes over the wire: it shall not lead out of the root.
        folder = self._root / run_id
        if ".." in Path(run_id).parts or Path(run_id).is_absolute() or not (folder / METRICS_FILE).is_file():
            raise NotFound(f"There is no run {run_id} in {self._root}.", "Look again after the next refresh.")
        return folder

    def _series(self, run_id: str, key: str) -> MetricSeries | None:
        path = self._folder(run_id) / METRICS_FILE
        try:
            return read_series(path, run_id, key)
        except OSError as error:
            raise NotFound(f"{path} can't be read: {error.strerror}.", "Look again after the next refresh.") from error

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise NotFound(f"There is no folder {self._root}.", "Check the path; it is looked for again at each look.")

    def _resume(self, cursor: bytes) -> None:
        if cursor and cursor[:_NONCE] == self._cursor[:_NONCE]:
            return
        self._cursor, self._is_complete = cursor, False
        self._state = _Cursor(str(self._root), 0, {})
        try:
            found = msgspec.msgpack.decode(cursor[_NONCE:], type=_Cursor)
        except msgspec.MsgspecError:
            return
        if found.root == str(self._root):
            self._state, self._is_complete = found, True

    def _experiments_of(self, folders: dict[str, VersionFolder]) -> list[Experiment] | None:
        """All experiments, None where they are as given."""
        ids = sorted({experiment_of(run_id) for run_id in folders})
        # Never 0, which stands for 'none given yet'.
        now = crc32("\0".join(ids).encode("utf-8", "surrogateescape")) | 1 << 32
        if now == self._state.experiments:
            return None
        self._state.experiments = now
        return [Experiment(one, self._root.name if one == "." else one) for one in ids]

    def _read(self, folder: VersionFolder, now: float) -> VersionRun:
        run = self._runs.get(folder.run_id)
        if run is None:
            run = self._runs[folder.run_id] = VersionRun.of(folder)
        run.refresh(folder, now)
        return run

    def _delta(
        self, piece: list[VersionRun], now: float, gone: list[str], experiments: list[Experiment] | None, total: int
    ) -> Delta:
        for run in piece:
            self._state.given[run.folder.run_id] = _crc(run.folder, now)
        self._cursor = os.urandom(_NONCE) + msgspec.msgpack.encode(self._to_remember())
        return Delta(
            [run.folder.run_id for run in piece],
            cells_of(piece, self._root.name) if piece else (),
            self._cursor,
            gone=gone,
            experiments=experiments,
            complete=self._is_complete,
            known=len(self._state.given),
            total=total,
            errors=errors_of(piece),
        )

    def _to_remember(self) -> _Cursor:
        """Without the runs that could not be read whole: the next process reads them, and says so, again."""
        whole = {
            run_id: crc
            for run_id, crc in self._state.given.items()
            if run_id not in self._runs or not self._runs[run_id].problems
        }
        return _Cursor(self._state.root, self._state.experiments, whole)


def _crc(folder: VersionFolder, now: float) -> int:
    return crc32(repr((folder.metrics, folder.hparams, folder.is_written_at(now))).encode())
