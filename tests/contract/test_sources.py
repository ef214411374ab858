"""What every source has to do, whatever it reads."""

from __future__ import annotations

import numpy as np
import pytest
from support.mirror import Mirror, drained

from runtower.domain.errors import NotFound
from runtower.domain.runs import STATUS, TEXT_ATTRIBUTES, TIME_ATTRIBUTES, Kind, Status
from runtower.sources.port import Known, ListsRuns, Numbers, ReadsHistory

pytestmark = pytest.mark.parametrize(
    "lab", ["sql", "client", "files", "rest", "postgres", "csvlogger", "dvc"], indirect=True
)


def test_says_what_it_can_do(lab):
    source = lab.open()
    assert isinstance(source, ListsRuns)
    assert isinstance(source, ReadsHistory)
    identity = source.identity()
    assert identity.key
    assert identity.address
    assert identity.how
    assert lab.open().identity().key == identity.key


def test_gives_everything_then_nothing(lab):
    source = lab.open()
    mirror = drained(source)
    assert mirror.is_complete
    assert mirror.runs
    assert mirror.poll(source) == []
    assert mirror.poll(source) == []


def test_attributes_are_known_ones_and_dense(lab):
    source = lab.open()
    texts = {column.key for column in TEXT_ATTRIBUTES}
    times = {column.key for column in TIME_ATTRIBUTES}
    for delta in source.changes(b"", ()):
        for cells in delta.cells:
            if cells.kind is Kind.ATTRIBUTE:
                assert cells.at is None
                assert cells.key in (times if isinstance(cells, Numbers) else texts)
    for fields in drained(source).runs.values():
        assert fields[f"attribute.{STATUS.key}"] in set(Status)


def test_every_run_has_a_listed_experiment(lab):
    mirror = drained(lab.open())
    assert {fields["attribute.experiment_id"] for fields in mirror.runs.values()} <= mirror.experiments.keys()


def test_a_new_run_comes(lab):
    source = lab.open()
    mirror = drained(source)
    run_id = lab.add_run("brand new", {"loss": 0.125})
    mirror.poll_until(source, lambda: run_id in mirror.runs)
    assert mirror.runs[run_id]["metric.loss"] == 0.125
    assert mirror.runs == drained(lab.open()).runs


def test_a_new_value_and_a_new_key_come(lab):
    source = lab.open()
    mirror = drained(source)
    run_id = lab.add_run("grows", {"loss": 0.5})
    mirror.poll_until(source, lambda: run_id in mirror.runs)
    lab.log(run_id, {"loss": 0.25, "extra": 3.0}, step=1)
    mirror.poll_until(source, lambda: mirror.runs[run_id].get("metric.extra") == 3.0)
    assert mirror.runs[run_id]["metric.loss"] == 0.25
    assert mirror.poll(source) == []


def test_a_removed_run_goes(lab):
    source = lab.open()
    run_id = lab.add_run("short-lived", {"loss": 0.5})
    mirror = drained(source)
    assert run_id in mirror.runs
    lab.remove(run_id)
    mirror.poll_until(source, lambda: run_id not in mirror.runs)
    assert mirror.runs == drained(lab.open()).runs


def test_a_restart_goes_on_from_the_cursor(lab):
    run_id = lab.add_run("changes", {"loss": 0.5})
    removed = lab.add_run("removed", {"loss": 0.5})
    before = drained(lab.open())
    lab.log(run_id, {"loss": 0.75}, step=2)
    lab.remove(removed)
    added = lab.add_run("added", {"loss": 9.0})
    source = lab.open(Known(list(before.runs)))
    before.deltas.clear()
    before.poll_until(source, lambda: added in before.runs and removed not in before.runs)
    assert before.runs == drained(lab.open()).runs
    given = {run_id for delta in before.deltas for run_id in delta.run_ids}
    # The neighbours of what was removed may come once more.
    assert {run_id, added} <= given


def test_a_quiet_restart_gives_nothing(lab):
    mirror = drained(lab.open())
    assert mirror.poll(lab.open()) == []


@pytest.mark.parametrize("cursor", [b"x", b"\x00" * 200, b"nonsense" * 50])
def test_a_cursor_that_makes_no_sense_is_a_first_sync(lab, cursor):
    source = lab.open()
    mirror = Mirror(cursor=cursor)
    mirror.poll(source)
    assert mirror.runs == drained(lab.open()).runs


def test_known_runs_that_are_no_more_are_gone(lab):
    mirror = Mirror(runs={"0" * 32: {}})
    mirror.poll(lab.open(Known(["0" * 32])))
    assert "0" * 32 not in mirror.runs


def test_may_be_stopped_after_any_delta(lab):
    whole = drained(lab.open())
    mirror = Mirror()
    source = lab.open()
    for _ in range(20):
        for delta in source.changes(mirror.cursor, ()):
            mirror.apply(delta)
            break
        if mirror.is_complete:
            break
    mirror.poll(source)
    assert mirror.runs == whole.runs


def test_history_and_its_coarse_curve(lab):
    run_id = lab.add_run("curve", {"loss": 5.0})
    lab.log(run_id, {"loss": 3.0}, step=1)
    lab.log(run_id, {"loss": float("nan")}, step=2)
    lab.log(run_id, {"loss": 4.0}, step=63)
    source = lab.open()
    series = source.history(run_id, "loss")
    assert series.steps.tolist() == [0, 1, 2, 63]
    np.testing.assert_array_equal(series.values, [5.0, 3.0, float("nan"), 4.0])
    assert (series.steps.dtype, series.times.dtype, series.values.dtype) == (np.int64, np.int64, np.float64)
    (curve,) = source.coarse([run_id, "0" * 32], "loss")
    assert (curve.run_id, curve.first_step, curve.last_step, curve.points, curve.odd) == (run_id, 0, 63, 4, 1)
    assert len(curve.low) == len(curve.high) == 32
    assert (curve.low[0], curve.high[0], curve.low[31]) == (3.0, 5.0, 4.0)
    assert np.isnan(curve.low[1:31]).all()


def test_a_history_that_is_not_there_is_not_found(lab):
    run_id = lab.add_run("curve", {"loss": 5.0})
    source = lab.open()
    with pytest.raises(NotFound):
        source.history(run_id, "no such key")
    with pytest.raises(NotFound):
        source.history("0" * 32, "loss")
    assert list(source.coarse([run_id], "no such key")) == []
