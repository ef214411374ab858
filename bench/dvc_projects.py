"""What a DVC project costs: 500 experiments on ten commits."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measures import HERE, Bench, Figures, home

sys.path.insert(0, str(HERE.parent / "tests"))

_EXPERIMENTS = 500
_COMMITS = 10
_STAGES = 8
_CHAIN = 300
_STATES = """
import sys, time
from pathlib import Path
from runtower.sources.dvc.stages import PipelineReader
reader, told = PipelineReader(Path(sys.argv[1])), []
for _ in range(2):
    began = time.perf_counter()
    found = reader.read()
    told.append(time.perf_counter() - began)
    assert len(found.stages) == 300 and {stage.state for stage in found.stages} == {"fresh"}, found.problems
print(*told)
"""
_READ = """
import sys, time
from pathlib import Path
from runtower.sources.dvc.source import DvcSource
from runtower.sources.port import Known
began = time.perf_counter()
source = DvcSource(Path(sys.argv[1]), Known())
runs = sum(len(delta.run_ids) for delta in source.changes(b"", ()))
first = time.perf_counter() - began
cursor = source._cursor
polls = []
for _ in range(20):
    began = time.perf_counter()
    assert not list(source.changes(cursor, ()))
    polls.append(time.perf_counter() - began)
print("ready", flush=True)
sys.stdin.readline()
began = time.perf_counter()
(delta,) = source.changes(cursor, ())
again = time.perf_counter() - began
assert len(delta.run_ids) == 1, delta.run_ids
print(runs, first, again, *polls, flush=True)
"""


def dvc_project(bench: Bench) -> Figures:
    """500 experiments: read by a process that knows nothing, a look where nothing changed, one more experiment; and the
    same by `dvc exp show`, twice."""
    from support.dvc_projects import WrittenProject

    figures: Figures = {"cold_s": [], "poll_ms": [], "refresh_ms": [], "dvc_cold_s": [], "dvc_again_s": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        project = WrittenProject(Path(folder) / "project")
        _fill(project)
        for turn in bench.times(5):
            words = [sys.executable, "-c", _READ, str(project.folder)]
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdout.readline()
                project.experiment(f"new{turn}", {"metrics.json": '{"loss": 0.5}'}, 1_000 + turn)
                process.stdin.write("\n")
                process.stdin.flush()
                _, first, again, *polls = map(float, process.stdout.readline().split())
            figures["cold_s"].append(first)
            figures["refresh_ms"].append(again * 1000)
            figures["poll_ms"] += [one * 1000 for one in polls]
        with home() as where:
            for name in ("dvc_cold_s", "dvc_again_s"):
                began = time.perf_counter()
                words = [str(Path(sys.executable).parent / "dvc"), "exp", "show", "--json", "-A"]
                subprocess.run(words, cwd=project.folder, env=where.environ, check=True, stdout=subprocess.DEVNULL)
                figures[name].append(time.perf_counter() - began)
    return figures


def dvc_stages(bench: Bench) -> Figures:
    """The states of a pipeline of 300 stages in a row: by a process that knows nothing, and again; and `dvc status`."""
    figures: Figures = {"cold_s": [], "again_s": [], "dvc_s": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        project = Path(folder) / "project"
        _chain(project)
        for _ in bench.times(5):
            words = [sys.executable, "-c", _STATES, str(project)]
            done = subprocess.run(words, check=True, capture_output=True, text=True)
            cold, again = map(float, done.stdout.split())
            figures["cold_s"].append(cold)
            figures["again_s"].append(again)
        with home() as where:
            began = time.perf_counter()
            words = [str(Path(sys.executable).parent / "dvc"), "status"]
            subprocess.run(words, cwd=project, env=where.environ, check=True, stdout=subprocess.DEVNULL)
            figures["dvc_s"].append(time.perf_counter() - began)
    return figures


def _chain(project: Path) -> None:
    """Each stage copies what the one before made; all are fresh."""
    project.mkdir()
    for words in (["git", "init", "-q"], [str(Path(sys.executable).parent / "dvc"), "init", "-q"]):
        subprocess.run(words, cwd=project, check=True)
    before, stages, locked = "", "stages:\n", "schema: '2.0'\nstages:\n"
    for number in range(_CHAIN + 1):
        data = f"{number}\n".encode()
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        (project / f"f{number}.txt").write_bytes(data)
        cached = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes(data)
        out = f"path: f{number}.txt, hash: md5, md5: {md5}, size: {len(data)}"
        if number:
            command = f"cp f{number - 1}.txt f{number}.txt"
            stages += f"  s{number}:\n    cmd: {command}\n    deps: [f{number - 1}.txt]\n    outs: [f{number}.txt]\n"
            locked += f"  s{number}:\n    cmd: {command}\n    deps:\n    - {{{before}}}\n    outs:\n    - {{{out}}}\n"
        before = out
    (project / "dvc.yaml").write_text(stages)
    (project / "dvc.lock").write_text(locked)


def _fill(project: object) -> None:
    import pygit2
    from support.dvc_projects import WrittenProject

    assert isinstance(project, WrittenProject)
    stages = "".join(
        f"  s{n}:\n    cmd: python s{n}.py\n    deps: [s{n}.py]\n    params: [s{n}]\n    outs: [o{n}]\n"
        for n in range(_STAGES)
    )
    train = "  train:\n    cmd: python t.py\n    params: [train]\n    metrics: [metrics.json: {cache: false}]\n"
    lock = "schema: '2.0'\nstages:\n" + "".join(
        f"  s{n}:\n    cmd: python s{n}.py\n    outs:\n    - {{path: o{n}, hash: md5, md5: {'b' * 32}, size: 3}}\n"
        for n in range(_STAGES)
    )
    pipeline = {"dvc.yaml": f"stages:\n{stages}{train}", "dvc.lock": lock, "params.yaml": "x: 1\n"}
    commits = [project.baseline]
    for number in range(1, _COMMITS):
        files = {**pipeline, "src/a.py": str(number)}
        commits.append(project.commit("refs/heads/main", files, commits[-1], number))
    project.baseline = commits[-1]
    for number in range(_EXPERIMENTS):
        params = f"train:\n  lr: {number / 1000}\n" + "".join(f"  p{n}: {n * number}\n" for n in range(20))
        params += "".join(f"s{n}:\n  a: {n}\n  b: text{number}\n" for n in range(_STAGES))
        metrics = {"loss": number / 7, "val": {"acc": number / 1000, "f1": 1}}
        files = {"params.yaml": params, "dvc.lock": lock.replace("b" * 32, f"{number:032x}")}
        files["metrics.json"] = json.dumps(metrics)
        project.experiment(f"exp{number}", files, number, commits[number % _COMMITS])
    project.repository.checkout_head(strategy=pygit2.enums.CheckoutStrategy.FORCE)


MEASURES: dict[str, Callable[[Bench], Figures]] = {one.__name__: one for one in (dvc_project, dvc_stages)}
