"""`launch`, `stop` and the logs of jobs."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
import msgspec

from runtower.acts.edit_process import who
from runtower.acts.edit_words import done
from runtower.acts.job_runs import LEFT, is_left, runs_of_job
from runtower.acts.writer import Outcome, Writer
from runtower.commands.files import LogWish
from runtower.commands.job_listing import job_named, members_of, record
from runtower.commands.listing import write
from runtower.commands.opening import Asked, context, opened
from runtower.commands.saying_yes import can_ask
from runtower.domain import runs
from runtower.domain.edits import Edit, Field
from runtower.domain.errors import Conflict, Forbidden, Invalid, NotFound, OutcomeUnknown, TowerError
from runtower.domain.jobs import Job, JobState, Where
from runtower.domain.runs import Status
from runtower.folders import Folders
from runtower.jobs import local, submit
from runtower.jobs.lookup import SLURM_RECORDS
from runtower.jobs.queueing import Queue, Request
from runtower.jobs.stopping import stop_job
from runtower.jobs.submit import Resources
from runtower.jobs.tails import last_line
from runtower.present.console import KEPT_BYTES, ConsoleText, console_lines
from runtower.present.spans import inert
from runtower.settings_quick import given

_BEGINS: Final = 2.0
_FAILS: Final = 0.5
_LOOK: Final = 0.1
_PIECE: Final = 1 << 20
_ORDER: Final = ("INT", "TERM", "KILL")


@dataclass(frozen=True)
class LaunchWish:
    """Where to, and how. `resources` are Slurm's alone."""

    on: str
    name: str
    gpus: int
    now: bool
    resources: Resources
    as_json: bool


def launch(words: Sequence[str], wish: LaunchWish, read_only: bool) -> None:
    """Start a command as a job. Raises Invalid, TowerError; and where it is over within a moment and failed, with the
    log's last lines."""
    folders = Folders.of()
    settings = given(Path.cwd(), os.environ, folders).settings
    if read_only or settings.read_only:
        raise Forbidden("Nothing is started: runtower is read-only.", "Leave --read-only, or read_only, away.")
    request = Request(
        words, Path.cwd(), dict(os.environ), wish.name, wish.gpus, wish.now, redact=tuple(settings.redact)
    )
    if wish.on == Where.SLURM:
        slurm_id = submit.submit(request, replace(wish.resources, gpus=wish.gpus), folders.jobs / SLURM_RECORDS)
        _say_launched(job_named(slurm_id), wish.as_json)
        return
    if wish.resources != Resources():
        raise Invalid(
            "--partition, --mem, --time and --cpus are for --on slurm.", "Leave them away, or add --on slurm."
        )
    queue = Queue(folders.jobs)
    job_id = queue.add(request, settings.jobs)
    job = _begun(queue.place(job_id))
    _say_launched(job, wish.as_json)
    if job.state is JobState.FAIL:
        sys.stdout.flush()
        raise TowerError(f"{job.id} failed: {job.reason}.".replace("..", "."), _last_lines(job))


def stop(asked: Asked, text: str, signal: str, grace: float, yes: bool, as_json: bool) -> None:
    """Stop a job; then mark its MLflow run KILLED. `signal` only that one, '' for INT, TERM and KILL in turn, `grace`
    seconds between them. Raises NotFound, Conflict, Forbidden, Invalid, OutcomeUnknown."""
    if asked.read_only:
        raise Forbidden("Nothing is stopped: runtower is read-only.", "Leave --read-only away.")
    job = job_named(text)
    if job.state.is_over:
        raise Conflict(f"{job.id} is over: {job.state}.", job.reason)
    if not yes:
        if not can_ask():
            raise Invalid(f"To stop {job.id} wants a yes, and nobody is here to give it.", "Add --yes.")
        click.echo(f"{inert(job.name)}\n{job.id} {job.state}, pid {job.pid}" if job.pid else inert(job.name), err=True)
        click.confirm(f"Stop {job.id}?", abort=True, err=True)
    asked_ms = time.time() * 1000
    job, sent = _stop(job, signal, grace)
    outcomes: list[Outcome] = []
    error: TowerError | None = None
    if job.state.is_over and sent:
        try:
            outcomes = asyncio.run(mark_killed(asked, job, asked_ms))
        except TowerError as failed:
            error = failed
    if as_json:
        marked = [{"run_id": one.edit.run_id, "outcome": one.word} for one in outcomes]
        sys.stdout.write(msgspec.json.encode({**record(job), "sent": sent, "runs": marked}).decode() + "\n")
    else:
        sys.stdout.write(f"{job.id} {job.state}" + (f": {inert(job.reason)}" if job.reason else "") + "\n")
        for one in outcomes:
            sys.stdout.write(
                f"{inert(done(one.edit, one.run_name)) if one.word == 'done' else inert(str(one.error))}\n"
            )
    sys.stdout.flush()
    if error is not None:
        raise TowerError(f"{job.id} was stopped, but its run could not be marked KILLED: {error.tried}", error.remedy)
    if not job.state.is_over:
        raise OutcomeUnknown(f"{job.id} still runs after {', '.join(sent)}.", "Send --signal KILL, or wait.")


def print_job_log(text: str, wish: LogWish) -> None:
    """Print a job's log, as a terminal would have left it. Raises NotFound."""
    job = job_named(text)
    if job.is_array:
        raise NotFound(f"{job.id} is an array, and each member has a log of its own.", f"Name one: {job.reason}.")
    if not job.log or not os.path.exists(job.log):
        waits = job.state is JobState.WAIT
        raise NotFound(f"{job.id} has no log{' yet' if waits else ''}: {job.log or 'nobody knows where'}.", job.reason)
    held = ConsoleText(keep=KEPT_BYTES if wish.lines is not None else 2 * _PIECE)
    with open(job.log, "rb") as file:
        if wish.lines is not None:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - KEPT_BYTES))
            held.feed(file.read())
            shown = held.take(rest=not wish.follow)
            _print(shown[max(0, len(shown) - wish.lines) :])
        else:
            _feed(file.read, held)
        while wish.follow:
            over = _state(job).is_over
            if not _feed(file.read, held) and over:
                break
            if os.stat(job.log).st_size < file.tell():
                file.seek(0)  # begun anew
            time.sleep(_LOOK * 3)  # another process writes; there is nothing else to wait on
    _print(held.take(rest=True))


def _stop(job: Job, signal: str, grace: float) -> tuple[Job, list[str]]:
    """The job afterwards, and the signals that it was sent."""
    if job.state is JobState.WAIT:
        _cancel(job)
        return _now(job), []
    sent: list[str] = []
    for name in (signal,) if signal else _ORDER:
        try:
            if job.where is Where.SLURM:
                submit.stop(job.id, name, is_array=job.is_array)
            else:
                stop_job(Path(job.log).parent, name, who())
        except Conflict:
            if not sent:
                raise
        sent.append(name)
        end = time.monotonic() + grace
        while time.monotonic() < end and not _now(job).state.is_over:
            time.sleep(_LOOK)
        if _now(job).state.is_over:
            break
    return _now(job), sent


def _cancel(job: Job) -> None:
    if job.where is Where.SLURM:
        submit.stop(job.id, "TERM", waits=True)
    else:
        Queue(Folders.of().jobs).cancel(job.id)


def _now(job: Job) -> Job:
    if job.where is Where.LOCAL:
        return local.read(Path(job.log).parent) or job
    return job_named(job.id)


def _state(job: Job) -> JobState:
    return _now(job).state


async def mark_killed(asked: Asked, job: Job, asked_ms: float) -> list[Outcome]:
    """Mark the runs KILLED that a stopped job has left: RUNNING, or FAILED since the stop was asked for (UTC epoch
    ms), as a program does that saw the signal coming."""
    work = context(asked, Path(job.folder), _environ(job))
    if not work.targets:
        return []
    async with opened(work, asked.patience) as tower:
        ends = tower.catalogue.numbers(runs.END_TIME)
        rows = [
            row
            for row in sorted({row for one in members_of(job) for row in runs_of_job(tower.catalogue, one)})
            if is_left(tower.catalogue.texts(runs.STATUS).text(row), ends.number(row), asked_ms)
        ]
        numbers = tower.catalogue.source_numbers()
        meant = [(int(numbers[row]), tower.catalogue.run_key(row).run_id) for row in rows]
    outcomes = []
    writers = {number: Writer(work.targets[number], work.folders, work.settings) for number, _ in meant}
    try:
        for number, run_id in meant:
            writer = writers[number]
            if writer.target.read_only:
                continue
            now = await writer.look(run_id)
            if now.status not in LEFT:
                continue
            edit = Edit(run_id, Field.STATUS, now.status, Status.KILLED, last_metric=now.last_metric)
            outcomes.append(await writer.write(edit, now.name or run_id[:8], await writer.identity()))
    finally:
        for writer in writers.values():
            writer.leave()
    return outcomes


def _environ(job: Job) -> dict[str, str]:
    """What the job was started with, as far as it was kept; our own for one of Slurm's."""
    try:
        text = (Path(job.log).parent / "environ.json").read_text()
        return {key: value for key, value in json.loads(text).items() if value != "(not kept)"}
    except (OSError, ValueError):
        return dict(os.environ)


def _begun(folder: Path) -> Job:
    """The job once it has begun, or what is known of it after a moment."""
    end = time.monotonic() + _BEGINS
    job = local.read(folder)
    assert job is not None
    while time.monotonic() < end and job.state is JobState.WAIT and " at a time" not in job.reason:
        time.sleep(_LOOK / 4)
        job = local.read(folder) or job
    if job.state is JobState.RUN:  # a command that can't be started is over by now
        end = time.monotonic() + _FAILS
        while time.monotonic() < end and not job.state.is_over:
            time.sleep(_LOOK / 4)
            job = local.read(folder) or job
    return job


def _say_launched(job: Job, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(msgspec.json.encode(record(job)).decode() + "\n")
        return
    says = f": {inert(job.reason)}" if job.state is JobState.WAIT and job.reason else ""
    sys.stdout.write(f"{job.id} {job.state}{says}\n")
    if job.log:
        sys.stderr.write(f"log {job.log}; runtower logs {job.id} -f follows it\n")


def _last_lines(job: Job) -> str:
    if not last_line(job.log):
        return f"Its log is empty: {job.log}"
    with open(job.log, "rb") as file:
        file.seek(max(0, os.stat(job.log).st_size - 4096))
        lines = console_lines(file.read().decode("utf-8", "replace"))
    return f"The end of {job.log}:\n" + "\n".join(f"  {line}" for line in lines[-8:])


def _feed(read: Callable[[int], bytes], held: ConsoleText) -> bool:
    """Print all there is by now; gives whether there was anything."""
    came = False
    while data := read(_PIECE):
        came = True
        held.feed(data)
        _print(held.take())
    return came


def _print(lines: list[str]) -> None:
    write(_with_ends(lines))


def _with_ends(lines: list[str]) -> Iterator[str]:
    return (f"{line}\n" for line in lines)
