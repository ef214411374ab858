"""Several runtowers that promote at once, stepping in all orders with a few changes of turn and in many drawn ones:
never two that report success from the same holder, never a lost record."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from support.memory_registry import MemoryRegistry, StillClock
from support.stepping import Stepping

from runtower.domain.errors import Busy, Conflict, TowerError
from runtower.domain.promotions import Promoted, Promotion, destination_of
from runtower.domain.ulids import new_id
from runtower.promote.history import history
from runtower.promote.records import all_records
from runtower.promote.transaction import carry_out

CHAMPION = destination_of("champion")
Choose = Callable[[list[int], int | None], int]


class Lab:
    """A registry whose every call is a step, and clients that promote in it."""

    def __init__(self, choose: Choose, versions: int = 9) -> None:
        self.registry = MemoryRegistry()
        self.registry.add("m", versions, champion="1")
        self.clock = StillClock()
        self.paused = False
        self.stepping = Stepping(self._fair(choose))
        self.registry.trouble = lambda call, done: None if done else self.stepping.step()
        self.clock.on_pause = self._pause

    def _fair(self, choose: Choose) -> Choose:
        """Who waits lets another one step, if there is one."""

        def chosen(alive: list[int], last: int | None) -> int:
            others = [one for one in alive if one != last]
            if self.paused and others and last is not None:
                self.paused = False
                return next((one for one in others if one > last), others[0])
            return choose(alive, last)

        return chosen

    def _pause(self) -> None:
        self.paused = True
        self.stepping.step()

    def promote(self, version: str, before: tuple[str, ...] = ("1",)) -> Promoted | TowerError:
        wanted = Promotion(new_id(), 0, f"client {version}", "m", version, CHAMPION, before)
        try:
            return carry_out(self.registry, wanted, clock=self.clock)
        except TowerError as error:
            return error

    def recorded(self) -> list[str]:
        return [one.record.version for one in all_records(self.registry.model("m"))]

    def marks(self) -> list[str]:
        return [key for key in self.registry.tags() if key.startswith("runtower.intent.")]


def switching(first: int, at: set[int]) -> Choose:
    """Goes on with who took the last step, but at these steps, where the next one's turn comes."""
    count = itertools.count()

    def choose(alive: list[int], last: int | None) -> int:
        if last is None:
            return first
        if next(count) not in at and last in alive:
            return last
        return next((one for one in alive if one > last), alive[0])

    return choose


def drawn(seed: int) -> Choose:
    draw = random.Random(seed)
    return lambda alive, last: draw.choice(alive)


def orders(clients: int, steps: int, switches: int) -> Iterator[tuple[int, set[int]]]:
    for first in range(clients):
        for count in range(switches + 1):
            for at in itertools.combinations(range(steps), count):
                yield first, set(at)


def check_one_winner(lab: Lab, outcomes: list[Promoted | TowerError], versions: list[str]) -> None:
    won = [version for version, one in zip(versions, outcomes, strict=True) if isinstance(one, Promoted)]
    assert len(won) <= 1, "two report success from the same holder"
    for outcome in outcomes:
        if isinstance(outcome, TowerError):
            assert isinstance(outcome, Conflict | Busy)
            assert "nothing was changed" in str(outcome)
    assert lab.recorded() == won
    assert lab.marks() == []
    assert lab.registry.models["m"].aliases["champion"] == (won[0] if won else "1")


def test_of_two_that_start_from_the_same_holder_one_wins_in_every_order() -> None:
    winners = 0
    for first, at in orders(clients=2, steps=16, switches=3):
        lab = Lab(switching(first, at))
        outcomes = lab.stepping.run([lambda lab=lab: lab.promote("2"), lambda lab=lab: lab.promote("3")])  # type: ignore[misc]
        check_one_winner(lab, outcomes, ["2", "3"])
        winners += any(isinstance(one, Promoted) for one in outcomes)
    assert winners == sum(1 for _ in orders(2, 16, 3)), "somebody always gets through"


@pytest.mark.parametrize("seed", range(200))
def test_of_three_that_start_from_the_same_holder_at_most_one_wins(seed: int) -> None:
    lab = Lab(drawn(seed))
    outcomes = lab.stepping.run([lambda v=v: lab.promote(v) for v in "234"])  # type: ignore[misc]
    check_one_winner(lab, outcomes, ["2", "3", "4"])


@pytest.mark.parametrize("seed", range(60))
def test_those_that_look_again_all_get_their_turn_and_the_history_has_no_gap(seed: int) -> None:
    lab = Lab(drawn(seed))

    def insists(version: str) -> int:
        for attempt in itertools.count(1):
            holders = CHAMPION.holders(lab.registry.model("m"))
            outcome = lab.promote(version, holders)
            if isinstance(outcome, Promoted):
                return attempt
            lab.clock.pause(1)
        raise AssertionError

    lab.stepping.run([lambda v=v: insists(v) for v in "2345"])  # type: ignore[misc]
    moves = history(lab.registry.model("m"), CHAMPION).moves
    assert sorted(move.after[0] for move in moves) == ["2", "3", "4", "5"]
    assert not any(move.elsewhere for move in moves)
    assert [move.before for move in moves] == [("1",), *[move.after for move in moves[:-1]]]
    assert lab.marks() == []


def test_another_client_at_any_moment_is_found_by_reading_back_or_seen_in_the_history() -> None:
    for place in range(16):
        lab = Lab(switching(0, {place}))

        def foreign(lab: Lab = lab) -> Promoted | TowerError:
            lab.stepping.step()
            lab.registry.move("champion", "9")
            return Promoted(("9",))

        outcome, _ = lab.stepping.run([lambda lab=lab: lab.promote("2"), foreign])  # type: ignore[misc]
        holder = lab.registry.models["m"].aliases["champion"]
        moves = history(lab.registry.model("m"), CHAMPION).moves
        assert moves[-1].after == (holder,)
        if isinstance(outcome, Promoted):
            assert lab.recorded() == ["2"]
            assert moves[-1].elsewhere is (holder == "9")
        else:
            assert isinstance(outcome, Conflict)
            assert holder == "9", "a conflict names who holds it"
            assert "v9" in str(outcome)
        assert lab.marks() == []


def test_clocks_that_differ_by_minutes_make_no_second_winner() -> None:
    for first, at in orders(clients=2, steps=16, switches=2):
        lab = Lab(switching(first, at))
        ahead = StillClock(lab.clock.ms)
        ahead.ahead = 290_000
        ahead.on_pause = lab.clock.on_pause

        def other(lab: Lab = lab, clock: StillClock = ahead) -> Promoted | TowerError:
            wanted = Promotion(new_id(), 0, "b", "m", "3", CHAMPION, ("1",))
            wanted = replace(wanted, id="00" + wanted.id[2:])  # seems the older one, whenever it comes
            try:
                return carry_out(lab.registry, wanted, clock=clock)
            except TowerError as error:
                return error

        outcomes = lab.stepping.run([lambda lab=lab: lab.promote("2"), other])  # type: ignore[misc]
        check_one_winner(lab, outcomes, ["2", "3"])
