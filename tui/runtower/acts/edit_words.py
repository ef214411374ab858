"""Edits in words: what is about to happen, what happened, and the command that does the same by hand."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from runtower.domain.edits import DELETED, NOTE, Edit, Field


def doing(edit: Edit, name: str) -> str:
    """`rename lr=0.001 to best`, as it stands in a question and in the command log."""
    match edit.field:
        case Field.NAME:
            return f"rename {edit.before} to {edit.after}"
        case Field.TAG if edit.key == NOTE:
            return f"take the note of {name} away" if edit.after is None else f"write the note of {name}"
        case Field.TAG if edit.after is None:
            return f"take the tag {edit.key} of {name} away"
        case Field.TAG:
            return f"set the tag {edit.key} of {name} to {edit.after}"
        case Field.LIFECYCLE:
            return f"delete {name}" if edit.after == DELETED else f"restore {name}"
        case Field.STATUS:
            return f"mark {name} {edit.after}"


def done(edit: Edit, name: str) -> str:
    """`renamed lr=0.001 to best`."""
    verb, _, rest = doing(edit, name).partition(" ")
    past = {"rename": "renamed", "take": "took", "write": "wrote", "delete": "deleted", "restore": "restored"}
    return f"{past.get(verb, 'marked' if verb == 'mark' else verb)} {rest}"


def by_hand(edit: Edit, address: str) -> str:
    """The command that does the same by hand, as a line for a shell; it compares as the edit does."""
    command, named, options = _command(edit)
    first = ["--"] if any(word.startswith("-") for word in named) else []
    return shlex.join(["runtower", command, "--tracking-uri", address, *options, "--yes", *first, edit.run_id, *named])


def _command(edit: Edit) -> tuple[str, list[str], list[str]]:
    """Its name, what follows the run's id, and its options."""
    match edit.field:
        case Field.NAME:
            return "rename", [edit.after or ""], [f"--if={edit.before or ''}"]
        case Field.TAG:
            was = "--if-none" if edit.before is None else f"--if={edit.before}"
            if edit.after is None:
                return "tag", [edit.key], ["--delete", was]
            return "tag", [f"{edit.key}={edit.after}"], [was]
        case Field.LIFECYCLE:
            return ("delete" if edit.after == DELETED else "restore"), [], []
        case Field.STATUS:
            return "mark-killed", [], []


def purge(run_ids: Sequence[str], address: str) -> str:
    """The command that removes deleted runs for good; runtower only shows it."""
    where = ["--backend-store-uri", address]
    if address.startswith(("http://", "https://")):
        # gc wants the server's own database, which only who runs it knows.
        where = ["--backend-store-uri", "THE_SERVERS_DATABASE", "--tracking-uri", address]
    return shlex.join(["mlflow", "gc", *where, "--run-ids", ",".join(run_ids)])
