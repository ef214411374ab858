"""Two processes that move one alias at once on a real store: never two successes from the same holder, never a lost
record, and every refusal says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.registries import AnyEdits, RegistryLab

from runtower.domain.errors import NotFound
from runtower.domain.model_changes import AddModel, AddVersion, DeleteVersion, SetAlias
from runtower.domain.models import ModelNow
from runtower.domain.promotions import destination_of
from runtower.promote.history import history
from runtower.promote.records import all_records

MODEL = "raced"
CHAMPION = destination_of("champion")
VERSIONS = 5


def make(edits: AnyEdits, run_id: str) -> None:
    """The model, with nothing of what an earlier test left on a server that is shared."""
    try:
        for version in edits.model(MODEL).versions:
            edits.change(DeleteVersion(MODEL, version.version))
    except NotFound:
        edits.change(AddModel(MODEL))
    numbers = [edits.change(AddVersion(MODEL, f"runs:/{run_id}/model", run_id)) for _ in range(VERSIONS)]
    edits.change(SetAlias(MODEL, "champion", numbers[0]))


def raced(uri: str, clients: int, each: int) -> list[dict[str, Any]]:
    """All tries of so many processes, until each was done so many times."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environ = os.environ | {"PYTHONPATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "support.promoting", uri, MODEL, f"client {number}", str(each), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            text=True,
        )
        for number in range(clients)
    ]
    tries = []
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            out, _ = process.communicate(timeout=900)
            assert process.returncode == 0
            tries += [json.loads(line) for line in out.splitlines()]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return tries


def check(tries: list[dict[str, Any]], now: ModelNow) -> None:
    done = [one for one in tries if one["ended"] == "done"]
    assert {one["ended"] for one in tries} <= {"done", "already", "conflict", "busy"}
    assert not [one["says"] for one in done if one["says"]], "no warnings"
    for one in tries:
        assert one["ended"] in ("done", "already") or "nothing was changed" in one["says"], one
    # Every success left the holder that it compared with: each version was left as often as it was come to.
    left, come = Counter(one["before"][0] for one in done), Counter(one["after"] for one in done)
    come[min((one.version for one in now.versions), key=int)] += 1
    come[now.model.aliases["champion"]] -= 1
    assert +left == +come
    assert sorted(one["id"] for one in done) == sorted(one.id for one in all_records(now)), "a lost record"
    moves = history(now, CHAMPION).moves
    assert [move.elsewhere for move in moves] == [False] * len(done)
    assert not [key for key in now.model.tags if key.startswith("runtower.intent.")]


@pytest.mark.parametrize(
    "registry", [pytest.param("client", marks=pytest.mark.long), "rest", "postgres"], indirect=True
)
def test_two_processes_take_turns(registry: RegistryLab) -> None:
    edits = registry.edits()
    make(edits, registry.made.run_id)
    check(raced(registry.uri, 2, 3), edits.model(MODEL))


@pytest.mark.long  # a move in an mlruns folder takes seconds
@pytest.mark.timeout(900)
@pytest.mark.parametrize("registry", ["files"], indirect=True)
def test_two_processes_take_turns_in_a_folder(registry: RegistryLab) -> None:
    edits = registry.edits()
    make(edits, registry.made.run_id)
    check(raced(registry.uri, 2, 5), edits.model(MODEL))


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("registry", ["client", "rest", "postgres"], indirect=True)
def test_two_processes_take_turns_hundreds_of_times(registry: RegistryLab) -> None:
    edits = registry.edits()
    make(edits, registry.made.run_id)
    check(raced(registry.uri, 2, 150), edits.model(MODEL))
