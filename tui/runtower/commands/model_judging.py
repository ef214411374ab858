"""`gate`: what the rules say of a version and a destination; judged the same way before a promotion."""

from __future__ import annotations

import asyncio
import shutil
import sys
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from runtower.acts import preparing
from runtower.acts.preparing import Prepared, prepare, with_evidence
from runtower.acts.promotion_lines import PromotionLines
from runtower.acts.promotion_sides import Delta, Sides, deltas_of
from runtower.acts.promotion_words import title_of
from runtower.commands.model_finding import Found, found, number_of
from runtower.commands.opening import Asked, Context, complete, context
from runtower.commands.promotion_record import record_of
from runtower.domain import runs
from runtower.domain.errors import CantTell, NotMet
from runtower.domain.promotions import Destination, State, Way, destination_of
from runtower.present.glyphs import UNICODE
from runtower.present.spans import inert
from runtower.promote.evidence import needs

_NARROWEST: Final = 80


@dataclass(frozen=True)
class Judged:
    """A promotion as it would be, with what the gate says of it. `deltas` are the metrics of both."""

    model: Found
    prepared: Prepared
    deltas: tuple[Delta, ...]


def print_gate(asked: Asked, name: str, version: str, to: str, as_json: bool) -> None:
    """Judge, and print what came of each rule. Raises TowerError: NotMet or CantTell where it isn't met."""
    asyncio.run(_print_gate(asked, name, version, destination_of(to), as_json))


async def _print_gate(asked: Asked, name: str, version: str, to: Destination, as_json: bool) -> None:
    work = context(asked)
    async with found(work, name, asked.patience) as model:
        prepared = await prepared_for(work, model, number_of(model.now, version), to)
        judged = await judge(work, model, prepared, asked.patience)
    if as_json:
        print_record(record_of(model.target.name, "judged", judged.prepared, judged.deltas))
    else:
        print_page(judged)
    refused = refusal(judged.prepared)
    if refused is not None:
        raise refused


async def prepared_for(
    work: Context, model: Found, version: str, to: Destination, way: Way = Way.PROMOTE, archive: bool = False
) -> Prepared:
    """Who is there now and which rules hold. Raises as `prepare` does."""
    asked = preparing.Asked(model.number, model.now.model.name, version, to, way, archive)
    return await prepare(model.tower, work.settings, asked)


async def judge(work: Context, model: Found, prepared: Prepared, patience: float) -> Judged:
    """Read what its rules need, and judge by it. Raises TowerError where runs can't be listed that a rule compares."""
    await _list_seeds(work, model, prepared, patience)
    prepared = await with_evidence(model.tower, work.settings, prepared)
    return Judged(model, prepared, await deltas_of(model.tower, work.settings, prepared))


async def _list_seeds(work: Context, model: Found, prepared: Prepared, patience: float) -> None:
    """Other seeds of a run are found among the runs of its experiment: only then, and only those, are listed."""
    wanted = needs(prepared.rules)
    if not wanted.seeds:
        return
    tower, number = model.tower, model.number
    numbers = [prepared.now.model.aliases.get(alias) for alias in wanted.aliases]
    versions = [prepared.version, prepared.holder, *(prepared.now.version(one) for one in numbers if one is not None)]
    rows = await tower.bring(number, [one.run_id for one in versions if one is not None and one.run_id])
    experiments = tower.catalogue.texts(runs.EXPERIMENT_ID)
    tower.links[number].scope(sorted({experiments.text(row) or "" for row in rows.values()}))
    tower.links[number].resume()
    tower.links[number].refresh()
    await complete(tower, work.targets, patience, numbers=[number])


def refusal(prepared: Prepared, remedy: str = "") -> NotMet | CantTell | None:
    """What stands in the way, with the rules that aren't met; None where nothing does."""
    state = prepared.blocks
    if state is State.MET:
        return None
    open_ = "; ".join(f"{one.rule}: {one.says}" for one in prepared.gate if one.state is not State.MET)
    said = f"The gate of {prepared.asked.to.shown} isn't met by {prepared.asked.model} v{prepared.version.version}"
    if state is State.CANT_TELL:
        said = f"Whether {prepared.asked.model} v{prepared.version.version} meets the gate can't be told"
    return (NotMet if state is State.NOT_MET else CantTell)(f"{said} ({prepared.gate_says}): {open_}.", remedy)


# -- printing


def print_page(judged: Judged) -> None:
    """Before and after beside each other, and the gate rule by rule."""
    prepared = judged.prepared
    width = max(_NARROWEST, shutil.get_terminal_size((100, 24)).columns)
    page = PromotionLines(judged.model.tower, prepared, Sides(judged.deltas), UNICODE, width)
    sys.stdout.write(f"{inert(title_of(prepared.asked))}\n\n")
    for line in page.lines():
        sys.stdout.write("".join(text for text, _ in line).rstrip() + "\n")
    sys.stdout.flush()


def print_record(record: dict[str, Any]) -> None:
    """One object, and no array around it: there is one promotion."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n")
    sys.stdout.flush()
