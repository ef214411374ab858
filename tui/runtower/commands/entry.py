"""The commands' words: options, exit codes, and what is said of an error. The work is done in the modules beside."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from runtower import __version__
from runtower.catalog.query.misread import Misread
from runtower.commands import (
    diff_words,
    dvc_words,
    editing,
    file_words,
    job_words,
    listing,
    log_listing,
    plot_words,
    registry_words,
    settings_listing,
    source_words,
    watch_words,
)
from runtower.commands import docs as documenting
from runtower.commands import doctor as doctoring
from runtower.commands.choosing import Wish
from runtower.commands.opening import Asked, chosen_format
from runtower.commands.options import CSV, JSON, WHERE, common
from runtower.domain.errors import Different, TowerError
from runtower.folders import Folders, private
from runtower.present.spans import inert

_INTERRUPTED: Final = 130


def main(argv: Sequence[str]) -> int:
    """Run a command; gives the exit code of docs/interfaces.md. Never raises."""
    as_json = "--json" in argv
    try:
        code = commands.main(args=list(argv), prog_name="runtower", standalone_mode=False)
        sys.stdout.flush()
        if isinstance(code, int):  # what a command says of itself; most say nothing
            return code
    except Different as answer:
        return answer.exit_code
    except TowerError as error:
        _say(error, as_json)
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        _say_usage(error, as_json)
        return 2
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever reads (head, less) has seen enough; the interpreter's last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - a traceback is for the log, not for a terminal
        _say(TowerError(f"runtower failed: {type(error).__name__}.", _logged()), as_json)
        return 1
    return doctoring.exit_code()


def _say(error: TowerError, as_json: bool) -> None:
    """A query that is wrong is shown with its place marked."""
    if as_json:
        said: dict[str, Any] = {"error": error.name, "tried": error.tried, "remedy": error.remedy}
        if isinstance(error, Misread):
            said["place"] = error.place
        said["exit_code"] = error.exit_code
        sys.stderr.write(msgspec.json.encode(said).decode() + "\n")
    else:
        sys.stderr.write(f"runtower: {inert(str(error))}\n")
        if isinstance(error, Misread):
            query, carets = error.pointed()
            sys.stderr.write(f"  {query}\n  {carets}\n")


def _say_usage(error: click.ClickException, as_json: bool) -> None:
    if as_json:
        said = {"error": "usage", "tried": error.format_message(), "remedy": "See --help.", "exit_code": 2}
        sys.stderr.write(msgspec.json.encode(said).decode() + "\n")
    else:
        error.show(sys.stderr)


def _logged() -> str:
    """Where the traceback went, in a sentence."""
    try:
        file = private(Folders.of().logs) / "commands.log"
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        return f"Its log can't be written: {error.strerror}."
    logger = logging.Logger("runtower.commands")
    logger.addHandler(handler)
    logger.exception("a command failed")
    handler.close()
    file.chmod(0o600)
    return f"The details are in {file}."


_MD: Final = click.option("--md", "as_md", is_flag=True, help="A Markdown table.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runtower", message="%(prog)s %(version)s")
def commands() -> None:
    """ML runs and models, without a screen."""


@commands.command()
@click.option("--experiment", "experiments", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@WHERE
@click.option("--view", default="", metavar="NAME", help="A saved view; the other options go before what it says.")
@click.option("--sort", default="", metavar="KEY[:desc]", help="A column, e.g. metrics.val_loss or start_time:desc.")
@click.option("--group", default="", metavar="COLUMN", help="Groups by a column instead of runs, with statistics.")
@click.option("--columns", default="", metavar="A,B", help="The columns of the table; of groups the metrics.")
@click.option("--limit", type=click.IntRange(min=0), help="At most so many runs.")
@click.option("--deleted", is_flag=True, help="The deleted runs instead of the living ones.")
@JSON
@CSV
@_MD
@common
def runs(
    experiments: tuple[str, ...],
    where: str,
    view: str,
    sort: str,
    group: str,
    columns: str,
    limit: int | None,
    deleted: bool,
    as_json: bool,
    as_csv: bool,
    as_md: bool,
    **asked: Any,
) -> None:
    """List runs, the newest first."""
    wish = Wish(experiments, sort, columns, limit, deleted, where, view, group)
    listing.list_runs(Asked(**asked), wish, chosen_format(as_json, as_csv, as_md))


@commands.command()
@click.argument("run")
@WHERE
@JSON
@common
def show(run: str, where: str, as_json: bool, **asked: Any) -> None:
    """Show one RUN: an id, the beginning of one, a name, or @best:METRIC."""
    listing.show_run(Asked(**asked), run, where, chosen_format(as_json, False))


@commands.command()
@click.argument("run")
@click.argument("key")
@WHERE
@JSON
@CSV
@common
def metric(run: str, key: str, where: str, as_json: bool, as_csv: bool, **asked: Any) -> None:
    """Print the whole history of metric KEY of a RUN."""
    listing.print_metric(Asked(**asked), run, key, where, chosen_format(as_json, as_csv))


def _writing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that writes."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON array, an object a run."),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing."),
        click.option("--yes", is_flag=True, help="Don't ask."),
    ):
        command = option(command)
    return common(command)


def _how(yes: bool, dry_run: bool, as_json: bool) -> editing.How:
    return editing.How(yes, dry_run, as_json)


_IF: Final = click.option("--if", "shown", metavar="VALUE", help="Only where this is its value now.")


@commands.command()
@click.argument("run")
@click.argument("name")
@_IF
@_writing
def rename(run: str, name: str, shown: str | None, yes: bool, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Give a RUN another NAME."""
    editing.rename(Asked(**asked), run, name, shown, _how(yes, dry_run, as_json))


@commands.command()
@click.argument("run")
@click.argument("tag", metavar="KEY[=VALUE]")
@click.option("--delete", is_flag=True, help="Take the tag away.")
@_IF
@click.option("--if-none", "absent", is_flag=True, help="Only where the run has no such tag now.")
@_writing
def tag(
    run: str,
    tag: str,
    delete: bool,
    shown: str | None,
    absent: bool,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Set a tag of a RUN, or take it away. The note is the tag mlflow.note.content."""
    wish = editing.TagWish(tag, delete, shown, absent)
    editing.tag(Asked(**asked), run, wish, _how(yes, dry_run, as_json))


@commands.command()
@click.argument("runs", nargs=-1, required=True)
@_writing
def delete(runs: tuple[str, ...], yes: bool, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Delete RUNS; `restore` brings them back until somebody runs mlflow gc."""
    editing.delete(Asked(**asked), runs, _how(yes, dry_run, as_json))


@commands.command()
@click.argument("runs", nargs=-1, required=True)
@_writing
def restore(runs: tuple[str, ...], yes: bool, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Restore deleted RUNS."""
    editing.restore(Asked(**asked), runs, _how(yes, dry_run, as_json))


@commands.command("mark-killed")
@click.argument("runs", nargs=-1, required=True)
@_writing
def mark_killed(runs: tuple[str, ...], yes: bool, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Mark RUNS KILLED whose process is gone and that still say RUNNING."""
    editing.mark_killed(Asked(**asked), runs, _how(yes, dry_run, as_json))


@commands.command()
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, the newest.")
@JSON
def log(limit: int, as_json: bool) -> None:
    """What runtower wrote, the newest last, with the command that does the same."""
    log_listing.print_log(limit, as_json)


@commands.command()
@JSON
@common
def doctor(as_json: bool, **asked: Any) -> None:
    """Say what was found, what answers, and what is wrong. Exits with 1 where something is."""
    doctoring.report(Asked(**asked), as_json)


@commands.command()
@JSON
def settings(as_json: bool) -> None:
    """Print each setting with where it came from."""
    settings_listing.print_settings(as_json)


@commands.command(hidden=True)
@click.argument("folder", type=click.Path(path_type=Path))
def docs(folder: Path) -> None:
    """Write the pages that are made from the code."""
    documenting.write(folder)


commands.add_command(diff_words.compare)
commands.add_command(diff_words.diff)
commands.add_command(dvc_words.dvc)
commands.add_command(file_words.artifacts)
commands.add_command(file_words.download)
commands.add_command(file_words.logs)
commands.add_command(job_words.gpus)
commands.add_command(job_words.jobs)
commands.add_command(job_words.launch)
commands.add_command(job_words.stop)
commands.add_command(plot_words.plot)
commands.add_command(registry_words.models)
commands.add_command(registry_words.gate)
commands.add_command(registry_words.promote)
commands.add_command(registry_words.rollback)
commands.add_command(source_words.sources)
commands.add_command(source_words.trust)
commands.add_command(watch_words.watch)
