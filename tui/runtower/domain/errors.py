"""One taxonomy of errors. Status line, exit code and headless JSON derive from it.

Each error says what was tried, on what, and what to do next. The classes cross the process
boundary by their `name`, so a name is part of the wire and never changes its meaning.
"""

from __future__ import annotations

from typing import ClassVar


class TowerError(Exception):
    """An error a user can act on.

    `tried` is what was attempted on which object, `remedy` the next step, both whole sentences.
    """

    name: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, tried: str, remedy: str = "") -> None:
        super().__init__(tried)
        self.tried = tried
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.tried} {self.remedy}".strip()


class Unreachable(TowerError):
    """Nothing answered, or not in time."""

    name = "unreachable"
    exit_code = 4


class Unauthorised(TowerError):
    """The server wants other credentials."""

    name = "unauthorised"
    exit_code = 5


class Forbidden(TowerError):
    """The credentials are known and not enough, or the target is read-only."""

    name = "forbidden"
    exit_code = 5


class NotFound(TowerError):
    """No such object, or a name that fits several."""

    name = "not_found"
    exit_code = 6


class Conflict(TowerError):
    """The object changed since it was shown."""

    name = "conflict"
    exit_code = 7


class OutcomeUnknown(TowerError):
    """A write was begun, and whether it took effect can't be told."""

    name = "unknown"
    exit_code = 8


class PartlyDone(TowerError):
    """Of several writes some were done."""

    name = "partly_done"
    exit_code = 9


class Invalid(TowerError):
    """The words of a command, a setting or a file make no sense."""

    name = "invalid"
    exit_code = 2


class NotMet(TowerError):
    """A gate isn't met, and nobody overrode it."""

    name = "not_met"
    exit_code = 3


class CantTell(TowerError):
    """A gate can't be told: something that its rules need isn't known."""

    name = "cant_tell"
    exit_code = 11


class Different(TowerError):
    """No failure but an answer: what was compared is not the same. Commands only exit with its code."""

    name = "different"
    exit_code = 10


class TooNew(TowerError):
    """The store was written by a newer version than any that was tried."""

    name = "too_new"


class TooOld(TowerError):
    """The store has to be upgraded before it can be read."""

    name = "too_old"


class Busy(TowerError):
    """Somebody holds a lock, or asks for patience; a later try may go through.

    `after`: in how many seconds, where the other side said so.
    """

    name = "busy"

    def __init__(self, tried: str, remedy: str = "", after: float | None = None) -> None:
        super().__init__(tried, remedy)
        self.after = after


class Cancelled(TowerError):
    """Nobody waits for the answer any more."""

    name = "cancelled"
    exit_code = 130


class Broken(TowerError):
    """A defect of ours, or of a library that a source uses."""

    name = "broken"


ALL: dict[str, type[TowerError]] = {
    kind.name: kind
    for kind in (
        TowerError,
        Unreachable,
        Unauthorised,
        Forbidden,
        NotFound,
        Conflict,
        OutcomeUnknown,
        PartlyDone,
        Invalid,
        NotMet,
        CantTell,
        Different,
        TooNew,
        TooOld,
        Busy,
        Cancelled,
        Broken,
    )
}


def from_name(name: str, tried: str, remedy: str) -> TowerError:
    """The error that `name` stands for; a name of a newer version becomes a plain failure."""
    return ALL.get(name, TowerError)(tried, remedy)
