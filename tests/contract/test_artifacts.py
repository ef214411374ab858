"""What every source does with the files of a run, wherever they lie."""

from __future__ import annotations

import os

import pytest

from runtower.domain.artifacts import Artifact, Piece
from runtower.domain.errors import Forbidden, Invalid, NotFound
from runtower.sources.port import ReadsArtifacts

HOWS = ["sql", "client", "files", "rest", "postgres", "csvlogger"]
every = pytest.mark.parametrize("lab", HOWS, indirect=True)
on_disk = pytest.mark.parametrize("lab", ["sql", "client", "files", "csvlogger"], indirect=True)
TEXT = b"".join(b"line %05d\n" % number for number in range(20_000))
FILES = {
    "train.log": TEXT,
    "empty.txt": b"",
    "model/weights.bin": bytes(range(256)),
    "model/a b/ü &=+.json": b"{}",
}


def drained_file(source: ReadsArtifacts, run_id: str, path: str) -> bytes:
    """A whole file, its pieces in one."""
    data = b""
    for piece in source.artifact_pieces(run_id, path):
        assert piece.offset == len(data)
        data += piece.data
        assert piece.total is None or piece.total >= len(data)
    return data


@every
def test_folders_and_files_are_listed_with_their_sizes(lab) -> None:
    run_id = lab.add_files("with files", FILES)
    source = lab.open()
    assert isinstance(source, ReadsArtifacts)
    top = {one.path: one for one in source.artifacts(run_id, "").entries}
    assert top["train.log"] == Artifact("train.log", False, len(TEXT))
    assert not top["empty.txt"].size  # MLflow's API leaves a zero out
    assert top["model"] == Artifact("model", True)
    below = source.artifacts(run_id, "model")
    assert [(one.path, one.is_dir) for one in below.entries] == [("model/a b", True), ("model/weights.bin", False)]
    assert below.left_out == 0
    (odd,) = source.artifacts(run_id, "model/a b").entries
    assert drained_file(source, run_id, odd.path) == b"{}"


@every
def test_any_part_of_a_file_is_read(lab) -> None:
    run_id = lab.add_files("parts", FILES)
    source = lab.open()
    size = len(TEXT)
    assert source.artifact(run_id, "train.log", 0, 11) == Piece(TEXT[:11], 0, size)
    assert source.artifact(run_id, "train.log", 100_001, 50_000) == Piece(TEXT[100_001:150_001], 100_001, size)
    assert source.artifact(run_id, "train.log", -11, 100) == Piece(TEXT[-11:], size - 11, size)
    assert source.artifact(run_id, "train.log", -(size + 5), 3) == Piece(TEXT[:3], 0, size)
    assert source.artifact(run_id, "train.log", size, 10) == Piece(b"", size, size)
    assert source.artifact(run_id, "empty.txt", 0, 10).data == b""
    assert source.artifact(run_id, "empty.txt", -10, 10).data == b""
    assert source.artifact(run_id, "model/weights.bin", 1, 4).data == b"\x01\x02\x03\x04"


@every
def test_a_whole_file_comes_in_pieces(lab) -> None:
    run_id = lab.add_files("whole", FILES)
    source = lab.open()
    assert drained_file(source, run_id, "train.log") == TEXT
    assert drained_file(source, run_id, "empty.txt") == b""
    assert next(source.artifact_pieces(run_id, "train.log")).total == len(TEXT)


@every
def test_a_run_without_files_has_an_empty_folder(lab) -> None:
    names = {one.name for one in lab.open().artifacts(lab.add_files("none", {}), "").entries}
    assert names <= {"metrics.csv", "hparams.yaml"}


@every
def test_what_is_not_there_is_not_found(lab) -> None:
    run_id = lab.add_files("missing", FILES)
    source = lab.open()
    for path in ("no such.txt", "model/no such.txt"):
        with pytest.raises(NotFound):
            source.artifact(run_id, path, 0, 10)
        with pytest.raises(NotFound):
            drained_file(source, run_id, path)
    with pytest.raises(NotFound):
        source.artifacts(run_id, "no such folder")
    with pytest.raises(NotFound):
        source.artifacts("0" * 32, "")
    with pytest.raises(NotFound):
        source.artifact("0" * 32, "train.log", 0, 10)


@every
def test_a_folder_is_no_file_and_a_file_no_folder(lab) -> None:
    run_id = lab.add_files("mixed", FILES)
    source = lab.open()
    with pytest.raises(Invalid):
        source.artifact(run_id, "model", 0, 10)
    with pytest.raises(Invalid):
        source.artifacts(run_id, "train.log")


@every
@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "model/../../secret", "a\0b"])
def test_paths_that_lead_out_are_refused(lab, path: str) -> None:
    run_id = lab.add_files("inside", FILES)
    source = lab.open()
    with pytest.raises(Invalid):
        source.artifacts(run_id, path)
    with pytest.raises(Invalid):
        source.artifact(run_id, path, 0, 10)
    with pytest.raises(Invalid):
        drained_file(source, run_id, path)


@on_disk
def test_links_are_followed_inside_and_refused_outside(lab, tmp_path) -> None:
    run_id = lab.add_files("links", FILES)
    (log,) = tmp_path.rglob(f"*{run_id.rpartition('/')[2]}*/**/train.log")
    (tmp_path / "secret").write_text("not yours")
    (tmp_path / "outside").mkdir()
    (log.parent / "inner.log").symlink_to("train.log")
    (log.parent / "outer.log").symlink_to(tmp_path / "secret")
    (log.parent / "outer").symlink_to(tmp_path / "outside")
    (log.parent / "nowhere").symlink_to(tmp_path / "gone")
    source = lab.open()
    names = {one.name for one in source.artifacts(run_id, "").entries}
    assert {"inner.log", "outer.log", "outer", "nowhere"} <= names
    assert source.artifact(run_id, "inner.log", 0, 4).data == b"line"
    with pytest.raises(Forbidden, match="outside"):
        source.artifact(run_id, "outer.log", 0, 4)
    with pytest.raises(Forbidden, match="outside"):
        source.artifacts(run_id, "outer")
    with pytest.raises(NotFound):
        source.artifact(run_id, "nowhere", 0, 4)


@on_disk
def test_a_pipe_is_refused_and_not_waited_for(lab, tmp_path) -> None:
    run_id = lab.add_files("pipe", FILES)
    (log,) = tmp_path.rglob(f"*{run_id.rpartition('/')[2]}*/**/train.log")
    os.mkfifo(log.parent / "pipe")
    with pytest.raises(Invalid, match="no file"):
        lab.open().artifact(run_id, "pipe", 0, 4)


@every
def test_a_file_that_grows_is_read_on(lab) -> None:
    if lab.__class__.__name__ == "MlflowLab":
        run_id = lab.add_files("grows", {"out.log": b"one\n"})
        source = lab.open()
        assert source.artifact(run_id, "out.log", -100, 100) == Piece(b"one\n", 0, 4)
        longer = lab.work / "out.log"
        longer.write_bytes(b"one\ntwo\n")
        lab.client.log_artifact(run_id, str(longer))
    else:
        run_id = lab.add_files("grows", {"out.log": b"one\n"})
        source = lab.open()
        assert source.artifact(run_id, "out.log", -100, 100) == Piece(b"one\n", 0, 4)
        with (lab.root / run_id / "out.log").open("ab") as file:
            file.write(b"two\n")
    assert source.artifact(run_id, "out.log", 4, 100) == Piece(b"two\n", 4, 8)
