"""Experiments as DVC's own commands make and show them: the same runs, the same values."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.dvc_projects import RealProject
from support.jobs import until
from support.mirror import Mirror, drained

from runtower.sources.dvc import SOURCE
from runtower.sources.dvc.source import DvcSource
from runtower.sources.port import Known, Source, Target

_TRAIN = """\
import json, os, sys, time
import ruamel.yaml
params = ruamel.yaml.YAML(typ="safe").load(open("params.yaml"))
lr = params["train"]["lr"]
if lr > 5:
    raise SystemExit("lr is too large")
os.makedirs("out", exist_ok=True)
with open("out/curve.tsv", "w") as curve:
    curve.write("step\\tloss\\n")
    for step in range(4):
        curve.write(f"{step}\\t{lr / (step + 1)}\\n")
json.dump({"loss": lr / 4, "best": {"step": 3, "note": "a text"}, "ok": True}, open("metrics.json", "w"))
open("scores.yaml", "w").write(f"acc: {1 - lr}\\n")
while os.environ.get("WAIT_FOR") and not os.path.exists(os.environ["WAIT_FOR"]):
    time.sleep(0.05)
"""
_EVAL = """\
import json, sys
json.dump({"f1": float(len(sys.argv[1]))}, open(f"{sys.argv[1]}.json", "w"))
"""
_DVC_YAML = """\
vars: [{where: parts}]
metrics: [extra.json]
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [train, other.toml: [model.depth], settings.py: null]
    metrics:
    - metrics.json: {cache: false}
    - scores.yaml
    plots:
    - out/curve.tsv: {cache: false, x: step, y: loss}
  eval:
    foreach: [val, test]
    do:
      cmd: python eval.py ${where}/${item}
      deps: [eval.py]
      metrics:
      - ${where}/${item}.json: {cache: false}
"""
_FILES = {
    "train.py": _TRAIN,
    "eval.py": _EVAL,
    "dvc.yaml": _DVC_YAML,
    "params.yaml": "train: {lr: 1e-1, layers: [1, 2], on: yes, octal: 010, nothing: null}\nseed: 7\n",
    "other.toml": "[model]\ndepth = 3\nwidth = 4\n",
    "settings.py": "BATCH = 32\nclass Aug:\n    flip = True\n",
    "extra.json": '{"loss": 0.5, "size": 12}',
    "parts/.keep": "",
    "nested/dvc.yaml": "stages:\n  low:\n    cmd: echo {} > low.json\n    params: [rate]\n    metrics: [low.json]\n",
    "nested/params.yaml": "rate: 1\nunused: 2\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """Two commits with experiments; one waits in the queue, one failed there, one succeeded."""
    made = RealProject(tmp_path_factory.mktemp("dvc") / "project")
    made.write(_FILES)
    made.dvc("repro", "-q")
    first = made.commit("first")
    made.git("tag", "v1")
    made.dvc("exp", "run", "-q", "-n", "one", "-S", "train.lr=0.2")
    made.dvc("exp", "run", "-q", "-n", "on-first", "-S", "train.lr=0.3", "--queue")
    made.git("checkout", "-q", "--", ".")
    made.write({"params.yaml": _FILES["params.yaml"].replace("1e-1", "0.15")})
    made.dvc("repro", "-q")
    made.commit("second")
    made.git("branch", "side", first)
    made.dvc("exp", "run", "-q", "--queue", "-n", "bad", "-S", "train.lr=9")
    made.dvc("queue", "start", "-q")
    until(lambda: {"Success", "Failed"} <= set(made.dvc("queue", "status").split()), "the queue was never done", 120)
    made.dvc("exp", "run", "-q", "--queue", "-n", "later", "-S", "train.lr=0.4")
    return made


def opened(project: RealProject, known: Known = Known()) -> Source:  # noqa: B008 - frozen
    return SOURCE.open(Target("dvc", "dvc", str(project.folder)), known)


def leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from leaves(f"{prefix}.{key}" if prefix else str(key), below)
    else:
        yield prefix, value


def by_key(files: Mapping[str, Any]) -> dict[str, Any]:
    """The values of DVC's files under the names that they have here."""
    found = [(path, *one) for path, told in files.items() for one in leaves("", told.get("data") or {}) if one[0]]
    names = [key for _, key, _ in found]
    return {(key if names.count(key) == 1 else f"{path}:{key}"): value for path, key, value in found}


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def shown(project: RealProject) -> dict[str, tuple[str, str, dict[str, str], dict[str, float]]]:
    """As `dvc exp show` tells: by the run's id its name, state, params and metrics."""
    out: dict[str, tuple[str, str, dict[str, str], dict[str, float]]] = {}

    def take(run_id: str, name: str, state: str, told: Mapping[str, Any]) -> None:
        params = {key: as_text(value) for key, value in by_key(told["params"]).items()}
        metrics = {key: float(value) for key, value in by_key(told["metrics"]).items() if not isinstance(value, str)}
        out[run_id] = (name, state, params, metrics)

    for one in json.loads(project.dvc("exp", "show", "--json", "-A")):
        sha = one["rev"]
        take("workspace" if sha == "workspace" else f"commit:{sha}", one["name"] or sha[:7], "", one["data"])
        for experiment in one["experiments"] or ():
            tip, executor = experiment["revs"][0], experiment["executor"]
            state = executor["state"] if executor else "success"
            waits = state in ("queued", "failed", "running")
            run_id = f"queued:{tip['rev']}" if waits else f"exp:{experiment['name']}@{sha}"
            take(run_id, experiment["name"] or tip["rev"][:7], state, tip["data"])
    return out


def ours(mirror: Mirror) -> dict[str, tuple[str, str, dict[str, str], dict[str, float]]]:
    out = {}
    for run_id, fields in mirror.runs.items():
        params = {key.removeprefix("param."): value for key, value in fields.items() if key.startswith("param.")}
        metrics = {key.removeprefix("metric."): value for key, value in fields.items() if key.startswith("metric.")}
        said = str(fields["attribute.source_status"])
        state = "" if said in ("commit", "local") else said
        out[run_id] = (str(fields["attribute.name"]), state, params, metrics)
    return out


def test_the_same_runs_with_the_same_values(project: RealProject) -> None:
    theirs, found = shown(project), ours(drained(opened(project)))
    assert found.keys() == theirs.keys()
    for run_id, (name, state, params, metrics) in theirs.items():
        assert found[run_id][0] == ("workspace" if run_id == "workspace" else name.partition(",")[0])
        assert found[run_id][1] == state, run_id
        assert found[run_id][2] == params, run_id
        # What failed has no metrics of its own: DVC shows those of its baseline.
        assert found[run_id][3] == ({} if state == "failed" else metrics), run_id


def test_templates_are_resolved_once_for_the_same_files(project: RealProject) -> None:
    asked = []

    def resolve(root: Path, revision: str, found: Any) -> None:
        asked.append(revision)
        from runtower.sources.dvc.through_dvc import resolve as really

        really(root, revision, found)

    source = DvcSource(project.folder, Known(), resolve)
    runs = drained(source).runs
    assert runs["workspace"]["metric.parts/test.json:f1"] == 10.0
    assert len(asked) < len(runs)


def test_a_curve_comes_from_a_plot(project: RealProject) -> None:
    source = opened(project)
    run_id = next(run_id for run_id in drained(source).runs if run_id.startswith("exp:one@"))
    series = source.history(run_id, "metrics.json:loss")
    assert (series.steps.tolist(), series.values.tolist()) == ([0, 1, 2, 3], [0.2, 0.1, 0.2 / 3, 0.05])
    assert source.history(run_id, "acc").values.tolist() == [0.8]
    assert [curve.run_id for curve in source.coarse([run_id, "workspace"], "acc")] == []


def test_an_experiment_that_runs_is_followed(project: RealProject, tmp_path: Path) -> None:
    source = opened(project)
    mirror = drained(source)
    go = tmp_path / "go"
    words = ["dvc", "exp", "run", "-q", "--temp", "-n", "live", "-S", "train.lr=0.25"]
    process = subprocess.Popen(words, cwd=project.folder, env=project.environ | {"WAIT_FOR": str(go)})
    try:

        def live() -> dict[str, Any]:
            mirror.poll(source)
            found = [one for one in mirror.runs.values() if one["attribute.name"] == "live"]
            return found[0] if found else {}

        until(lambda: live().get("metric.acc") == 0.75, "its metrics never came", 90)
        assert live()["attribute.status"] == "RUNNING"
        assert live()["param.train.lr"] == "0.25"
    finally:
        go.touch()
        process.wait()
    until(lambda: live().get("attribute.status") == "FINISHED", "it never became an experiment")
    assert len([one for one in mirror.runs.values() if one["attribute.name"] == "live"]) == 1
