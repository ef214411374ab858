"""A promotion before it happens: who is there now, what would come, and what the gate says of it by the evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from runtower.acts.gate_evidence import Reading, side_of
from runtower.acts.tower import Tower
from runtower.domain.errors import Conflict, Invalid, NotFound
from runtower.domain.models import READY, ModelNow, ModelVersion
from runtower.domain.promotions import Destination, DestinationKind, State, Verdict, Way
from runtower.link.wire import OneModel
from runtower.promote.declared import rules_for, rules_of_tag
from runtower.promote.evidence import Evidence, Side, needs
from runtower.promote.gate import overall, says, verdicts
from runtower.promote.protection import is_protected
from runtower.promote.rules import Rule
from runtower.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What somebody wants: a version to a destination. `number` is that of the source."""

    number: int
    model: str
    version: str
    to: Destination
    way: Way = Way.PROMOTE
    archive: bool = False


@dataclass(frozen=True)
class Prepared:
    """What would happen, as the registry was when it was read.

    `now` is the model, `there` the one at the destination: another one for a copy, with `there_is` whether it exists.
    `before` are the holders, `holder` the newest of them. `evidence` is None until it was read; the gate can't be told
    before.
    """

    asked: Asked
    now: ModelNow
    there: ModelNow | None
    version: ModelVersion
    before: tuple[str, ...]
    holder: ModelVersion | None
    rules: tuple[Rule, ...]
    protected: bool
    evidence: Evidence | None = None
    gate: tuple[Verdict, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_copy(self) -> bool:
        return self.asked.to.kind is DestinationKind.MODEL

    @property
    def already(self) -> bool:
        """Whether the version is there already, and alone where who was there goes to Archived."""
        if self.is_copy or not self.before:
            return False
        return self.before == (self.version.version,) or (
            self.version.version in self.before and not self.asked.archive
        )

    @property
    def blocks(self) -> State:
        """What of the gate stands in the way: nothing on the way back, which comparative rules never block."""
        if self.asked.way is Way.ROLLBACK:
            return State.MET
        return overall(self.gate)

    @property
    def gate_says(self) -> str:
        return says(self.gate)

    @property
    def word(self) -> str:
        """What has to be typed: the name of the model that changes; '' where nothing has to be."""
        name = self.asked.to.name if self.is_copy else self.asked.model
        return name if self.protected or self.asked.way is Way.ROLLBACK else ""


async def prepare(tower: Tower, settings: Settings, asked: Asked) -> Prepared:
    """Look at the registry, and find the rules. Raises TowerError: NotFound for a model or version that isn't there,
    Conflict for one that isn't ready, Invalid for rules that make no sense."""
    link = tower.links[asked.number]
    now = await link.ask(OneModel(asked.model))
    version = now.version(asked.version)
    if version is None:
        there = ", ".join(one.version for one in now.versions[:10]) or "none"
        raise NotFound(f"{asked.model} has no version {asked.version}.", f"It has {there}.")
    if asked.to.kind is DestinationKind.MODEL and asked.to.name == asked.model:
        raise Invalid(f"{asked.model} can't be copied into itself.", "Name another model.")
    there_now: ModelNow | None = now
    if asked.to.kind is DestinationKind.MODEL:
        try:
            there_now = await link.ask(OneModel(asked.to.name))
        except NotFound:
            there_now = None
    before = asked.to.holders(there_now) if there_now is not None else ()
    holder = there_now.version(before[0]) if there_now is not None and before else None
    if version.status != READY and asked.way is Way.ROLLBACK:
        raise Conflict(
            f"{asked.model} v{version.version} is {version.status.lower()}, not ready.", "Choose another one."
        )
    rules = rules_for(asked.model, asked.to, settings.gates, now.model.tags)
    if there_now is not None and there_now is not now:
        rules = (*rules, *rules_of_tag(asked.to, there_now.model.tags))
    return Prepared(asked, now, there_now, version, before, holder, rules, is_protected(asked.to, settings))


async def with_evidence(tower: Tower, settings: Settings, prepared: Prepared, shows: bool = False) -> Prepared:
    """Read what the rules need, and judge by it. `shows`: read what a screen shows beside it, too.

    Never raises for what can't be read: the rule that needs it can't be told then.
    """
    wanted = needs(prepared.rules)
    named = {alias: prepared.now.model.aliases.get(alias) for alias in wanted.aliases}
    others = {alias: prepared.now.version(one) for alias, one in named.items() if one is not None}
    versions = [prepared.version, *(one for one in others.values() if one is not None)]
    if prepared.holder is not None:
        versions.append(prepared.holder)
    number = prepared.asked.number
    rows = await tower.bring(number, [one.run_id for one in versions if one.run_id])
    goals = {key: one.goal for key, one in settings.metrics.items()}
    reading = Reading(tower, number, goals, shows)

    async def side(one: ModelVersion | None) -> Side | None:
        return await side_of(reading, one, rows.get(one.run_id), wanted) if one is not None else None

    looks = prepared.holder is not None and (wanted.compares or shows)
    candidate, holder, *rest = await asyncio.gather(
        side(prepared.version), side(prepared.holder if looks else None), *(side(one) for one in others.values())
    )
    assert candidate is not None
    aliases: dict[str, Side | None] = {alias: None for alias, one in named.items() if one is None}
    aliases |= dict(zip(others, rest, strict=True))
    evidence = Evidence(prepared.asked.to.shown, candidate, holder, aliases, goals)
    return replace(prepared, evidence=evidence, gate=verdicts(prepared.rules, evidence), rows=rows)
