"""What is done with the pipeline of a DVC project."""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.places import PIPELINE as HERE

PIPELINE: Final = (
    Action(
        "pipeline.open",
        "Pipeline of a DVC project: each stage, and why it is stale",
        ("3",),
        "Pipeline",
        short="pipeline",
        tooltip="read while stages run",
    ),
    Action(
        "dvc.act",
        "DVC: apply, branch, rename, push, remove the experiment; run, queue, save in the workspace",
        ("A",),
        "Pipeline",
        tooltip="DVC's own command, as a job",
        starts=True,
    ),
    Action(
        "stage.fold", "Fold or unfold the stages of a foreach or matrix", ("enter", "z a"), "Pipeline", HERE, "fold"
    ),
    Action(
        "stage.repro",
        "Run the stage (dvc repro): alone, downstream, all, by force, dry",
        ("R",),
        "Pipeline",
        HERE,
        "run",
        tooltip="the project's own dvc, as a job",
        starts=True,
    ),
)
