"""`dvc`: the pipeline and the experiments of a DVC project, without a screen."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import msgspec

from runtower.commands.choosing import Wish
from runtower.commands.listing import list_runs, write
from runtower.commands.model_finding import asked_all, asking
from runtower.commands.opening import Asked, context
from runtower.commands.tables import json_array, plain_lines
from runtower.domain.errors import NotFound, TowerError
from runtower.domain.pipelines import Pipeline, Stage
from runtower.link.wire import Stages
from runtower.present.pipeline_cells import holders_text, in_short, why_text
from runtower.present.spans import inert, shortened

_ARROW: Final = "->"


def print_stages(asked: Asked, stale: bool, as_json: bool) -> None:
    """Print all stages, or those that are stale. All of this page raise TowerError."""
    found = asyncio.run(_pipeline(asked))
    shown = [stage for stage in found.stages if stage.state.is_stale or not stale]
    if as_json:
        write(json_array(asdict(stage) for stage in shown))
    else:
        write(plain_lines(("stage", "state", "why"), [_row(stage) for stage in shown], (False,) * 3, None))
    _say_problems(found)


def print_why(asked: Asked, name: str, as_json: bool) -> None:
    """Print why a stage is in its state, a line a reason; nothing where it is fresh."""
    found = asyncio.run(_pipeline(asked))
    meant = _named(found.stages, name)
    if as_json:
        sys.stdout.write(msgspec.json.encode([asdict(stage) for stage in meant]).decode() + "\n")
        return
    for stage in meant:
        sys.stdout.write(f"{inert(stage.name)} {stage.state}\n")
        sys.stdout.writelines(f"  {inert(why_text(why, _ARROW))}\n" for why in stage.why)


def print_status(asked: Asked, as_json: bool) -> None:
    """Print how the pipeline is in short, and who holds the lock."""
    found = asyncio.run(_pipeline(asked))
    if as_json:
        told: dict[str, Any] = {"at_ms": found.at_ms, "states": {}, "holders": [asdict(one) for one in found.holders]}
        for stage in found.stages:
            told["states"][stage.state] = told["states"].get(stage.state, 0) + 1
        sys.stdout.write(msgspec.json.encode({**told, "problems": found.problems}).decode() + "\n")
        return
    sys.stdout.write(f"{in_short(found.stages)}\n")
    sys.stdout.writelines(f"{inert(text)}\n" for text in holders_text(found))
    _say_problems(found)


def list_experiments(asked: Asked, wish: Wish, form: str) -> None:
    """Print the runs of the DVC project."""
    list_runs(replace(asked, source=_source(asked)), wish, form)


def _source(asked: Asked) -> str:
    """The name of the source that is meant."""
    names = [target.name for target in context(asked).targets if target.kind == "dvc"]
    if not names:
        raise NotFound("There is no DVC project here.", "Go into one, or name its folder with --tracking-uri.")
    if len(names) > 1:
        raise NotFound(f"Several DVC projects are here: {', '.join(names)}.", "Say which one is meant: --source NAME.")
    return names[0]


async def _pipeline(asked: Asked) -> Pipeline:
    work = context(replace(asked, source=_source(asked)))
    async with asking(work) as tower:
        answers = await asked_all(work, [link.ask(Stages()) for link in tower.links], asked.patience)
    if not answers:
        raise NotFound("This project has no dvc.yaml, hence no pipeline.", "dvc stage add makes one.")
    found = answers[0][1]
    if found.problems and not found.stages:
        raise TowerError(found.problems[0], "Correct dvc.yaml.")
    return found


def _named(stages: Sequence[Stage], name: str) -> list[Stage]:
    """The stage of that name, or all of a foreach or matrix stage."""
    found = [stage for stage in stages if name in (stage.name, stage.group)]
    if not found:
        there = ", ".join(dict.fromkeys(stage.group or stage.name for stage in stages))
        raise NotFound(f"There is no stage '{name}'.", f"Stages here: {shortened(there, 300)}.")
    return found


def _row(stage: Stage) -> list[str]:
    first = why_text(stage.why[0], _ARROW) if stage.why else ""
    more = f"  +{len(stage.why) - 1} more" if len(stage.why) > 1 else ""
    return [stage.name, str(stage.state), f"{shortened(first, 100)}{more}"]


def _say_problems(found: Pipeline) -> None:
    sys.stderr.writelines(_lines(found.problems))


def _lines(problems: Sequence[str]) -> Iterator[str]:
    return (f"runtower: {inert(one)}\n" for one in problems)
