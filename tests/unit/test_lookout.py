"""What counts as news of a run, and that nothing else does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.catalogues import add_runs, key_of

from runtower.acts.lookout import Lookout
from runtower.acts.tower import News
from runtower.catalog.catalogue import Catalogue
from runtower.domain.happenings import Happening, What, summary
from runtower.domain.runs import RunKey

LOSS = key_of("metrics.val_loss")
ENDED = ("FINISHED", "FAILED", "KILLED")
LATER = 4e12  # after any moment at which a test lists a source


class Source:
    """One source as the tower knows it, and a lookout over it. It says what a source's process would."""

    def __init__(self) -> None:
        self.catalogue = Catalogue()
        self.catalogue.source("lab")
        self.lookout = Lookout(self)  # type: ignore[arg-type]
        self.lookout.metrics_are([LOSS])
        self.ids: list[str] = []

    def says(self, **runs: Any) -> list[str]:
        """A delta: by run its status, or its cells."""
        told = {name: {"status": one} if isinstance(one, str) else one for name, one in runs.items()}
        heard: list[Happening] = []
        for name, cells in told.items():
            if name not in self.ids:
                self.ids.append(name)
            row = self.ids.index(name)
            add_runs(self.catalogue, [{"id": name, "name": name, **cells}], row)
            rows = self.catalogue.global_rows(0)[np.array([row], np.int32)]
            keys = frozenset(key_of(key) for key in ("name", *cells))
            heard += self.lookout.heard(News(0, rows, keys))
        return words(heard)

    def lists_all(self) -> list[str]:
        return words(self.lookout.heard(News(0, np.empty(0, np.int32), frozenset(), listed=True)))

    def is_replaced(self, **base: str) -> list[str]:
        """Its rows die; a new process tells them again, and begins with these."""
        self.catalogue.reset(0, None)
        self.ids = list(base)
        add_runs(self.catalogue, [{"id": name, "name": name, "status": one} for name, one in base.items()], 0)
        return words(self.lookout.heard(News(0, np.empty(0, np.int32), frozenset(), reset=True, opened=True)))


def words(heard: list[Happening]) -> list[str]:
    return [f"{'away: ' if one.away else ''}{one.name} {one.text}" for one in heard]


@pytest.fixture
def lab() -> Source:
    source = Source()
    source.says(a="RUNNING", b="RUNNING", c="FAILED")
    assert source.lists_all() == []
    return source


def test_only_changes_are_news(lab: Source) -> None:
    assert lab.says(a="FINISHED", b="RUNNING", c="FAILED") == ["a finished"]
    assert lab.says(a="FINISHED") == []
    assert lab.says(b={"status": "FAILED", "start_time": 1000.0, "end_time": 481_000.0}) == ["b failed after 8m00"]


def test_what_began_since_is_news_and_old_ones_that_are_only_read_now_are_not(lab: Source) -> None:
    assert lab.says(new="RUNNING") == ["new started"]
    assert lab.says(new="KILLED") == ["new was killed"]
    assert lab.says(old={"status": "FAILED", "start_time": 1000.0}) == []
    assert lab.says(brief={"status": "FAILED", "start_time": LATER, "end_time": LATER + 500}) == [
        "brief failed after 0.5s"
    ]


def test_one_that_is_reopened_may_end_again(lab: Source) -> None:
    assert lab.says(a="FINISHED") == ["a finished"]
    assert lab.says(a="RUNNING") == []
    assert lab.says(a="FAILED") == ["a failed"]


def test_a_deleted_run_is_nobodys_news(lab: Source) -> None:
    assert lab.says(a={"status": "FAILED", "lifecycle": "deleted"}) == []


def test_nan_once_a_run_and_only_when_it_was_seen_to_become_it(lab: Source) -> None:
    other = Source()
    other.says(a={"status": "RUNNING", "metrics.val_loss": float("nan")})
    assert other.lists_all() == []
    assert other.says(a={"metrics.val_loss": float("inf")}) == []
    assert lab.says(a={"metrics.val_loss": 0.5, "metrics.other": float("nan")}) == []
    assert lab.says(a={"metrics.val_loss": float("-inf")}) == ["a val_loss is infinite"]
    assert lab.says(a={"metrics.val_loss": 0.5}) == []
    assert lab.says(a={"metrics.val_loss": float("nan")}) == []
    assert lab.says(c={"metrics.val_loss": float("nan")}) == [], "it has ended long ago"
    assert lab.says(b={"status": "FAILED", "metrics.val_loss": float("nan")}) == ["b failed", "b val_loss is NaN"]


def test_a_metric_that_is_looked_at_later_is_news_only_of_what_began_since(lab: Source) -> None:
    acc = key_of("metrics.acc")
    lab.says(a={"metrics.acc": float("nan")}, new={"status": "RUNNING", "metrics.acc": float("nan")})
    assert words(lab.lookout.metrics_are([LOSS, acc])) == ["new acc is NaN"]
    assert lab.says(a={"metrics.acc": float("nan")}) == []


def test_what_the_cache_knew_is_told_once_the_list_is_whole() -> None:
    lab = Source()
    add_runs(lab.catalogue, [{"id": n, "name": n, "status": "RUNNING"} for n in "abcde"], 0)
    lab.ids = list("abcde")
    lab.lookout.remember(0, [RunKey("lab", "f")], [RunKey("lab", "e")])
    assert lab.says(a="FAILED", e="FINISHED") == [], "a part of the list"
    assert lab.says(b="RUNNING") == []
    assert lab.says(b="KILLED") == ["b was killed"], "the source itself said that it runs"
    assert lab.says(f="FINISHED", g="FINISHED") == []
    heard = lab.lists_all()
    assert sorted(heard) == ["away: a failed", "away: f finished"], (
        "of c and d nothing was said, and the end of e was told last time"
    )
    assert lab.says(c="FINISHED") == ["c finished"]


def test_what_a_source_brings_with_its_opening_is_of_last_time_too() -> None:
    lab = Source()
    assert lab.is_replaced(a="RUNNING", b="RUNNING", c="FINISHED") == []
    assert lab.says(a="FAILED", c="KILLED") == []
    assert lab.lists_all() == ["away: a failed"]
    assert lab.says(b="FINISHED") == ["b finished"]


def test_a_process_that_begins_anew_tells_nothing_twice(lab: Source) -> None:
    assert lab.says(a="FINISHED", b={"metrics.val_loss": float("nan")}) == ["a finished", "b val_loss is NaN"]
    assert lab.is_replaced(a="RUNNING", b="RUNNING") == [], "as its last base had it"
    assert lab.says(c="FAILED") == []
    assert lab.says(a="FINISHED", b={"status": "FAILED", "metrics.val_loss": float("nan")}) == []
    assert lab.lists_all() == ["b failed"], "it ended while the process was away"
    assert lab.says(a="FINISHED", b="FAILED") == []


@settings(max_examples=400)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abc"), st.sampled_from((*ENDED, "RUNNING"))),
            st.sampled_from(("replaced", "listed")),
        ),
        max_size=40,
    ),
    st.booleans(),
)
@example([("a", "RUNNING"), ("a", "FAILED"), ("a", "RUNNING"), ("a", "FAILED")], False)
def test_no_end_is_told_more_often_than_it_was_reached(steps: list[Any], stale: bool) -> None:
    """Whatever order things come in: nothing is told before the first list is whole but of runs that were seen to run,
    and of each run at most as many ends as it has reached. `stale`: a new process begins with what was long ago."""
    lab, reached, told = Source(), dict.fromkeys("abc", 0), dict.fromkeys("abc", 0)
    truth: dict[str, str] = {}
    ran: set[str] = set()
    for step in steps:
        if step == "replaced":
            heard = lab.is_replaced(**{name: "RUNNING" for name in ran if stale})
            for name, status in truth.items():
                heard += lab.says(**{name: status})
        elif step == "listed":
            heard = lab.lists_all()
        else:
            name, status = step
            reached[name] += truth.get(name) == "RUNNING" and status != "RUNNING"
            truth[name] = status
            ran |= {name} if status == "RUNNING" else set()
            heard = lab.says(**{name: status})
        for text in heard:
            if not text.endswith("started"):
                told[text.removeprefix("away: ")[0]] += 1
    assert all(told[name] <= reached[name] for name in told), (told, reached)
    if "replaced" not in steps:
        assert told == reached, "and none is missed while nothing is replaced"


def test_several_are_counted() -> None:
    def of(what: What, name: str = "x", away: bool = False) -> Happening:
        return Happening(RunKey("lab", name), name, what, 0, what.value, away)

    assert summary(()) == ""
    assert summary((of(What.FAILED),)) == "x failed"
    assert summary((of(What.FAILED, away=True),)) == "while you were away: x failed"
    several = (*[of(What.FINISHED)] * 5, of(What.FAILED), of(What.SILENT), of(What.NAN), of(What.NAN))
    assert summary(several) == "5 runs finished, 1 failed, 2 went NaN, 1 is silent"
    assert summary((of(What.KILLED), of(What.STARTED))) == "1 run was killed, 1 started"
