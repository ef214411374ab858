"""Runs side by side: what is the same, what isn't, and what can't be told."""

from __future__ import annotations

from runtower.acts.sides import Fact, Facts, side_by_side, told_once


def test_the_same_or_not_or_not_known() -> None:
    assert Fact("numpy", ("1.26", "1.26")).same is True
    assert Fact("numpy", ("1.26", "2.0")).same is False
    assert Fact("numpy", ("1.26", None)).same is False
    assert Fact("weights.bin", ("9 bytes", "9 bytes"), sure=False).same is None
    assert Fact("weights.bin", ("9 bytes", "8 bytes"), sure=False).same is False


def test_what_counts_and_how_it_is_summed_up() -> None:
    rows = (
        Fact("a", ("1", "1")),
        Fact("b", ("1", "2")),
        Fact("c", (None, "2")),
        Fact("d", ("1", "1"), sure=False),
        Fact("e", ("1", "1")),
    )
    facts = Facts("packages", rows)
    assert [one.name for one in facts.differing] == ["b", "c", "d"]
    assert facts.summary() == "2 differ, 2 the same, 1 can't be told"
    assert Facts("packages", rows[1:2]).summary() == "1 differs"
    assert Facts("packages", ()).summary() == "nothing recorded"


def test_a_row_for_each_name_and_a_column_for_each_run() -> None:
    rows = side_by_side(
        [{"os": "Linux", "zlib": "1"}, {"python": "3.11", "abc": "2"}, {}], order=("python", "gpu", "os")
    )
    assert [(one.name, one.values) for one in rows] == [
        ("python", (None, "3.11", None)),
        ("os", ("Linux", None, None)),
        ("abc", (None, "2", None)),
        ("zlib", ("1", None, None)),
    ]


def test_what_holds_for_all_names_nobody() -> None:
    runs = ["one", "two", "three"]
    assert told_once(["a.txt"] * 3, runs) == "a.txt"
    assert told_once(["a.txt", "", "a.txt"], runs) == "a.txt (one, three)"
    assert told_once(["a.txt", "b.txt", "a.txt"], runs) == "a.txt (one, three); b.txt (two)"
    assert told_once(["", "", ""], runs) == ""


def test_a_run_that_records_nothing_is_not_compared() -> None:
    three = Facts("packages", side_by_side([{"numpy": "1", "six": "1"}, {}, {"numpy": "2", "six": "1"}]))
    assert [one.same for one in three.rows] == [False, True]
    assert three.rows[0].values == ("1", None, "2")
    assert three.summary() == "1 differs, 1 the same"
    two = Facts("packages", side_by_side([{"numpy": "1", "six": "1"}, {}]))
    assert [one.same for one in two.rows] == [None, None]
    assert (two.differing, two.summary()) == ((), "2 recorded, by one run only")
