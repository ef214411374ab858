"""`rename`, `tag`, `delete`, `restore` and `mark-killed`: the edits of the runs screen, without one."""

from __future__ import annotations

import asyncio
import getpass
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import click

from runtower.acts.edit_plan import Change, Plan
from runtower.acts.edit_words import by_hand, doing, done
from runtower.acts.resolve import resolve
from runtower.acts.writer import Outcome, Writer
from runtower.commands.opening import Asked, Context, context, opened
from runtower.commands.tables import json_array
from runtower.domain.edits import ACTIVE, DELETED, Edit, Field, RunNow
from runtower.domain.errors import Conflict, Forbidden, Invalid, OutcomeUnknown, PartlyDone, TowerError
from runtower.domain.runs import Status
from runtower.jobs import proofs
from runtower.present.spans import inert
from runtower.sources.port import Identity

_WHOLE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class How:
    """Whether to ask, whether to write at all, and how to answer."""

    yes: bool
    dry_run: bool
    as_json: bool


@dataclass(frozen=True)
class TagWish:
    """`KEY=VALUE`, or `KEY` to take away; `shown` is the value that it has to have now, `absent`: none."""

    text: str
    delete: bool
    shown: str | None
    absent: bool


def rename(asked: Asked, run: str, name: str, shown: str | None, how: How) -> None:
    """Give a run another name. All of this page raise TowerError."""
    if not name:
        raise Invalid("A run's name can't be empty.", "Give a name.")

    def edit(now: RunNow) -> Edit:
        return Edit(now.run_id, Field.NAME, now.name if shown is None else shown, name)

    asyncio.run(_edit(asked, [run], edit, how))


def tag(asked: Asked, run: str, wish: TagWish, how: How) -> None:
    """Set a tag, or take it away."""
    key, equals, value = wish.text.partition("=")
    if not key or bool(equals) == wish.delete:
        raise Invalid(f"'{wish.text}' names no change of a tag.", "Give KEY=VALUE, or KEY and --delete.")
    if wish.absent and wish.shown is not None:
        raise Invalid("--if and --if-none can't both be.", "Choose one.")

    def edit(now: RunNow) -> Edit:
        before = None if wish.absent else now.tags.get(key) if wish.shown is None else wish.shown
        return Edit(now.run_id, Field.TAG, before, None if wish.delete else value, key)

    asyncio.run(_edit(asked, [run], edit, how))


def delete(asked: Asked, texts: Sequence[str], how: How) -> None:
    """Delete runs (softly)."""
    asyncio.run(_edit(asked, texts, lambda now: Edit(now.run_id, Field.LIFECYCLE, ACTIVE, DELETED), how))


def restore(asked: Asked, texts: Sequence[str], how: How) -> None:
    """Restore deleted runs."""
    asyncio.run(_edit(asked, texts, lambda now: Edit(now.run_id, Field.LIFECYCLE, DELETED, ACTIVE), how))


def mark_killed(asked: Asked, texts: Sequence[str], how: How) -> None:
    """Mark running runs KILLED."""

    def edit(now: RunNow) -> Edit:
        if now.status not in (Status.RUNNING, Status.SCHEDULED, Status.KILLED):
            raise Conflict(f"{now.name} ({now.run_id}) is {now.status}, not running.", "Only running runs can be lost.")
        return Edit(now.run_id, Field.STATUS, now.status, Status.KILLED, last_metric=now.last_metric)

    asyncio.run(_edit(asked, texts, edit, how))


async def _edit(asked: Asked, texts: Sequence[str], edit_of: Callable[[RunNow], Edit], how: How) -> None:
    work = context(asked)
    places = await _places(work, texts, asked.patience)
    async with _writers(work, {number for number, _ in places}) as writers:
        identities = {number: await writer.identity() for number, writer in writers.items()}
        changes = []
        for number, run_id in places:
            now = await writers[number].look(run_id)
            lost = proofs.lost(now.tags)
            name, proof = now.name or run_id[:8], lost.proof if lost is not None else ""
            changes.append(Change(number, name, now.user, edit_of(now), proof))
        plan = Plan(tuple(changes))
        if how.dry_run:
            _print_plan(work, plan, identities, how)
            return
        if not how.yes:
            _ask(plan, identities)
        outcomes = []
        for change in changes:
            if change.edit.before == change.edit.after:
                outcomes.append(Outcome(change.edit, change.run_name, "done"))
                continue
            writer, identity = writers[change.source], identities[change.source]
            outcomes.append(await writer.write(change.edit, change.run_name, identity))
    _print_outcomes(work, plan, outcomes, identities, how)


async def _places(work: Context, texts: Sequence[str], patience: float) -> list[tuple[int, str]]:
    """Which runs are meant: (number of the target, id). Whole ids of a single source are taken without listing it."""
    if len(work.targets) == 1 and all(_WHOLE_ID.fullmatch(text) for text in texts):
        found = [(0, text) for text in texts]
    else:
        async with opened(work, patience) as tower:
            catalogue = tower.catalogue
            rows = [resolve(catalogue, text, work.settings.metrics) for text in texts]
            numbers = catalogue.source_numbers()
            found = [(int(numbers[row]), catalogue.run_key(row).run_id) for row in rows]
    return list(dict.fromkeys(found))


@asynccontextmanager
async def _writers(work: Context, numbers: set[int]) -> AsyncIterator[dict[int, Writer]]:
    """A writer for each target that is meant. Raises Forbidden where one is read-only."""
    for number in numbers:
        target = work.targets[number]
        if target.read_only:
            raise Forbidden(f"{target.name} is read-only.", "Leave --read-only, or read_only in the settings, away.")
    writers = {number: Writer(work.targets[number], work.folders, work.settings) for number in sorted(numbers)}
    try:
        yield writers
    finally:
        for writer in writers.values():
            writer.leave()


def _ask(plan: Plan, identities: dict[int, Identity]) -> None:
    """Raises Invalid where nobody can be asked, and click.Abort for a no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Invalid(f"To {plan.title} wants a yes, and nobody is here to give it.", "Add --yes, or --dry-run.")
    user = getpass.getuser()
    click.echo(inert(plan.title), err=True)
    addresses = [identities[n].address if n in identities else "" for n in range(max(identities) + 1)]
    for text, _ in plan.lines(user, addresses, time.time() * 1000):
        click.echo("  " + inert(text), err=True)
    word = plan.typed(user)
    if word:
        if click.prompt(f"Type {word} to go on", default="", show_default=False, err=True) != word:
            raise click.Abort
    else:
        click.confirm("Go on?", abort=True, err=True)


def _print_plan(work: Context, plan: Plan, identities: dict[int, Identity], how: How) -> None:
    if how.as_json:
        _print_json(_record(work, change, identities, "planned", None) for change in plan.changes)
        return
    for change in plan.changes:
        sys.stdout.write(f"would {inert(doing(change.edit, change.run_name))} on {identities[change.source].address}\n")
        sys.stdout.write(f"  {inert(by_hand(change.edit, identities[change.source].address))}\n")


def _print_outcomes(
    work: Context, plan: Plan, outcomes: Sequence[Outcome], identities: dict[int, Identity], how: How
) -> None:
    """Say how each ended. Raises what the exit code stands for."""
    pairs = list(zip(plan.changes, outcomes, strict=True))
    if how.as_json:
        _print_json(_record(work, change, identities, one.word, one.error) for change, one in pairs)
    else:
        for change, one in pairs:
            if one.word == "done":
                sys.stdout.write(f"{inert(done(change.edit, change.run_name))}\n")
            elif len(pairs) > 1:
                sys.stderr.write(f"{inert(change.run_name)}: {one.word}: {inert(str(one.error))}\n")
    sys.stdout.flush()
    failed = [one for one in outcomes if one.word != "done"]
    if not failed:
        return
    if len(failed) < len(outcomes):
        text = f"{len(outcomes) - len(failed)} of {len(outcomes)} changes were done."
        raise PartlyDone(text, "runtower log says what became of each.")
    errors = [one.error for one in failed if one.error is not None]
    unknown = next((error for error in errors if isinstance(error, OutcomeUnknown)), None)
    raise unknown or errors[0]


def _record(
    work: Context, change: Change, identities: dict[int, Identity], outcome: str, error: TowerError | None
) -> dict[str, Any]:
    edit, address = change.edit, identities[change.source].address
    return {
        "source": work.targets[change.source].name,
        "address": address,
        "run_id": edit.run_id,
        "name": change.run_name,
        "field": edit.field,
        "key": edit.key,
        "before": edit.before,
        "after": edit.after,
        "outcome": outcome,
        "error": error.name if error is not None else "",
        "says": str(error) if error is not None else "",
        "command": by_hand(edit, address),
    }


def _print_json(records: Iterator[dict[str, Any]]) -> None:
    for piece in json_array(records):
        sys.stdout.write(piece)
