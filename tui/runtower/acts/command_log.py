"""The command log for people: a line for each write, and each in full."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtower.acts.offers import Offer
from runtower.link.commandlog import Entry, ModelEntry, read_all
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
        for entry in reversed(read_all(file))
    ]


def whole(file: Path, entry_id: str, now_ms: float) -> LogEntry:
    """One write in full. Raises KeyError where the log no longer has it."""
    entry = {one.intent.id: one for one in read_all(file)}[entry_id]
    intent = entry.intent
    lines = [
        (_ended(entry), "" if entry.outcome == "done" else "warning"),
        (f"on {intent.address}", ""),
        *_of(entry),
        (f"{clock(intent.time, now_ms)}, {intent.who}, source {intent.source}", "dim"),
    ]
    if intent.command:
        lines += [("", ""), (intent.command, "bright")]
    return LogEntry(intent.what, lines, intent.command)


def _of(entry: Entry | ModelEntry) -> list[tuple[str, str]]:
    """What it was written to, and why."""
    if isinstance(entry, Entry):
        return [(f"run {entry.intent.run_name}  {entry.intent.edit.run_id}", "")]
    promotion, edit = entry.intent.promotion, entry.intent.edit
    if promotion is None:
        return [(f"model {edit.change.model}", "")] if edit is not None else []
    before = ", ".join(f"v{one}" for one in promotion.before) or "nobody"
    version = f" v{promotion.version}" if promotion.version else ""
    lines = [(f"model {promotion.model}{version}, {promotion.to.shown}", "")]
    lines += [(f"{before} before", ""), (f"record {promotion.id}", "dim")]
    said = (("overridden", promotion.override), ("reason", promotion.reason))
    return [*lines, *((f"{name}: {text}", "") for name, text in said if text)]


def _ended(entry: Entry | ModelEntry) -> str:
    """How it ended, in words."""
    if entry.result is None:
        return "not settled yet"
    return f"{entry.outcome}: {entry.result.says}" if entry.result.says else entry.outcome
