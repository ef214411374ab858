"""`trust`: what a project's file would get, a question, and the record of the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runtower.acts import hook_trust
from runtower.acts import trust as trusts
from runtower.acts.trust import Doubt
from runtower.commands.tables import json_array
from runtower.domain.errors import Invalid
from runtower.folders import Folders
from runtower.present.spans import inert
from runtower.present.times import iso
from runtower.settings_quick import given, project_file


@dataclass(frozen=True)
class How:
    """Whether to ask, list or revoke, and how to answer."""

    yes: bool
    listed: bool
    revoke: bool
    as_json: bool


def trust(folder: Path | None, how: How) -> None:
    """Raises Invalid where nobody can be asked, and click.Abort for a no."""
    if how.listed and how.revoke:
        raise Invalid("--list and --revoke can't both be.", "Choose one.")
    folders, place = Folders.of(), (folder or Path.cwd()).absolute()
    if not place.is_dir():
        raise Invalid(f"{place} is no folder.", "Name the folder of a project.")
    if how.listed:
        _list(folders, how.as_json)
    elif how.revoke:
        root = project_file(place).parent
        was = trusts.revoke(root, folders)
        _say(f"Nothing of {root} is trusted any more." if was else f"Nothing of {root} was trusted.")
    else:
        _ask(place, folders, how)


def _ask(place: Path, folders: Folders, how: How) -> None:
    known = given(place, os.environ, folders)
    doubted = trusts.doubts(known, place, os.environ, folders) | hook_trust.doubts(known, place, folders)
    every = trusts.questionable(known, place, os.environ) + hook_trust.questionable(known, place)
    if how.as_json:
        _write([_record(doubt, doubt.name not in doubted) for doubt in every])
    if not doubted:
        if not how.as_json:
            file = project_file(place)
            trusted = f"What {file} names is trusted already." if every else f"{file} names nothing that needs trust."
            _say(trusted if file.is_file() else f"There is no {file}: nothing needs trust.")
        return
    if not how.as_json:
        for line in lines(list(doubted.values())):
            _say(line)
    if not how.yes:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Invalid("To trust them wants a yes, and nobody is here to give it.", "Add --yes.")
        click.confirm("Trust them?", abort=True, err=True)
    trusts.trust(list(doubted.values()), folders)
    if not how.as_json:
        _say(f"Trusted, as long as {next(iter(doubted.values())).file} says the same of them.")


def lines(doubted: Sequence[Doubt]) -> list[str]:
    """What the file says, and what would be sent, source by source."""
    said = [f"{doubted[0].file} names:"]
    for doubt in doubted:
        said.append(f"  {doubt.name}")
        said += [f"    {line}" for line in doubt.says]
        if doubt.is_hook:
            what = "a promotion" if doubt.name == hook_trust.ON_PROMOTE else "a run"
            said.append(f"    would be run by runtower, with {what} as JSON on its stdin")
        else:
            said.append("    would be sent: " + ("; ".join(doubt.gets) or "questions, without credentials"))
    return said


def _list(folders: Folders, as_json: bool) -> None:
    found = [(record.folder, one) for record in trusts.records(folders) for one in record.trusted.values()]
    if as_json:
        _write([{"folder": folder, "source": o.name, "address": o.address, "time": o.at} for folder, o in found])
        return
    for folder, one in found:
        _say(f"{folder}  {one.name}  {one.address}  since {iso(one.at)}")
    if not found:
        _say("Nothing is trusted yet.")


def _record(doubt: Doubt, trusted: bool) -> dict[str, Any]:
    return {
        "source": doubt.name,
        "address": doubt.address,
        "file": str(doubt.file),
        "says": doubt.says,
        "gets": doubt.gets,
        "trusted": trusted,
    }


def _write(records: Sequence[dict[str, Any]]) -> None:
    for piece in json_array(records):
        sys.stdout.write(piece)


def _say(text: str) -> None:
    sys.stdout.write(inert(text) + "\n")
