"""Changes of a server's runs over its REST API, without the three seconds that importing MLflow takes."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from runtower.domain.edits import ACTIVE, DELETED, Edit, Field, RunNow
from runtower.domain.errors import NotFound
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.contract import RUNNING, TAG_NAME
from runtower.sources.mlflow.edits import Edits
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.registry_changes import ModelWrites
from runtower.sources.mlflow.registry_rest_changes import RestModelWrites
from runtower.sources.mlflow.rest_access import Access, access_of
from runtower.sources.mlflow.rest_http import Connection
from runtower.sources.mlflow.rest_sending import sent_once
from runtower.sources.mlflow.rest_wire import DeleteTag, OfRun, Run, SetTag, UpdateRun
from runtower.sources.port import Identity


def opened(address: Address, options: Mapping[str, str], models: Later[ModelWrites] | None = None) -> Edits:
    """Asks nothing yet; `models`: the way to another registry than the server's own. Raises Invalid for options that
    make no sense."""
    access = access_of(address, options, os.environ)
    connection = Connection(access)
    own: Later[ModelWrites] = Later(lambda: RestModelWrites(connection, access.shown))
    return Edits(RestWrites(access, connection), models or own)


class RestWrites:
    """Satisfies Writes."""

    def __init__(self, access: Access, connection: Connection) -> None:
        self._access = access
        self._connection = connection

    def identity(self) -> Identity:
        return Identity("", self._access.shown, "REST")

    def close(self) -> None:
        self._connection.close()

    def look(self, run_id: str) -> RunNow:
        try:
            return _run_now(self._connection.get("runs/get", {"run_id": run_id}, rest_wire.one_run).run)
        except NotFound as error:
            raise NotFound(error.tried, "It may have been purged; look again after the next refresh.") from error

    def write(self, edit: Edit, end_time: int) -> None:
        path, question = _question(edit, end_time)
        with sent_once():
            self._connection.write(path, question, rest_wire.anything)


def _question(edit: Edit, end_time: int) -> tuple[str, msgspec.Struct]:
    run_id = edit.run_id
    match edit.field:
        case Field.NAME:
            return "runs/update", UpdateRun(run_id, run_name=edit.after)
        case Field.TAG if edit.after is None:
            return "runs/delete-tag", DeleteTag(run_id, edit.key)
        case Field.TAG:
            return "runs/set-tag", SetTag(run_id, edit.key, edit.after or "")
        case Field.LIFECYCLE:
            return "runs/delete" if edit.after == DELETED else "runs/restore", OfRun(run_id)
        case Field.STATUS:
            return "runs/update", UpdateRun(run_id, status=edit.after, end_time=end_time)


def _run_now(run: Run) -> RunNow:
    info, tags = run.info, {one.key: one.value for one in run.data.tags}
    return RunNow(
        run_id=run.run_id,
        name=info.run_name or tags.get(TAG_NAME, ""),
        lifecycle=info.lifecycle_stage or ACTIVE,
        status=info.status or RUNNING,
        user=info.user_id or "",
        tags=tags,
        start_time=info.start_time,
        last_metric=max((one.timestamp for one in run.data.metrics), default=None),
    )
