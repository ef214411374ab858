"""What can happen to a run that a user wants to hear of without looking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runtower.domain.runs import RunKey


class What(StrEnum):
    """The kinds, by the words that settings and options use."""

    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    KILLED = "killed"
    NAN = "nan"  # a metric is NaN or infinite for the first time
    SILENT = "silent"  # well beyond its own usual interval


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to one run. `at_ms` is when we heard of it (UTC epoch ms), `text` what is said of it
    after the run's `name`; `away`: it happened while runtower was closed."""

    run: RunKey
    name: str
    what: What
    at_ms: int
    text: str
    away: bool = False

    @property
    def source(self) -> str:
        """The name of the run's source."""
        return self.run.source


def summary(happenings: tuple[Happening, ...]) -> str:
    """`lr=0.001 failed after 8m00` of one; `5 runs finished, 1 failed` of several; '' of none."""
    if not happenings:
        return ""
    away = "while you were away: " if all(one.away for one in happenings) else ""
    if len(happenings) == 1:
        return f"{away}{happenings[0].name} {happenings[0].text}"
    parts: list[str] = []
    for what, words in _COUNTED.items():
        count = sum(one.what is what for one in happenings)
        if count:
            noun = "" if parts else " run" if count == 1 else " runs"
            parts.append(f"{count}{noun} {words[count > 1]}")
    return away + ", ".join(parts)


# What is said of one, and of several.
_COUNTED: Final = {
    What.FINISHED: ("finished", "finished"),
    What.FAILED: ("failed", "failed"),
    What.KILLED: ("was killed", "were killed"),
    What.NAN: ("went NaN", "went NaN"),
    What.SILENT: ("is silent", "are silent"),
    What.STARTED: ("started", "started"),
}
