"""One promotion in a registry that fails at every place it can: old or new state, told as it is, and a record."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.memory_registry import MemoryRegistry, StillClock

from runtower.domain.errors import (
    Busy,
    Cancelled,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    TowerError,
    Unreachable,
)
from runtower.domain.model_changes import AddVersion, SetAlias, SetStage, SetTag
from runtower.domain.models import ARCHIVED, FAILED, PENDING, PRODUCTION, READY
from runtower.domain.promotions import Promoted, Promotion, State, Verdict, Way, destination_of
from runtower.promote.history import history, previous
from runtower.promote.intents import LEASE_MS, key_of, value_of
from runtower.promote.records import all_records, decoded, encoded, record_of
from runtower.promote.records import key_of as record_key
from runtower.promote.settling import settle
from runtower.promote.transaction import carry_out

_numbers = itertools.count()


def new_id() -> str:
    """As ids of runtower are, in the order they were made, at the time at which the clock stands."""
    return f"01HF7YAT00{next(_numbers):016d}"


CHAMPION = destination_of("champion")


@pytest.fixture
def registry() -> MemoryRegistry:
    made = MemoryRegistry()
    made.add("m", 4, champion="3")
    return made


def promotion(version: str = "4", to: str = "champion", before: tuple[str, ...] = ("3",), **more: object) -> Promotion:
    first = Promotion(new_id(), 1_700_000_000_000, "ana@host", "m", version, destination_of(to), before)
    return replace(first, **more)  # type: ignore[arg-type]


def run(registry: MemoryRegistry, wanted: Promotion, clock: StillClock | None = None) -> Promoted:
    return carry_out(registry, wanted, clock=clock or StillClock())


def ended(registry: MemoryRegistry, wanted: Promotion) -> Promoted | TowerError:
    try:
        return run(registry, wanted)
    except TowerError as raised:
        return raised


def champion(registry: MemoryRegistry) -> str | None:
    return registry.models["m"].aliases.get("champion")


def recorded(registry: MemoryRegistry, model: str = "m") -> list[str]:
    trouble, registry.trouble = registry.trouble, lambda call, done: None
    found = [one.id for one in all_records(registry.model(model))]
    registry.trouble = trouble
    return found


def marks(registry: MemoryRegistry, model: str = "m") -> list[str]:
    return [key for key in registry.tags(model=model) if key.startswith("runtower.intent.")]


def test_it_moves_records_and_leaves_nothing_behind(registry: MemoryRegistry) -> None:
    gate = (Verdict("max ms 40", State.MET, "39, at most 40 is asked for"),)
    wanted = promotion(gate=gate, reason="better", context={"ci": "github"})
    assert run(registry, wanted) == Promoted(("4",))
    assert champion(registry) == "4"
    assert marks(registry) == []
    record = decoded(registry.tags("4")[record_key(wanted.id)])
    assert record is not None
    assert (record.who, record.before, record.to, record.reason) == ("ana@host", ("3",), "champion", "better")
    assert (record.gate[0].rule, record.gate_state) == ("max ms 40", State.MET)
    kinds = [type(call).__name__ for call in registry.writes()]
    assert kinds == ["SetTag", "SetAlias", "SetTag", "SetTag"]


def test_what_is_there_already_writes_nothing(registry: MemoryRegistry) -> None:
    assert run(registry, promotion("3", before=("2",))) == Promoted(("3",), already=True)
    assert registry.writes() == []


def test_a_holder_that_isnt_as_shown_is_refused_with_who_put_it_there(registry: MemoryRegistry) -> None:
    run(registry, promotion("4"))
    with pytest.raises(
        Conflict, match=r"held by v4, brought there by ana@host at 2023-11-14 22:13 UTC, and not by v3 .* nothing"
    ):
        run(registry, promotion("2"))
    assert champion(registry) == "4"
    assert marks(registry) == []


def test_what_isnt_there_or_failed_is_refused(registry: MemoryRegistry) -> None:
    with pytest.raises(NotFound):
        run(registry, promotion("9"))
    with pytest.raises(NotFound):
        run(registry, promotion(model="none"))
    registry.alter("4", status=FAILED, status_message="no files")
    with pytest.raises(Conflict, match="v4 of m is FAILED_REGISTRATION: no files; nothing was changed"):
        run(registry, promotion("4"))
    assert registry.writes() == []


def test_a_pending_version_is_waited_for(registry: MemoryRegistry) -> None:
    registry.alter("4", status=PENDING)
    clock = StillClock()
    clock.on_pause = lambda: registry.alter("4", status=READY) if clock.ms % 5000 == 0 else None
    assert run(registry, promotion("4"), clock).holders == ("4",)
    registry.alter("2", status=PENDING)
    with pytest.raises(Conflict, match="v2 of m is still PENDING_REGISTRATION"):
        run(registry, promotion("2", before=("4",)))


def test_an_alias_is_taken_away_and_its_last_holder_tells(registry: MemoryRegistry) -> None:
    wanted = promotion("", way=Way.REMOVE)
    assert run(registry, wanted) == Promoted(())
    assert champion(registry) is None
    assert record_key(wanted.id) in registry.tags("3")
    with pytest.raises(Invalid):
        run(registry, promotion("", "stage:Production", way=Way.REMOVE))


def test_a_stage_with_and_without_those_that_are_in_it(registry: MemoryRegistry) -> None:
    registry.alter("2", stage=PRODUCTION)
    assert run(registry, promotion("4", "stage:Production", ("2",))).holders == ("4", "2")
    assert run(registry, promotion("3", "stage:Production", ("4", "2"), archive=True)).holders == ("3",)
    assert [one.stage for one in registry.versions["m"]] == [ARCHIVED, PRODUCTION, ARCHIVED, "None"]
    moves = history(registry.model("m"), destination_of("stage:Production")).moves
    assert [(move.before, move.after) for move in moves] == [(("2",), ("4", "2")), (("4", "2"), ("3",))]


def test_a_version_that_another_stage_took_left_this_one_by_its_record(registry: MemoryRegistry) -> None:
    run(registry, promotion("4", "stage:Staging", ()))
    taken = promotion("4", "stage:Production", ())
    run(registry, taken)
    moves = history(registry.model("m"), destination_of("stage:Staging")).moves
    assert [(move.before, move.after, move.id == taken.id) for move in moves] == [
        ((), ("4",), False),
        (("4",), (), True),
    ]


def test_a_copy_into_a_model_that_isnt_there_yet(registry: MemoryRegistry) -> None:
    wanted = promotion("4", "model:m-prod", ())
    assert run(registry, wanted) == Promoted(("1",), copied_as="1")
    (copy,) = registry.versions["m-prod"]
    assert (copy.source, copy.run_id, copy.tags["n"]) == ("models:/m/4", "run4", "4")
    record = decoded(registry.tags("4")[record_key(wanted.id)])
    assert record is not None
    assert (record.to, record.copied_as) == ("model:m-prod", "1")
    assert run(registry, promotion("4", "model:m-prod", ())).already
    assert run(registry, promotion("3", "model:m-prod", ("1",))).copied_as == "2"
    now = registry.model("m-prod")
    assert [move.after for move in history(now, destination_of("model:m-prod")).moves] == [("1",), ("2",)]
    assert history(registry.model("m"), CHAMPION).moves[0].elsewhere
    assert marks(registry, "m-prod") == []


def failing(registry: MemoryRegistry, place: int, error: TowerError, after: bool) -> Callable[[object, bool], None]:
    """Fails once, at the n-th call of all that is asked, before it takes effect or after."""
    count = iter(range(10_000))

    def trouble(call: object, done: bool) -> None:
        if not done and next(count) == place:
            trouble.hit = True  # type: ignore[attr-defined]
            if not after:
                raise error
        elif done and after and getattr(trouble, "hit", False):
            trouble.hit = False  # type: ignore[attr-defined]
            raise error

    return trouble


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", range(12))
@pytest.mark.parametrize("to", ["champion", "stage:Production", "model:m-prod"])
def test_an_answer_that_is_lost_anywhere_leaves_old_or_new_state_and_says_which(
    to: str, place: int, after: bool
) -> None:
    registry = MemoryRegistry()
    registry.add("m", 4, champion="3")
    registry.alter("3", stage=PRODUCTION)
    registry.add("m-prod", 1)
    before = ("1",) if to == "model:m-prod" else ("3",)
    wanted = promotion("4", to, before, archive=True)
    error = OutcomeUnknown("The server didn't answer.")
    registry.trouble = failing(registry, place, error, after)
    where = wanted.to.name if to == "model:m-prod" else "m"
    outcome = ended(registry, wanted)
    registry.trouble = lambda call, done: None
    holders = wanted.to.holders(registry.model(where))
    if isinstance(outcome, TowerError):
        says = str(outcome)
        assert "nothing was changed" in says or "as read back" in says or outcome is error
        assert not isinstance(outcome, OutcomeUnknown) or outcome is error, "one read that fails is asked again"
        assert (holders, recorded(registry)) == (before, [])
    else:
        assert holders == outcome.holders != before
        assert wanted.id in recorded(registry), "a record is never lost"
        assert marks(registry, where) == [] or outcome.warnings
    assert settle(registry, wanted, StillClock()).word in ("done", "refused")
    assert marks(registry, where) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("place", range(11))
@pytest.mark.parametrize("to", ["champion", "model:m-prod"])
def test_a_server_that_is_lost_for_good_anywhere_is_settled_once_it_is_back(to: str, place: int, after: bool) -> None:
    registry = MemoryRegistry()
    registry.add("m", 4, champion="3")
    registry.add("m-prod", 1)
    before = ("1",) if to == "model:m-prod" else ("3",)
    wanted = promotion("4", to, before)
    asked = iter(range(10_000))
    state = {"down": False}

    def trouble(call: object, done: bool) -> None:
        if not done and not state["down"] and next(asked) == place:
            state["down"] = True
            if after and not isinstance(call, str):
                state["last"] = True
                return
        if state["down"]:
            raise OutcomeUnknown("Lost.") if not isinstance(call, str) else Unreachable("Lost.")

    registry.trouble = trouble
    outcome = ended(registry, wanted)
    assert settle(registry, wanted, StillClock()).word == "unknown" or not state["down"]
    registry.trouble = lambda call, done: None
    where = wanted.to.name if to == "model:m-prod" else "m"
    moved = wanted.to.holders(registry.model(where)) != before
    settled = settle(registry, wanted, StillClock())
    assert settled.word == ("done" if moved else "refused")
    assert (wanted.id in recorded(registry)) is moved
    assert marks(registry, where) == []
    if isinstance(outcome, Promoted):
        assert moved
    elif not isinstance(outcome, OutcomeUnknown):
        assert not moved
    assert settle(registry, wanted, StillClock()).word == settled.word, "settled twice is the same"


@pytest.mark.parametrize("kind", [Forbidden, Unreachable, Conflict])
def test_a_refused_write_says_who_holds_it(registry: MemoryRegistry, kind: type[TowerError]) -> None:
    def trouble(call: object, done: bool) -> None:
        if isinstance(call, SetAlias) and not done:
            raise kind("The server says no.")

    registry.trouble = trouble
    with pytest.raises(kind, match=r"The server says no\. @champion of m is held by v3, as read back"):
        run(registry, promotion())
    assert (marks(registry), recorded(registry)) == ([], [])


def test_another_client_right_after_is_told_and_ours_is_recorded(registry: MemoryRegistry) -> None:
    def trouble(call: object, done: bool) -> None:
        if isinstance(call, SetAlias) and done:
            registry.move("champion", "1")

    registry.trouble = trouble
    wanted = promotion()
    with pytest.raises(Conflict, match="was moved to v4, and at once on to v1 by another client"):
        run(registry, wanted)
    assert recorded(registry) == [wanted.id]
    assert marks(registry) == []
    moves = history(registry.model("m"), CHAMPION).moves
    assert [(move.after, move.elsewhere) for move in moves] == [(("4",), False), (("1",), True)]


def test_a_record_that_cant_be_written_waits_in_the_mark_for_the_next_one(registry: MemoryRegistry) -> None:
    def trouble(call: object, done: bool) -> None:
        if isinstance(call, SetTag) and call.version:
            raise Forbidden("No tags on versions today.")

    registry.trouble = trouble
    wanted = promotion()
    promoted = run(registry, wanted)
    assert champion(registry) == "4"
    assert "record of this promotion could not be written" in promoted.warnings[0]
    registry.trouble = lambda call, done: None
    assert recorded(registry) == []
    with pytest.raises(Conflict, match="ana@host is changing @champion of m right now"):
        run(registry, promotion("2", before=("4",)))
    clock = StillClock()
    clock.ms += LEASE_MS
    after = run(registry, promotion("2", before=("4",)), clock)
    assert "its record was written" in after.warnings[0]
    assert wanted.id in recorded(registry)
    assert marks(registry) == []
    assert [move.after for move in history(registry.model("m"), CHAMPION).moves] == [("4",), ("2",)]


def test_marks_of_the_dead_stop_counting(registry: MemoryRegistry) -> None:
    clock = StillClock()
    dead = promotion("1", who="bob@desk")
    registry.change(SetTag("m", "", key_of(CHAMPION, dead.id), value_of(record_of(dead), clock.now_ms())))
    registry.change(SetTag("m", "", f"runtower.intent.champion.{new_id()}", "no JSON"))
    with pytest.raises(Conflict, match="bob@desk is changing @champion of m right now; nothing was changed"):
        run(registry, promotion(), clock)
    clock.ms += LEASE_MS
    promoted = run(registry, promotion(), clock)
    assert promoted.warnings[0] == "A mark that bob@desk left behind was taken away."
    assert promoted.warnings[1].startswith("A mark that nobody can read was taken away: runtower.intent.champion.")
    assert marks(registry) == []


def test_an_alias_doesnt_wait_for_another_one(registry: MemoryRegistry) -> None:
    other = promotion("1", "challenger", ())
    registry.change(SetTag("m", "", key_of(other.to, other.id), value_of(record_of(other), StillClock().now_ms())))
    assert run(registry, promotion()).holders == ("4",)
    assert len(key_of(destination_of("a" * 255), other.id)) < 250
    first, second = destination_of("stage:Staging"), destination_of("stage:Production")
    assert key_of(first, other.id) == key_of(second, other.id)


def test_one_that_comes_before_and_never_goes_is_not_waited_for_without_end(registry: MemoryRegistry) -> None:
    mine = promotion()
    younger = promotion("1", who="bob@desk")
    clock = StillClock()
    registry.change(SetTag("m", "", key_of(CHAMPION, younger.id), value_of(record_of(younger), clock.now_ms())))
    with pytest.raises(Busy, match="bob@desk is changing @champion of m and doesn't end; nothing was changed"):
        run(registry, mine, clock)
    assert (champion(registry), len(marks(registry))) == ("3", 1)


def test_a_write_that_comes_too_late_doesnt_begin(registry: MemoryRegistry) -> None:
    clock = StillClock()

    def trouble(call: object, done: bool) -> None:
        if isinstance(call, SetTag) and done:
            clock.ms += 181_000

    registry.trouble = trouble
    with pytest.raises(Conflict, match="too long to get to the write; nothing was changed"):
        run(registry, promotion(), clock)
    assert champion(registry) == "3"


def test_nobody_who_wants_it_any_more(registry: MemoryRegistry) -> None:
    def tell(doing: str) -> None:
        if doing.startswith("moving"):
            raise Cancelled("Nobody waits.")

    with pytest.raises(Cancelled):
        carry_out(registry, promotion(), tell, StillClock())
    assert (champion(registry), marks(registry)) == ("3", [])


def test_a_lost_write_that_lands_late_is_seen_the_second_time(registry: MemoryRegistry) -> None:
    clock = StillClock()
    pending: list[str] = []

    def trouble(call: object, done: bool) -> None:
        if isinstance(call, SetAlias) and not done:
            pending.append("4")
            raise OutcomeUnknown("No answer.")

    registry.trouble = trouble
    clock.on_pause = lambda: registry.move("champion", pending.pop()) if pending else None
    assert run(registry, promotion(), clock).holders == ("4",)


def test_previous_goes_back_and_not_forth_again(registry: MemoryRegistry) -> None:
    run(registry, promotion("1", before=("3",)))
    run(registry, promotion("2", before=("1",), at=1_700_000_000_001))
    assert previous(registry.model("m"), CHAMPION) == "1"
    run(registry, promotion("1", before=("2",), at=1_700_000_000_002, way=Way.ROLLBACK))
    assert previous(registry.model("m"), CHAMPION) == "3"
    registry.move("champion", "4")
    assert previous(registry.model("m"), CHAMPION) == "1"
    registry.alter("1", status=FAILED)
    assert previous(registry.model("m"), CHAMPION) == "3"
    assert previous(registry.model("m"), destination_of("shadow")) is None


def test_a_record_fits_into_a_tag_whatever_is_said() -> None:
    gate = tuple(Verdict(f"must_beat metric_{n} " + "é" * 300, State.MET, "ü" * 400) for n in range(50))
    gate += (Verdict("max ms 1", State.NOT_MET, "2"),)
    wanted = promotion(gate=gate, reason="ö" * 9000, override="x" * 9000, context={"url": "y" * 9000})
    record = record_of(wanted)
    assert len(encoded(record)) <= 3500
    assert record.cut
    assert any(line.rule == "max ms 1" for line in record.gate)
    assert len(value_of(record, 0).encode()) < 4096


def test_changes_are_told_before_they_happen(registry: MemoryRegistry) -> None:
    told: list[str] = []
    carry_out(registry, promotion(), told.append, StillClock())
    assert told == ["waiting for its turn", "moving @champion"]
    assert not any(isinstance(call, AddVersion | SetStage) for call in registry.writes())
