"""Two texts matched line by line, and drawn side by side or below each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runtower.present.glyphs import ASCII
from runtower.present.spans import plain
from runtower.present.text_diff import ADDED, CHANGED, GAP, REMOVED, SAME, diff_of
from runtower.present.text_diff_lines import side_by_side, unified

BEFORE = ["optim:", "  lr: 0.001", "  betas: [0.9, 0.999]", "model: vit", "old: 1"]
AFTER = ["optim:", "  lr: 0.0003", "  betas: [0.9, 0.999]", "model: vit", "warmup: 500", "precision: bf16"]
TEXTS = st.lists(st.sampled_from(["a: 1", "a: 2", "b: x", "", "  c: 3", "other"]), max_size=25)


def test_added_removed_and_changed_lines_are_told_apart() -> None:
    found = diff_of(BEFORE, AFTER)
    assert [row.kind for row in found.rows] == [SAME, CHANGED, SAME, SAME, REMOVED, ADDED, ADDED]
    assert found.summary() == "1 changed, 2 added, 1 removed"
    changed = found.rows[1]
    assert (changed.left, changed.right, changed.left_number, changed.right_number) == (BEFORE[1], AFTER[1], 2, 2)
    assert (found.rows[5].right, found.rows[5].right_number, found.rows[5].left_number) == ("warmup: 500", 5, 0)


def test_a_changed_line_stands_beside_the_one_that_it_became() -> None:
    found = diff_of(["name: run", "last: xx end"], ["extra: yes", "name: run 2", "last: xxx end"])
    assert [row.kind for row in found.rows] == [ADDED, CHANGED, CHANGED]
    assert [(row.left, row.right) for row in found.rows[1:]] == [
        ("name: run", "name: run 2"),
        ("last: xx end", "last: xxx end"),
    ]


@given(TEXTS, TEXTS)
def test_both_texts_are_in_the_rows_in_their_order(left: list[str], right: list[str]) -> None:
    found = diff_of(left, right)
    assert [row.left for row in found.rows if row.left_number] == left
    assert [row.right for row in found.rows if row.right_number] == right
    assert [row.left_number for row in found.rows if row.left_number] == list(range(1, len(left) + 1))
    assert [row.right_number for row in found.rows if row.right_number] == list(range(1, len(right) + 1))
    both = [row for row in found.rows if row.left_number and row.right_number]
    assert all((row.left == row.right) == (row.kind == SAME) for row in both)
    assert found.is_different == (left != right)


@given(TEXTS, TEXTS, st.integers(0, 4))
def test_only_the_changes_leaves_out_nothing_but_equal_lines(left: list[str], right: list[str], context: int) -> None:
    found = diff_of(left, right)
    around = found.around(context)
    assert [row for row in around if row.kind not in (SAME, GAP)] == [row for row in found.rows if row.kind != SAME]
    assert sum(row.skipped or 1 for row in around) == len(found.rows)


@given(TEXTS, TEXTS, st.integers(30, 120))
def test_no_line_is_wider_than_the_screen_and_every_change_is_found(
    left: list[str], right: list[str], width: int
) -> None:
    found = diff_of(left, right)
    for drawn in (side_by_side(found.rows, width), unified(found.rows, width)):
        assert all(cell_len(plain(line)) <= width for line in drawn.lines)
        assert bool(drawn.changes) == found.is_different
        assert len(set(drawn.changes)) == len(drawn.changes)


def test_side_by_side_and_below_each_other() -> None:
    found = diff_of(BEFORE, AFTER)
    beside = side_by_side(found.rows, 61, ASCII)
    assert [plain(line).rstrip() for line in beside.lines][:2] == [
        "     1   optim:               |      1   optim:",
        "     2 ~   lr: 0.001          |      2 ~   lr: 0.0003",
    ]
    assert [plain(line).rstrip() for line in beside.lines][4:6] == [
        "     5 - old: 1               |",
        "                              |      5 + warmup: 500",
    ]
    assert beside.changes == [1, 4]
    assert [plain(line) for line in unified(found.rows, 61).lines] == [
        "     1   optim:",
        "     2 -   lr: 0.001",
        "     2 +   lr: 0.0003",
        "     3     betas: [0.9, 0.999]",
        "     4   model: vit",
        "     5 - old: 1",
        "     5 + warmup: 500",
        "     6 + precision: bf16",
    ]


def test_what_differs_in_a_line_has_a_tone_of_its_own_and_is_in_sight() -> None:
    long = "key: " + "x" * 200
    drawn = side_by_side(diff_of([f"{long} one end"], [f"{long} two end"]).rows, 101)
    (line,) = drawn.lines
    assert ("one", "worse") in line
    assert ("two", "better") in line
    assert cell_len(plain(line)) <= 101


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\u202eb", "tab\tstop", "wide 漢字 " * 20])
def test_texts_from_outside_do_nothing_and_keep_to_their_half(hostile: str) -> None:
    for drawn in (
        side_by_side(diff_of([hostile], [hostile + "!"]).rows, 100),
        unified(diff_of([], [hostile]).rows, 60),
    ):
        for line in drawn.lines:
            assert "\x1b" not in plain(line)
            assert "\u202e" not in plain(line)
            assert "\t" not in plain(line)
            assert cell_len(plain(line)) <= 100


def test_very_many_equal_lines_are_a_gap() -> None:
    left = [f"line {n}" for n in range(5000)]
    right = [*left[:2500], "new", *left[2500:]]
    around = diff_of(left, right).around()
    assert [row.skipped for row in around if row.kind == GAP] == [2497, 2497]
    assert "2,497 equal lines" in plain(unified(around, 60).lines[0])
