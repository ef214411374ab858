"""The command log: whole lines, for the user alone, whatever happened to the line before."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from runtower.acts.command_log import whole
from runtower.domain import ulids
from runtower.domain.edits import Edit, Field
from runtower.domain.model_changes import ModelEdit, SetTag
from runtower.domain.promotions import Promotion, destination_of
from runtower.link import commandlog
from runtower.link.commandlog import Intent, ModelIntent, append, new_id, read, read_all, read_models, result


def intent(name: str = "run", **more: object) -> Intent:
    known: dict[str, object] = {
        "id": new_id(),
        "time": 1,
        "who": "ana@host",
        "source": "lab",
        "address": "sqlite:////x.db",
        "source_key": "key",
        "run_name": name,
        "edit": Edit("id", Field.NAME, "a", "b\n\x1b[31m"),
        "what": "rename a to b",
        "command": "runtower rename id b",
        "deadline": 30.0,
        "pid": 1,
    }
    return Intent(**{**known, **more})  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "commands.jsonl"


def test_a_write_and_its_end_are_one_entry(file: Path) -> None:
    first, second = intent("first"), intent("second")
    append(file, first)
    append(file, second)
    result(file, second.id, "refused", "conflict", "changed since")
    entries = read(file)
    assert [entry.outcome for entry in entries] == ["open", "refused"]
    assert entries[0].intent == first
    assert (entries[1].result and entries[1].result.says) == "changed since"
    assert len(file.read_text().splitlines()) == 3


def test_it_is_for_the_user_alone(file: Path) -> None:
    append(file, intent())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "torn", [b'{"line":"intent","id":"01', b"\xff\xfe\x00", b'{"line":"invented"}\n', b"[" * 90000]
)
def test_a_torn_line_costs_only_itself(file: Path, torn: bytes) -> None:
    append(file, intent("before"))
    with file.open("ab") as out:
        out.write(torn)
    after = intent("after")
    append(file, after)
    result(file, after.id, "done")
    assert [(entry.intent.run_name, entry.outcome) for entry in read(file)] == [("before", "open"), ("after", "done")]


def test_what_is_read_back_counts_over_unknown_and_nothing_over_an_end(file: Path) -> None:
    one = intent()
    append(file, one)
    for outcome in ("unknown", "done", "refused"):
        result(file, one.id, outcome)
    assert read(file)[0].outcome == "done"
    result(file, "of another file", "done")
    assert len(read(file)) == 1


def test_a_full_file_is_set_aside_and_still_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commandlog, "LIMIT", 600)
    for number in range(4):
        append(file, intent(f"run {number}"))
    assert file.with_name("commands.jsonl.1").exists()
    names = [entry.intent.run_name for entry in read(file)]
    assert names[-1] == "run 3"
    assert len(names) >= 2


def _write_many(file: Path, name: str) -> None:
    for _ in range(50):
        append(file, intent(name * 500))


def test_two_that_write_at_once_tear_no_line(file: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(file, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(read(file)) == 100


def test_nobody_to_read_for(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == []


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for moment in (1, 1_000, 1_700_000_000_000):
        monkeypatch.setattr(ulids.time, "time_ns", lambda moment=moment: moment * 1_000_000)
        ids.append(new_id())
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {26}


def test_writes_to_models_stand_among_those_to_runs(file: Path) -> None:
    promotion = Promotion(new_id(), 1, "ana@host", "m", "4", destination_of("champion"), ("3",))
    edit = ModelEdit(SetTag("m", "4", "stage", "ready"), None)
    models = [
        ModelIntent(
            id=new_id(),
            time=1,
            who="ana@host",
            source="lab",
            address="sqlite:////x.db",
            source_key="key",
            what="a",
            command="b",
            deadline=240,
            pid=1,
            promotion=one if isinstance(one, Promotion) else None,
            edit=one if isinstance(one, ModelEdit) else None,
        )
        for one in (promotion, edit)
    ]
    run = intent()
    for line in (models[0], run, models[1]):
        append(file, line)
    result(file, models[0].id, "done")
    assert [entry.outcome for entry in read_models(file)] == ["done", "open"]
    assert [entry.intent for entry in read_models(file)] == models
    assert [entry.intent for entry in read(file)] == [run]
    assert [entry.intent for entry in read_all(file)] == [models[0], run, models[1]]
    lines = [entry.title for entry in (whole(file, one.intent.id, 2) for one in read_all(file))]
    assert lines == ["a", "rename a to b", "a"]
    assert "model m v4, @champion" in [text for text, _ in whole(file, models[0].id, 2).lines]
