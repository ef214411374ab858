"""Changes of MLflow runs, through MlflowClient: compared before, read back after, tried once.

MLflow has no write that compares: between our look and our write another client may write too. Reading back shows it
where the other one was later; the window is a few milliseconds on a local store and a round trip on a server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run

from runtower.domain.edits import ACTIVE, DELETED, Edit, Field, RunNow
from runtower.domain.errors import Conflict, Forbidden, Invalid, OutcomeUnknown, TowerError, Unreachable
from runtower.domain.runs import Status
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.client_errors import in_our_words
from runtower.sources.mlflow.guard import check_before_mlflow
from runtower.sources.port import Identity


class ClientEdits:
    """Satisfies EditsRuns for any URI that MlflowClient takes."""

    def __init__(self, address: Address) -> None:
        """Raises Forbidden for a store on this machine that may only be read, and as `check_before_mlflow`."""
        if address.path is not None and not os.access(address.path, os.W_OK):
            raise Forbidden(f"{address.shown} can be read by you and not written.", "Ask its owner for permission.")
        check_before_mlflow(address)
        self._address = address
        with in_our_words(address):
            self._client = MlflowClient(tracking_uri=address.uri)

    def identity(self) -> Identity:
        return Identity("", self._address.shown, f"MlflowClient {mlflow.__version__}")

    def close(self) -> None: ...

    def look(self, run_id: str) -> RunNow:
        with in_our_words(self._address):
            return _run_now(self._client.get_run(run_id))

    def edit(self, edit: Edit, ready: Callable[[], None]) -> RunNow:
        _check(edit)
        now = self.look(edit.run_id)
        if now.value(edit) == edit.after:
            return now
        if not now.still_as_shown(edit):
            raise Conflict(
                f"{_named(now)} changed since it was shown: {_is_now(edit, now)}.", "Look again, then decide."
            )
        if edit.field is not Field.LIFECYCLE and now.lifecycle == DELETED:
            raise Conflict(
                f"{_named(now)} is deleted, and MLflow changes nothing of deleted runs.", "Restore it first."
            )
        ready()
        try:
            with in_our_words(self._address):
                self._write(edit, now)
        except Invalid as refusal:
            raise Invalid(refusal.tried, "Give another name, key or value.") from refusal
        except TowerError as error:
            return self._what_became(edit, error)
        return self._read_back(edit)

    def _write(self, edit: Edit, now: RunNow) -> None:
        client, run_id = self._client, edit.run_id
        match edit.field:
            case Field.NAME:
                client.update_run(run_id, name=edit.after)
            case Field.TAG if edit.after is None:
                client.delete_tag(run_id, edit.key)
            case Field.TAG:
                client.set_tag(run_id, edit.key, edit.after, synchronous=True)
            case Field.LIFECYCLE if edit.after == DELETED:
                client.delete_run(run_id)
            case Field.LIFECYCLE:
                client.restore_run(run_id)
            case Field.STATUS:
                client.set_terminated(run_id, edit.after, end_time=_last_sign_of_life(now))

    def _read_back(self, edit: Edit) -> RunNow:
        try:
            now = self.look(edit.run_id)
        except TowerError as error:
            raise OutcomeUnknown(
                f"The change was sent and could not be read back: {error.tried}", error.remedy
            ) from error
        if now.value(edit) != edit.after:
            text = f"{_named(now)} was changed, and reads otherwise now: {_is_now(edit, now)}."
            raise Conflict(text, "Somebody else changed it at the same moment; look again.")
        return now

    def _what_became(self, edit: Edit, error: TowerError) -> RunNow:
        """The write failed: whether it took effect all the same."""
        try:
            now = self.look(edit.run_id)
        except TowerError:
            now = None
        if now is not None and now.value(edit) == edit.after:
            return now
        # A server that didn't answer may still be at it.
        if now is None or isinstance(error, Unreachable):
            text = f"Whether the change took effect isn't known: {error.tried}"
            raise OutcomeUnknown(text, "It is read back; look at the run before trying again.") from error
        raise error


def _run_now(run: Run) -> RunNow:
    moments = [metric.timestamp for metric in run.data._metric_objs]  # the newest point of each metric; not public
    return RunNow(
        run_id=run.info.run_id,
        name=run.info.run_name or "",
        lifecycle=run.info.lifecycle_stage,
        status=run.info.status,
        user=run.info.user_id or "",
        tags=dict(run.data.tags),
        start_time=run.info.start_time,
        last_metric=max(moments, default=None),
    )


def _check(edit: Edit) -> None:
    """Refuse what MLflow would take for something else. Raises Invalid."""
    if edit.field is Field.NAME and not edit.after:
        raise Invalid("A run's name can't be empty: MLflow would leave it as it is.", "Give a name.")
    if edit.field is Field.LIFECYCLE and edit.after not in (ACTIVE, DELETED):
        raise Invalid(f"There is no lifecycle '{edit.after}'.")
    if edit.field is Field.STATUS and edit.after != Status.KILLED:
        raise Invalid(f"A run is marked KILLED, never {edit.after}.")


def _last_sign_of_life(now: RunNow) -> int:
    """When a run that is marked KILLED ended, in UTC epoch ms: with its last metric, as nobody saw it later."""
    known = [moment for moment in (now.start_time, now.last_metric) if moment is not None]
    present = time.time_ns() // 1_000_000
    return min(max(known, default=present), present)


def _named(now: RunNow) -> str:
    return f"Run {now.name or 'without a name'} ({now.run_id})"


def _is_now(edit: Edit, now: RunNow) -> str:
    """What is there, in words."""
    value = now.value(edit)
    what = f"its tag {edit.key}" if edit.field is Field.TAG else f"its {edit.field}"
    if edit.field is Field.STATUS and value == edit.before:
        return "it logged another metric"
    return f"{what} is gone" if value is None else f"{what} is {value[:200]!r}"
