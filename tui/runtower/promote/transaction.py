"""One promotion, from the comparison with what was shown to its record: whatever fails on the way, it ends with the old
state or the new one, and says which after it was read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from runtower.domain.errors import Conflict, Invalid, NotFound, OutcomeUnknown, TowerError, Unreachable
from runtower.domain.model_changes import AddModel, AddVersion, Change, SetAlias, SetStage
from runtower.domain.models import FAILED, READY, ModelNow, ModelVersion
from runtower.domain.promotions import DestinationKind, Promoted, Promotion, Way
from runtower.promote.clock import Clock, SystemClock
from runtower.promote.history import history
from runtower.promote.landing import Landed, Move, landed, shown, write_record
from runtower.promote.records import OWN, encoded, key_of, record_of
from runtower.promote.settling import finish_expired
from runtower.promote.turns import Turn, take_turn
from runtower.sources.port import EditsModels

READY_WITHIN: Final = 90.0
_NEXT_LOOK: Final = 1.0
_LOOK_AGAIN: Final = 2.0
_READS: Final = 3


def carry_out(
    registry: EditsModels,
    promotion: Promotion,
    tell: Callable[[str], None] = lambda doing: None,
    clock: Clock | None = None,
) -> Promoted:
    """Compare, write, read back, record.

    `tell` hears what is about to be done, up to the write that counts; it may raise Cancelled, and nothing is changed
    then. Raises NotFound (no such model or version), Conflict (not READY, or the holders aren't those that were shown,
    or another client moved it right after), Busy, OutcomeUnknown (only where the write was begun and the registry can't
    be read afterwards), and what the registry raises. Each says who holds the destination, as read back.
    """
    return _Carrying(registry, promotion, tell, clock or SystemClock()).whole()


@dataclass
class _Carrying:
    registry: EditsModels
    promotion: Promotion
    tell: Callable[[str], None]
    clock: Clock
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        began = replace(self.promotion, at=self.clock.now_ms())  # it may have been shown for long
        self.move = Move(self.promotion.id, self.promotion.to, record_of(began))
        self.to = self.promotion.to
        self.copies = self.to.kind is DestinationKind.MODEL

    def whole(self) -> Promoted:
        source = self._source_when_ready()
        now = self._destination(source)
        if (already := self._already(now)) is not None:
            return already
        self._compare(now)  # before anything is written at all
        self.tell("waiting for its turn")
        turn = take_turn(self.registry, self.move.where, self.to, self.move.record, self.promotion.id, self.clock)
        try:
            # Read anew: the answer that showed nobody else's tags may hold aliases that were read before them.
            source = self.registry.model(self.promotion.model)
            now = self._destination(source)
            self.warnings += finish_expired(turn, now, source)
            if (already := self._already(now)) is not None:
                turn.release()
                return already
            self._compare(now)
            self._check(source)
            change = self._change(source)
            if not turn.in_time:
                raise Conflict("It took too long to get to the write; nothing was changed.", "Try again.")
            self.tell(f"moving {self.to.shown}")
        except BaseException:
            turn.release()
            raise
        return self._write(turn, change)

    # -- before

    def _source_when_ready(self) -> ModelNow:
        """The model, once the version is READY. Raises NotFound or Conflict."""
        end = self.clock.running() + READY_WITHIN
        while True:
            source = self.registry.model(self.promotion.model)
            version = self._check(source, pending=True)
            if version is None or version.status == READY:
                return source
            if self.clock.running() > end:
                raise Conflict(
                    f"v{version.version} of {source.model.name} is still {version.status}; nothing was changed.",
                    "Promote it once it is READY.",
                )
            self.tell(f"waiting for v{version.version} to become READY")
            self.clock.pause(_NEXT_LOOK)

    def _check(self, source: ModelNow, pending: bool = False) -> ModelVersion | None:
        """The version that is promoted, None where nothing is but an alias is taken away."""
        name, number = self.promotion.model, self.promotion.version
        if self.promotion.way is Way.REMOVE:
            if self.to.kind is not DestinationKind.ALIAS:
                raise Invalid(f"{self.to.shown} can't be taken away; only an alias can.", "Move another version there.")
            return None
        version = source.version(number)
        if version is None:
            raise NotFound(f"{name} has no version {number}; nothing was changed.", "Look at its versions again.")
        if version.status == READY or (pending and version.status != FAILED):
            return version
        why = f": {version.status_message}" if version.status_message else ""
        raise Conflict(f"v{number} of {name} is {version.status}{why}; nothing was changed.", "Promote another one.")

    def _destination(self, source: ModelNow) -> ModelNow:
        """The state of the model where something changes; one that gets copies is made where there is none."""
        if not self.copies or self.to.name == source.model.name:
            return source
        try:
            return self.registry.model(self.to.name)
        except NotFound:
            if self.promotion.before:
                raise
        self.tell(f"registering the model {self.to.name}")
        try:
            self.registry.change(AddModel(self.to.name))
        except (Conflict, OutcomeUnknown):
            pass  # somebody else was quicker, or it is read next
        return self.registry.model(self.to.name)

    def _already(self, now: ModelNow) -> Promoted | None:
        """Nothing to do: it is where it should be. For a copy: the newest version there is one of this version."""
        holders = self.to.holders(now)
        if self.copies:
            newest = now.versions[0] if now.versions else None
            if newest is None or newest.source != self._address:
                return None
            return Promoted(holders, True, newest.version, tuple(self.warnings))
        there = landed(self.move, now) is Landed.THERE
        return Promoted(holders, True, "", tuple(self.warnings)) if there else None

    def _compare(self, now: ModelNow) -> None:
        holders = self.to.holders(now)
        if holders == self.promotion.before:
            return
        last = history(now, self.to).moves[-1:]
        since = ""
        for move in last:
            if move.record is not None and move.record.version in holders:
                moment = datetime.fromtimestamp(move.record.at / 1000, UTC)
                since = f", brought there by {move.record.who} at {moment:%Y-%m-%d %H:%M} UTC"
        raise Conflict(
            f"{self.to.shown} of {self.move.where} is held by {shown(holders)}{since}, and not by "
            f"{shown(self.promotion.before)} as it was shown; nothing was changed.",
            "Look at what it is compared with again.",
        )

    @property
    def _address(self) -> str:
        return f"models:/{self.promotion.model}/{self.promotion.version}"

    def _change(self, source: ModelNow) -> Change:
        model, version = self.promotion.model, self.promotion.version
        match self.to.kind:
            case DestinationKind.ALIAS:
                return SetAlias(model, self.to.name, None if self.promotion.way is Way.REMOVE else version)
            case DestinationKind.STAGE:
                return SetStage(model, version, self.to.name, self.promotion.archive)
            case DestinationKind.MODEL:
                copied = source.version(version)
                tags = {key: text for key, text in (copied.tags if copied else {}).items() if not key.startswith(OWN)}
                tags[key_of(self.promotion.id)] = encoded(self.move.record).decode()
                run_id, description = (copied.run_id, copied.description) if copied else ("", "")
                return AddVersion(self.to.name, self._address, run_id, tags, description)

    # -- the write, and after

    def _write(self, turn: Turn, change: Change) -> Promoted:
        doubt: TowerError | None = None
        refusal: TowerError | None = None
        try:
            self.registry.change(change)
        except OutcomeUnknown as error:
            doubt = error
        except TowerError as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 - a source with a defect may have written all the same
            doubt = OutcomeUnknown(f"The registry failed in the middle: {error!r}.")
        try:
            now = self._read_back(turn, again=doubt is not None)
        except TowerError as error:
            if refusal is not None:
                turn.release()
                raise refusal from None
            # The intent stays: it holds the record, for whoever finds out.
            raise OutcomeUnknown(
                f"{self.to.shown} of {self.move.where} may or may not be moved to "
                f"{shown((self.promotion.version,) if self.promotion.version else ())}: {(doubt or error).tried}",
                f"It can't be read back ({error.tried}) It is looked at again later.",
            ) from error
        state = landed(self.move, now)
        if refusal is not None:
            turn.release()
            raise self._with_state(refusal, now)
        if doubt is not None and state is not Landed.THERE:
            turn.release()
            raise self._lost(doubt, state, now)
        return self._recorded(turn, now, state)

    def _recorded(self, turn: Turn, now: ModelNow, state: Landed) -> Promoted:
        """It took effect, and stays where another client's write didn't come at once: either way it has a record."""
        holders, copied_as = self.to.holders(now), self.move.copy_in(now) if self.copies else ""
        warning = write_record(self.registry, self.move, copied_as)
        # An intent whose record can't be written stays: it holds the record.
        self.warnings += [one for one in (warning or turn.release(),) if one]
        if state is not Landed.THERE:
            warned = f" {' '.join(self.warnings)}" if self.warnings else ""
            raise Conflict(
                f"{self.to.shown} of {self.move.where} was moved to {self._wanted}, and at once on to {shown(holders)} "
                f"by another client.{warned}",
                "Look at who did that: it doesn't compare before it writes.",
            )
        return Promoted(holders, False, copied_as, tuple(self.warnings))

    def _read_back(self, turn: Turn, again: bool) -> ModelNow:
        """The state after the write; `again`: a server that didn't answer may still be at it."""
        failed: TowerError | None = None
        for attempt in range(_READS):
            if attempt:
                self.clock.pause(_LOOK_AGAIN)
            try:
                now = self.registry.model(turn.model)
            except TowerError as error:
                failed = error
                continue
            if not again or landed(self.move, now) is Landed.THERE:
                return now
            again, failed = False, None
        raise failed or Unreachable("The registry didn't answer.")

    @property
    def _wanted(self) -> str:
        return f"v{self.promotion.version}" if self.promotion.version else "nobody"

    def _with_state(self, error: TowerError, now: ModelNow) -> TowerError:
        state = f"{self.to.shown} of {self.move.where} is held by {shown(self.to.holders(now))}, as read back."
        told = type(error)(f"{error.tried} {state}", error.remedy)
        told.__cause__ = error
        return told

    def _lost(self, doubt: TowerError, state: Landed, now: ModelNow) -> TowerError:
        """The write was begun and isn't there."""
        if state is Landed.AS_BEFORE:
            old = Unreachable(f"It did not take effect: {doubt.tried}", "Do it again if it is still wanted.")
            return self._with_state(old, now)
        return self._with_state(
            Conflict(f"Another client moved it meanwhile, and this write didn't answer: {doubt.tried}", "Look again."),
            now,
        )
