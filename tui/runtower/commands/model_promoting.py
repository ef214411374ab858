"""`promote` and `rollback`: the promotion screen's work, without one."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runtower.acts.model_writer import ModelWriter
from runtower.acts.preparing import Prepared
from runtower.acts.promote_hook import PromoteHook
from runtower.acts.promoting import promotion_of
from runtower.acts.promotion_words import NOBODY, by_hand, told
from runtower.acts.registrar import login_of
from runtower.commands.model_finding import Found, found, number_of
from runtower.commands.model_judging import Judged, judge, prepared_for, print_page, print_record, refusal
from runtower.commands.opening import Asked, Context, context
from runtower.commands.promotion_record import record_of
from runtower.commands.saying_yes import Yes, ask, check_yes
from runtower.domain.errors import Conflict, Forbidden, Invalid, NotFound, TowerError
from runtower.domain.models import ModelNow
from runtower.domain.promotions import Destination, DestinationKind, Promoted, Promotion, Way, destination_of
from runtower.present.spans import inert
from runtower.promote.history import previous
from runtower.promote.protection import is_protected
from runtower.starting import Starter


@dataclass(frozen=True)
class PromoteWish:
    """What is asked for. `holder` is who has to be there now, as `--if-holder` says it, None for whoever is there.

    `archive`: who is in the stage goes to Archived. `yes` says whether somebody has to be asked.
    """

    to: str
    yes: Yes
    archive: bool = False
    holder: str | None = None
    override: str = ""
    reason: str = ""
    dry_run: bool = False
    as_json: bool = False


def promote(asked: Asked, name: str, version: str, wish: PromoteWish) -> None:
    """Promote a version. Raises TowerError, NotMet and CantTell for a gate that stands in the way."""
    to = destination_of(wish.to)
    if wish.archive and to.kind is not DestinationKind.STAGE:
        raise Invalid("--archive is for stages.", "An alias has one holder, and a copy replaces nobody.")
    asyncio.run(_run(asked, name, version, to, Way.PROMOTE, wish))


def rollback(asked: Asked, name: str, wish: PromoteWish) -> None:
    """Bring the previous holder back; in a stage who is there goes to Archived unless `wish.archive` is off.

    Raises TowerError; no gate stands in the way.
    """
    to = destination_of(wish.to)
    if to.kind is DestinationKind.MODEL:
        raise Invalid(
            "A copy can't be taken back: its model keeps the version.",
            f"Roll back an alias of {to.name}, or promote an earlier version of it.",
        )
    if not wish.archive and to.kind is not DestinationKind.STAGE:
        raise Invalid("--beside is for stages.", "An alias has one holder.")
    archive = to.kind is DestinationKind.STAGE and wish.archive
    asyncio.run(_run(asked, name, "", to, Way.ROLLBACK, replace(wish, archive=archive)))


async def _run(asked: Asked, name: str, version: str, to: Destination, way: Way, wish: PromoteWish) -> None:
    work = context(asked)
    word = to.name if to.kind is DestinationKind.MODEL else name
    if not wish.dry_run:
        check_yes(wish.yes, word, is_protected(to, work.settings), to)
    async with found(work, name, asked.patience) as model:
        if model.target.read_only and not wish.dry_run:
            raise Forbidden(
                f"{model.target.name} is read-only.", "Leave --read-only, or read_only in the settings, away."
            )
        number = number_of(model.now, version) if version else _previous(model.now, to)
        prepared = await prepared_for(work, model, number, to, way, wish.archive)
        address = (await model.identity()).address if asked.tracking_uri is not None else ""
        promoting = _Promoting(work, model, wish, address)
        if not prepared.already:
            promoting.check_holder(prepared)
        if wish.dry_run:
            promoting.plan(await judge(work, model, prepared, asked.patience))
        elif prepared.already:
            promoting.say_already(prepared)
        else:
            await promoting.carry_out(prepared, asked.patience)


class _Promoting:
    """One promotion, from its gate to its hook. `address` is where the source is if it has no name of its own."""

    def __init__(self, work: Context, model: Found, wish: PromoteWish, address: str) -> None:
        self._work = work
        self._model = model
        self._wish = wish
        self._address = address

    def check_holder(self, prepared: Prepared) -> None:
        """Raises Conflict where somebody else is there, which --json prints before."""
        try:
            _check_holder(prepared, self._wish.holder)
        except Conflict:
            if self._wish.as_json:
                self._print("refused", Judged(self._model, prepared, ()), self._promotion(prepared))
            raise

    def plan(self, judged: Judged) -> None:
        """Say what would be done. Raises NotMet or CantTell where the gate would stop it."""
        self._print("planned", judged, self._promotion(judged.prepared))
        self._stop_at_gate(judged.prepared)

    def say_already(self, prepared: Prepared) -> None:
        """There is nothing to do."""
        judged = Judged(self._model, prepared, ())
        self._print("already", judged, self._promotion(prepared), Promoted(prepared.before, True))

    async def carry_out(self, prepared: Prepared, patience: float) -> None:
        """Judge, stop at the gate, ask, write, tell. Raises what the exit code stands for."""
        wish, model = self._wish, self._model
        judged = await judge(self._work, model, prepared, patience)
        promotion = self._promotion(judged.prepared)
        try:
            self._stop_at_gate(judged.prepared)
        except TowerError:
            self._print("stopped", judged, promotion)
            raise
        writer = ModelWriter(model.target, self._work.folders, self._work.settings)
        try:
            writer.prepare()
            identity = await model.identity()
            if wish.yes.asks(prepared.protected):
                if not wish.as_json:
                    print_page(judged)
                ask(judged.prepared, promotion, identity.address, self._command(promotion))
            outcome = await writer.promote(promotion, self._command(promotion), identity)
        finally:
            writer.leave()
        warnings = await self._hooked(promotion, outcome.promoted) if outcome.promoted is not None else []
        word = "already" if outcome.promoted is not None and outcome.promoted.already else outcome.word
        if outcome.promoted is not None or wish.as_json:
            self._print(word, judged, promotion, outcome.promoted, warnings)
        if outcome.word != "done":
            raise outcome.error or TowerError(outcome.says or "It did not take effect.")

    def _promotion(self, prepared: Prepared) -> Promotion:
        login = login_of(self._model.target, os.environ)
        return promotion_of(prepared, os.environ, self._wish.override, self._wish.reason, login)

    def _stop_at_gate(self, prepared: Prepared) -> None:
        refused = refusal(prepared, "--override REASON goes on all the same, and the reason is recorded.")
        if refused is not None and not self._wish.override and not prepared.already:
            raise refused

    async def _hooked(self, promotion: Promotion, promoted: Promoted) -> list[str]:
        """Run `on_promote` to its end; gives what went wrong with it."""
        said: list[str] = []
        work = self._work
        hook = PromoteHook(Starter(work.settings, work.folders, Path.cwd(), work.origins), said.append)
        hook.run(promotion, promoted, self._model.target.name)
        await hook.settled()
        return said

    def _command(self, promotion: Promotion) -> str:
        return by_hand(promotion, self._model.target.name, self._address)

    def _print(
        self,
        outcome: str,
        judged: Judged,
        promotion: Promotion,
        promoted: Promoted | None = None,
        warnings: Sequence[str] = (),
    ) -> None:
        source, command = self._model.target.name, self._command(promotion)
        if self._wish.as_json:
            deltas, prepared = judged.deltas, judged.prepared
            print_record(record_of(source, outcome, prepared, deltas, promotion, promoted, command, warnings))
        elif promoted is None:
            print_page(judged)
            if self._wish.dry_run:
                sys.stdout.write(f"\nby hand: {inert(command)}\n")
        else:
            _print_end(judged, promotion, promoted, warnings)


def _print_end(judged: Judged, promotion: Promotion, promoted: Promoted, warnings: Sequence[str]) -> None:
    sys.stdout.write(f"{inert(told(promotion, promoted))}\n")
    if not promoted.already:
        overridden = f", overridden: {promotion.override}" if promotion.override else ""
        sys.stdout.write(f"gate: {inert(judged.prepared.gate_says + overridden)}\n")
    sys.stdout.flush()
    for warning in (*promoted.warnings, *warnings):
        sys.stderr.write(f"runtower: {inert(warning)}\n")


def _previous(now: ModelNow, to: Destination) -> str:
    """Raises NotFound."""
    found = previous(now, to)
    if found is None:
        name = now.model.name
        raise NotFound(
            f"Nobody is known who was at {to.shown} of {name} before.",
            f"runtower models history {name} tells what is known; runtower promote takes any version.",
        )
    return found


def _check_holder(prepared: Prepared, holder: str | None) -> None:
    """Raises Conflict where somebody else is there, Invalid for what names no versions."""
    if holder is None:
        return
    names = [] if holder == NOBODY else [one.strip().removeprefix("v") for one in holder.split(",")]
    if not all(name.isascii() and name.isdecimal() for name in names):
        raise Invalid(f"--if-holder '{holder}' names no version.", f"Give its number, or {NOBODY} for nobody.")
    if set(names) != set(prepared.before):
        there = ", ".join(f"v{one}" for one in prepared.before) or "nobody"
        wanted = ", ".join(f"v{one}" for one in names) or "nobody"
        raise Conflict(
            f"{prepared.asked.to.shown} is held by {there}, not by {wanted}; nothing was changed.",
            "Look at what it is compared with again.",
        )
