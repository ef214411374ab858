"""Dense columns over pieces that come, and over the base that takes their place."""

from __future__ import annotations

import numpy as np
from support.catalogues import add_runs, catalogue_of, key_of

from runtower.catalog.catalogue import Catalogue
from runtower.catalog.columns import NumberColumn
from runtower.catalog.encoding import encode
from runtower.catalog.merging import merge
from runtower.catalog.segment import Segment
from runtower.catalog.view import tree_of
from runtower.sources.port import Delta

KEYS = [key_of(name) for name in ("name", "params.lr", "metrics.loss")]
FIRST = [{"name": "a", "params.lr": "0.1", "metrics.loss": 1.0}, {"name": "b", "params.lr": "0.10"}]
LATER = [{"name": "c", "metrics.loss": 3.0}, {"name": "a", "params.lr": "x"}]


def said(catalogue: Catalogue) -> list[list[object]]:
    """What stands in each column."""
    out: list[list[object]] = []
    for key in KEYS:
        column = catalogue.column(key)
        cell = column.number if isinstance(column, NumberColumn) else column.text
        out.append([cell(row) for row in range(catalogue.size)])
    return out


def merged(catalogue: Catalogue) -> Segment:
    return Segment.read(merge(catalogue.sources[0].segments))


def test_a_base_changes_nothing_that_is_seen_and_columns_are_made_anew_beside() -> None:
    catalogue = catalogue_of(FIRST)
    add_runs(catalogue, LATER, 2)
    before = said(catalogue)
    assert before[0] == ["a", "b", "c", "a"]
    base = merged(catalogue)
    old = catalogue.column(KEYS[0])
    catalogue.rebase(0, 3, base)
    assert catalogue.column(KEYS[0]) is old
    make = catalogue.renewal()
    # A piece that comes while the columns are being made is in them all the same.
    add_runs(catalogue, [{"name": "d", "params.lr": "7", "metrics.loss": 4.0}], 4)
    catalogue.renew(make())
    assert catalogue.column(KEYS[0]) is not old
    assert said(catalogue) == [[*column, new] for column, new in zip(before, ["d", "7", 4.0], strict=True)]


def test_columns_made_of_pieces_that_a_second_base_replaced_are_dropped() -> None:
    catalogue = catalogue_of(FIRST)
    said(catalogue)
    catalogue.rebase(0, 1, merged(catalogue))
    make = catalogue.renewal()
    made = make()
    add_runs(catalogue, LATER, 2)
    now = said(catalogue)
    catalogue.rebase(0, 3, merged(catalogue))
    catalogue.renew(made)
    assert said(catalogue) == now
    assert np.array_equal(catalogue.numbers(KEYS[2]).missing, [False, True, False, True])


def test_a_large_piece_is_prepared_beside_and_then_put_in_at_once() -> None:
    catalogue, plain = catalogue_of(FIRST), catalogue_of(FIRST)
    said(catalogue)
    add_runs(plain, LATER, 2)
    piece = plain.sources[0].segments[-1]
    made = catalogue.preparing(0, piece)()
    assert said(catalogue)[0] == ["a", "b"]
    catalogue.add(0, 3, piece, made=made)
    assert catalogue.column(KEYS[0]) is made.columns[KEYS[0]]
    assert said(catalogue) == said(plain)


def test_what_was_prepared_before_another_piece_came_is_not_taken() -> None:
    catalogue, plain = catalogue_of(FIRST), catalogue_of(FIRST)
    said(catalogue)
    add_runs(plain, LATER, 2)
    piece = plain.sources[0].segments[-1]
    made = catalogue.preparing(0, piece)()
    add_runs(catalogue, [{"name": "z", "metrics.loss": 9.0}], 4)
    add_runs(plain, [{"name": "z", "metrics.loss": 9.0}], 4)
    catalogue.add(0, 3, piece, made=made)
    assert [sorted(map(str, column)) for column in said(catalogue)] == [sorted(map(str, c)) for c in said(plain)]


def test_cells_of_some_runs_are_those_of_the_columns() -> None:
    catalogue = catalogue_of(FIRST)
    add_runs(catalogue, LATER, 2)
    add_runs(catalogue, [{"name": "b2"}], 1)  # given whole again, without its lr
    number = catalogue.source("other")
    catalogue.add(number, 1, catalogue_of(FIRST).sources[0].segments[0])
    rows = np.array([5, 1, 0, 3, 4], np.int32)
    for key in KEYS:
        column = catalogue.column(key)
        if isinstance(column, NumberColumn):
            assert catalogue.numbers_at(key, rows).tobytes() == column.values[rows].tobytes()
        else:
            assert catalogue.texts_at(key, rows) == [column.text(row) for row in rows.tolist()]
    assert catalogue.texts_at(KEYS[1], rows) == ["0.10", None, "0.1", "x", "0.1"]


def test_a_run_that_is_gone_keeps_its_name_after_a_base_and_is_nobodys_child() -> None:
    catalogue = catalogue_of([{"id": "p", "name": "parent"}, {"id": "a", "parent": "p"}, {"id": "b", "parent": "p"}])
    assert tree_of(catalogue).children(0).tolist() == [1, 2]
    catalogue.add(0, 2, None, gone=[1])
    add_runs(catalogue, [{"id": "c", "parent": "p"}], 3)
    assert tree_of(catalogue).children(0).tolist() == [2, 3]
    rows = np.array([0, 2, 3], np.int32)
    base = Segment.read(encode(Delta(["p", "b", "c"], [], b""), rows))
    catalogue.rebase(0, 9, base)
    assert [catalogue.run_key(row).run_id for row in range(4)] == ["p", "a", "b", "c"]
    assert catalogue.alive().tolist() == [True, False, True, True]
    assert catalogue.cells(1) == []
