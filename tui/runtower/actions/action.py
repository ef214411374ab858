"""One thing that a user can do, as the registry of actions has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do.

    `keys` as Textual names them; a sequence has spaces ("g g"). `places` are the screens that offer it. `short` is
    what the footer says, '' where it never stands there. `starts` marks what starts, writes or stops something.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    group: str
    places: tuple[str, ...] = ("runs",)
    short: str = ""
    tooltip: str = ""
    starts: bool = False
