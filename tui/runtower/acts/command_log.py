"""The command log for people: a line for each write, and each in full."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtower.acts.offers import Offer
from runtower.link.commandlog import Entry, read
from runtower.present.times import clock


@dataclass(frozen=True)
class LogEntry:
    """One write: its title, lines as (text, tone), and the command that does the same."""

    title: str
    lines: list[tuple[str, str]]
    command: str


def offers(file: Path, now_ms: float) -> list[Offer]:
    """All writes, the newest first; the value is the id."""
    return [
        Offer(entry.intent.id, f"{clock(entry.intent.time, now_ms)}  {entry.intent.what}", _ended(entry))
        for entry in reversed(read(file))
    ]


def whole(file: Path, entry_id: str, now_ms: float) -> LogEntry:
    """One write in full. Raises KeyError where the log no longer has it."""
    entry = {one.intent.id: one for one in read(file)}[entry_id]
    intent = entry.intent
    lines = [
        (_ended(entry), "" if entry.outcome == "done" else "warning"),
        (f"on {intent.address}", ""),
        (f"run {intent.run_name}  {intent.edit.run_id}", ""),
        (f"{clock(intent.time, now_ms)}, {intent.who}, source {intent.source}", "dim"),
        ("", ""),
        (intent.command, "bright"),
    ]
    return LogEntry(intent.what, lines, intent.command)


def _ended(entry: Entry) -> str:
    """How it ended, in words."""
    if entry.result is None:
        return "not settled yet"
    return f"{entry.outcome}: {entry.result.says}" if entry.result.says else entry.outcome
