"""Relations between a run and what belongs to it outside of its store: each says how it is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Relation(StrEnum):
    """What a run belongs together with."""

    RUN = "run"
    JOB = "job"
    PROCESS = "process"
    GPU = "gpu"
    FOLDER = "folder"
    LOG = "log"
    WANDB = "wandb"
    DVC = "dvc"


@dataclass(frozen=True, slots=True)
class Link:
    """One relation. `target`: the job's id, the pid, the GPU's index, a path, an id of W&B's or a name of DVC's.

    `evidence` says how it is known; `sure` is False where it was concluded and not said by either side.
    """

    relation: Relation
    target: str
    evidence: str
    sure: bool = True
