"""`python -P -m runtower.demo.pipeline DIR --parent PID`: makes a DVC project of the demo's folder, by git and DVC.

Four stages, tracked data, a remote beside it, three experiments and one that waits; what stands in params.yaml at the
end makes two stages stale. Where git is missing nothing is made.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from runtower.link import native

_NICE: Final = 10
_PARAMS: Final = "prepare: {keep: 0.8}\nfeatures: {count: 8}\noptim: {lr: 0.02, steps: 40}\n"
_LATER: Final = _PARAMS.replace("count: 8", "count: 12")
_RATES: Final = ("0.005", "0.05", "0.2")
_PIPELINE: Final = """\
stages:
  prepare:
    cmd: python3 steps.py prepare
    deps: [steps.py, flowers.csv]
    params: [prepare]
    outs: [clean.csv]
  featurize:
    cmd: python3 steps.py featurize
    deps: [clean.csv]
    params: [features]
    outs: [features.csv]
  train:
    cmd: python3 steps.py train
    deps: [features.csv]
    params: [optim]
    outs: [weights.json]
    plots:
    - curves: {cache: false, x: step}
  evaluate:
    cmd: python3 steps.py evaluate
    deps: [weights.json, features.csv]
    metrics:
    - scores.json: {cache: false}
"""
_STEPS: Final = '''\
"""The steps of the pipeline, on the standard library alone: a line through points, fitted by gradient descent."""
import csv, json, os, random, re, sys

text = open("params.yaml").read()
param = lambda name: float(re.search(rf"\\b{name}: ([0-9.e-]+)", text).group(1))
rows = lambda name: [list(map(float, row)) for row in csv.reader(open(name))]


def save(name, table):
    with open(name, "w", newline="") as file:
        csv.writer(file).writerows(table)


def loss(weights, table):
    return sum((row[-1] - sum(w * x for w, x in zip(weights, row))) ** 2 for row in table) / len(table)


def prepare():
    table = rows("flowers.csv")
    save("clean.csv", table[: int(len(table) * param("keep"))])


def featurize():
    count = int(param("count"))
    save("features.csv", [[row[0] ** (power / 4) for power in range(count)] + [row[1]] for row in rows("clean.csv")])


def train():
    table = rows("features.csv")
    weights = [0.0] * (len(table[0]) - 1)
    os.makedirs("curves", exist_ok=True)
    with open("curves/loss.tsv", "w") as file:
        file.write("step\\tloss\\n")
        for step in range(int(param("steps"))):
            slopes = [0.0] * len(weights)
            for row in table:
                error = row[-1] - sum(w * x for w, x in zip(weights, row))
                slopes = [s + error * x for s, x in zip(slopes, row)]
            weights = [w + param("lr") * s / len(table) for w, s in zip(weights, slopes)]
            file.write(f"{step}\\t{loss(weights, table)}\\n")
    json.dump(weights, open("weights.json", "w"))


def evaluate():
    found = loss(json.load(open("weights.json")), rows("features.csv"))
    json.dump({"loss": found, "fit": 1 / (1 + found)}, open("scores.json", "w"))


{"prepare": prepare, "featurize": featurize, "train": train, "evaluate": evaluate}[sys.argv[1]]()
'''
_IGNORED: Final = """\
/artifacts
/demo.log
/lightning_logs
/mlflow.db*
/predict.py
/storage
__pycache__
"""


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parent", type=int, help="end with this process")
    asked = parser.parse_args()
    if asked.parent is not None:
        native.die_with(asked.parent)
    native.nice(_NICE)
    if shutil.which("git"):
        make(asked.folder.absolute())


def make(folder: Path) -> None:
    """All of it; ten to twenty seconds of DVC's commands."""
    environ = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}

    def run(*words: str) -> None:
        subprocess.run(words, cwd=folder, env=environ, check=True, stdin=subprocess.DEVNULL)

    def dvc(*words: str) -> None:
        run(sys.executable, "-P", "-m", "dvc", *words, "-q")

    for name, text in {
        "dvc.yaml": _PIPELINE,
        "steps.py": _STEPS,
        "params.yaml": _PARAMS,
        ".gitignore": _IGNORED,
    }.items():
        (folder / name).write_text(text)
    (folder / "flowers.csv").write_text("".join(f"{x / 50},{0.5 + x / 100 + (x % 7) / 50}\n" for x in range(100)))
    run("git", "init", "-q", "-b", "main")
    run("git", "config", "user.name", "demo")
    run("git", "config", "user.email", "demo@example.org")
    dvc("init", "--force")
    (folder / "storage").mkdir(exist_ok=True)
    dvc("remote", "add", "--default", "storage", str(folder / "storage"))
    dvc("add", "flowers.csv")
    dvc("repro")
    run("git", "add", "-A")
    run("git", "commit", "-q", "-m", "A line through the flowers")
    for rate in _RATES:
        dvc("exp", "run", "-n", f"lr-{rate}", "-S", f"optim.lr={rate}")
    run("git", "checkout", "-q", "--", ".")
    dvc("checkout", "--force")
    dvc("exp", "run", "--queue", "-n", "longer", "-S", "optim.steps=200")
    (folder / "params.yaml").write_text(_LATER)


if __name__ == "__main__":
    main()
