"""What is done with registered models and their versions, and with a promotion before it happens."""

from __future__ import annotations

from typing import Final

from runtower.actions.action import Action
from runtower.actions.places import BOX, PIPELINE, PROMOTION, REGISTRY, ROWS, VERSIONS

MODELS: Final = (
    # Models
    Action(
        "models.open",
        "Registered models",
        ("2",),
        "Models",
        short="models",
        tooltip="versions, aliases and stages; promotion and the way back",
    ),
    Action("models.runs", "Back to the runs", ("1",), "Models", (*REGISTRY, *BOX, *PIPELINE)),
    Action("model.open", "Open the model or the version", ("enter",), "Models", ROWS, "open"),
    Action("version.run", "Open the run it came from", ("enter",), "Models", ("version",), "its run"),
    Action(
        "version.compare",
        "Compare two marked versions, or this one with who has the alias",
        ("c",),
        "Models",
        (*VERSIONS, *PROMOTION),
        "compare",
        tooltip="metrics, config, signature and environment beside each other",
    ),
    Action(
        "version.promote",
        "Promote the version: to an alias, to a stage, or into another model",
        ("P",),
        "Models",
        VERSIONS,
        "promote",
        tooltip="shows what it replaces, and what the gate says; asks before it writes",
        starts=True,
    ),
    Action(
        "version.back",
        "Bring the previous holder of an alias or a stage back",
        ("B",),
        "Models",
        VERSIONS,
        "previous holder",
        tooltip="by a rule of its own: the name typed, a reason given",
        starts=True,
    ),
    Action(
        "version.download",
        "Download the version's files",
        ("D",),
        "Models",
        VERSIONS,
        "download",
        tooltip="asks where to; esc stops it",
        starts=True,
    ),
    Action("model.edit", "Change the description or tags", ("e",), "Models", REGISTRY, "edit", starts=True),
    Action(
        "model.delete",
        "Take an alias away, or delete a version",
        ("X", "delete"),
        "Models",
        REGISTRY,
        starts=True,
    ),
    Action(
        "run.register",
        "Register the run's model as a version, to promote it then",
        ("P",),
        "Models",
        short="register",
        tooltip="the version keeps the run's id",
        starts=True,
    ),
    # A promotion
    Action(
        "promotion.go",
        "Go on: the question that promotes, or brings back",
        ("P", "B", "ctrl+r"),
        "Promotion",
        PROMOTION,
        "go on",
        starts=True,
    ),
    Action(
        "promotion.archive",
        "Who is in the stage goes to Archived, or stays",
        ("a",),
        "Promotion",
        PROMOTION,
        "archive existing",
    ),
)
