"""The data of runs: datasets that MLflow logged, and files that are the same or not, on a real store."""

from __future__ import annotations

import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag
from support.labstore import changing
from support.labtower import Lab, rows_of

from runtower.acts import run_data
from runtower.acts.run_data import data_of
from runtower.acts.run_files import RunFiles
from runtower.acts.sides import Facts
from runtower.domain.artifacts import Piece


async def data(own_lab: Lab, *names: str) -> tuple[Facts, Facts]:
    async with own_lab.tower() as tower:
        return await data_of(tower, rows_of(tower, *names))


def told(facts: Facts) -> list[tuple[object, ...]]:
    return [(row.name, row.same, *row.values) for row in facts.rows]


def given(own_lab: Lab, name: str, *datasets: tuple[str, str, str, str]) -> None:
    """A run with these inputs: name, digest, context, source."""
    client, run_id = own_lab.new_run(name)
    inputs = [
        DatasetInput(
            Dataset(called, digest, "s3", source), [InputTag("mlflow.data.context", context)] if context else []
        )
        for called, digest, context, source in datasets
    ]
    client.log_inputs(run_id, inputs)
    client.set_terminated(run_id)


async def test_datasets_by_their_digests(own_lab: Lab) -> None:
    given(own_lab, "one", ("coco", "aa11", "training", "s3://ana:secret@b/v1"), ("coco", "cc33", "eval", "s3://b/e"))
    given(own_lab, "two", ("coco", "bb22", "training", "s3://b/v2"), ("coco", "cc33", "eval", "s3://b/e"))
    inputs, artifacts = await data(own_lab, "one", "two", "lr=0.001")
    assert (inputs.title, artifacts.title) == ("inputs", "artifacts")
    assert told(inputs) == [
        ("coco (eval)", False, "cc33", "cc33", None),
        ("coco (eval) source", False, "s3 s3://b/e", "s3 s3://b/e", None),
        ("coco (training)", False, "aa11", "bb22", None),
        ("coco (training) source", False, "s3 s3://b/v1", "s3 s3://b/v2", None),
    ]
    inputs, _ = await data(own_lab, "one", "two")
    assert [row.name for row in inputs.differing] == ["coco (training)", "coco (training) source"]
    assert artifacts.rows == ()
    assert (inputs.note, artifacts.note) == ("", "")


async def test_files_of_one_size_are_compared_by_content(own_lab: Lab) -> None:
    for name, last in (("lr=0.001", "1"), ("lr=0.0003", "2")):
        own_lab.put(name, "same.txt", "the same")
        own_lab.put(name, "deep/er/differs.bin", f"byte {last}")
        own_lab.put(name, "longer.txt", "x" * int(last))
        own_lab.put(name, "empty", "")
        own_lab.put(name, "large.bin", bytes(8 * 1024 * 1024 + 1))
    own_lab.put("lr=0.001", "only.txt", "here")
    _, artifacts = await data(own_lab, "lr=0.001", "lr=0.0003")
    rows = told(artifacts)
    assert [row[:2] for row in rows] == [
        ("deep/er/differs.bin", False),
        ("empty", True),
        ("large.bin", None),
        ("longer.txt", False),
        ("only.txt", False),
        ("same.txt", True),
    ]
    assert rows[4][2:] == ("4 bytes", None)
    assert rows[1][2:] == ("0 bytes", "0 bytes")
    assert rows[2][2:] == ("8388609 bytes", "8388609 bytes")
    assert str(rows[0][2]).startswith("6 bytes, ")
    assert [row.name for row in artifacts.rows if not row.sure] == ["large.bin"]
    assert artifacts.summary() == "3 differ, 2 the same, 1 can't be told"


async def test_two_of_three_that_are_alike_can_be_seen(own_lab: Lab) -> None:
    for name, text in (("lr=0.001", "aa"), ("lr=0.0003", "bb"), ("calm-owl", "ccc"), ("wide-elk", "aa")):
        own_lab.put(name, "a.txt", text)
    _, artifacts = await data(own_lab, "lr=0.001", "lr=0.0003", "calm-owl", "wide-elk")
    ((_, same, one, two, three, four),) = told(artifacts)
    assert same is False
    assert one == four != two
    assert three == "3 bytes"


async def test_no_more_is_read_than_may_be(own_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lr=0.001", "lr=0.0003"):
        for number in range(4):
            own_lab.put(name, f"{number}.bin", bytes(100 + number))
    monkeypatch.setattr(run_data, "_NEAR", (1000, 410))
    read = 0
    part = RunFiles.part

    async def counted(self: RunFiles, path: str, offset: int, most: int, topic: str = "") -> Piece:
        nonlocal read
        piece = await part(self, path, offset, most, topic)
        read += len(piece.data)
        return piece

    monkeypatch.setattr(RunFiles, "part", counted)
    _, artifacts = await data(own_lab, "lr=0.001", "lr=0.0003")
    assert [row[1] for row in told(artifacts)] == [True, True, None, None]
    assert read == 2 * (100 + 101)


async def test_what_was_not_looked_at_is_told(own_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        own_lab.put("lr=0.001", f"folder{number}/a.txt", "a")
    monkeypatch.setattr(run_data, "_MOST_FOLDERS", 3)
    with changing(own_lab.store) as connection:
        connection.execute("UPDATE runs SET artifact_uri = 'http://elsewhere/x' WHERE name = 'calm-owl'")
    _, artifacts = await data(own_lab, "lr=0.001", "calm-owl", "lr=0.0003")
    assert [row.name for row in artifacts.rows] == ["folder0/a.txt", "folder1/a.txt"]
    assert artifacts.note.startswith(
        "only the first 2 files were looked at (lr=0.001); The artifacts of this run are kept"
    )
    assert artifacts.note.endswith("(calm-owl)")
