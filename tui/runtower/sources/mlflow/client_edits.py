"""Changes of runs through MlflowClient, in any store that it takes."""

from __future__ import annotations

import os

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run

from runtower.domain.edits import DELETED, Edit, Field, RunNow
from runtower.domain.errors import Forbidden
from runtower.sources.mlflow.address import Address
from runtower.sources.mlflow.client_errors import in_our_words
from runtower.sources.mlflow.edits import Edits
from runtower.sources.mlflow.guard import check_before_mlflow
from runtower.sources.mlflow.later import Later
from runtower.sources.mlflow.registry_changes import ModelWrites
from runtower.sources.mlflow.registry_client_changes import ClientModelWrites
from runtower.sources.port import Identity


def opened(address: Address, models: Later[ModelWrites] | None = None) -> Edits:
    """`models`: the way to another registry than the store's own. Raises Forbidden for a store on this machine that may
    only be read, and as `check_before_mlflow`."""
    if address.path is not None and not os.access(address.path, os.W_OK):
        raise Forbidden(f"{address.shown} can be read by you and not written.", "Ask its owner for permission.")
    check_before_mlflow(address)
    own: Later[ModelWrites] = Later(lambda: ClientModelWrites(address))
    return Edits(ClientWrites(address), models or own)


class ClientWrites:
    """Satisfies Writes."""

    def __init__(self, address: Address) -> None:
        self._address = address
        with in_our_words(address):
            self._client = MlflowClient(tracking_uri=address.uri)

    def identity(self) -> Identity:
        return Identity("", self._address.shown, f"MlflowClient {mlflow.__version__}")

    def close(self) -> None: ...

    def look(self, run_id: str) -> RunNow:
        with in_our_words(self._address):
            return _run_now(self._client.get_run(run_id))

    def write(self, edit: Edit, end_time: int) -> None:
        with in_our_words(self._address):
            self._write(edit, end_time)

    def _write(self, edit: Edit, end_time: int) -> None:
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
                client.set_terminated(run_id, edit.after, end_time=end_time)


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
