"""Versions judged, promoted and brought back by commands, as people and CI jobs run them: a registry that MLflow wrote,
read from its file, and a real tracking server over it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.fault_proxy import proxied
from support.labregistry import DETECTOR, Registry
from support.mlflow_server import Server, serving
from support.pty_program import Program

SETTINGS = """
metrics: {val_acc: {goal: max}}
gates:
  detector:
    champion: {must_beat: {metric: val_acc, by: 0.002}, max: {latency_ms: 40}}
    settled: {beats_mean: {metric: val_acc, seeds: 3, over: champion}}
    committed: {clean_git: true}
"""
JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": "c0ffee",
    "GITHUB_WORKFLOW": "release",
    "GITHUB_JOB": "promote",
    "GITHUB_REPOSITORY": "lab/street",
    "GITHUB_RUN_ID": "7",
}
TO_CHAMPION = ("--to", "champion", "--yes-protected", DETECTOR)


@dataclass(frozen=True)
class Project:
    """A folder whose runtower.yaml has the gates. `uri` is where its models are."""

    folder: Path
    uri: str

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        known = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", "USER": "ana"}
        argv = [sys.executable, "-m", "runtower.cli", *words]
        environ = {**known, "MLFLOW_TRACKING_URI": self.uri, **environ}
        return subprocess.run(
            argv, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )

    def json(self, *words: str, code: int = 0, **environ: str) -> Any:
        """What it prints with --json."""
        done = self.run(*words, "--json", **environ)
        assert done.returncode == code, (words, done.returncode, done.stdout[-2000:], done.stderr)
        return json.loads(done.stdout)

    def codes(self, commands: Sequence[tuple[str, ...]]) -> list[tuple[int, str]]:
        """The exit code of each and its error with --json, '' for none; a few run at once."""
        with ThreadPoolExecutor(3) as pool:
            ended = list(pool.map(lambda words: self.run(*words, "--json"), commands))
        return [(one.returncode, json.loads(one.stderr)["error"] if one.stderr else "") for one in ended]

    def version(self, number: str, model: str = DETECTOR) -> Any:
        return next(one for one in self.json("models", "versions", model) if one["version"] == number)

    def holder(self, alias: str) -> str | None:
        (model,) = self.json("models", DETECTOR)
        return str(model["aliases"][alias]) if alias in model["aliases"] else None


def project_in(folder: Path, uri: str) -> Project:
    folder.mkdir()
    (folder / "runtower.yaml").write_text(SETTINGS)
    return Project(folder, uri)


@pytest.fixture(scope="module")
def served(registry_template: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server, and what its store is set back to."""
    copy = registry_template.copied(tmp_path_factory.mktemp("served") / "registry")
    first = copy.folder / "first.db"
    shutil.copy(copy.store, first)
    with serving(copy.store) as server:
        yield server, first


@pytest.fixture
def project(served: tuple[Server, Path], tmp_path: Path) -> Project:
    server, first = served
    server.set_back(first)
    return project_in(tmp_path / "project", server.url)


def post(server: str, path: str, **body: str) -> None:
    """What another client does."""
    request = urllib.request.Request(
        f"{server}/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=30).close()


@pytest.mark.long
def test_every_exit_code_that_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", registry.uri)
    before = project.json("models", "versions", DETECTOR)
    for (words, code, error), ended in zip(UNWRITTEN, project.codes([one[0] for one in UNWRITTEN]), strict=True):
        assert ended == (code, error), words
    assert project.json("models", "versions", DETECTOR) == before
    assert project.run("log").stdout == ""


UNWRITTEN = (
    (("gate", DETECTOR, "@challenger", "--to", "model:elsewhere"), 0, ""),  # no rules
    (("gate", DETECTOR, "4", "--to", "champion"), 3, "not_met"),
    (("gate", DETECTOR, "3", "--to", "committed"), 11, "cant_tell"),
    (("gate", DETECTOR, "9", "--to", "champion"), 6, "not_found"),
    (("promote", DETECTOR, "4", "--to", "champion", "--dry-run"), 3, "not_met"),
    (("promote", DETECTOR, "3", "--to", "challenger", "--if-holder", "none", "--yes"), 0, ""),  # already so
    (("promote", DETECTOR, "3", "--to", "settled"), 2, "invalid"),
    (("promote", DETECTOR, "3", "--to", "champion", "--yes"), 2, "invalid"),
    (("promote", DETECTOR, "3", "--to", "champion", "--yes-protected", "other"), 2, "invalid"),
    (("promote", DETECTOR, "3", "--to", "settled", "--archive", "--yes"), 2, "invalid"),
    (("promote", DETECTOR, "4", *TO_CHAMPION), 3, "not_met"),
    (("--read-only", "promote", DETECTOR, "3", *TO_CHAMPION), 5, "forbidden"),
    (("promote", DETECTOR, "3", *TO_CHAMPION, "--if-holder", "1"), 7, "conflict"),
    (("rollback", DETECTOR, *TO_CHAMPION), 2, "invalid"),
    (("rollback", DETECTOR, *TO_CHAMPION, "--reason", "it drifts"), 6, "not_found"),
    (("rollback", DETECTOR, "--to", "model:elsewhere", "--yes", "--reason", "it drifts"), 2, "invalid"),
)


def test_a_version_of_a_file_is_promoted(registry: Registry, tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", registry.uri)
    done = project.run("promote", DETECTOR, "3", *TO_CHAMPION)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("detector: @champion is v3 now; before it was v2, as read back.\ngate: 2 of 2 rules")
    assert project.holder("champion") == "3"


def test_a_job_promotes_and_a_person_brings_the_previous_holder_back(project: Project) -> None:
    heard = project.folder / "heard.json"
    settings = Path(os.environ["HOME"]) / ".config" / "runtower" / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"promote: {{on_promote: [tee, '{heard}']}}\n")
    planned = project.json("promote", DETECTOR, "@challenger", "--to", "champion", "--dry-run")
    assert (planned["before"], planned["after"], planned["done"], planned["id"]) == (["2"], ["3"], False, None)
    assert planned["gate"]["says"] == "2 of 2 rules met"
    (beats, limit) = planned["gate"]["rules"]
    assert (beats["numbers"]["value"], beats["numbers"]["other"], beats["comparative"]) == (0.9312, 0.921, True)
    assert (limit["declared_by"], limit["numbers"]["limit"]) == ("gates.detector.champion", 40)
    accuracy = next(one for one in planned["metrics"] if one["metric"] == "val_acc")
    assert (accuracy["better"], accuracy["same_data"], accuracy["after"]["taken"]) == (True, True, "last")
    assert not heard.exists()

    done = project.json("promote", DETECTOR, "3", *TO_CHAMPION, "--if-holder", "2", "--reason", "better", **JOB)
    assert (done["done"], done["after"], done["warnings"]) == (True, ["3"], [])
    assert done["context"]["url"] == "https://github.com/lab/street/actions/runs/7"
    hook = json.loads(heard.read_text())
    assert (hook["id"], hook["source"], hook["version"], hook["from"]) == (done["id"], "mlflow", "3", ["2"])
    record = json.loads(project.version("3")["tags"][f"runtower.promotion.{done['id']}"])
    assert (record["context"]["commit"], record["reason"], len(record["gate"])) == ("c0ffee", "better", 2)

    again = project.json("promote", DETECTOR, "3", *TO_CHAMPION, "--if-holder", "2", **JOB)
    assert (again["already"], again["done"], again["gate"]) == (True, False, None)
    back = project.json("rollback", DETECTOR, *TO_CHAMPION, "--reason", "it drifts")
    assert (back["version"], back["way"], back["gate"]["state"], back["done"]) == ("2", "rollback", "not_met", True)
    assert project.holder("champion") == "2"
    moves = project.json("models", "history", DETECTOR, "--to", "champion")
    assert [(one["way"], one["after"], one["reason"]) for one in moves] == [
        ("rollback", ["2"], "it drifts"),
        ("promote", ["3"], "better"),
    ]


@pytest.mark.long
def test_a_copy_keeps_its_run_and_a_stage_is_cleared(project: Project) -> None:
    copied = project.json("promote", DETECTOR, "3", "--to", "model:detector-prod", "--yes-protected", "detector-prod")
    assert (copied["copied_as"], copied["before"], copied["after"]) == ("1", [], ["1"])
    assert project.version("1", "detector-prod")["run_id"] == project.version("3")["run_id"]
    staged = project.json(
        "promote", DETECTOR, "4", "--to", "stage:production", "--archive", "--yes-protected", DETECTOR
    )
    assert (staged["to"], staged["before"], staged["after"]) == ("stage:Production", ["2"], ["4"])
    assert project.version("2")["stage"] == "Archived"
    back = ("rollback", DETECTOR, "--to", "stage:Production", "--yes-protected", DETECTOR, "--reason", "too slow")
    assert project.json(*back)["after"] == ["2"]


def test_what_stands_on_the_model_holds_wherever_one_is_and_can_be_overridden_with_a_reason(project: Project) -> None:
    rules = json.dumps({"champion": {"requires_tag": "signed-off"}})
    post(project.uri, "registered-models/set-tag", name=DETECTOR, key="runtower.gate", value=rules)
    refused = project.json("promote", DETECTOR, "3", *TO_CHAMPION, code=3)
    assert [(one["declared_by"], one["state"]) for one in refused["gate"]["rules"]][-1] == (
        "tag runtower.gate.champion",
        "not_met",
    )
    assert (refused["outcome"], refused["done"], project.holder("champion")) == ("stopped", False, "2")
    done = project.json("promote", DETECTOR, "3", *TO_CHAMPION, "--override", "signed on paper")
    assert (done["done"], done["override"], done["gate"]["state"]) == (True, "signed on paper", "not_met")
    (move,) = project.json("models", "history", DETECTOR, "--to", "champion")
    assert move["override"] == "signed on paper"


def test_only_what_a_rule_compares_is_listed(project: Project) -> None:
    with proxied(project.uri) as proxy:
        behind = Project(project.folder, proxy.url)
        assert behind.json("gate", DETECTOR, "3", "--to", "champion")["gate"]["state"] == "met"
        assert proxy.searches == []
        (rule,) = behind.json("gate", DETECTOR, "3", "--to", "settled")["gate"]["rules"]
        assert (rule["state"], rule["numbers"]["seeds"]) == ("met", 3)
        assert proxy.searches != []
        assert proxy.writes == []


def test_a_hook_of_a_project_that_nobody_trusts_is_said_and_not_run(project: Project) -> None:
    heard = project.folder / "heard.json"
    (project.folder / "runtower.yaml").write_text(f"promote: {{on_promote: [tee, '{heard}']}}\n")
    done = project.json("promote", DETECTOR, "4", "--to", "settled", "--yes")
    assert "runtower trust" in " ".join(done["warnings"])
    assert not heard.exists()


@pytest.mark.long
def test_a_server_that_is_lost_in_the_middle_leaves_it_unknown(project: Project) -> None:
    with proxied(project.uri) as proxy:

        def lose_the_next_one() -> None:
            proxy.fault = "dies after"

        proxy.between = lose_the_next_one  # the first write says that it is about to begin, the next one moves it
        done = Project(project.folder, proxy.url).run("promote", DETECTOR, "3", *TO_CHAMPION, "--json")
    assert (done.returncode, json.loads(done.stderr)["error"]) == (8, "unknown"), done.stderr
    said = json.loads(done.stdout)
    assert (said["outcome"], said["done"], said["after"]) == ("unknown", False, None)


def test_somebody_at_a_terminal_types_the_name(project: Project) -> None:
    environ = {"MLFLOW_TRACKING_URI": project.uri}
    for typed, code in (("detektor", 130), ("\x03", 130), (DETECTOR, 0)):
        with Program(project.folder, "promote", DETECTOR, "3", "--to", "champion", environ=environ) as program:
            program.paints("Type detector to go on")
            program.press(f"{typed}\r")
            program.ends()
            assert program.exit_code == code
    (move,) = project.json("models", "history", DETECTOR, "--to", "champion")
    assert (move["before"], move["after"]) == (["2"], ["3"])
