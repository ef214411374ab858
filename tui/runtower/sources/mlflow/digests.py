"""A crc32 for each run over its row and its tags: what tells whether a run is still as it was given.

Over the text of the row (fields with a unit separator between them, NUL for none), then of its tags in the order of
their rows (key, value, each with a separator behind it). Worked out in one way by row and by column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runtower.sources.mlflow.fields import RunHead
from runtower.sources.mlflow.groups import Group

_BETWEEN: Final = "\x1f"
_NONE: Final = "\0"


def digests_of(heads: Sequence[RunHead], tags: Sequence[Group]) -> NDArray[np.uint32]:
    """Of rows; the places of `tags` are theirs."""
    texts = [_text(head) for head in heads]
    for group in tags:
        width = len(group.keys)
        for index, place in enumerate(group.places.tolist()):
            values = group.values[index * width : (index + 1) * width]
            pairs = [part for pair in zip(group.keys, values, strict=True) for part in pair]
            texts[place] += _text(pairs) + _BETWEEN
    return np.array([crc32(text.encode("utf-8", "surrogatepass")) for text in texts], dtype=np.uint32)


def digests_of_columns(
    heads: Sequence[pa.Array], place: NDArray[np.int32], keys: pa.StringArray, values: pa.StringArray
) -> NDArray[np.uint32]:
    """Of columns: the fields of the heads, and tags with the places of their runs (`place`, int32)."""
    fields = [column.cast(pa.string()) for column in heads]
    head = _Slices(_joined(fields), np.arange(len(fields[0]) + 1))
    order = np.argsort(place, kind="stable")
    pairs = _joined([keys, values, pa.array([""] * len(keys), pa.string())]).take(pa.array(order))
    tags = _Slices(pairs, np.searchsorted(place[order], np.arange(len(fields[0]) + 1)))
    return np.array([crc32(tags[at], crc32(head[at])) for at in range(len(fields[0]))], dtype=np.uint32)


class _Slices:
    """The bytes of neighbouring texts, without a copy: item i is texts bounds[i] to bounds[i + 1]."""

    def __init__(self, texts: pa.StringArray, bounds: NDArray[np.integer[Any]]) -> None:
        _, offsets, data = texts.buffers()
        self._data = memoryview(data or b"")
        self._at: list[int] = np.frombuffer(offsets, np.int32)[texts.offset + bounds].tolist() if len(texts) else []

    def __getitem__(self, index: int) -> memoryview:
        return self._data[self._at[index] : self._at[index + 1]] if self._at else self._data[:0]


def _joined(columns: Sequence[pa.Array]) -> pa.StringArray:
    return pc.binary_join_element_wise(*columns, _BETWEEN, null_handling="replace", null_replacement=_NONE)


def _text(fields: Sequence[Any]) -> str:
    return _BETWEEN.join(_NONE if field is None else str(field) for field in fields)
