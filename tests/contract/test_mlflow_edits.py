"""Edits that move no timestamp in MLflow, each found within a dozen looks on every path."""

from __future__ import annotations

import pytest
from support.mirror import drained

pytestmark = pytest.mark.parametrize("lab", ["sql", "client", "files", "rest", "postgres"], indirect=True)


@pytest.fixture
def watched(lab):
    """A finished run, the source that shows it, and what a caller knows."""
    source = lab.open()
    mirror = drained(source)
    return lab, source, mirror, mirror.run_of("finished-1")


def _seen(watched, key, value):
    lab, source, mirror, run_id = watched
    mirror.poll_until(source, lambda: mirror.runs[run_id].get(key) == value)
    assert mirror.runs == drained(lab.open()).runs
    assert mirror.poll(source) == []


def test_rename(watched):
    lab, _, _, run_id = watched
    lab.client.update_run(run_id, name="renamed")
    _seen(watched, "attribute.name", "renamed")


def test_tag_set_and_changed(watched):
    lab, _, _, run_id = watched
    lab.client.set_tag(run_id, "stage", "one")
    _seen(watched, "tag.stage", "one")
    lab.client.set_tag(run_id, "stage", "two")
    _seen(watched, "tag.stage", "two")


def test_tag_deleted(watched):
    lab, _, _, run_id = watched
    lab.client.set_tag(run_id, "stage", "one")
    _seen(watched, "tag.stage", "one")
    lab.client.delete_tag(run_id, "stage")
    _seen(watched, "tag.stage", None)


def test_deleted_and_restored(watched):
    lab, _, _, run_id = watched
    lab.client.delete_run(run_id)
    _seen(watched, "attribute.lifecycle", "deleted")
    lab.client.restore_run(run_id)
    _seen(watched, "attribute.lifecycle", "active")


def test_reopened_and_ended(watched):
    lab, _, _, run_id = watched
    lab.client.update_run(run_id, status="RUNNING")
    _seen(watched, "attribute.status", "RUNNING")
    lab.client.set_terminated(run_id, "KILLED", end_time=1_700_000_999_000)
    _seen(watched, "attribute.status", "KILLED")
    _seen(watched, "attribute.end_time", 1_700_000_999_000.0)


def test_late_old_metric_leaves_the_latest(watched):
    lab, source, mirror, run_id = watched
    before = mirror.runs[run_id]["metric.loss"]
    lab.client.log_metric(run_id, "loss", 77.0, timestamp=1, step=0)
    lab.client.log_metric(run_id, "late", 77.0, timestamp=1, step=0)
    mirror.poll_until(source, lambda: mirror.runs[run_id].get("metric.late") == 77.0)
    assert mirror.runs[run_id]["metric.loss"] == before


def test_param_on_a_finished_and_on_a_running_run(watched):
    lab, source, mirror, run_id = watched
    lab.client.log_param(run_id, "added", "yes")
    _seen(watched, "param.added", "yes")
    running = mirror.run_of("odd")
    lab.client.log_param(running, "added", "too")
    mirror.poll_until(source, lambda: mirror.runs[running].get("param.added") == "too", focus=[running])


def test_experiments_renamed_made_and_deleted(watched):
    lab, source, mirror, _ = watched
    (alpha,) = [one.experiment_id for one in mirror.experiments.values() if one.name == "alpha"]
    lab.client.rename_experiment(alpha, "omega")
    mirror.poll_until(source, lambda: mirror.experiments[alpha].name == "omega")
    made = lab.client.create_experiment("made later")
    mirror.poll_until(source, lambda: made in mirror.experiments)
    lab.client.delete_experiment(made)
    mirror.poll_until(source, lambda: mirror.experiments[made].deleted)


def test_only_what_changed_is_given(watched):
    lab, source, mirror, run_id = watched
    lab.client.set_tag(run_id, "stage", "one")
    mirror.deltas.clear()
    mirror.poll_until(source, lambda: mirror.deltas)
    assert [list(delta.run_ids) for delta in mirror.deltas if delta.run_ids] == [[run_id]]


def test_when_a_running_run_last_logged(watched):
    lab, source, mirror, run_id = watched
    client, start = lab.client, mirror.runs[run_id]["attribute.start_time"]
    fresh = client.create_run(mirror.runs[run_id]["attribute.experiment_id"], start_time=int(start) + 5).info.run_id
    mirror.poll_until(source, lambda: fresh in mirror.runs)
    assert mirror.runs[fresh]["attribute.last_logged"] == start + 5  # nothing yet: since it began
    for moment in (2_000_000_000_000, 2_000_000_060_000):  # the same value again moves only the time
        client.log_metric(fresh, "constant", 1.0, timestamp=moment, step=moment % 7)
        mirror.poll_until(source, lambda now=moment: mirror.runs[fresh].get("attribute.last_logged") == now)
    assert mirror.runs == drained(lab.open()).runs
    client.set_terminated(fresh)
    mirror.poll_until(source, lambda: "attribute.last_logged" not in mirror.runs[fresh])
    assert "attribute.last_logged" not in mirror.runs[run_id]
    assert mirror.runs == drained(lab.open()).runs
