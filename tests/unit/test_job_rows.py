"""Jobs as rows: their order, arrays folded, what is said of each."""

from __future__ import annotations

from runtower.acts.job_rows import array_of, job_heads, job_rows
from runtower.domain.jobs import Job, JobState, Where, as_one
from runtower.present.glyphs import UNICODE

NOW = 1_800_000_000_000.0
SHAPES = UNICODE


def job(name: str, state: JobState, **more: object) -> Job:
    where = Where.LOCAL if name.startswith("j") else Where.SLURM
    return Job(name, where, state, "train.py", **more)  # type: ignore[arg-type]


def rows(jobs: list[Job], *unfolded: str) -> list[tuple[str, str, str]]:
    return [
        (row.cells["id"].text, row.cells["state"].text, row.cells["says"].text)
        for row in job_rows(jobs, set(unfolded), SHAPES, NOW)
    ]


def test_what_runs_then_what_waits_in_its_turn_then_what_is_over_the_newest_first() -> None:
    jobs = [
        job("j1", JobState.OK, ended_ms=NOW - 9_000),
        job("j2", JobState.FAIL, ended_ms=NOW - 5_000, reason="exit code 3", exit_code=3, last_line="ValueError: lr"),
        job("j3", JobState.WAIT, queued_ms=NOW - 3_000, reason="2 at a time"),
        job("j4", JobState.WAIT, queued_ms=NOW - 4_000),
        job("j5", JobState.RUN, started_ms=NOW - 8_000, last_line="epoch 1\repoch 2"),
    ]
    assert rows(jobs) == [
        ("j5", "▶ run", "epoch 2"),
        ("j4", "… wait", ""),
        ("j3", "… wait", "2 at a time"),
        ("j2", "✗ fail", "ValueError: lr (exit code 3)"),
        ("j1", "✓ ok", ""),
    ]


def test_an_array_is_one_row_until_it_is_unfolded() -> None:
    states = [JobState.OK, JobState.FAIL, JobState.RUN]
    members = [job(f"47_{number}", state, array="47", queued_ms=NOW) for number, state in enumerate(states)]
    assert rows([*members, job("j1", JobState.OK, ended_ms=NOW)]) == [
        ("47", "1▶ 1✓ 1✗", "3 members"),
        ("j1", "✓ ok", ""),
    ]
    assert [row[0] for row in rows(members, "47")] == ["47", "47_0", "47_1", "47_2"]
    assert [row.cells["name"].text for row in job_rows(members, {"47"}, SHAPES, NOW)] == [
        "▾ train.py",
        " ├ 47_0",
        " ├ 47_1",
        " └ 47_2",
    ]
    found = job_rows(members, set(), SHAPES, NOW)
    assert array_of(found[0].id) == "47"
    assert array_of("47_0") == ""


def test_an_array_as_one_job_is_what_its_members_are() -> None:
    members = [
        job(f"47_{number}", JobState.OK, array="47", ended_ms=NOW + number, ours=number > 0) for number in (10, 9)
    ]
    whole = as_one(members)
    assert (whole.id, whole.is_array, whole.state, whole.ours, whole.ended_ms) == (
        "47",
        True,
        JobState.OK,
        True,
        NOW + 10,
    )
    assert whole.reason == "2 members, from 47_9 to 47_10"
    assert not members[0].is_array
    for state in (JobState.FAIL, JobState.WAIT, JobState.RUN):  # each counts more than those before
        members.append(job("47_11", state, array="47", ours=False))
        whole = as_one(members)
        assert (whole.state, whole.ours) == (state, False)


def test_an_array_of_one_is_its_member() -> None:
    assert rows([job("47_0", JobState.RUN, array="47", started_ms=NOW)]) == [("47_0", "▶ run", "")]


def test_columns_are_as_wide_as_what_stands_in_them() -> None:
    heads = {head.key: head for head in job_heads([job("4711_12", JobState.RUN, gpus=(0, 1, 2, 3))])}
    assert (heads["id"].width, heads["on"].width) == (9, len("slurm, gpu 0,1,2,3"))
    assert {head.key: head.width for head in job_heads([])}["id"] == 4
