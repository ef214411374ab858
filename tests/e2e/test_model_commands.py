"""Registered models listed by commands, as people and scripts run them, on a registry that MLflow wrote."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.labregistry import DETECTOR, MODELS, RANKER, Registry
from support.labstore import changing

from runtower.domain.promotions import Destination, DestinationKind, Promotion
from runtower.promote.records import encoded, key_of, record_of


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", "USER": "ana", **environ}
    argv = [sys.executable, "-m", "runtower.cli", *words]
    return subprocess.run(
        argv, cwd=folder, env=known, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )


def test_the_models_of_a_folder(registry: Registry) -> None:
    listed = run(registry.folder, "models")
    assert listed.returncode == 0, listed.stderr
    head, *lines = listed.stdout.splitlines()
    assert head.split() == ["model", "latest", "aliases", "stages", "changed", "tags", "description"]
    assert len(lines) == len(MODELS)
    (detector,) = (line for line in lines if line.startswith("detector "))
    assert "@champion v2" in detector
    assert "Production v2" in detector
    (one,) = json.loads(run(registry.folder, "models", "detector", "--json").stdout)
    assert one["aliases"] == {"baseline": "1", "champion": "2", "challenger": "3"}
    assert (one["source"], one["latest"], one["stages"]["Staging"]) == ("mlflow", "6", "3")
    cut = run(registry.folder, "models", "--csv", "--limit", "1")
    assert cut.stderr == f"1 of {len(MODELS)} models; --limit cut the rest\n"
    assert len(list(csv.reader(io.StringIO(cut.stdout)))) == 2


def test_versions_come_with_their_runs_and_what_those_measured(registry: Registry) -> None:
    found = json.loads(run(registry.folder, "models", "versions", DETECTOR, "--json").stdout)
    assert [one["version"] for one in found] == ["6", "5", "4", "3", "2", "1"]
    third = found[3]
    assert (third["run"], third["run_id"]) == ("vit-low-s1", registry.run_id("vit-low-s1"))
    assert (third["metrics"]["val_acc"], third["stage"], third["aliases"]) == (0.9312, "Staging", ["challenger"])
    assert [one["status"].partition("_")[0] for one in found[:3]] == ["FAILED", "PENDING", "READY"]
    table = run(registry.folder, "--read-only", "models", "versions", DETECTOR, "--md", "--limit", "1").stdout
    assert table.splitlines()[0].startswith("| model | version | aliases | stage | status | run | metrics.val_acc |")


def test_what_was_promoted_and_what_was_moved_elsewhere(registry: Registry) -> None:
    to = Destination(DestinationKind.ALIAS, "champion")
    promotion = Promotion("01JF0000000000000000000000", 1, "bo@lab", DETECTOR, "3", to, ("2",), reason="it is better")
    record = encoded(record_of(promotion)).decode()
    tagged = "INSERT INTO model_version_tags (name, version, key, value) VALUES (?, 3, ?, ?)"
    with changing(registry.store) as connection:
        connection.execute(tagged, (DETECTOR, key_of(promotion.id), record))
        connection.execute(
            "UPDATE registered_model_aliases SET version = 1 WHERE name = ? AND alias = 'champion'", (DETECTOR,)
        )
    found = json.loads(run(registry.folder, "models", "history", DETECTOR, "--to", "champion", "--json").stdout)
    assert [(one["before"], one["after"], one["elsewhere"]) for one in found] == [
        (["3"], ["1"], True),
        (["2"], ["3"], False),
    ]
    assert (found[1]["who"], found[1]["reason"], found[1]["gate"]["state"]) == ("bo@lab", "it is better", None)
    shown = run(registry.folder, "models", "history", DETECTOR).stdout
    assert "v3 → v1" in shown
    assert "moved elsewhere" in shown


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("models", "nobody"), 6, "not_found"),
        (("models", "versions", "nobody"), 6, "not_found"),
        (("models", "history", DETECTOR, "--to", "stage:Nowhere"), 2, "invalid"),
        (("models", "--tracking-uri", "http://127.0.0.1:9"), 4, "unreachable"),
    ],
)
def test_what_goes_wrong(registry: Registry, words: tuple[str, ...], code: int, error: str) -> None:
    done = run(registry.folder, *words, "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]) == (code, error), done.stderr


def test_a_model_that_several_sources_have(registry: Registry, tmp_path: Path) -> None:
    project = two_sources(registry, tmp_path)
    done = run(project, "models", "versions", DETECTOR)
    assert done.returncode == 6
    assert "one, two" in done.stderr
    assert run(project, "models", "versions", DETECTOR, "--source", "two").returncode == 0
    assert {one["source"] for one in json.loads(run(project, "models", RANKER, "--json").stdout)} == {"one", "two"}


def two_sources(registry: Registry, tmp_path: Path) -> Path:
    """A project that names two registries with the same models."""
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(registry.store, project / "other.db")
    sources = f"sources:\n  one: {{uri: '{registry.uri}'}}\n  two: {{uri: 'sqlite:///{project}/other.db'}}\n"
    (project / "runtower.yaml").write_text(sources)
    return project
