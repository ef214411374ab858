"""Values run by run, as files have them, made cells by key, as a delta has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from runtower.domain.runs import Kind
from runtower.sources.leaves import Param
from runtower.sources.port import Numbers, Texts


def param_cells(found: Sequence[Sequence[Param]]) -> Iterator[Texts]:
    """The params of runs, in their order."""
    params: dict[str, tuple[list[int], list[str], bytearray]] = {}
    for place, run in enumerate(found):
        for key, text, value_type in run:
            places, texts, types = params.setdefault(key, ([], [], bytearray()))
            places.append(place)
            texts.append(text)
            types.append(value_type)
    for key, (places, texts, types) in params.items():
        yield Texts(Kind.PARAM, key, np.array(places, np.int32), texts, bytes(types))


def metric_cells(found: Sequence[Mapping[str, float]]) -> Iterator[Numbers]:
    """The last values of runs, in their order."""
    metrics: dict[str, tuple[list[int], list[float]]] = {}
    for place, run in enumerate(found):
        for key, value in run.items():
            places, values = metrics.setdefault(key, ([], []))
            places.append(place)
            values.append(value)
    for key, (places, values) in metrics.items():
        yield Numbers(Kind.METRIC, key, np.array(places, np.int32), np.array(values, np.float64))


def tag_cells(found: Sequence[Mapping[str, str]]) -> Iterator[Texts]:
    """The tags of runs, in their order."""
    tags: dict[str, tuple[list[int], list[str]]] = {}
    for place, run in enumerate(found):
        for key, text in run.items():
            places, texts = tags.setdefault(key, ([], []))
            places.append(place)
            texts.append(text)
    for key, (places, texts) in tags.items():
        yield Texts(Kind.TAG, key, np.array(places, np.int32), texts)
