"""What a folder's runs screen looked like last time, kept as one small file a folder."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from runtower.domain.runs import ColumnKey, Kind, RunKey
from runtower.folders import put

VERSION: Final = 1


class KeptColumn(msgspec.Struct, array_like=True):
    kind: str
    key: str
    width: int = 0

    @classmethod
    def of(cls, key: ColumnKey, width: int = 0) -> KeptColumn:
        return cls(str(key.kind), key.key, width)

    def column(self) -> ColumnKey:
        return ColumnKey(Kind(self.kind), self.key)


class KeptLayout(msgspec.Struct):
    """The columns of one choice of experiments, and the metric of its curve."""

    columns: list[KeptColumn] = []
    active: int = 1
    metric: KeptColumn | None = None


class KeptView(msgspec.Struct, omit_defaults=True):
    """One folder's view. Runs are (source, native id), experiments (source, id), sources names (None: all are shown);
    `seen_ms` is when it was last left; `watched` are runs of which one wants to be told, `going` those that
    went on then, `told` those whose end was told; `launch` what the form for a job said last."""

    version: int = VERSION
    seen_ms: int = 0
    sources: list[str] | None = None
    experiments: list[tuple[str, str]] | None = None
    chosen: bool = False
    mine: bool = False
    tree: bool = True
    own_scale: bool = False
    differing: bool = False
    filter: str = ""
    where: str = ""
    group: KeptColumn | None = None
    folded_groups: list[str | None] = []
    sort: list[tuple[str, str, bool]] = []
    layouts: dict[str, KeptLayout] = {}
    marks: list[tuple[str, str]] = []
    pins: list[tuple[str, str]] = []
    folded: list[tuple[str, str]] = []
    baseline: tuple[str, str] | None = None
    cursor: tuple[str, str] | None = None
    details: str = "beside"
    demo_dismissed: bool = False
    watched: list[tuple[str, str]] = []
    going: list[tuple[str, str]] = []
    told: list[tuple[str, str]] = []
    launch: dict[str, str] = {}


def view_file(views: Path, folder: Path, sources: Sequence[str]) -> Path:
    """Where the view of a folder and its sources is kept, below the state folder's `views`."""
    key = "\0".join([str(folder), *sources])
    return views / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def load(file: Path) -> KeptView:
    """The kept view; a fresh one where there is none, or one that can't be read (it is then written anew)."""
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=KeptView)
        for column in [*(c for layout in kept.layouts.values() for c in layout.columns), kept.group]:
            if column is not None:
                column.column()
    except (OSError, msgspec.MsgspecError, ValueError):
        return KeptView()
    return kept if kept.version == VERSION else KeptView()


def save(file: Path, view: KeptView) -> None:
    """A state folder that can't be written costs only the memory of the view."""
    with contextlib.suppress(OSError):
        put(file, msgspec.json.encode(view))


def run_pair(key: RunKey) -> tuple[str, str]:
    return key.source, key.run_id
