"""A DVC project for the pictures, made by DVC's own commands: four stages, a sweep of experiments, one that waits."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.dvc_projects import RealProject

_DVC_YAML = """\
stages:
  prepare:
    cmd: python prepare.py
    deps: [prepare.py, raw.csv]
    params: [prepare]
    outs: [clean.csv]
  featurize:
    cmd: cp clean.csv features.csv
    deps: [clean.csv]
    params: [features]
    outs: [features.csv]
  train:
    cmd: python train.py
    deps: [train.py, features.csv]
    params: [optim, model]
    outs: [model.txt]
    metrics: [metrics.json: {cache: false}]
    plots: [plots: {cache: false, x: step}]
  evaluate:
    foreach: [val, test, ood]
    do:
      cmd: cp model.txt ${item}.txt
      deps: [model.txt]
      outs: ['${item}.txt']
"""
_TRAIN = """\
import json, math, os
import ruamel.yaml
params = ruamel.yaml.YAML(typ="safe").load(open("params.yaml"))
rate = params["optim"]["lr"]
losses = [0.2 + math.exp(-step * rate * 40) + abs(rate - 0.003) * 9 for step in range(40)]
os.makedirs("plots", exist_ok=True)
with open("plots/loss.tsv", "w") as file:
    file.write("step\\tloss\\n" + "".join(f"{step}\\t{loss}\\n" for step, loss in enumerate(losses)))
json.dump({"loss": losses[-1], "val": {"acc": round(1 - losses[-1] / 2, 4)}}, open("metrics.json", "w"))
open("model.txt", "w").write(str(params))
"""


def dvc_project(folder: Path) -> Path:
    """Make it; what stands in params.yaml now makes two stages stale. Gives its folder."""
    made = RealProject(folder)
    params = "prepare: {split: 0.2}\nfeatures: {max: 100}\noptim: {lr: 0.001, wd: 0.01}\n"
    params += "model: {name: vit, depth: 12}\n"
    made.write({"dvc.yaml": _DVC_YAML, "params.yaml": params, "train.py": _TRAIN, "raw.csv": "a,b\n1,2\n"})
    made.write({"prepare.py": 'open("clean.csv", "w").write(open("raw.csv").read())\n'})
    made.dvc("repro", "-q")
    made.commit("Features from the cleaned table")
    for rate in (0.0003, 0.003, 0.01):
        made.dvc("exp", "run", "-q", "-n", f"lr-{rate}", "-S", f"optim.lr={rate}")
    made.git("checkout", "-q", "--", ".")
    made.dvc("checkout", "-q", "--force")
    made.dvc("exp", "run", "-q", "--queue", "-n", "deeper", "-S", "model.depth=24")
    made.write({"params.yaml": params.replace("max: 100", "max: 200").replace("wd: 0.01", "wd: 0.05")})
    return folder
