"""Artifacts of a server's runs: listed over the API, and read as its page reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from runtower.domain.artifacts import MOST_ENTRIES, Artifact, Folder, Piece, artifact_path, in_order
from runtower.domain.errors import Invalid, NotFound, TowerError
from runtower.sources.mlflow import rest_wire
from runtower.sources.mlflow.rest_http import Connection
from runtower.sources.mlflow.rest_httpx import httpx

_READ: Final = "/get-artifact"
_READ_OF_MODEL: Final = "/ajax-api/2.0/mlflow/logged-models/{}/artifacts/files"
_MODELS: Final = 50  # of a run; what a search gives at most
# A server that keeps its artifacts elsewhere fetches a whole file before it answers.
_PATIENCE: Final = 60.0
_RANGE: Final = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_PART: Final = 206
_BEYOND: Final = 416


class RestArtifacts:
    """Satisfies ReadsArtifacts. A server that answers with a whole file where a part was asked for is read until the
    part is there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def artifacts(self, run_id: str, folder: str) -> Folder:
        below = artifact_path(folder)
        found = self._listed(run_id, below)
        if not found.entries and below and not self._entry(run_id, below).is_dir:
            raise Invalid(f"'{below}' is no folder.", "It is a file.")
        return found

    def artifact(self, run_id: str, path: str, offset: int, most: int) -> Piece:
        below = artifact_path(path)
        wanted = f"bytes={offset}" if offset < 0 else f"bytes={offset}-{offset + most - 1}"
        try:
            with self._connection.streaming(*self._asking(run_id, below), {"Range": wanted}, _PATIENCE) as answer:
                if answer.status_code == _BEYOND:
                    total = _range(answer)[1]
                    if offset >= 0 or not total:
                        return Piece(b"", max(0, offset), total)
                elif answer.status_code == _PART:
                    start, total = _range(answer)
                    return Piece(_first(answer, most), start, total)
                else:
                    return _cut_out(answer, offset, most)
        except TowerError as error:
            raise self._why(run_id, below, error) from error
        # More was asked for than there is before the end, which some servers refuse: then it is the whole file.
        return self.artifact(run_id, path, 0, most)

    def artifact_pieces(self, run_id: str, path: str) -> Iterator[Piece]:
        below = artifact_path(path)
        try:
            with self._connection.streaming(*self._asking(run_id, below), {}, _PATIENCE) as answer:
                offset, total = 0, _length(answer)
                for data in answer.iter_bytes():
                    yield Piece(data, offset, total)
                    offset += len(data)
                if not offset:
                    yield Piece(b"", 0, 0)
        except TowerError as error:
            raise self._why(run_id, below, error) from error

    def _listed(self, run_id: str, below: str) -> Folder:
        entries: list[Artifact] = []
        token = ""
        while True:
            where, params = self._listing(run_id, below)
            if token:
                params["page_token"] = token
            page = self._connection.get(where, params, rest_wire.artifacts_page, _PATIENCE)
            entries += [
                Artifact(artifact_path(one.path), one.is_dir, None if one.is_dir else one.file_size)
                for one in page.files
            ]
            token = page.next_page_token
            if not token or len(entries) > MOST_ENTRIES:
                return in_order(entries, 1 if token else 0)

    def _listing(self, run_id: str, below: str) -> tuple[str, dict[str, str]]:
        """How a folder is asked for, below the API."""
        return "artifacts/list", {"run_id": run_id, **({"path": below} if below else {})}

    def _asking(self, run_id: str, path: str) -> tuple[str, dict[str, str]]:
        """How a file is asked for, beside the API."""
        # Servers know both names, older ones the second only.
        return _READ, {"path": path, "run_id": run_id, "run_uuid": run_id}

    def _entry(self, run_id: str, below: str) -> Artifact:
        """What its folder says of a file. Raises NotFound."""
        for one in self._listed(run_id, below.rpartition("/")[0]).entries:
            if one.path == below:
                return one
        raise NotFound(f"There is no '{below}' among the run's artifacts.", "Refresh, and look again.")

    def _why(self, run_id: str, below: str, error: TowerError) -> TowerError:
        """Servers answer one and the same for a file that isn't there, for a folder and for a failure of theirs."""
        try:
            entry = self._entry(run_id, below)
        except NotFound as missing:
            return missing
        except TowerError:
            return error
        return Invalid(f"'{below}' is a folder.", "Name one of the files in it.") if entry.is_dir else error


class RestModelArtifacts(RestArtifacts):
    """The same of the models that MLflow 3 keeps apart, each by its id in the place of a run's."""

    def _listing(self, run_id: str, below: str) -> tuple[str, dict[str, str]]:
        where = f"logged-models/{quote(run_id, safe='')}/artifacts/directories"
        return where, {"artifact_directory_path": below} if below else {}

    def _asking(self, run_id: str, path: str) -> tuple[str, dict[str, str]]:
        return _READ_OF_MODEL.format(quote(run_id, safe="")), {"artifact_file_path": path}


def models_of(connection: Connection, run_id: str) -> dict[str, str]:
    """The ids of a run's models by name, of several the newest; none of a server of before MLflow 3."""
    run = connection.get("runs/get", {"run_id": run_id}, rest_wire.one_made).run
    if not run.outputs.model_outputs or run.info.experiment_id is None:
        return {}
    question = rest_wire.ModelsQuestion([run.info.experiment_id], f"source_run_id = '{run_id}'", _MODELS)
    found = [one.info for one in connection.post("logged-models/search", question, rest_wire.models_page).models]
    return {one.name: one.model_id for one in sorted(found, key=lambda one: one.creation_timestamp_ms)}


def _first(answer: httpx.Response, most: int) -> bytes:
    data = bytearray()
    for piece in answer.iter_bytes():
        data += piece
        if len(data) >= most:
            break
    return bytes(data[:most])


def _cut_out(answer: httpx.Response, offset: int, most: int) -> Piece:
    """A part of a whole answer; what lies behind it is never read."""
    total = _length(answer)
    if offset < 0 and total is not None:
        offset = max(0, total + offset)
    seen, data = 0, bytearray()
    for piece in answer.iter_bytes():
        if offset < 0:  # the end, of an answer that doesn't tell its length
            data = (data + piece)[offset:]
            seen += len(piece)
            continue
        data += piece[max(0, offset - seen) :]
        seen += len(piece)
        if len(data) >= most:
            break
    else:
        total = seen
    start = seen - len(data) if offset < 0 else offset
    return Piece(bytes(data[:most]), start, total)


def _range(answer: httpx.Response) -> tuple[int, int | None]:
    """Where a part begins, and the size of the whole."""
    found = _RANGE.search(answer.headers.get("content-range", ""))
    return (int(found[1] or 0), int(found[2])) if found else (0, None)


def _length(answer: httpx.Response) -> int | None:
    text = answer.headers.get("content-length", "")
    return int(text) if text.isdecimal() and "content-encoding" not in answer.headers else None
