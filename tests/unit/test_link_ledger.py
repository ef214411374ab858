"""Row ids against a dict: given once, the same ever after, however the ids are kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runtower.link.ledger import Ledger

IDS = st.one_of(
    st.integers(0, 30).map(lambda number: f"{number:032x}"),
    st.sampled_from(["", "a", "a\0", "\0", "ä" * 40, "x" * 64, "x" * 65, "x" * 66, "\udcff", "logs/version_0"]),
)
STEPS = st.lists(st.one_of(st.lists(IDS, max_size=12), st.none()), max_size=8)


@settings(max_examples=300)
@given(STEPS, IDS)
def test_ids_are_given_once_in_order(steps: list[list[str] | None], stranger: str) -> None:
    ledger, expected = Ledger(), dict[str, int]()
    for step in steps:
        if step is None:
            ledger.settle()
            continue
        rows = ledger.give(step)
        assert rows.tolist() == [expected.setdefault(run_id, len(expected)) for run_id in step]
    assert len(ledger) == len(expected)
    assert ledger.run_ids() == list(expected)
    assert ledger.rows() == set(expected.values())
    assert ledger.known([stranger, *expected, stranger]) == [
        expected[i] for i in (stranger, *expected, stranger) if i in expected
    ]
    assert ledger.agrees([*expected, "one more"])
    assert ledger.agrees(list(expected)[:-1]) == (not expected)


def test_seeded_ids_go_on_behind_the_greatest_row() -> None:
    ledger = Ledger()
    ledger.seed(["b", "a"], [7, 3])
    assert ledger.give(["a", "new", "b"]).tolist() == [3, 8, 7]
    assert ledger.run_ids() == ["a", "b", "new"]


def test_many_ids_are_packed_as_they_come() -> None:
    ledger = Ledger()
    ids = [f"{number * 7919 % 100_003:032x}" for number in range(30_000)]
    for first in range(0, len(ids), 1000):
        assert ledger.give(ids[first : first + 1000]).tolist() == list(range(first, first + 1000))
    assert ledger.give(ids).tolist() == list(range(len(ids)))
