"""The words of `artifacts`, `download` and `logs`."""

from __future__ import annotations

from typing import Any

import click

from runtower.commands import files
from runtower.commands.opening import Asked, chosen_format
from runtower.commands.options import JSON, WHERE, common


@click.command()
@click.argument("run")
@click.argument("folder", default="")
@WHERE
@JSON
@common
def artifacts(run: str, folder: str, where: str, as_json: bool, **asked: Any) -> None:
    """List the artifacts of a RUN, or those in one FOLDER of them."""
    files.list_artifacts(Asked(**asked), run, folder, where, chosen_format(as_json, False))


@click.command()
@click.argument("run")
@click.argument("path")
@WHERE
@click.option("-o", "--output", default="", metavar="FILE", help="A file or a folder; - is stdout. Default: here.")
@click.option("--force", "replace", is_flag=True, help="Replace a file that is there.")
@common
def download(run: str, path: str, where: str, output: str, replace: bool, **asked: Any) -> None:
    """Bring one artifact of a RUN here, whole or not at all."""
    files.download(Asked(**asked), run, path, where, output, replace)


@click.command()
@click.argument("run")
@WHERE
@click.option("-n", "--lines", type=click.IntRange(min=0), metavar="LINES", help="Only so many from its end.")
@click.option("-f", "--follow", is_flag=True, help="Go on printing what comes, until the run is over.")
@click.option("--file", "file", default="", metavar="NAME", help="Which of several logs.")
@common
def logs(run: str, where: str, lines: int | None, follow: bool, file: str, **asked: Any) -> None:
    """Print the console output of a RUN. Exits with 6 where none is found, and says where it was looked for."""
    files.print_log(Asked(**asked), run, where, files.LogWish(lines, follow, file))
