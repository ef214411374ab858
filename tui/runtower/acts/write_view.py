"""Writes one view into a settings file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from runtower.acts.write_entry import write_entry
from runtower.domain.errors import Invalid
from runtower.settings import ViewSettings


def write_view(file: Path, name: str, view: ViewSettings) -> None:
    """Set `views.NAME` in the file. Raises as `write_entry`."""
    entry = {key: value for key, value in dataclasses.asdict(view).items() if value}
    if "${" in str(entry):
        raise Invalid("A view with ${ in it can't be saved: settings take that for another value.", "Change the query.")
    write_entry(file, "views", name, entry)
