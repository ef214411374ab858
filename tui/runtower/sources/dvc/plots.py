"""Histories out of plots files: DVCLive's, and tables and lists of points that dvc.yaml names."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator
from typing import Any, Final

from runtower.domain.series import MetricSeries
from runtower.sources.dvc.declared import Declared, Plot
from runtower.sources.dvc.places import LARGEST, Content, Place
from runtower.sources.step_tables import columns, number, series, series_of

STEP: Final = "step"
_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}
_Read = Callable[[str], Content | None]


def history(run_id: str, key: str, found: Declared, place: Place, read: _Read) -> MetricSeries | None:
    """The points of a metric: of the file below a folder of plots that is called as its key (as DVCLive writes
    `plots/metrics/train/loss.tsv`), else of the first table with a column of its name. None where there are none."""
    plain = key.rpartition(":")[2]
    for plot, path, name in _files(found, place):
        column = plain.rpartition(".")[2] if name == plain else plain
        if name != plain and plot.y and plain not in plot.y and plain.rpartition(".")[2] not in plot.y:
            continue
        content = read(path)
        data = _bytes(content) if content is not None else b""
        for one in dict.fromkeys((column, plain.rpartition(".")[2])):
            points = _points(data, path, run_id, key, one, plot.x or STEP)
            if points is not None:
                return points
    return None


def _files(found: Declared, place: Place) -> Iterator[tuple[Plot, str, str]]:
    """All plots' files, with what they are called below their folder: `train.loss`; those of folders first."""
    single = []
    for plot in found.plots.values():
        below = place.below(plot.path)
        if below is None:
            single.append((plot, plot.path, ""))
        for path in below or ():
            yield plot, path, posixpath.splitext(path[len(plot.path) + 1 :])[0].replace("/", ".")
    yield from single


def _points(data: bytes, path: str, run_id: str, key: str, column: str, step: str) -> MetricSeries | None:
    ending = path.rpartition(".")[2].lower()
    if ending in _DELIMITERS:
        delimiter = _DELIMITERS[ending]
        if step not in columns(data.partition(b"\n")[0], delimiter):
            step = STEP
        return series_of(data[: data.rfind(b"\n") + 1] or data, run_id, key, column, step, delimiter)
    return _listed(data, run_id, key, column, step) if ending == "json" else None


def _listed(data: bytes, run_id: str, key: str, column: str, step: str) -> MetricSeries | None:
    """Of a list of maps, alone or as a value of a map."""
    try:
        document: Any = json.loads(data)
    except ValueError:
        return None
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [])
    steps: list[int] = []
    values: list[float] = []
    for place, point in enumerate(document if isinstance(document, list) else ()):
        value = number(str(point.get(column))) if isinstance(point, dict) else None
        if value is not None:
            at = number(str(point.get(step)))
            steps.append(int(at) if at is not None and at == at and abs(at) < 2**62 else place)
            values.append(value)
    return series(run_id, key, steps, values)


def _bytes(content: Content) -> bytes:
    try:
        data = content.read()
    except OSError:
        return b""
    return data if len(data) <= LARGEST else b""
