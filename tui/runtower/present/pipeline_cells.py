"""Stages of a pipeline in words: their state, and each reason for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtower.domain.pipelines import Holder, Pipeline, Stage, StageState, Why
from runtower.present.spans import Span

_TONES: Final = {
    StageState.FRESH: "dim",
    StageState.CHANGED: "warning",
    StageState.UPSTREAM: "",
    StageState.MISSING: "warning",
    StageState.NEVER: "",
    StageState.FROZEN: "dim",
    StageState.RUNNING: "state-running",
}
_FEW: Final = 4
_GONE: Final = {"deleted": "is missing", "not in cache": "isn't in the cache", "new": "isn't tracked yet"}


def stage_state(state: StageState) -> Span:
    """Its state, toned by whether it wants something."""
    return str(state), _TONES[state]


def why_text(why: Why, arrow: str) -> str:
    """One reason: `params.yaml train.lr 0.1 → 0.2`, `command python train.py → python train.py -v`."""
    old, new = (text.replace("\n", "; ") for text in (why.old, why.new))
    match why.kind:
        case "param" if not old:
            return f"{why.what} is new: {new}" if new else f"{why.what} is new"
        case "param" if not new:
            return f"{why.what} is gone, was {old}"
        case "param":
            return f"{why.what} {old} {arrow} {new}"
        case "command":
            return f"command {old} {arrow} {new}"
        case "upstream":
            return f"{why.what} is stale"
        case "always":
            return f"it is run each time ({why.what})"
        case _ if new in _GONE:
            return f"{why.what} {_GONE[new]}"
        case "dep" if old and old != new:
            return f"{why.what} changed ({old} {arrow} {new})"
    return f"{why.what} changed"


def in_short(stages: Sequence[Stage]) -> str:
    """`4 stages, 1 changed, 2 upstream changed`; what is fresh isn't counted."""
    counts = {state: sum(stage.state is state for stage in stages) for state in StageState}
    told = [f"{count} {state}" for state, count in counts.items() if count and state is not StageState.FRESH]
    return ", ".join([f"{len(stages)} stage{'' if len(stages) == 1 else 's'}", *(told or ["all fresh"])])


def holders_text(pipeline: Pipeline) -> list[str]:
    """Who holds the project's lock: `dvc repro (pid 4711) writes model.pkl`."""
    return [f"{one.command or 'a process'} (pid {one.pid}) {_does(one)}" for one in pipeline.holders]


def _does(holder: Holder) -> str:
    more = ", ..." if len(holder.writes) > _FEW else ""
    return f"writes {', '.join(holder.writes[:_FEW])}{more}" if holder.writes else "reads"
