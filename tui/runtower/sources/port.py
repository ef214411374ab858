"""The contract of a source: what a system that records runs has to offer, and may offer.

Provisional until 1.0 (api = 1). A source is blocking and plain: it runs in a process of its own, where a small pool of
threads calls it; the terminal sees an asynchronous mirror made by `runtower.link`. What a source can do is said by the
protocols that its object satisfies, never by flags.

Other packages add a source through the entry-point group `runtower.sources`; the object named there is a `SourceKind`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from runtower.domain.datasets import Dataset
from runtower.domain.runs import Experiment, Kind
from runtower.domain.series import COARSE_BUCKETS, CoarseCurve, MetricSeries
from runtower.domain.targets import Identity, RowError, Target

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from runtower.domain.artifacts import Folder, Piece
    from runtower.domain.criteria import Criterion
    from runtower.domain.edits import Edit, RunNow
    from runtower.domain.model_changes import Change
    from runtower.domain.models import Model, ModelFiles, ModelNow
    from runtower.domain.pipelines import Pipeline

__all__ = [
    "API",
    "Cells",
    "Delta",
    "Editable",
    "EditsModels",
    "EditsRuns",
    "FollowsHistory",
    "GivesRuns",
    "Identity",
    "KeepsPace",
    "Known",
    "ListsRuns",
    "NumberRows",
    "Numbers",
    "OpensForEdits",
    "ReadsArtifacts",
    "ReadsByExperiment",
    "ReadsHistory",
    "ReadsInputs",
    "ReadsModels",
    "ReadsPipeline",
    "RowError",
    "SamplesHistory",
    "SeeksFirst",
    "Source",
    "SourceKind",
    "Target",
    "TextRows",
    "Texts",
]

API = 1


@dataclass(frozen=True, slots=True)
class Numbers:
    """Number cells of one key: metrics, and the attributes that are times (UTC epoch ms).

    `last_logged` is given by a source whose metrics carry times, for RUNNING runs only: when the run last logged one,
    or began where it has logged none yet. Without it a run is never said to be silent.

    `at` int32 are places in `Delta.run_ids` (None: one value for each of them, in order), `values` float64 of the
    same length; `runtower.domain.values.MISSING` takes a value away.
    """

    kind: Kind
    key: str
    at: NDArray[np.int32] | None
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Texts:
    """Text cells of one key: params, tags and all other attributes, in the source's own spelling.

    `at` as in `Numbers`; None among `values` takes a value away, and they may be an Arrow array. `types` holds one
    `ValueType` a value where the source has typed values (their text is canonical JSON), None where all are text.
    """

    kind: Kind
    key: str
    at: NDArray[np.int32] | None
    values: Sequence[str | None] | pa.StringArray
    types: bytes | None = None


@dataclass(frozen=True, slots=True)
class NumberRows:
    """Number cells of many keys, one row a cell, as a database keeps them; in any order, no cell twice.

    Row i says that `keys[key[i]]` of the run at place `at[i]` in `Delta.run_ids` is `values[i]`: three arrays of one
    length, int32, int32 and float64. For many keys far quicker than a `Numbers` for each.
    """

    kind: Kind
    keys: Sequence[str]
    key: NDArray[np.int32]
    at: NDArray[np.int32]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TextRows:
    """Text cells of many keys, as `NumberRows`; `values` without None."""

    kind: Kind
    keys: Sequence[str]
    key: NDArray[np.int32]
    at: NDArray[np.int32]
    values: Sequence[str] | pa.StringArray


Cells = Numbers | Texts | NumberRows | TextRows


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of what is new, as a table: `run_ids`, and cells by key.

    whole       the runs given here are given whole: what was known of them before and isn't here is gone
                (not whole: only the cells that are here change; every run must have been given whole before)
    gone        ids of runs that the source no longer has at all
    experiments all experiments of the source, or None where they did not change
    cursor      where to go on; stored with the rows it belongs to. Opaque, at most 16 MiB; it stays in the source's
                process and the cache
    complete    whether everything the source has is known with this delta
    partial     whether only some experiments are read: what isn't given may be there all the same
    known,total runs given so far, and how many there are (None: the source can't tell)
    errors      what of these runs could not be read; of a run that comes whole it takes the place of what was said
                before. A source opened with an older cursor says it again
    """

    run_ids: Sequence[str]
    cells: Sequence[Cells]
    cursor: bytes
    whole: bool = True
    gone: Sequence[str] = ()
    experiments: Sequence[Experiment] | None = None
    complete: bool = True
    partial: bool = False
    known: int = 0
    total: int | None = None
    errors: Sequence[RowError] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the link remembers of a source between processes, handed to `open`: ids in the order first seen."""

    run_ids: Sequence[str] = ()


class Source(Protocol):
    """An open source. Opening and every call may raise `runtower.domain.errors.TowerError`."""

    def identity(self) -> Identity: ...

    def close(self) -> None: ...


@runtime_checkable
class ListsRuns(Protocol):
    """Lists runs, and later what changed."""

    def changes(self, cursor: bytes, focus: Sequence[str]) -> Iterator[Delta]:
        """What changed since `cursor` (b'': everything), newest runs first, as one or more deltas.

        Nothing at all where nothing changed, and that must be cheap: it is asked every few seconds. `focus` holds
        the ids (at most 200) that are on the screen: they are looked at in full each time something changed. A long
        backfill yields often (a delta a second or so); the caller may stop iterating and come back with the last
        cursor. A source that keeps a pace may end with a part, the last delta not complete; the next call goes on.
        Deleted runs are listed too (lifecycle 'deleted').
        """
        ...


@runtime_checkable
class GivesRuns(Protocol):
    """Gives single runs at once, whatever else it is still to list."""

    def runs(self, run_ids: Sequence[str]) -> Delta:
        """Those of these runs (at most 200) that there are, whole, with an empty cursor.

        Called by the thread that iterates `changes`, between two of its deltas.
        """
        ...


@runtime_checkable
class KeepsPace(Protocol):
    """A source on a machine that others work with: it says itself how soon it is asked again."""

    def pace(self, interval: float) -> float:
        """Seconds from the end of the last `changes` to the next one; `interval` is what the user wishes.

        Asked after each look that went well. After one that raised the caller backs off by itself.
        """
        ...


@runtime_checkable
class TellsRoundTrip(Protocol):
    """A source behind a line: it says how far away it is."""

    def round_trip(self) -> float | None:
        """Seconds from a question to its whole answer, the least of the last few; None before the first answer."""
        ...


@runtime_checkable
class ReadsByExperiment(Protocol):
    """A source too large to be read whole without need: it reads the experiments that are looked at."""

    def scope(self, experiment_ids: Sequence[str] | None) -> None:
        """The experiments that are looked at from now on; None, as in the beginning: all of them.

        `Delta.complete` is about these, and turns false again where more of them are wanted; `Delta.partial` says
        that there are others. May be called while another thread is in `changes`.
        """
        ...


@runtime_checkable
class SeeksFirst(Protocol):
    """A source that takes long to read whole, and can be searched meanwhile."""

    def seek(self, criteria: Sequence[Criterion]) -> None:
        """Until everything is known, give runs that fulfil all of these before the others; none: whatever comes next.

        A hint: a source leaves out the criteria that it can't express, and asks no more at once than it does else.
        Takes the place of what was sought before. May be called while another thread is in `changes`.
        """
        ...


@runtime_checkable
class ReadsHistory(Protocol):
    """Reads metric histories."""

    def history(self, run_id: str, key: str) -> MetricSeries:
        """The whole history. Raises NotFound where the run or the key isn't known."""
        ...

    def coarse(self, run_ids: Sequence[str], key: str, buckets: int = COARSE_BUCKETS) -> Sequence[CoarseCurve]:
        """Coarse curves of at most 200 runs, in any order; a run without that metric is left out."""
        ...


@runtime_checkable
class FollowsHistory(Protocol):
    """Tells by what a history grew, where that costs less than reading all of it."""

    def history_since(self, run_id: str, key: str, mark: bytes) -> tuple[MetricSeries, bytes] | None:
        """The points that came after `mark` (b'': all there are), and the mark after them; opaque.

        None where that can't be told, such as for a store that was rewritten. Raises as `history`.
        """
        ...


@runtime_checkable
class SamplesHistory(Protocol):
    """Gives a sample of a history that is too long to be read whole for a picture."""

    def sample(self, run_id: str, key: str, steps: tuple[int, int] | None) -> MetricSeries:
        """The points from the first of these steps to the last (None: of all), each of them where they are a few
        thousand at most; else so many of them, picked evenly, and `MetricSeries.sampled` says so.

        Raises as `history`; no point in these steps is no error.
        """
        ...


@runtime_checkable
class ReadsArtifacts(Protocol):
    """Reads the files that runs logged.

    A path is relative to the run's artifacts, with '/' between its parts. All calls raise Invalid for one that is
    absolute or has '..' in it, NotFound where there is no such run, folder or file, and Forbidden for a link that leads
    out of the run's artifacts. They never wait for a file that is no regular one.
    """

    def artifacts(self, run_id: str, folder: str) -> Folder:
        """What lies in a folder; '' is the run's own, which is empty where the run logged no file."""
        ...

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        """At most `most` bytes of a file, from `offset` on or, where that is negative, from so many before its end.

        Nothing, but the file's size, where the file ends before `offset`.
        """
        ...

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        """The whole file from its beginning, a piece at a time; at least one, which may be empty."""
        ...


@runtime_checkable
class ReadsInputs(Protocol):
    """Tells what data runs were given."""

    def inputs(self, run_id: str) -> Sequence[Dataset]:
        """The datasets of a run, by name. Raises NotFound where there is no such run."""
        ...


@runtime_checkable
class ReadsPipeline(Protocol):
    """Tells the state of the project that its runs come from, where that is a pipeline of stages."""

    def pipeline(self) -> Pipeline:
        """All stages with their states, looked at now. Called by a thread of its own; what was large may take a while.

        Raises NotFound where there is no pipeline.
        """
        ...


@runtime_checkable
class EditsRuns(Protocol):
    """Changes runs. Opened in a process of its own, at the first change, and never retried by anybody.

    Both calls raise NotFound where there is no such run, and any TowerError of the way there.
    """

    def look(self, run_id: str) -> RunNow:
        """A run as the source has it now."""
        ...

    def edit(self, edit: Edit, ready: Callable[[], None]) -> RunNow:
        """Compare, write, read back; the run as it is afterwards. An edit whose `after` is there already is done.

        `ready` is to be called right before the write: it raises Cancelled where that is no longer wanted. Raises
        Conflict where the run isn't as it was shown, Forbidden where nothing may be written, and OutcomeUnknown where
        the write was begun and whether it took effect can't be told; after any other error nothing was changed.
        """
        ...


@runtime_checkable
class ReadsModels(Protocol):
    """Reads a registry of models. All calls raise NotFound where there is none, and any TowerError of the way there."""

    def models(self) -> Sequence[Model]:
        """All registered models, by name; read anew, for nothing in a registry says what changed."""
        ...

    def model(self, name: str) -> ModelNow:
        """One model with all its versions. Raises NotFound."""
        ...

    def model_files(self, name: str, version: str) -> ModelFiles:
        """Where `ReadsArtifacts` finds the files of a version. Raises NotFound where they lie among no run's artifacts.

        A version that was copied from another one has that one's files.
        """
        ...


@runtime_checkable
class EditsModels(Protocol):
    """Changes a registry of models, in the process that changes runs. Nothing is compared here and nothing retried."""

    def model(self, name: str) -> ModelNow:
        """As `ReadsModels.model`; what was written before is in it."""
        ...

    def change(self, change: Change) -> str:
        """Write once; gives the number of a version that was added, else ''.

        Raises OutcomeUnknown where the write was begun and whether it took effect can't be told; after any other
        error (Conflict for a model or alias that is there already, NotFound, Forbidden, Invalid) nothing was changed.
        """
        ...


class SourceKind(Protocol):
    """A kind of source: how it is found, and how one is opened."""

    kind: str
    api: int

    def open(self, target: Target, known: Known) -> Source:
        """Open the target for reading. Never creates or changes anything in it."""
        ...


@runtime_checkable
class BeginsEarly(Protocol):
    """A kind whose first answers take a while: it asks while its process still imports numpy and Arrow."""

    def begin(self, target: Target) -> None:
        """Ask what a first `open` of this target and its first `changes` will want, in a thread of its own.

        Called at most once and only where nothing is known of the target; brings in neither numpy nor Arrow. What it
        raises, and what goes wrong in its thread, is raised again by `open` or `changes`.
        """
        ...


class Editable(EditsRuns, Source, Protocol):
    """An open source whose runs can be changed."""


@runtime_checkable
class OpensForEdits(Protocol):
    """A kind of source whose runs can be changed; for kinds that aren't this, every edit says that it can't be."""

    def open_for_edits(self, target: Target) -> Editable:
        """Open the target for changes of its runs. Never creates one."""
        ...
