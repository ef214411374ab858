"""The words of `artifacts`, `download` and `logs`."""

from __future__ import annotations

from typing import Any

import click

from runtower.commands import artifact_diffing, files, launching
from runtower.commands.job_listing import is_job
from runtower.commands.opening import Asked, chosen_format
from runtower.commands.options import JSON, WHERE, common
from runtower.domain.errors import Invalid

_DIFF = "diff"


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="RUN [FOLDER] | diff RUN:PATH RUN[:PATH]")
@WHERE
@JSON
@common
def artifacts(words: tuple[str, ...], where: str, as_json: bool, **asked: Any) -> None:
    """List the artifacts of a RUN, or those in one FOLDER of them; or compare two of them as text.

    `diff` prints a unified diff and exits with 10 where something differs. Without a PATH of its own the second is the
    file of the same path.
    """
    form = chosen_format(as_json, False)
    if len(words) == 3 and words[0] == _DIFF:
        artifact_diffing.print_artifact_diff(Asked(**asked), words[1:], where, form)
    elif len(words) <= 2:
        files.list_artifacts(Asked(**asked), words[0], words[1] if words[1:] else "", where, form)
    else:
        raise Invalid(f"artifacts doesn't know '{words[2]}'.", "It takes RUN [FOLDER], or diff RUN:PATH RUN[:PATH].")


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
@click.argument("run", metavar="RUN|JOB")
@WHERE
@click.option("-n", "--lines", type=click.IntRange(min=0), metavar="LINES", help="Only so many from its end.")
@click.option("-f", "--follow", is_flag=True, help="Go on printing what comes, until the run is over.")
@click.option("--file", "file", default="", metavar="NAME", help="Which of several logs.")
@common
def logs(run: str, where: str, lines: int | None, follow: bool, file: str, **asked: Any) -> None:
    """Print the console output of a RUN, or of a JOB (`j12`, or Slurm's `4711`). Exits with 6 where none is found, and
    says where it was looked for."""
    wish = files.LogWish(lines, follow, file)
    if is_job(run) and not where:
        launching.print_job_log(run, wish)
    else:
        files.print_log(Asked(**asked), run, where, wish)
