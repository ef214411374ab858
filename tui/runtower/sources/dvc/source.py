"""A DVC project as a source: its experiments under their commits, the workspace, and the queue.

Read from git's objects and DVC's own files, never by a `dvc` command; only what templates declare is asked of DVC's
library. One look costs some stats where nothing changed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
import pygit2

from runtower.domain.errors import NotFound
from runtower.domain.pipelines import Pipeline
from runtower.domain.runs import Experiment as ExperimentName
from runtower.domain.runs import Status
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries
from runtower.sources.coarse import curves_of, logged
from runtower.sources.dvc import queue, refs
from runtower.sources.dvc.contract import (
    COMMIT,
    DVC_FOLDER,
    IN_WORKSPACE,
    LOCK_FILE,
    PARAMS_FILE,
    PIPELINE_FILE,
    WORKSPACE,
    commit_id,
    experiment_id,
    queued_id,
)
from runtower.sources.dvc.declared import Declared
from runtower.sources.dvc.places import Content, Disk, Place, Trees, disk_content, stamp
from runtower.sources.dvc.plots import history
from runtower.sources.dvc.queue import Entry, QueueState
from runtower.sources.dvc.rows import Row, cells_of, errors_of
from runtower.sources.dvc.stages import PipelineReader
from runtower.sources.dvc.states import State, States
from runtower.sources.port import Delta, Identity, Known
from runtower.sources.step_tables import series

CHUNK: Final = 200
_NONCE: Final = 16
_STATUS: Final = {
    QueueState.QUEUED: Status.SCHEDULED,
    QueueState.RUNNING: Status.RUNNING,
    QueueState.FAILED: Status.FAILED,
}


class _Cursor(msgspec.Struct, array_like=True):
    """What a cursor holds: the project, and a hash of each run as last given."""

    root: str
    given: dict[str, int]


class DvcSource:
    """Satisfies ListsRuns, ReadsHistory and ReadsPipeline. `resolve` asks DVC what templates declare."""

    def __init__(self, root: Path, known: Known, resolve: Callable[[Path, str, Declared], None] | None = None) -> None:
        self._root = root
        self._remembered = set(known.run_ids)
        self._states = States(root, resolve or _resolve)
        self._pipeline = PipelineReader(root)
        self._repository, self._prefix = _repository(root)
        self._trees = Trees(self._repository) if self._repository is not None else None
        self._commits: dict[str, State] = {}
        self._places: dict[str, tuple[Place, str]] = {}
        self._watched: set[str] = set()
        self._running: list[Entry] = []
        self._seen: list[object] | None = None
        self._cursor = b""
        self._given: dict[str, int] = {}

    def identity(self) -> Identity:
        git = "git's objects" if self._repository is not None else "no git repository: only the workspace"
        return Identity(f"dvc {self._root.as_uri()}", str(self._root), f"{git} and DVC's files, read directly")

    def close(self) -> None:
        self._commits.clear()
        if self._repository is not None:
            self._repository.free()

    # -- runs

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        """The port's `changes`; `focus` makes no difference, each look sees all there is."""
        if not (self._root / DVC_FOLDER).is_dir():
            raise NotFound(f"{self._root} is no DVC project any more.", "It is looked for again at each look.")
        is_first = self._resume(cursor)
        now = self._fingerprint()
        if not is_first and now == self._seen:
            return
        rows = self._rows()
        gone = sorted((self._given.keys() | self._remembered) - {row.run_id for row in rows})
        self._remembered = set()
        for run_id in gone:
            self._given.pop(run_id, None)
        stale = [row for row in rows if self._given.get(row.run_id) != _hash(row)]
        if not stale and not gone and not is_first:
            self._seen = self._fingerprint()
            return
        for begin in range(0, max(len(stale), 1), CHUNK):
            piece = stale[begin : begin + CHUNK]
            is_last = begin + CHUNK >= len(stale)
            yield self._delta(piece, gone, is_first, is_last, len(rows))
            gone, is_first = [], False
        self._seen = self._fingerprint()

    def _delta(self, piece: list[Row], gone: list[str], first: bool, complete: bool, total: int) -> Delta:
        for row in piece:
            # What could not be read whole is read, and said, again by the next process.
            self._given[row.run_id] = _hash(row)
        whole = {row.run_id for row in piece if row.problems or row.state.problems}
        told = {run_id: crc for run_id, crc in self._given.items() if run_id not in whole}
        self._cursor = os.urandom(_NONCE) + msgspec.msgpack.encode(_Cursor(str(self._root), told))
        return Delta(
            [row.run_id for row in piece],
            cells_of(piece, ".") if piece else (),
            self._cursor,
            gone=gone,
            experiments=[ExperimentName(".", self._root.name)] if first else None,
            complete=complete,
            known=len(self._given),
            total=total,
            errors=errors_of(piece),
        )

    def _resume(self, cursor: bytes) -> bool:
        """Go on from a cursor; whether nothing is known yet."""
        if cursor and cursor[:_NONCE] == self._cursor[:_NONCE]:
            return False
        self._cursor, self._given, self._seen = cursor, {}, None
        try:
            found = msgspec.msgpack.decode(cursor[_NONCE:], type=_Cursor)
        except msgspec.MsgspecError:
            return True
        if found.root != str(self._root):
            return True
        self._given = found.given
        return False

    def _rows(self) -> list[Row]:
        """All runs as they are now: the workspace, commits newest first, each followed by its experiments."""
        if self._repository is None:  # git may come later
            self._repository, self._prefix = _repository(self._root)
            self._trees = Trees(self._repository) if self._repository is not None else None
        entries = queue.entries(self._root)
        self._running = [entry for entry in entries if entry.state is QueueState.RUNNING]
        self._places = {}
        rows = [self._workspace()]
        if self._repository is None or self._trees is None:
            return rows
        found = refs.read_refs(self._repository, [entry.baseline for entry in entries])
        commits = {sha: commit for sha in found.commits if (commit := self._commit(sha)) is not None}
        in_order = sorted(commits.items(), key=lambda one: (one[0] != found.head, -one[1].commit_time))
        rows += [self._commit_row(commit, found.commits[sha], sha == found.head) for sha, commit in in_order]
        taken = {(one.name, one.baseline) for one in found.experiments}
        for one in found.experiments:
            if one.baseline in commits and (made := self._commit(one.sha)) is not None:
                rows.append(self._experiment_row(one, made))
        rows += [
            self._entry_row(entry)
            for entry in entries
            if entry.baseline in commits and (not entry.name or (entry.name, entry.baseline) not in taken)
        ]
        return rows

    def _workspace(self) -> Row:
        place = Disk(self._root)
        self._places[WORKSPACE] = (place, "")
        state = self._states.read(place, "")
        self._watched = self._files_of(place)
        times = [found[0] // 1_000_000 for path in self._watched if (found := stamp(self._root / path))]
        made = float(max(times)) if times else None  # the newest of its files: it comes before the commits
        return Row(WORKSPACE, WORKSPACE, Status.UNKNOWN, IN_WORKSPACE, state, time_ms=made, folder=self._root.as_uri())

    def _files_of(self, place: Place) -> set[str]:
        """The workspace's files that its row is made of."""
        found = self._states.declared_at(place, "")
        folders = {os.path.dirname(path) for path in place.pipeline_files()} | {""}
        own = {os.path.join(folder, name) for folder in folders for name in (PIPELINE_FILE, LOCK_FILE, PARAMS_FILE)}
        return own | set(found.params) | set(found.metrics) | set(found.plots)

    def _commit_row(self, commit: pygit2.Commit, names: Sequence[str], is_head: bool) -> Row:
        sha = str(commit.id)
        subject = commit.message.strip().partition("\n")[0]
        name = names[0] if names else sha[:7]
        tags = {"dvc.subject": subject} if subject else {}
        if len(names) > 1:
            tags["dvc.names"] = ", ".join(names)
        if is_head:
            tags["dvc.head"] = "true"
        return self._made_row(commit_id(sha), name, commit, Status.UNKNOWN, COMMIT, "", tags)

    def _experiment_row(self, one: refs.Experiment, commit: pygit2.Commit) -> Row:
        run_id = experiment_id(one.name, one.baseline)
        tags = {"dvc.baseline": one.baseline}
        return self._made_row(run_id, one.name, commit, Status.FINISHED, "success", commit_id(one.baseline), tags)

    def _made_row(
        self,
        run_id: str,
        name: str,
        commit: pygit2.Commit,
        status: Status,
        said: str,
        parent: str,
        tags: dict[str, str],
    ) -> Row:
        return Row(
            run_id,
            name,
            status,
            said,
            self._state_of(run_id, commit),
            parent=parent,
            user=commit.author.name if commit.author is not None else "",
            commit=str(commit.id),
            time_ms=commit.commit_time * 1000.0,
            tags=tags,
        )

    def _entry_row(self, entry: Entry) -> Row:
        run_id = queued_id(entry.stash)
        commit = self._commit(entry.stash)
        tags = {"dvc.baseline": entry.baseline} | ({"dvc.log": entry.log} if entry.log else {})
        if entry.folder and os.path.isdir(os.path.join(entry.folder, self._prefix)):
            place = Disk(Path(entry.folder) / self._prefix)
            self._places[run_id] = (place, "")
            state = self._states.read(place, entry.stash)
        else:
            # The baseline's metrics aren't its own.
            state = self._state_of(run_id, commit, with_metrics=False) if commit is not None else State()
        return Row(
            run_id,
            entry.name or entry.stash[:7],
            _STATUS[entry.state],
            str(entry.state),
            state,
            parent=commit_id(entry.baseline),
            user=commit.author.name if commit is not None and commit.author is not None else "",
            time_ms=commit.commit_time * 1000.0 if commit is not None else None,
            folder=Path(entry.folder).as_uri() if entry.folder else "",
            tags=tags,
            problems=(entry.why,) if entry.why else (),
        )

    def _state_of(self, run_id: str, commit: pygit2.Commit, with_metrics: bool = True) -> State:
        """A commit never changes: what it says is read once."""
        sha = str(commit.id)
        assert self._trees is not None
        place = self._trees.at(commit, self._prefix)
        if place is None:
            return State()
        if with_metrics:
            self._places[run_id] = (place, sha)
        known = self._commits.get(sha)
        if known is None:
            known = self._states.read(place, sha, with_metrics)
            if not known.problems:
                self._commits[sha] = known
        return known

    def _commit(self, sha: str) -> pygit2.Commit | None:
        assert self._repository is not None
        try:
            found = self._repository[sha]
        except (KeyError, ValueError):
            return None  # a shallow clone hasn't got it
        return found if isinstance(found, pygit2.Commit) else None

    def _fingerprint(self) -> list[object]:
        """What moves whenever something here may have changed."""
        stamps: list[object] = list(queue.fingerprint(self._root))
        if self._repository is None:
            stamps.append((self._root / ".git").exists())
        else:
            stamps += refs.fingerprint(self._repository)
        for path in sorted(self._watched):
            content = disk_content(self._root / path)
            stamps.append((path, content.id if content is not None else ""))
        for place, _ in self._places.values():
            if isinstance(place, Disk) and place.root != self._root:
                stamps += [_id(place, path) for path in sorted(self._watched)]
        return [*stamps, *((entry.stash, queue.lives(entry)) for entry in self._running)]

    # -- the pipeline

    def pipeline(self) -> Pipeline:
        return self._pipeline.read()

    # -- histories

    def history(self, run_id: str, key: str) -> MetricSeries:
        """The points of the plot that has them, else the one value, at step 0."""
        points = self._points(run_id, key)
        if points is None:
            place, revision = self._places[run_id]
            value = self._states.read(place, revision).metrics.get(key)
            points = series(run_id, key, [0], [value]) if value is not None else None
        return logged(points, run_id, key)

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = COARSE_BUCKETS) -> Sequence[CoarseCurve]:
        """Of metrics with plots only: a single value makes no curve."""
        return curves_of(run_ids, lambda run_id: self._points(run_id, key), buckets)

    def _points(self, run_id: str, key: str) -> MetricSeries | None:
        if not self._places:
            self._rows()
        if run_id not in self._places:
            raise NotFound(
                f"The run {run_id} has logged nothing in {self._root}.", "Look again after the next refresh."
            )
        place, revision = self._places[run_id]
        found = self._states.declared_at(place, revision)
        return history(run_id, key, found, place, lambda path: self._states.content(place, path))


def _id(place: Place, path: str) -> str:
    content: Content | None = place.content(path)
    return content.id if content is not None else ""


def _hash(row: Row) -> int:
    return int.from_bytes(blake2b(repr(row.signature()).encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _repository(root: Path) -> tuple[pygit2.Repository | None, str]:
    """The repository that a project is in, and where in it; None for `dvc init --no-scm`."""
    with contextlib.suppress(pygit2.GitError, KeyError):
        path = pygit2.discover_repository(str(root))
        if path:
            repository = pygit2.Repository(path)
            if repository.workdir:
                prefix = os.path.relpath(root, os.path.realpath(repository.workdir))
                return repository, "" if prefix == "." else prefix.replace(os.sep, "/")
    return None, ""


def _resolve(root: Path, revision: str, found: Declared) -> None:
    from runtower.sources.dvc.through_dvc import resolve  # noqa: PLC0415  DVC is imported where it is wanted

    resolve(root, revision, found)
