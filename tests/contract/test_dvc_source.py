"""DVC projects as they come: a workspace that changes, references in every form, and what isn't as it should be."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from support.dvc_projects import WrittenProject, live_files
from support.mirror import Mirror, drained

from runtower.domain.errors import NotFound
from runtower.sources.dvc import SOURCE
from runtower.sources.dvc.contract import TASK
from runtower.sources.dvc.declared import Declared
from runtower.sources.dvc.source import DvcSource
from runtower.sources.port import Known, Source, Target


def opened(folder: Path) -> Source:
    return SOURCE.open(Target("dvc", "dvc", str(folder)), Known())


@pytest.fixture
def project(tmp_path: Path) -> WrittenProject:
    return WrittenProject(tmp_path / "project")


def errors(mirror: Mirror) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for delta in mirror.deltas:
        for error in delta.errors:
            out.setdefault(error.run_id, []).append(error.what)
    return out


def test_the_workspace_is_followed(project: WrittenProject) -> None:
    source = opened(project.folder)
    mirror = drained(source)
    assert mirror.runs["workspace"].get("metric.loss") is None
    for path, text in live_files("now", [(0, {"loss": 0.5})]).items():
        (project.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / path).write_text(text)
    mirror.poll_until(source, lambda: mirror.runs["workspace"].get("metric.loss") == 0.5)
    assert mirror.runs["workspace"]["param.name"] == "now"
    assert mirror.poll(source) == []
    assert source.history("workspace", "loss").values.tolist() == [0.5]


def test_experiments_stand_below_their_baseline(project: WrittenProject) -> None:
    run_id = project.experiment("one", live_files("one", [(0, {"loss": 0.5})]))
    runs = drained(opened(project.folder)).runs
    baseline = f"commit:{project.baseline}"
    assert runs[run_id]["attribute.parent"] == baseline
    assert runs[run_id]["attribute.start_time"] == 1_800_000_001_000.0
    assert (runs[baseline]["attribute.name"], runs[baseline]["tag.dvc.subject"]) == ("main", "commit 0")
    assert runs[run_id]["attribute.user"] == "Ana"


def test_values_keep_what_they_are(project: WrittenProject) -> None:
    text = "lr: 1e-3\nsteps: 010\non: yes\nlayers: [1, [2]]\nempty: {}\nnothing:\nname: 'x'\n"
    metrics = '{"nan": NaN, "big": 1' + "0" * 400 + ', "text": "a", "list": [1], "yes": true}'
    run_id = project.experiment("one", {"params.yaml": text, "dvclive/metrics.json": metrics})
    source = opened(project.folder)
    fields = drained(source).runs[run_id]
    params = {key.removeprefix("param."): value for key, value in fields.items() if key.startswith("param.")}
    assert params == {
        "lr": "0.001", "steps": "10", "on": "yes", "layers": "[1,[2]]", "empty": "{}", "nothing": "null", "name": "x",
    }  # fmt: skip
    assert str(fields["metric.nan"]) == "nan"
    assert (fields["metric.big"], fields["metric.yes"]) == (float("inf"), 1.0)
    assert "metric.text" not in fields


def test_references_that_were_packed_and_that_go(project: WrittenProject) -> None:
    ids = [project.experiment(f"e{number}", live_files("x", [(0, {"loss": number})]), number) for number in range(3)]
    source = opened(project.folder)
    mirror = drained(source)
    assert set(ids) <= mirror.runs.keys()
    subprocess.run(["git", "pack-refs", "--all"], cwd=project.folder, check=True)
    subprocess.run(["git", "gc", "-q"], cwd=project.folder, check=True, capture_output=True)
    assert mirror.poll(source) == []
    late = project.experiment("late", live_files("x", [(0, {"loss": 9})]), 9)
    mirror.poll_until(source, lambda: late in mirror.runs)
    assert set(ids) <= mirror.runs.keys()


def test_what_runs_just_now_is_no_experiment(project: WrittenProject) -> None:
    project.commit("refs/exps/exec/EXEC_HEAD", {"a": "b"}, project.baseline)
    project.commit("refs/exps/stash", {"a": "b"}, project.baseline)
    assert sorted(drained(opened(project.folder)).runs) == [f"commit:{project.baseline}", "workspace"]


def test_tags_and_branches_of_one_commit_are_one_run(project: WrittenProject) -> None:
    for ref in ("refs/tags/v1", "refs/heads/side"):
        project.repository.references.create(ref, project.baseline)
    project.repository.create_tag("v2", project.baseline, 1, _who(project), "annotated")
    runs = drained(opened(project.folder)).runs
    assert runs[f"commit:{project.baseline}"]["tag.dvc.names"] == "main, v2, v1, side"


def _who(project: WrittenProject) -> Any:
    return project.repository[project.baseline].author


def test_a_detached_head_and_a_worktree(project: WrittenProject, tmp_path: Path) -> None:
    run_id = project.experiment("one", live_files("one", [(0, {"loss": 0.5})]))
    project.repository.set_head(project.repository[project.baseline].id)
    assert run_id in drained(opened(project.folder)).runs
    subprocess.run(["git", "worktree", "add", "-q", str(tmp_path / "other"), "main"], cwd=project.folder, check=True)
    source = opened(tmp_path / "other")
    mirror = drained(source)
    assert run_id in mirror.runs
    late = project.experiment("late", live_files("x", [(0, {"loss": 9})]), 9)
    mirror.poll_until(source, lambda: late in mirror.runs)


def test_a_project_in_a_folder_of_its_repository(tmp_path: Path) -> None:
    project = WrittenProject(tmp_path / "repo")
    files = live_files("inner", [(0, {"loss": 0.25})])
    inside = {f"models/vision/{path}": text for path, text in files.items()}
    inside |= {"models/vision/.dvc/config": "", "models/vision/dvc.yaml": "metrics: [dvclive/metrics.json]\n"}
    run_id = project.experiment("one", inside)
    (tmp_path / "repo/models/vision/.dvc").mkdir(parents=True)
    runs = drained(opened(tmp_path / "repo/models/vision")).runs
    assert (runs[run_id]["metric.loss"], runs[run_id]["param.name"]) == (0.25, "inner")
    outer = drained(opened(tmp_path / "repo")).runs[run_id]
    assert "metric.loss" not in outer  # another project's


def test_without_git_and_without_commits(tmp_path: Path) -> None:
    (tmp_path / "plain/.dvc").mkdir(parents=True)
    (tmp_path / "plain/params.yaml").write_text("lr: 1\n")
    assert drained(opened(tmp_path / "plain")).runs["workspace"]["param.lr"] == "1"
    subprocess.run(["git", "init", "-q", str(tmp_path / "plain")], check=True)
    assert sorted(drained(opened(tmp_path / "plain")).runs) == ["workspace"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"dvc.yaml": "stages: [\n"}, "dvc.yaml can't be understood:"),
        ({"dvc.yaml": "- a\n"}, "dvc.yaml holds no map."),
        ({"params.yaml": "lr: [1\n"}, "params.yaml can't be understood:"),
        ({"dvclive/metrics.json": "{"}, "dvclive/metrics.json can't be understood:"),
        ({"dvclive/metrics.json": b"\xff\xfe"}, "dvclive/metrics.json is no text."),
        ({"dvc.yaml": "params: [gone.yaml]\n"}, "gone.yaml isn't there, though dvc.yaml names it."),
        ({"dvc.yaml": "stages:\n  a:\n    foreach: ${nowhere}\n    do: {cmd: x}\n"}, "DVC can't read the pipeline:"),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_there(
    project: WrittenProject, files: dict[str, str | bytes], said: str
) -> None:
    run_id = project.experiment("bad", {"params.yaml": "seed: 1\n", **files})
    good = project.experiment("good", live_files("good", [(0, {"loss": 0.5})]))
    mirror = drained(opened(project.folder))
    assert errors(mirror)[run_id][0].startswith(said)
    assert mirror.runs[good]["metric.loss"] == 0.5
    assert mirror.runs[run_id]["attribute.status"] == "FINISHED"


def test_files_outside_of_the_project_are_never_read(project: WrittenProject, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"loss": 1}')
    (project.folder / "dvc.yaml").write_text(f"metrics: [../secret.json, {tmp_path}/secret.json]\n")
    run_id = project.experiment("out", {"dvc.yaml": "metrics: [../secret.json]\n"})
    runs = drained(opened(project.folder)).runs
    assert "metric.loss" not in runs["workspace"] | runs[run_id]


def test_metrics_that_only_the_cache_has(project: WrittenProject) -> None:
    yaml = "stages:\n  a:\n    cmd: x\n    metrics: [m.json]\n  b:\n    cmd: x\n    metrics: [old.json]\n"
    lock = (
        "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - {path: m.json, hash: md5, md5: aa11}\n"
        "  b:\n    cmd: x\n    outs:\n    - {path: old.json, md5: bb22}\n"
    )
    run_id = project.experiment("one", {"dvc.yaml": yaml, "dvc.lock": lock})
    for path, text in {"files/md5/aa/11": '{"loss": 1}', "bb/22": '{"old": 2}'}.items():
        (project.folder / ".dvc/cache" / path).parent.mkdir(parents=True)
        (project.folder / ".dvc/cache" / path).write_text(text)
    fields = drained(opened(project.folder)).runs[run_id]
    assert (fields["metric.loss"], fields["metric.old"]) == (1.0, 2.0)


def test_a_cache_that_lies_elsewhere(project: WrittenProject, tmp_path: Path) -> None:
    (project.folder / ".dvc/config").write_text("[core]\n    remote = x\n['remote \"x\"']\n    url = s3://b\n")
    (project.folder / ".dvc/config.local").write_text("[cache]\n    dir = ../../shared\n")
    lock = "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - {path: m.json, hash: md5, md5: aa11}\n"
    run_id = project.experiment(
        "one", {"dvc.yaml": "stages:\n  a:\n    cmd: x\n    metrics: [m.json]\n", "dvc.lock": lock}
    )
    (tmp_path / "shared/files/md5/aa").mkdir(parents=True)
    (tmp_path / "shared/files/md5/aa/11").write_text('{"loss": 1}')
    assert drained(opened(project.folder)).runs[run_id]["metric.loss"] == 1.0


def test_templates_ask_dvc_once_for_what_they_name(project: WrittenProject) -> None:
    yaml = "stages:\n  a:\n    foreach: ${parts}\n    do:\n      cmd: x ${lr}\n      metrics: ['${item}.json']\n"
    asked = []

    def resolve(root: Path, revision: str, found: Declared) -> None:
        asked.append(revision)
        found.metrics["p.json"] = None

    for number in range(5):
        params = f"parts: [p]\nlr: {number}\n"
        project.experiment(f"e{number}", {"dvc.yaml": yaml, "params.yaml": params, "p.json": '{"f1": 1}'}, number)
    project.experiment("other", {"dvc.yaml": yaml, "params.yaml": "parts: [p, q]\n", "p.json": '{"f1": 1}'}, 9)
    source = DvcSource(project.folder, Known(), resolve)
    runs = drained(source).runs
    assert [fields["metric.f1"] for run_id, fields in runs.items() if run_id.startswith("exp:")] == [1.0] * 6
    assert len(asked) == 2


def queue_message(folder: Path, stash: str, baseline: str, name: str, task: str) -> None:
    """As DVC's queue writes it."""
    from base64 import b64encode

    entry = {"stash_rev": stash, "baseline_rev": baseline, "name": name}
    body = b64encode(json.dumps([[entry], {}, {}]).encode()).decode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{len(list(folder.iterdir()))}.celery.msg").write_text(
        json.dumps({"body": body, "headers": {"task": TASK, "id": task}})
    )


def test_the_queue_with_a_worker_that_is_gone(project: WrittenProject) -> None:
    exps = project.folder / ".dvc/tmp/exps"
    stash = project.commit("refs/exps/celery/stash", {"params.yaml": "lr: 7\n"}, project.baseline, 5)
    queue_message(exps / "celery/broker/processed", stash, project.baseline, "stuck", "t1")
    queue_message(exps / "celery/broker/in", "f" * 40, project.baseline, "waits", "t2")
    (exps / "celery/broker/in/torn.celery.msg").write_text('{"body": ')
    (exps / "run" / stash).mkdir(parents=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    (exps / "run" / stash / f"{stash}.json").write_text(json.dumps({"pid": gone.pid, "stdout": "/tmp/x.out"}))
    (exps / "run" / stash / f"{stash}.run").write_text(json.dumps({"status": 2, "root_dir": "/nowhere"}))
    source = opened(project.folder)
    mirror = drained(source)
    stuck = mirror.runs[f"queued:{stash}"]
    assert (stuck["attribute.status"], stuck["param.lr"]) == ("FAILED", "7")
    assert errors(mirror)[f"queued:{stash}"] == ["what ran it is gone, and left no result"]
    assert mirror.runs[f"queued:{'f' * 40}"]["attribute.status"] == "SCHEDULED"
    (exps / "run" / stash / f"{stash}.json").write_text(json.dumps({"pid": os.getpid()}))
    later = time.time() + 5
    os.utime(exps / "run" / stash / f"{stash}.run", (later, later))
    mirror.poll_until(source, lambda: mirror.runs[f"queued:{stash}"]["attribute.status"] == "RUNNING")


def test_a_project_that_goes_and_a_folder_that_is_none(project: WrittenProject, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no DVC project"):
        opened(tmp_path)
    source = opened(project.folder)
    mirror = drained(source)
    (project.folder / ".dvc").rename(project.folder / "gone")
    with pytest.raises(NotFound):
        mirror.poll(source)
    (project.folder / "gone").rename(project.folder / ".dvc")
    mirror.poll(source)
    assert "workspace" in mirror.runs


def test_git_that_comes_later(tmp_path: Path) -> None:
    (tmp_path / "project/.dvc").mkdir(parents=True)
    source = opened(tmp_path / "project")
    mirror = drained(source)
    assert sorted(mirror.runs) == ["workspace"]
    (tmp_path / "project/.dvc").rmdir()
    project = WrittenProject(tmp_path / "project")
    run_id = project.experiment("one", live_files("one", [(0, {"loss": 0.5})]))
    mirror.poll_until(source, lambda: run_id in mirror.runs)


def test_a_file_in_a_folder_that_only_the_cache_has_and_one_that_is_in_none(project: WrittenProject) -> None:
    yaml = "metrics: [out/m.json]\nparams: [out/p.yaml]\nstages:\n  a:\n    cmd: x\n    outs: [out]\n"
    lock = "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - {path: out, hash: md5, md5: aa11.dir}\n"
    run_id = project.experiment("one", {"dvc.yaml": yaml, "dvc.lock": lock})
    mirror = drained(opened(project.folder))
    missing = "is not in DVC's cache; dvc pull brings it."
    assert errors(mirror)[run_id] == [f"out/p.yaml {missing}", f"out/m.json {missing}"]
    listed = [{"md5": "bb22", "relpath": "m.json"}, {"md5": "cc33", "relpath": "p.yaml"}]
    for path, text in {"aa/11.dir": json.dumps(listed), "bb/22": '{"loss": 1}', "cc/33": "lr: 2\n"}.items():
        (project.folder / ".dvc/cache/files/md5" / path).parent.mkdir(parents=True)
        (project.folder / ".dvc/cache/files/md5" / path).write_text(text)
    fields = drained(opened(project.folder)).runs[run_id]
    assert (fields["metric.loss"], fields["param.lr"]) == (1.0, "2")
