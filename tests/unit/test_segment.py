"""Segments: what is encoded is read, and a merge says what replaying the deltas into dictionaries says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtower.catalog import merging
from runtower.catalog.encoding import encode
from runtower.catalog.merging import merge
from runtower.catalog.segment import Segment, SegmentError
from runtower.domain.runs import NAME, ColumnKey, Kind, ValueType
from runtower.domain.values import MISSING, is_missing
from runtower.link.spool import Spool
from runtower.link.table import Table
from runtower.sources.port import Cells, Delta, NumberRows, Numbers, TextRows, Texts

LOSS = ColumnKey(Kind.METRIC, "loss")
PARAM = ColumnKey(Kind.PARAM, "p")


def segment(ids: list[str], rows: list[int], *cells: Cells, whole: bool = True) -> Segment:
    return Segment.read(encode(Delta(ids, cells, b"", whole=whole), np.array(rows, np.int32)))


def values(piece: Segment) -> dict[int, dict[ColumnKey, Any]]:
    """Everything that a segment says, by row; None where a value was taken away."""
    out: dict[int, dict[ColumnKey, Any]] = {int(row): {} for row in piece.rows}
    for key in piece.entries:
        if piece.is_text(key):
            cells = piece.texts(key)
            words = [*zip(cells.texts.to_pylist(), cells.types.tolist(), strict=True), None]
            for row, code in zip(cells.rows.tolist(), cells.codes.tolist(), strict=True):
                out[row][key] = words[code]
        else:
            numbers = piece.numbers(key)
            for row, value in zip(numbers.rows.tolist(), numbers.values.tolist(), strict=True):
                out[row][key] = None if is_missing(value) else repr(value)
    return out


def test_rows_are_sorted_and_cells_go_with_them() -> None:
    piece = segment(
        ["c", "a", "b"],
        [2, 0, 1],
        Texts(*NAME, None, ["run-10", "run-9", None]),
        Numbers(*LOSS, np.array([2, 0], np.int32), np.array([1.5, math.nan])),
    )
    assert piece.rows.tolist() == [0, 1, 2]
    assert piece.run_ids.to_pylist() == ["a", "b", "c"]
    names = piece.texts(NAME)
    assert names.texts.to_pylist() == ["run-9", "run-10"]
    assert names.codes.tolist() == [0, -1, 1]
    assert piece.numbers(LOSS).rows.tolist() == [1, 2]
    assert [(c.key, c.text) for c in piece.of_run(2)] == [(NAME, "run-10"), (LOSS, None)]
    assert piece.of_run(7) == []
    assert piece.count(PARAM) == 0


def test_a_dictionary_is_in_column_order_with_its_numbers() -> None:
    words = ["b2", "b10", "nan", "1e3", "2", "A", "-inf", " .5", "2"]
    fresh = segment([str(i) for i in range(9)], list(range(9)), Texts(*PARAM, None, words))
    for piece in (fresh, Segment.read(merge([fresh]))):
        cells = piece.texts(PARAM)
        assert cells.texts.to_pylist() == ["-inf", " .5", "2", "1e3", "A", "b2", "b10", "nan"]
        assert cells.numbers[:4].tolist() == [-math.inf, 0.5, 2.0, 1000.0]
        assert [is_missing(value) for value in cells.numbers[4:]] == [True, True, True, False]
        assert [cells.texts[code].as_py() for code in cells.codes.tolist()] == words
        for row, word in enumerate(words):
            (cell,) = piece.of_run(row)
            assert cell.text == word
        assert piece.of_run(3)[0].number == 1000.0
        assert is_missing(piece.of_run(0)[0].number)


def test_the_same_text_of_two_types_stays_two_values() -> None:
    types = bytes([ValueType.TEXT, ValueType.INTEGER, ValueType.INTEGER])
    piece = segment(["a", "b", "c"], [0, 1, 2], Texts(*PARAM, None, ["1", "1", "1"], types))
    for each in (piece, Segment.read(merge([piece]))):
        cells = each.texts(PARAM)
        assert cells.types[cells.codes].tolist() == list(types)


def test_5000_keys_of_ten_runs_cost_their_cells() -> None:
    n = 20_000
    common = Numbers(*LOSS, None, np.zeros(n))
    one = np.array([7], np.int32)
    own = [Numbers(Kind.METRIC, f"m{i}", one, np.array([float(i)])) for i in range(5000)]
    ids, rows = [str(i) for i in range(n)], list(range(n))
    small, piece = segment(ids, rows, common), segment(ids, rows, common, *own)
    assert piece.nbytes - small.nbytes < 5000 * 100
    merged = Segment.read(merge([small, piece]))
    assert merged.nbytes - small.nbytes < 5000 * 100
    assert len(merged.entries) == 5001
    assert merged.numbers(ColumnKey(Kind.METRIC, "m4321")).values.tolist() == [4321.0]
    assert len(merged.of_run(7)) == 5001


def test_an_empty_segment_is_one() -> None:
    assert values(segment([], [])) == {}
    assert values(Segment.read(merge([]))) == {}
    assert values(Segment.read(merge([segment(["a"], [0])], gone=[0]))) == {}


@pytest.mark.parametrize("cut", [0, 5, 11, 40, 200])
def test_what_is_cut_is_no_segment(cut: int) -> None:
    data = encode(Delta(["a"], [Numbers(*LOSS, None, np.ones(1))], b""), np.zeros(1, np.int32))
    with pytest.raises(SegmentError):
        Segment.read(data[:cut])


def test_a_merge_pauses_between_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "_RARE", 0)
    pauses: list[int] = []
    merge(
        [segment(["a"], [0], Texts(*NAME, None, ["x"]), Numbers(*LOSS, None, np.ones(1)))], (), lambda: pauses.append(1)
    )
    assert len(pauses) == 2


TEXT = st.one_of(st.none(), st.sampled_from(["1", "01", "x10", "x9", "", "nan", "é\x1b", "1e5"]))
NUMBER = st.one_of(st.just(MISSING), st.floats(allow_nan=False), st.just(math.nan))
KEYS = [ColumnKey(Kind.PARAM, "a"), ColumnKey(Kind.TAG, "a"), ColumnKey(Kind.METRIC, "a"), ColumnKey(Kind.METRIC, "b")]


@st.composite
def deltas(draw: st.DrawFn) -> list[tuple[Delta, list[int], list[int]]]:
    """Deltas with the rows of their runs and the rows that went before them; a partial one knows its runs."""
    out, alive = [], set[int]()
    for _ in range(draw(st.integers(1, 5))):
        whole = draw(st.booleans())
        rows = draw(st.permutations(range(6) if whole else sorted(alive)))
        rows = rows[: draw(st.integers(0, len(rows)))]
        alive |= set(rows)
        cells: list[Cells] = []
        for key in draw(st.sets(st.sampled_from(KEYS))):
            at = draw(st.one_of(st.none(), st.permutations(range(len(rows))).map(lambda p: p[: len(p) // 2])))
            count = len(rows) if at is None else len(at)
            places = None if at is None else np.array(at, np.int32)
            if key.kind is Kind.METRIC:
                numbers = draw(st.lists(NUMBER, min_size=count, max_size=count))
                cells.append(Numbers(*key, places, np.array(numbers, np.float64)))
            else:
                texts = draw(st.lists(TEXT, min_size=count, max_size=count))
                typed = draw(st.one_of(st.none(), st.binary(min_size=count, max_size=count).map(_types)))
                cells.append(Texts(*key, places, texts, typed))
        cells += draw(st.lists(rows_of_keys(len(rows)), max_size=1))
        gone = sorted(draw(st.sets(st.sampled_from(sorted(alive))))) if alive else []
        alive -= set(gone)
        out.append((Delta([f"id{row}" for row in rows], cells, b"", whole=whole), rows, gone))
    return out


@st.composite
def rows_of_keys(draw: st.DrawFn, runs: int) -> Cells:
    """Cells of several keys, a row each, in any order."""
    keys = [f"own{number}" for number in range(draw(st.integers(1, 4)))]
    spots = st.tuples(st.integers(0, len(keys) - 1), st.integers(0, max(0, runs - 1)))
    spot = draw(st.lists(spots, unique=True, max_size=8 if runs else 0))
    key, at = np.array([k for k, _ in spot], np.int32), np.array([a for _, a in spot], np.int32)
    if draw(st.booleans()):
        numbers = draw(st.lists(NUMBER.filter(lambda value: not is_missing(value)), min_size=len(at), max_size=len(at)))
        return NumberRows(Kind.METRIC, keys, key, at, np.array(numbers, np.float64))
    return TextRows(Kind.TAG, keys, key, at, draw(st.lists(TEXT.filter(bool), min_size=len(at), max_size=len(at))))


@pytest.mark.parametrize("runs", [3, 200])
def test_rows_of_many_keys_are_found_by_key_and_by_run(runs: int) -> None:
    """Common keys become columns of their own, rare ones lie in one block; both are read alike, merged or not."""
    keys = ["common", *(f"own{number}" for number in range(2_000))]
    at = np.array([*range(runs), *(number % runs for number in range(2_000))], np.int32)
    key = np.array([*(0 for _ in range(runs)), *range(1, 2_001)], np.int32)
    words = [f"w{number}" for number in range(len(at))]
    numbers = np.arange(len(at), dtype=np.float64)
    cells = [TextRows(Kind.PARAM, keys, key, at, words), NumberRows(Kind.METRIC, keys, key, at, numbers)]
    ids = [f"id{row}" for row in range(runs)]
    fresh = segment(ids, list(range(runs)), *cells)
    said = values(fresh)
    assert said[1][ColumnKey(Kind.PARAM, "own1")] == (f"w{runs + 1}", 0)
    assert said[1][ColumnKey(Kind.METRIC, "common")] == "1.0"
    merged = Segment.read(merge([fresh, segment(["new"], [runs], Texts(*PARAM, None, ["x"]))], gone=[2]))
    del said[2]
    assert values(merged) == said | {runs: {PARAM: ("x", 0)}}
    assert {cell.key for cell in merged.of_run(1)} == set(said[1])
    assert merged.count(ColumnKey(Kind.PARAM, "own2")) == 0
    assert ColumnKey(Kind.TAG, "own1") not in merged.entries
    assert list(merged.entries) == sorted(merged.entries)


def test_a_secret_param_is_left_out_however_it_comes(tmp_path: Path) -> None:
    key, at = np.array([0, 1], np.int32), np.zeros(2, np.int32)
    cells = [
        Texts(Kind.PARAM, "api_key", None, ["s3cret"]),
        TextRows(Kind.PARAM, ["API_TOKEN", "lr"], key, at, ["s3cret", "0.1"]),
        NumberRows(Kind.PARAM, ["api_pin", "n"], key, at, np.array([4711.0, 3.0])),
        Texts(Kind.TAG, "api_key", None, ["shown"]),
    ]
    table = Table(Spool(tmp_path), ["api_*"], 0)
    table.add(Delta(["a"], cells, b""))
    (piece,) = table.snapshot().overlays
    assert b"s3cret" not in piece
    assert {str(key) for key in Segment.read(piece).entries} == {"params.lr", "params.n", "tags.api_key"}


def _types(data: bytes) -> bytes:
    return bytes(byte % 3 for byte in data)


@settings(max_examples=150, deadline=None)
@given(deltas(), st.integers(0, 4), st.sampled_from([0, 5, 64]))
def test_a_merge_says_what_replaying_says(
    told: list[tuple[Delta, list[int], list[int]]], split: int, rare: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_RARE", rare)
        _replay(told, split)


def _replay(told: list[tuple[Delta, list[int], list[int]]], split: int) -> None:
    model: dict[int, dict[ColumnKey, Any]] = {}
    pieces: list[Segment] = []
    gone: set[int] = set()
    for number, (delta, rows, leaving) in enumerate(told):
        pieces.append(Segment.read(encode(delta, np.array(rows, np.int32))))
        gone -= set(rows)
        for row, said in values(pieces[-1]).items():
            if delta.whole:
                model[row] = {}
            for key, value in said.items():
                model[row].pop(key, None)
                if value is not None:
                    model[row][key] = value
        for row in leaving:
            model.pop(row, None)
            gone.add(row)
        if number == split:
            # A base in the middle changes nothing.
            pieces, gone = [Segment.read(merge(pieces, gone))], set()
    merged = Segment.read(merge(pieces, gone))
    assert values(merged) == model
    assert merged.run_ids.to_pylist() == [f"id{row}" for row in sorted(model)]
    for row, known in model.items():
        assert {cell.key for cell in merged.of_run(row)} == set(known)
