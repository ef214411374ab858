"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

JSON: Final = click.option("--json", "as_json", is_flag=True, help="One JSON array.")
CSV: Final = click.option("--csv", "as_csv", is_flag=True, help="CSV with a head line.")
WHERE: Final = click.option(
    "--where", default="", metavar="QUERY", help="Only runs that match, e.g. \"val_loss < 0.3 and model = 'vit'\"."
)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name the sources."""
    for option in (
        click.option("--read-only", is_flag=True, help="Refuse to write anything."),
        click.option("--timeout", "patience", default=60.0, show_default=True, help="Seconds without any news."),
        click.option("--tracking-uri", metavar="URI", help="A path or URI instead of what the folder holds."),
        click.option("--source", metavar="NAME", help="Only this source."),
    ):
        command = option(command)
    return command
