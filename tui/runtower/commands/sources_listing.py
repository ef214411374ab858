"""`sources`: what there is to open, where it is named, and whether it answers now."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

from runtower.acts.keep_source import add, described, remove
from runtower.commands.asking import Answer, ask, first_error
from runtower.commands.opening import Asked, context
from runtower.commands.tables import json_array, plain_lines
from runtower.domain.errors import NotFound
from runtower.domain.targets import without_credentials
from runtower.folders import Folders
from runtower.present.spans import inert

_COUNTING: Final = 3.0
_HEAD: Final = ("source", "kind", "answers", "runs", "experiments", "round trip", "address", "named in")


def list_sources(asked: Asked, as_json: bool) -> None:
    """Print them. Raises the error of the first that doesn't answer, once all are printed; NotFound for none at all."""
    work = context(asked)
    if not work.targets:
        raise NotFound(
            f"There is no source; looked for {', '.join(work.looked)}.",
            "`runtower sources add NAME URI` names one, or set MLFLOW_TRACKING_URI.",
        )
    answers = ask(work, asked.patience, _COUNTING)
    if as_json:
        pieces = json_array(_record(answer, work.defined.get(answer.target.name, "")) for answer in answers)
    else:
        rows = [_row(answer, work.defined.get(answer.target.name, "")) for answer in answers]
        right = (False, False, False, True, True, True, False, False)
        pieces = plain_lines(_HEAD, rows, right, widest=None)
    for piece in pieces:
        sys.stdout.write(piece)
    error = first_error(answers)
    if error is not None:
        sys.stdout.flush()
        raise error


def add_source(name: str, uri: str, kind: str, read_only: bool) -> None:
    """Name a source in the project's file, and say so. Raises TowerError."""
    folder = Path.cwd()
    target = described(name, uri, kind, read_only, folder)
    file, names = add(target, folder, os.environ, Folders.of())
    sys.stdout.write(f"{inert(name)} is in {inert(str(file))}: {inert(without_credentials(target.uri))}\n")
    others = [other for other in names if other != name]
    if others:
        sys.stdout.write(f"So is what was found in the folder, which isn't searched any more: {', '.join(others)}\n")


def remove_source(name: str) -> None:
    """Take a source out of the project's file, and say so. Raises TowerError."""
    file = remove(name, Path.cwd(), os.environ, Folders.of())
    sys.stdout.write(f"{inert(name)} isn't in {inert(str(file))} any more\n")


def _row(answer: Answer, defined: str) -> list[str]:
    answers = "yes" if answer.error is None else "not trusted yet" if answer.target.held else "no"
    counted = f"{answer.runs}" + ("" if answer.health.complete else " so far") if answer.error is None else "-"
    trip = answer.health.round_trip
    return [
        answer.target.name + (" (read-only)" if answer.target.read_only else ""),
        answer.target.kind,
        answers,
        counted,
        str(answer.experiments) if answer.error is None else "-",
        f"{trip * 1000:.0f} ms" if trip is not None else "-",
        answer.address or without_credentials(answer.target.uri),
        defined,
    ]


def _record(answer: Answer, defined: str) -> dict[str, Any]:
    error, trip = answer.error, answer.health.round_trip
    said = {"error": error.name, "tried": error.tried, "remedy": error.remedy} if error is not None else None
    return {
        "source": answer.target.name,
        "kind": answer.target.kind,
        "address": answer.address or without_credentials(answer.target.uri),
        "read_only": answer.target.read_only,
        "defined": defined,
        "trusted": not answer.target.held,
        "answers": error is None,
        "how": answer.identity.how if answer.identity is not None else None,
        "runs": answer.runs if error is None else None,
        "complete": answer.health.complete,
        "experiments": answer.experiments if error is None else None,
        "round_trip_ms": round(trip * 1000, 1) if trip is not None else None,
        "error": said,
    }
