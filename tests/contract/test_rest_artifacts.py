"""Artifacts of servers that know no ranges, tell no length, lie, or fail: read as far as is needed, never further."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.fault_server import FaultServer, a_run, faulty

from runtower.domain import errors
from runtower.domain.artifacts import Piece
from runtower.sources.mlflow import SOURCE
from runtower.sources.port import Known, ReadsArtifacts, Target

LONG = b"".join(b"%07d\n" % number for number in range(4_000_000))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with faulty([a_run(0)], prefix="/team") as made:
        made.files = {"train.log": LONG[:800_000], "big.bin": LONG}
        yield made


def opened(server: FaultServer, **options: str) -> ReadsArtifacts:
    source = SOURCE.open(Target("t", "mlflow", server.url, options=options), Known())
    assert isinstance(source, ReadsArtifacts)
    return source


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_part_is_cut_out_of_a_whole_answer(server: FaultServer, tells_length: bool) -> None:
    server.tells_length = tells_length
    data, source = server.files["train.log"], opened(server)
    total = len(data)
    known = total if tells_length else None
    assert source.artifact("run00000", "train.log", 0, 10) == Piece(data[:10], 0, known)
    assert source.artifact("run00000", "train.log", 400_000, 1000) == Piece(data[400_000:401_000], 400_000, known)
    assert source.artifact("run00000", "train.log", -16, 100) == Piece(data[-16:], total - 16, total)
    assert source.artifact("run00000", "train.log", -(total * 2), 8) == Piece(data[:8], 0, total)
    assert source.artifact("run00000", "train.log", total, 10) == Piece(b"", total, total)


def test_what_lies_behind_the_part_is_not_fetched(server: FaultServer) -> None:
    source = opened(server)
    assert source.artifact("run00000", "big.bin", 0, 65_536).data == LONG[:65_536]
    source.artifact("run00000", "train.log", 0, 1)  # by now the server has seen that nobody reads on
    assert server.sent < len(LONG) // 2


def test_a_whole_file_comes_from_a_server_that_tells_no_length(server: FaultServer) -> None:
    server.tells_length = False
    assert b"".join(piece.data for piece in opened(server).artifact_pieces("run00000", "train.log")) == LONG[:800_000]


def test_credentials_workspace_and_the_path_before_the_api_hold_for_artifacts_too(server: FaultServer) -> None:
    source = opened(server, token="s3cret", workspace="vision")
    source.artifacts("run00000", "")
    source.artifact("run00000", "train.log", 0, 1)
    assert [asked["path"] for asked in server.questions[-3:]] == [
        "/team/api/2.0/mlflow/artifacts/list",
        "/team/api/2.0/mlflow/runs/get",
        "/team/get-artifact",
    ]
    for headers in server.headers[-3:]:
        assert headers["Authorization"] == "Bearer s3cret"
        assert headers["X-MLFLOW-WORKSPACE"] == "vision"


def test_a_server_that_lists_what_leads_out_is_refused(server: FaultServer) -> None:
    server.listed = [{"path": "../../etc/passwd", "is_dir": False}]
    with pytest.raises(errors.Invalid, match="no path of an artifact"):
        opened(server).artifacts("run00000", "")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("internal", errors.Unreachable), ("forbidden", errors.Forbidden), ("to_login", errors.Unauthorised)],
)
def test_failures_are_told_as_elsewhere(server: FaultServer, fault: str, kind: type[errors.TowerError]) -> None:
    source = opened(server)
    server.fault = fault
    with pytest.raises(kind):
        source.artifacts("run00000", "")
    with pytest.raises(kind):
        source.artifact("run00000", "train.log", 0, 10)


def test_a_server_that_asks_for_patience_is_left_alone(server: FaultServer) -> None:
    source = opened(server)
    server.fault = "too_many"
    with pytest.raises(errors.Busy):
        source.artifact("run00000", "train.log", 0, 10)
    asked = len(server.questions)
    with pytest.raises(errors.Busy):
        source.artifact("run00000", "train.log", 0, 10)
    assert len(server.questions) == asked
